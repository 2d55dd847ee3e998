/** What becomes of a resource with data when its stack goes. */
import { RemovalPolicy } from 'aws-cdk-lib';
import type { Config } from './config';

/** It stays, unless it was made in a deployment that failed: what is left of that would be in the way of the next. */
export function keep(config: Config): RemovalPolicy {
  return config.local ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE;
}
