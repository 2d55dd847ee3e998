import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { actionsOf, compose, configOf, roleStatements, templates } from './environments';

const prod = templates('prod');
const demo = templates('demo');
const vault = prod.vault as Template;
const replica = prod.vaultReplica as Template;
const key = prod.vaultKey as Template;

const SOURCE = 'gorgen-prod-vault-111122223333-sa-east-1';
const COPY = 'gorgen-prod-vault-111122223333-us-east-1';

function bucketStatement(template: Template, sid: string): any {
  const policies = Object.values(template.findResources('AWS::S3::BucketPolicy'));
  const statements = policies.flatMap((policy) => policy.Properties.PolicyDocument.Statement as any[]);
  return statements.find((statement) => statement.Sid === sid);
}

describe.each([
  ['the vault', vault, SOURCE],
  ['its copy', replica, COPY],
])('the bucket of %s', (_, template, BucketName) => {
  it('keeps versions, locked for 30 days, that nobody can shorten', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      BucketName,
      VersioningConfiguration: { Status: 'Enabled' },
      ObjectLockEnabled: true,
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 30 } },
      },
    });
  });

  it('is encrypted with the key of the vault', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      BucketName,
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          {
            BucketKeyEnabled: true,
            ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: Match.anyValue() },
          },
        ],
      },
    });
    for (const sid of ['OnlyKmsEncryption', 'OnlyTheKeyOfTheVault']) {
      expect(bucketStatement(template, sid)).toMatchObject({ Effect: 'Deny', Action: 's3:PutObject' });
    }
    expect(bucketStatement(template, 'OnlyKmsEncryption').Condition).toEqual({
      StringNotEquals: { 's3:x-amz-server-side-encryption': 'aws:kms' },
      Null: { 's3:x-amz-server-side-encryption': 'false' },
    });
  });

  it('is closed to the public, and to whoever speaks no TLS', () => {
    template.allResourcesProperties('AWS::S3::Bucket', {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    });
    template.allResourcesProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Action: 's3:*', Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          Match.objectLike({ Effect: 'Deny', Condition: { NumericLessThan: { 's3:TlsVersion': 1.2 } } }),
        ]),
      },
    });
  });

  it('forgets what was given up or deleted, a month after its lock', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      BucketName,
      LifecycleConfiguration: {
        Rules: [
          {
            Id: 'let-go',
            Status: 'Enabled',
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
            NoncurrentVersionExpiration: { NoncurrentDays: 60 },
            ExpiredObjectDeleteMarker: true,
          },
        ],
      },
    });
  });

  it('is guarded against those with all rights, but for the break-glass role', () => {
    const glass = 'arn:aws:iam::111122223333:role/gorgen-break-glass';
    expect(bucketStatement(template, 'NobodyShortensALock')).toMatchObject({
      Effect: 'Deny',
      Action: 's3:BypassGovernanceRetention',
      Principal: { AWS: '*' },
      Condition: { ArnNotLike: { 'aws:PrincipalArn': [glass] } },
    });
    // What cleanup removes here stays in the copy: no role of ours reaches both.
    const [sid, removers] = BucketName === SOURCE ? ['OnlyCleanupRemovesVersions', ['arn:aws:iam::111122223333:role/gorgen-prod-cleanup']] : ['NobodyRemovesAVersion', []];
    const removal = bucketStatement(template, sid as string);
    expect(removal).toMatchObject({ Effect: 'Deny', Principal: { AWS: '*' }, Action: 's3:DeleteObjectVersion' });
    expect(removal.Condition).toEqual({ ArnNotLike: { 'aws:PrincipalArn': [...removers as string[], glass] } });
    const settings = bucketStatement(template, 'OnlyDeploymentsChangeSettings');
    expect(settings.Action).toEqual(expect.arrayContaining(['s3:PutBucketVersioning', 's3:PutLifecycleConfiguration', 's3:DeleteBucket']));
    expect(settings.Condition.ArnNotLike['aws:PrincipalArn']).toContain(glass);
  });

  it('takes packs, manifests, journals and the trail of calls once: no write without If-None-Match', () => {
    const { Effect, Principal, Action, Resource, Condition } = bucketStatement(template, 'WrittenOnce');
    expect([Effect, Principal, Action]).toEqual(['Deny', { AWS: '*' }, 's3:PutObject']);
    expect(Resource.map((resource: any) => resource['Fn::Join'][1].at(-1))).toEqual(['/audit/*', '/cleanups/*', '/manifests/*', '/packs/*', '/reports/*', '/restores/*.journal']);
    expect(Condition).toEqual({
      Null: { 's3:if-none-match': 'true' },
      Bool: { 's3:ObjectCreationOperation': 'true' },
      ArnNotLike: { 'aws:PrincipalArn': ['arn:aws:iam::111122223333:role/gorgen-break-glass'] },
    });
  });

  it('says who read it', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      BucketName,
      LoggingConfiguration: { DestinationBucketName: Match.anyValue(), LogFilePrefix: `${BucketName}/` },
    });
  });

  it('stays when its stack goes', () => {
    template.allResources('AWS::S3::Bucket', { DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' });
  });
});

describe('the guard of a bucket', () => {
  it('spares nobody where there is no break-glass role', () => {
    const bare = templates('prod', { breakGlass: [] }).vault as Template;
    expect(bucketStatement(bare, 'NobodyShortensALock').Condition).toBeUndefined();
  });

  it.each(['dev', 'demo'] as const)('can be opened again in %s', (environment) => {
    (templates(environment).vault as Template).hasResourceProperties('AWS::S3::Bucket', {
      ObjectLockConfiguration: { Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } } },
    });
  });
});

describe('replication', () => {
  it('copies all objects, encrypted with the key of the other region, and no deletion', () => {
    vault.hasResourceProperties('AWS::S3::Bucket', {
      BucketName: SOURCE,
      ReplicationConfiguration: {
        Rules: [
          {
            Id: 'everything',
            Status: 'Enabled',
            Filter: { Prefix: '' },
            DeleteMarkerReplication: { Status: 'Disabled' },
            SourceSelectionCriteria: { SseKmsEncryptedObjects: { Status: 'Enabled' } },
            Destination: {
              Bucket: `arn:aws:s3:::${COPY}`,
              EncryptionConfiguration: { ReplicaKmsKeyID: Match.anyValue() },
              Metrics: { Status: 'Enabled' },
            },
          },
        ],
      },
    });
  });

  it('has a role that reads here, writes there, and deletes nowhere', () => {
    const actions = actionsOf(vault, 'gorgen-prod-replication');
    expect(actions.filter((action) => /Delete|Put|Bypass|\*/.test(action))).toEqual([]);
    const statements = roleStatements(vault, 'gorgen-prod-replication');
    const writes = statements.find((statement) => [statement.Action].flat().includes('s3:ReplicateObject'));
    expect(writes.Resource).toBe(`arn:aws:s3:::${COPY}/*`);
    const encrypt = statements.find((statement) => statement.Action === 'kms:Encrypt');
    expect(encrypt.Condition.StringEquals).toEqual({
      'kms:ViaService': 's3.us-east-1.amazonaws.com',
      'kms:EncryptionContext:aws:s3:arn': `arn:aws:s3:::${COPY}`,
    });
  });

  it('comes after its destination', () => {
    const { stacks } = compose(configOf('prod'));
    const before = (name: string) => stacks[name]?.dependencies.map(({ stackName }) => stackName);
    expect(before('vault')).toEqual(['gorgen-prod-vault-replica']);
    expect(before('vaultReplica')).toEqual(['gorgen-prod-vault-key']);
  });
});

describe('the key', () => {
  it('is in both regions, rotates, and stays', () => {
    key.hasResource('AWS::KMS::Key', {
      DeletionPolicy: 'RetainExceptOnCreate',
      Properties: { MultiRegion: true, EnableKeyRotation: true },
    });
    key.hasResourceProperties('AWS::KMS::Alias', { AliasName: 'alias/gorgen-prod' });
    replica.hasResource('AWS::KMS::ReplicaKey', { DeletionPolicy: 'RetainExceptOnCreate' });
    replica.hasResourceProperties('AWS::KMS::Alias', { AliasName: 'alias/gorgen-prod' });
  });

  it.each([
    ['here', key, 'AWS::KMS::Key'],
    ['there', replica, 'AWS::KMS::ReplicaKey'],
  ])('opens %s only for roles of this system, and nobody destroys it', (_, template, type) => {
    const [policy] = Object.values(template.findResources(type)).map((resource) => resource.Properties.KeyPolicy);
    const [administration, use, destruction, ...more] = policy.Statement as any[];
    expect(more).toEqual([]);
    const strong = /Decrypt|Encrypt|DataKey|Grant|ScheduleKeyDeletion|DisableKey$|kms:\*/;
    expect(administration.Action.filter((action: string) => strong.test(action))).toEqual([]);
    expect([...use.Action].sort()).toEqual(['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey']);
    expect(use.Condition.ArnLike['aws:PrincipalArn']).toEqual([
      'arn:aws:iam::111122223333:role/gorgen-prod-*',
      'arn:aws:iam::111122223333:role/gorgen-break-glass',
    ]);
    expect(destruction.Effect).toBe('Deny');
    expect([...destruction.Action].sort()).toEqual(['kms:DisableKey', 'kms:ScheduleKeyDeletion']);
  });
});

describe('what holds data or keys', () => {
  it.each(['prod', 'dev'] as const)('cannot be taken down in %s', (environment) => {
    const { stacks } = compose(configOf(environment));
    for (const name of ['vaultKey', 'vaultReplica', 'vault']) expect(stacks[name]?.terminationProtection).toBe(true);
  });

  it('goes with the local cloud', () => {
    (demo.vault as Template).allResources('AWS::S3::Bucket', { DeletionPolicy: 'Delete' });
    expect(compose(configOf('demo')).stacks.vault?.terminationProtection).toBe(false);
  });
});

describe('outputs', () => {
  it.each<[string, string[]]>([
    ['vaultKey', ['VaultKeyArn']],
    ['vaultReplica', ['ReplicaBucket', 'ReplicaKeyArn']],
    ['vault', ['VaultBucket']],
    ['jobs', ['DeadLetterQueueUrl', 'FunctionBackup', 'FunctionCleanup', 'FunctionRestoreTest', 'FunctionRestore', 'FunctionVerify', 'FunctionReport', 'RestoreMachineArn', 'RestoreTestMachineArn']],
    ['api', ['FunctionApi', 'ApiUrl']],
    ['monitoring', ['TopicArn']],
    ['monitoringReplica', ['ReplicaTopicArn']],
  ])('of %s are what scripts expect', (stack, names) => {
    const outputs = Object.keys((demo[stack] as Template).findOutputs('*'));
    expect(outputs.filter((name) => !name.startsWith('ExportsOutput')).sort()).toEqual([...names].sort());
  });
});
