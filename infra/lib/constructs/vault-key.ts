/** The key that wraps data keys and encrypts the buckets: one multi-Region key, the same key material in both regions. */
import { Arn, ArnFormat, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { AccountRootPrincipal, AnyPrincipal, Effect, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Alias, CfnAlias, CfnReplicaKey, Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { Config } from '../config';
import { keep } from '../keep';
import { keyAlias, nameOf } from '../names';

/** What administrators may do with the key: all but use it, and all but destroy it. */
const ADMINISTRATION = [
  'kms:DescribeKey',
  'kms:GetKeyPolicy',
  'kms:GetKeyRotationStatus',
  'kms:List*',
  'kms:PutKeyPolicy',
  'kms:EnableKey',
  'kms:EnableKeyRotation',
  'kms:RotateKeyOnDemand',
  'kms:UpdateKeyDescription',
  'kms:UpdatePrimaryRegion',
  'kms:ReplicateKey',
  'kms:SynchronizeMultiRegionKey',
  'kms:CreateAlias',
  'kms:UpdateAlias',
  'kms:DeleteAlias',
  'kms:TagResource',
  'kms:UntagResource',
  'kms:CancelKeyDeletion',
];

const USE = ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey'];

const DESTRUCTION = ['kms:ScheduleKeyDeletion', 'kms:DisableKey'];

/**
 * Who may do what with the key. IAM policies alone don't open it: the principal must also be a role of this system, or
 * one for the day when the glass is broken. An administrator of the account can change this policy, which CloudTrail
 * shows, but not read medical records in passing.
 */
export function keyPolicy(config: Config): PolicyDocument {
  const anyone = [new AccountRootPrincipal()];
  const roles = `arn:aws:iam::${config.account}:role/${nameOf(config, '*')}`;
  const statements = [
    new PolicyStatement({ sid: 'Administration', principals: anyone, actions: ADMINISTRATION, resources: ['*'] }),
    new PolicyStatement({
      sid: 'UseByRolesOfThisSystem',
      principals: anyone,
      actions: USE,
      resources: ['*'],
      conditions: { ArnLike: { 'aws:PrincipalArn': [roles, ...config.breakGlass] } },
    }),
  ];
  if (!config.local) {
    // Without the key every backup is lost, and KMS destroys keys after days. Whoever means it edits this policy first.
    statements.push(
      new PolicyStatement({
        sid: 'NobodyDestroysTheKey',
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: DESTRUCTION,
        resources: ['*'],
      }),
    );
  }
  return new PolicyDocument({ statements });
}

/** The key in the primary region. */
export class VaultKey extends Construct {
  readonly key: Key;

  constructor(scope: Construct, id: string, config: Config) {
    super(scope, id);
    this.key = new Key(this, 'Key', {
      description: `gorgen-backup ${config.environment}: wraps data keys, encrypts the vault`,
      multiRegion: true,
      enableKeyRotation: true,
      policy: keyPolicy(config),
      pendingWindow: Duration.days(30),
      removalPolicy: keep(config),
    });
    new Alias(this, 'Alias', { aliasName: keyAlias(config), targetKey: this.key });
    new CfnOutput(this, 'VaultKeyArn', { value: this.key.keyArn }).overrideLogicalId('VaultKeyArn');
  }
}

/** The same key in the second region. Rotation, like the key material, follows the primary. */
export class VaultKeyReplica extends Construct {
  readonly arn: string;

  constructor(scope: Construct, id: string, config: Config, primaryKeyArn: string) {
    super(scope, id);
    const key = new CfnReplicaKey(this, 'Key', {
      description: `gorgen-backup ${config.environment}: the vault's key in the second region`,
      primaryKeyArn,
      keyPolicy: keyPolicy(config).toJSON(),
      pendingWindowInDays: 30,
    });
    key.applyRemovalPolicy(keep(config));
    new CfnAlias(this, 'Alias', { aliasName: keyAlias(config), targetKeyId: key.ref });
    this.arn = key.attrArn;
  }
}

/** The ARN of a multi-Region key's other half: it differs in the region alone. */
export function keyArnIn(stack: Stack, region: string, keyArn: string): string {
  const { resourceName } = Arn.split(keyArn, ArnFormat.SLASH_RESOURCE_NAME);
  return stack.formatArn({ service: 'kms', region, resource: 'key', resourceName: resourceName ?? '' });
}
