/** The vault's copy in the second region: the same key, and a bucket as strict as the first. */
import { CfnOutput, Stack, StackProps } from 'aws-cdk-lib';
import { IKey, Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { Config } from '../config';
import { VaultBucket } from '../constructs/vault-bucket';
import { VaultKeyReplica } from '../constructs/vault-key';
import { keyAlias, replicaBucketName } from '../names';

export class VaultReplicaStack extends Stack {
  constructor(scope: Construct, id: string, config: Config, primaryKey: IKey, props: StackProps) {
    super(scope, id, props);
    const keyArn = this.replicaKeyArn(config, primaryKey);
    const key = Key.fromKeyArn(this, 'ReplicaKey', keyArn);
    const { bucket } = new VaultBucket(this, 'Vault', { config, bucketName: replicaBucketName(config), key });
    new CfnOutput(this, 'ReplicaBucket', { value: bucket.bucketName });
    new CfnOutput(this, 'ReplicaKeyArn', { value: keyArn });
  }

  /** The emulator knows no AWS::KMS::ReplicaKey: there a script calls ReplicateKey, and the alias stands for the key. */
  private replicaKeyArn(config: Config, primaryKey: IKey): string {
    if (!config.local) return new VaultKeyReplica(this, 'VaultKey', config, primaryKey.keyArn).arn;
    return `arn:aws:kms:${config.replicaRegion}:${config.account}:${keyAlias(config)}`;
  }
}
