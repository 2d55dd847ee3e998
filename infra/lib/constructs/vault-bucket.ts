/** A bucket that keeps a vault, in either region: versions, Object Lock, one key, TLS, and nobody who can loosen that. */
import { Duration } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { IKey } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  ObjectLockRetention,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Config } from '../config';
import { keep } from '../keep';
import { AccessLogBucket } from './access-log-bucket';

/** How long what was deleted or overwritten stays after its lock has ended. */
const REGRET_DAYS = 30;

/** What is written once, by the vault's format: a second write to the same name is nobody's work. */
const WRITTEN_ONCE = ['packs/*', 'manifests/*', 'audit/*', 'cleanups/*', 'reports/*', 'restores/*.journal'];

/** What only a deployment may change: with these one could take the vault's promises back, bit by bit. */
const PROTECTED_SETTINGS = [
  's3:PutBucketVersioning',
  's3:PutBucketObjectLockConfiguration',
  's3:PutLifecycleConfiguration',
  's3:PutReplicationConfiguration',
  's3:PutEncryptionConfiguration',
  's3:PutBucketPublicAccessBlock',
  's3:PutBucketOwnershipControls',
  's3:DeleteBucket',
];

export interface VaultBucketProps {
  readonly config: Config;
  readonly bucketName: string;
  readonly key: IKey;
  /** The role that removes what retention lets go; without it, nobody removes a version. */
  readonly remover?: string;
}

export class VaultBucket extends Construct {
  readonly bucket: Bucket;

  constructor(scope: Construct, id: string, { config, bucketName, key, remover }: VaultBucketProps) {
    super(scope, id);
    const lockedFor = Duration.days(config.objectLock.days);
    const logs = new AccessLogBucket(this, 'AccessLogs', config);
    this.bucket = new Bucket(this, 'Bucket', {
      bucketName,
      versioned: true,
      objectLockEnabled: true,
      objectLockDefaultRetention:
        config.objectLock.mode === 'compliance'
          ? ObjectLockRetention.compliance(lockedFor)
          : ObjectLockRetention.governance(lockedFor),
      encryption: BucketEncryption.KMS,
      encryptionKey: key,
      bucketKeyEnabled: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      serverAccessLogsBucket: logs.bucket,
      serverAccessLogsPrefix: `${bucketName}/`,
      lifecycleRules: [
        {
          id: 'let-go',
          abortIncompleteMultipartUploadAfter: Duration.days(7),
          noncurrentVersionExpiration: Duration.days(config.objectLock.days + REGRET_DAYS),
          expiredObjectDeleteMarker: true,
        },
      ],
      removalPolicy: keep(config),
    });
    this.forbidOtherEncryption(key);
    this.forbidOverwriting(config);
    this.forbidLoosening(config, remover === undefined ? [] : [remover]);
  }

  /** Objects come with the bucket's own encryption or not at all; a request that names none gets it by default. */
  private forbidOtherEncryption(key: IKey): void {
    const deny = (sid: string, header: string, allowed: string) =>
      this.deny(sid, ['s3:PutObject'], [this.bucket.arnForObjects('*')], {
        StringNotEquals: { [header]: allowed },
        Null: { [header]: 'false' },
      });
    deny('OnlyKmsEncryption', 's3:x-amz-server-side-encryption', 'aws:kms');
    deny('OnlyTheKeyOfTheVault', 's3:x-amz-server-side-encryption-aws-kms-key-id', key.keyArn);
  }

  /** Versions would keep what was there, but the newest is what all read: an object that must not change has one version. */
  private forbidOverwriting(config: Config): void {
    const objects = WRITTEN_ONCE.map((names) => this.bucket.arnForObjects(names));
    // Of an upload in parts only its completion makes an object, and says whether there may be one.
    this.deny('WrittenOnce', ['s3:PutObject'], objects, {
      Null: { 's3:if-none-match': 'true' },
      Bool: { 's3:ObjectCreationOperation': 'true' },
      ...butFor(config.breakGlass),
    });
  }

  /** An administrator in a hurry, or somebody with an administrator's session, must not be able to loosen anything. */
  private forbidLoosening(config: Config, removers: string[]): void {
    const deployments = `arn:aws:iam::${config.account}:role/cdk-*-cfn-exec-role-${config.account}-*`;
    this.deny('NobodyShortensALock', ['s3:BypassGovernanceRetention'], [this.bucket.arnForObjects('*')], {
      ...butFor(config.breakGlass),
    });
    const sid = removers.length > 0 ? 'OnlyCleanupRemovesVersions' : 'NobodyRemovesAVersion';
    this.deny(sid, ['s3:DeleteObjectVersion'], [this.bucket.arnForObjects('*')], {
      ...butFor([...removers, ...config.breakGlass]),
    });
    this.deny('OnlyDeploymentsChangeSettings', PROTECTED_SETTINGS, [this.bucket.bucketArn], {
      ...butFor([deployments, ...config.breakGlass]),
    });
  }

  private deny(sid: string, actions: string[], resources: string[], conditions: Record<string, unknown>): void {
    this.bucket.addToResourcePolicy(
      new PolicyStatement({ sid, effect: Effect.DENY, principals: [new AnyPrincipal()], actions, resources, conditions }),
    );
  }
}

/** The condition under which a denial spares these. */
function butFor(arns: string[]): Record<string, unknown> {
  return arns.length > 0 ? { ArnNotLike: { 'aws:PrincipalArn': arns } } : {};
}
