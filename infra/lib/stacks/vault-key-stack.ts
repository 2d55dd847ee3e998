/** The key, before all else: the second region's bucket needs it, and the vault needs that bucket. */
import { Stack, StackProps } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { Config } from '../config';
import { VaultKey } from '../constructs/vault-key';

export class VaultKeyStack extends Stack {
  readonly key: Key;

  constructor(scope: Construct, id: string, config: Config, props: StackProps) {
    super(scope, id, props);
    this.key = new VaultKey(this, 'VaultKey', config).key;
  }
}
