/** What each function may do with the vault and its key, one policy a function. */
import { PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Config } from '../config';
import type { FunctionName } from '../names';
import { replicaBucketName, vaultBucketName } from '../names';

interface VaultAccess {
  /** The objects it writes, by the vault's format. */
  readonly writes: readonly string[];
  /** Which objects it reads. */
  readonly reads: readonly string[];
  /** What it does with data keys: a backup makes them, readers open them, cleanup opens those of manifests, others must not. */
  readonly dataKeys: 'make' | 'open' | 'open-manifests' | 'none';
  /** Which objects it locks for longer. Nobody shortens a lock. */
  readonly locks?: readonly string[];
  /** Which objects it removes with all their versions, once their locks have ended. */
  readonly removes?: readonly string[];
  /** Whether it reads the copy in the second region as well, with the key there. */
  readonly replica?: boolean;
}

const RUNS = ['runs/*'];
const ALL = ['*'];
/** All but packs, where the rows are, and requests, which are the API's own. */
const RECORDS = ['vault.json', 'keys/*', 'manifests/*', 'runs/*', 'locks/*', 'restores/*', 'audit/*', 'cleanups/*', 'pins/*', 'reports/*'];
/** What a backup is made of. */
const BACKUPS = ['manifests/*', 'packs/*', 'keys/*'];

const ACCESS: Readonly<Record<FunctionName, VaultAccess>> = {
  backup: {
    writes: ['vault.json', 'keys/*', 'packs/*', 'manifests/*', 'runs/*', 'locks/*'],
    reads: ALL,
    dataKeys: 'make',
    locks: BACKUPS,
  },
  // Not the lock of backups: two restores exclude each other by one of their own.
  restore: { writes: ['runs/*', 'restores/*', 'locks/restore.json'], reads: ALL, dataKeys: 'open' },
  'restore-test': { writes: RUNS, reads: ALL, dataKeys: 'open', replica: true },
  verify: { writes: RUNS, reads: ALL, dataKeys: 'open', replica: true },
  report: { writes: [...RUNS, 'reports/*'], reads: RECORDS, dataKeys: 'none' },
  // It gives back the lease of a backup that died, and says what it drops before it does.
  cleanup: {
    writes: [...RUNS, 'cleanups/*', 'locks/backup.json'],
    reads: RECORDS,
    dataKeys: 'open-manifests',
    locks: BACKUPS,
    removes: BACKUPS,
  },
  api: { writes: ['restores/*', 'audit/*', 'requests/*'], reads: [...RECORDS, 'requests/*'], dataKeys: 'none' },
};

/** Why the wildcards in these policies are as narrow as they can be, for cdk-nag. */
export const VAULT_ACCESS_REASON =
  'Objects have ids nobody knows beforehand; the wildcard is below one folder of one bucket, or the bucket that is read as a whole.';

/** Does the function look at the copy in the second region? */
export function readsReplica(name: FunctionName): boolean {
  return ACCESS[name].replica ?? false;
}

/** The function's rights on the vault's copy: to read it, and to open what it reads. */
export function replicaAccess(config: Config, keyArn: string): PolicyDocument {
  const bucketArn = `arn:aws:s3:::${replicaBucketName(config)}`;
  return new PolicyDocument({
    statements: [
      new PolicyStatement({ sid: 'List', actions: ['s3:ListBucket'], resources: [bucketArn] }),
      new PolicyStatement({ sid: 'Read', actions: ['s3:GetObject'], resources: [`${bucketArn}/*`] }),
      new PolicyStatement({
        sid: 'EncryptionOfTheBucket',
        actions: ['kms:Decrypt'],
        resources: [keyArn],
        conditions: throughBucket(config.replicaRegion, bucketArn),
      }),
      new PolicyStatement({ sid: 'DataKeys', actions: ['kms:Decrypt'], resources: [keyArn], conditions: OF_DATA_KEYS }),
    ],
  });
}

/** The condition under which only data keys for this are used. */
function ofDataKeys(...purposes: string[]) {
  return { StringEquals: { 'kms:EncryptionContext:gorgen:purpose': purposes } };
}

const OF_DATA_KEYS = ofDataKeys('rows', 'manifest', 'naming');

function throughBucket(region: string, bucketArn: string) {
  return { StringEquals: { 'kms:ViaService': `s3.${region}.amazonaws.com`, 'kms:EncryptionContext:aws:s3:arn': bucketArn } };
}

/** The function's rights on the vault. */
export function vaultAccess(name: FunctionName, config: Config, keyArn: string): PolicyDocument {
  const { reads, writes, dataKeys, locks = [], removes = [] } = ACCESS[name];
  const bucketArn = `arn:aws:s3:::${vaultBucketName(config)}`;
  const objects = (names: readonly string[]) => names.map((object) => `${bucketArn}/${object}`);
  const statements = [
    new PolicyStatement({ sid: 'List', actions: ['s3:ListBucket'], resources: [bucketArn] }),
    new PolicyStatement({ sid: 'Read', actions: ['s3:GetObject'], resources: objects(reads) }),
    new PolicyStatement({
      sid: 'EncryptionOfTheBucket',
      actions: writes.length > 0 ? ['kms:Decrypt', 'kms:GenerateDataKey'] : ['kms:Decrypt'],
      resources: [keyArn],
      conditions: throughBucket(config.primaryRegion, bucketArn),
    }),
  ];
  if (writes.length > 0) {
    statements.push(new PolicyStatement({ sid: 'Write', actions: ['s3:PutObject'], resources: objects(writes) }));
  }
  if (dataKeys !== 'none') {
    statements.push(
      new PolicyStatement({
        sid: 'DataKeys',
        actions: dataKeys === 'make' ? ['kms:Decrypt', 'kms:GenerateDataKey'] : ['kms:Decrypt'],
        resources: [keyArn],
        conditions: dataKeys === 'open-manifests' ? ofDataKeys('manifest') : OF_DATA_KEYS,
      }),
    );
  }
  if (locks.length > 0) {
    statements.push(
      new PolicyStatement({ sid: 'HowTheBucketLocks', actions: ['s3:GetBucketObjectLockConfiguration'], resources: [bucketArn] }),
      new PolicyStatement({ sid: 'Lock', actions: ['s3:GetObjectRetention', 's3:PutObjectRetention'], resources: objects(locks) }),
    );
  }
  if (removes.length > 0) {
    statements.push(
      new PolicyStatement({ sid: 'Versions', actions: ['s3:ListBucketVersions', 's3:ListBucketMultipartUploads'], resources: [bucketArn] }),
      new PolicyStatement({
        sid: 'Remove',
        actions: ['s3:DeleteObjectVersion', 's3:GetObjectLegalHold', 's3:AbortMultipartUpload'],
        resources: objects(removes),
      }),
    );
  }
  return new PolicyDocument({ statements });
}
