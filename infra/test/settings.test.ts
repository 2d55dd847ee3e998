import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { ROOT, templates } from './environments';

/** What each function is given, by the login that reaches the database. */
function given(environment: 'prod' | 'dev'): Record<string, string[]> {
  const { jobs, api } = templates(environment);
  const functions = [jobs, api].flatMap((template) => Object.values((template as Template).findResources('AWS::Lambda::Function')));
  return Object.fromEntries(
    functions.map(({ Properties }) => [
      Properties.FunctionName.replace(`gorgen-${environment}-`, ''),
      Object.keys(Properties.Environment.Variables).sort(),
    ]),
  );
}

describe('settings', () => {
  it('are given to the functions that read them, and to no others', () => {
    const vault = 'GORGEN_VAULT';
    const notices = ['GORGEN_NOTICES', 'GORGEN_NOTICE_TOPIC'];
    expect(given('prod')).toEqual({
      backup: [
        'GORGEN_DATABASE_SECRET',
        'GORGEN_DATABASE_URL',
        'GORGEN_KEYRING',
        'GORGEN_LANG',
        ...notices,
        'GORGEN_RETENTION',
        'GORGEN_TENANT_COLUMN',
        'GORGEN_TIMEZONE',
        vault,
      ],
      restore: [
        'GORGEN_APPEND_ONLY',
        'GORGEN_DATABASE_SECRET',
        'GORGEN_DATABASE_URL',
        'GORGEN_KEYRING',
        'GORGEN_LANG',
        ...notices,
        'GORGEN_RESTORE_SKIP',
        'GORGEN_SCRATCH_SECRET',
        'GORGEN_SCRATCH_URL',
        'GORGEN_TENANT_COLUMN',
        'GORGEN_TIMEZONE',
        'GORGEN_UNDO_HOURS',
        vault,
      ],
      'restore-test': ['GORGEN_KEYRING', 'GORGEN_LANG', ...notices, 'GORGEN_SCRATCH_SECRET', 'GORGEN_SCRATCH_URL', 'GORGEN_TIMEZONE', vault],
      verify: ['GORGEN_KEYRING', 'GORGEN_LANG', ...notices, 'GORGEN_REPLICA_KEYRING', 'GORGEN_REPLICA_VAULT', 'GORGEN_TIMEZONE', vault],
      report: ['GORGEN_LANG', ...notices, 'GORGEN_TIMEZONE', vault],
      cleanup: ['GORGEN_KEYRING', 'GORGEN_LANG', ...notices, 'GORGEN_RETENTION', 'GORGEN_TIMEZONE', vault],
      api: [
        'GORGEN_ADMIN_ROLE',
        'GORGEN_JOB_FUNCTIONS',
        'GORGEN_LANG',
        'GORGEN_MASTER_ROLE',
        'GORGEN_RESTORE_MACHINE',
        'GORGEN_RESTORE_TEST_MACHINE',
        'GORGEN_ROLE_CLAIM',
        'GORGEN_SCHEDULE_GROUP',
        'GORGEN_TIMEZONE',
        vault,
      ],
    });
  });

  it('tell restore tests of the replica where no private network keeps it from them', () => {
    expect(given('dev')['restore-test']).toEqual(expect.arrayContaining(['GORGEN_REPLICA_KEYRING', 'GORGEN_REPLICA_VAULT']));
    expect(given('prod')['restore-test']).not.toContain('GORGEN_REPLICA_VAULT');
  });

  it('are such as the functions know: they refuse others', () => {
    const source = readFileSync(join(ROOT, 'crates/adapters/src/settings/name.rs'), 'utf8').split('#[cfg(test)]')[0] as string;
    const known = new Set([...source.matchAll(/"(GORGEN_[A-Z_]+)"/g)].map((match) => match[1]));
    const all = [...Object.values(given('prod')), ...Object.values(given('dev'))].flat();
    expect(all.filter((name) => !known.has(name))).toEqual([]);
    expect(known.size).toBeGreaterThan(5);
  });
});
