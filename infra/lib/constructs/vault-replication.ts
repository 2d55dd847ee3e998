/** Copies every object of the vault to the bucket in the second region, with a role that can do nothing else. */
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { IKey } from 'aws-cdk-lib/aws-kms';
import { Bucket, CfnBucket } from 'aws-cdk-lib/aws-s3';
import { NagSuppressions } from 'cdk-nag';
import { Construct } from 'constructs';
import type { Config } from '../config';
import { REPLICATION_RULE } from '../metrics';
import { nameOf, replicaBucketName, vaultBucketName } from '../names';

export interface VaultReplicationProps {
  readonly config: Config;
  readonly bucket: Bucket;
  readonly key: IKey;
  readonly replicaKeyArn: string;
}

export class VaultReplication extends Construct {
  constructor(scope: Construct, id: string, { config, bucket, key, replicaKeyArn }: VaultReplicationProps) {
    super(scope, id);
    // By name, not by reference: the bucket depends on this role.
    const bucketArn = `arn:aws:s3:::${vaultBucketName(config)}`;
    const replicaArn = `arn:aws:s3:::${replicaBucketName(config)}`;
    const role = new Role(this, 'Role', {
      roleName: nameOf(config, 'replication'),
      description: 'S3 copies the vault to the second region',
      assumedBy: new ServicePrincipal('s3.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': config.account },
          ArnEquals: { 'aws:SourceArn': bucketArn },
        },
      }),
      inlinePolicies: {
        Copy: new PolicyDocument({
          statements: [
            new PolicyStatement({
              actions: ['s3:GetReplicationConfiguration', 's3:ListBucket'],
              resources: [bucketArn],
            }),
            new PolicyStatement({
              actions: [
                's3:GetObjectVersionForReplication',
                's3:GetObjectVersionAcl',
                's3:GetObjectVersionTagging',
                's3:GetObjectRetention',
                's3:GetObjectLegalHold',
              ],
              resources: [`${bucketArn}/*`],
            }),
            // Not s3:ReplicateDelete: see deleteMarkerReplication below.
            new PolicyStatement({
              actions: ['s3:ReplicateObject', 's3:ReplicateTags'],
              resources: [`${replicaArn}/*`],
            }),
            useOfKey('kms:Decrypt', key.keyArn, config.primaryRegion, bucketArn),
            useOfKey('kms:Encrypt', replicaKeyArn, config.replicaRegion, replicaArn),
          ],
        }),
      },
    });
    const resource = bucket.node.defaultChild as CfnBucket;
    resource.replicationConfiguration = {
      role: role.roleArn,
      rules: [
        {
          id: REPLICATION_RULE,
          priority: 1,
          status: 'Enabled',
          filter: { prefix: '' },
          // What is deleted in one region stays in sight in the other: a stolen role of ours must not reach both.
          deleteMarkerReplication: { status: 'Disabled' },
          sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: 'Enabled' } },
          destination: {
            bucket: replicaArn,
            encryptionConfiguration: { replicaKmsKeyId: replicaKeyArn },
            metrics: { status: 'Enabled' },
          },
        },
      ],
    };
    NagSuppressions.addResourceSuppressions(
      role,
      [{ id: 'AwsSolutions-IAM5', reason: 'It copies all objects of one bucket into one other; the wildcards are their names.' }],
    );
  }
}

/** With a bucket key the context is the bucket's ARN, not the object's. */
function useOfKey(action: string, keyArn: string, region: string, bucketArn: string): PolicyStatement {
  return new PolicyStatement({
    actions: [action],
    resources: [keyArn],
    conditions: {
      StringEquals: { 'kms:ViaService': `s3.${region}.amazonaws.com`, 'kms:EncryptionContext:aws:s3:arn': bucketArn },
    },
  });
}
