/** The vault: its bucket, and the rule that copies it to the second region. */
import { CfnOutput, Stack, StackProps } from 'aws-cdk-lib';
import { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { Config } from '../config';
import { VaultBucket } from '../constructs/vault-bucket';
import { keyArnIn } from '../constructs/vault-key';
import { VaultReplication } from '../constructs/vault-replication';
import { roleArnOf, vaultBucketName } from '../names';

export class VaultStack extends Stack {
  constructor(scope: Construct, id: string, config: Config, key: IKey, props: StackProps) {
    super(scope, id, props);
    const { bucket } = new VaultBucket(this, 'Vault', { config, bucketName: vaultBucketName(config), key, remover: roleArnOf(config, 'cleanup') });
    const replicaKeyArn = keyArnIn(this, config.replicaRegion, key.keyArn);
    new VaultReplication(this, 'Replication', { config, bucket, key, replicaKeyArn });
    new CfnOutput(this, 'VaultBucket', { value: bucket.bucketName });
  }
}
