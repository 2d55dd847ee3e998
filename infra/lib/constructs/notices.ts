/** How a function tells people how its runs ended: one topic, and no other. */
import { PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Config } from '../config';
import { topicArn, topicKeyAlias } from '../names';

/** Why its wildcard is as narrow as it can be, for cdk-nag. */
export const NOTICES_REASON =
  "The topic's key is made after the functions, so that it is known by its alias, and only to SNS on the function's behalf.";

export function noticesAccess(config: Config): PolicyDocument {
  const { primaryRegion: region, account } = config;
  return new PolicyDocument({
    statements: [
      new PolicyStatement({ actions: ['sns:Publish'], resources: [topicArn(config)] }),
      new PolicyStatement({
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: [`arn:aws:kms:${region}:${account}:key/*`],
        conditions: {
          StringEquals: { 'kms:ViaService': `sns.${region}.amazonaws.com` },
          'ForAnyValue:StringEquals': { 'kms:ResourceAliases': topicKeyAlias(config) },
        },
      }),
    ],
  });
}

/** The settings of notices; what is usual is not set. */
export function noticesEnvironment(config: Config): Record<string, string> {
  return {
    GORGEN_NOTICE_TOPIC: topicArn(config),
    GORGEN_NOTICES: config.notices,
    // A notice tells times by the clinic's clock.
    GORGEN_TIMEZONE: config.timeZone,
  };
}
