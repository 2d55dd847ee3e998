/** What each function may do with the vault and its key, one policy a function. */
import { PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Config } from '../config';
import type { FunctionName } from '../names';
import { vaultBucketName } from '../names';

interface VaultAccess {
  /** The objects it writes, by the vault's format. Nothing is ever deleted, but for cleanup, which is to come. */
  readonly writes: readonly string[];
  /** Which objects it reads. */
  readonly reads: readonly string[];
  /** What it does with data keys: a backup makes them, readers open them, others must not. */
  readonly dataKeys: 'make' | 'open' | 'none';
}

const RUNS = ['runs/*'];
const ALL = ['*'];
/** All but packs, where the rows are, and requests, which are the API's own. */
const RECORDS = ['vault.json', 'keys/*', 'manifests/*', 'runs/*', 'locks/*', 'restores/*', 'audit/*'];

const ACCESS: Readonly<Record<FunctionName, VaultAccess>> = {
  backup: {
    writes: ['vault.json', 'keys/*', 'packs/*', 'manifests/*', 'runs/*', 'locks/*'],
    reads: ALL,
    dataKeys: 'make',
  },
  // Not the lock of backups: two restores exclude each other by one of their own.
  restore: { writes: ['runs/*', 'restores/*', 'locks/restore.json'], reads: ALL, dataKeys: 'open' },
  'restore-test': { writes: RUNS, reads: ALL, dataKeys: 'open' },
  verify: { writes: RUNS, reads: ALL, dataKeys: 'open' },
  report: { writes: RUNS, reads: RECORDS, dataKeys: 'none' },
  // It deletes nothing yet, so it may delete nothing yet.
  cleanup: { writes: RUNS, reads: RECORDS, dataKeys: 'none' },
  api: { writes: ['restores/*', 'audit/*', 'requests/*'], reads: [...RECORDS, 'requests/*'], dataKeys: 'none' },
};

/** Why the wildcards in these policies are as narrow as they can be, for cdk-nag. */
export const VAULT_ACCESS_REASON =
  'Objects have ids nobody knows beforehand; the wildcard is below one folder of one bucket, or the bucket that is read as a whole.';

/** The function's rights on the vault. */
export function vaultAccess(name: FunctionName, config: Config, keyArn: string): PolicyDocument {
  const { reads, writes, dataKeys } = ACCESS[name];
  const bucketArn = `arn:aws:s3:::${vaultBucketName(config)}`;
  const objects = (names: readonly string[]) => names.map((object) => `${bucketArn}/${object}`);
  const statements = [
    new PolicyStatement({ sid: 'List', actions: ['s3:ListBucket'], resources: [bucketArn] }),
    new PolicyStatement({ sid: 'Read', actions: ['s3:GetObject'], resources: objects(reads) }),
    new PolicyStatement({
      sid: 'EncryptionOfTheBucket',
      actions: writes.length > 0 ? ['kms:Decrypt', 'kms:GenerateDataKey'] : ['kms:Decrypt'],
      resources: [keyArn],
      conditions: {
        StringEquals: {
          'kms:ViaService': `s3.${config.primaryRegion}.amazonaws.com`,
          'kms:EncryptionContext:aws:s3:arn': bucketArn,
        },
      },
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
        conditions: { StringEquals: { 'kms:EncryptionContext:gorgen:purpose': ['rows', 'manifest', 'naming'] } },
      }),
    );
  }
  return new PolicyDocument({ statements });
}
