import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { writeFileSync, mkdtempSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ConfigError, environmentName, parseConfig, readConfig } from '../lib/config';
import { scheduleProblem } from '../lib/schedule-expression';
import { compose, configOf, example } from './environments';

/** The message with which a changed example is refused. */
function refusal(environment: 'dev' | 'prod' | 'demo', change: (document: Record<string, any>) => void): string {
  const document = example(environment);
  change(document);
  try {
    parseConfig(environment, document, 'prod.json');
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error('it was accepted');
}

describe('an environment', () => {
  it('of production locks for good, runs on arm64 and is in two regions', () => {
    const config = configOf('prod');
    expect(config).toMatchObject({
      primaryRegion: 'sa-east-1',
      replicaRegion: 'us-east-1',
      timeZone: 'America/Sao_Paulo',
      objectLock: { mode: 'compliance', days: 30 },
      retention: { daily: 30, weekly: 12, monthly: 12, yearly: 20 },
      architecture: 'arm64',
      local: false,
    });
  });

  it('can undo a restore for three days, and knows roles as Cognito gives them', () => {
    const config = configOf('dev');
    expect(config.restore).toEqual({ appendOnly: [], skip: [], tenantPaths: [], undoHours: 72 });
    expect(config.roles).toEqual({ claim: 'cognito:groups', admin: 'admin', master: 'admin_master' });
  });

  it.each(['dev', 'demo'] as const)('of %s can be unlocked', (environment) => {
    expect(configOf(environment).objectLock).toEqual({ mode: 'governance', days: 1 });
  });

  it('has the schedules of the owner', () => {
    expect(configOf('prod').schedules).toEqual({
      cleanup: { expression: 'cron(0 2 * * ? *)', enabled: true },
      backup: { expression: 'cron(0 3 * * ? *)', enabled: true },
      'restore-test': { expression: 'cron(0 4 ? * SUN *)', enabled: true },
      verify: { expression: 'cron(0 6 ? * MON *)', enabled: true },
      report: { expression: 'cron(0 5 1 * ? *)', enabled: true },
      reminder: { expression: 'cron(0 9 ? * SUN#1 *)', enabled: true },
    });
  });

  it('can switch a schedule off, or to other times', () => {
    const { schedules } = configOf('prod', { schedules: { verify: 'off', cleanup: 'rate(1 day)' } });
    expect(schedules.verify.enabled).toBe(false);
    expect(schedules.cleanup).toEqual({ expression: 'rate(1 day)', enabled: true });
  });
});

describe('a mistake is named with what was given and what is accepted', () => {
  it.each<[string, 'dev' | 'prod' | 'demo', (document: Record<string, any>) => void, string]>([
    ['no account', 'prod', (d) => delete d.account, 'account: missing; give the 12 digits of the AWS account, as text'],
    ['an account as a number', 'prod', (d) => (d.account = 111122223333), 'account: expected the 12 digits of the AWS account, as text, got 111122223333'],
    ['a misspelt field', 'prod', (d) => (d.tenantColum = 'x'), 'tenantColum: no such field; known here: account,'],
    ['a misspelt field further in', 'prod', (d) => (d.database.prot = 1), 'database.prot: no such field'],
    ['a port out of bounds', 'prod', (d) => (d.database.port = 70000), 'database.port: expected a whole number from 1 to 65535, got 70000'],
    ['one secret for both users', 'prod', (d) => (d.database.login.restore = d.database.login.backup), 'database.login.restore: expected another secret than backup'],
    ['one user for both', 'dev', (d) => (d.database.login.restore = d.database.login.backup), 'database.login.restore: expected another user than backup'],
    ['a login of no kind', 'prod', (d) => (d.database.login.kind = 'ldap'), 'database.login.kind: expected one of secret, rds-iam, got "ldap"'],
    ['tokens without certificates', 'dev', (d) => (d.database.ca = 'system'), 'database.ca: expected rds, when users log in with rds-iam'],
    ['a bad cron', 'prod', (d) => (d.schedules = { backup: 'cron(0 25 * * ? *)' }), 'schedules.backup: expected rate(...), cron(...) or off (hours is 25)'],
    ['a schedule of no job', 'prod', (d) => (d.schedules = { restore: 'rate(1 day)' }), 'schedules.restore: no such field; known here: backup'],
    ['a zone that is none', 'prod', (d) => (d.timeZone = 'America/Sampa'), 'timeZone: expected a time zone, such as America/Sao_Paulo, got "America/Sampa"'],
    ['a lock longer than retention', 'prod', (d) => (d.objectLock = { days: 31 }), 'objectLock.days: expected at most retention.daily (30)'],
    ['one region', 'prod', (d) => (d.replicaRegion = 'sa-east-1'), 'replicaRegion: expected another region than primaryRegion'],
    ['days that logs cannot be kept', 'prod', (d) => (d.logDays = 100), 'logDays: expected what CloudWatch Logs offers: 1, 3'],
    ['nobody to tell', 'prod', (d) => (d.notify = []), 'notify: expected at least one e-mail address'],
    ['no address', 'prod', (d) => (d.notify = ['me']), 'notify[0]: expected an e-mail address, got "me"'],
    ['too few zones', 'prod', (d) => d.network.availabilityZones.pop(), 'network.availabilityZones: expected one for each of the 2 subnets'],
    ['no subnet', 'prod', (d) => (d.network.subnetIds = []), 'network.subnetIds: expected at least one private subnet'],
    ['an issuer without audience', 'prod', (d) => (d.jwt = { issuer: 'https://a.example' }), 'jwt.audience: expected at least one audience'],
    ['a table that is none', 'prod', (d) => (d.appendOnly = ['audit_log,users']), 'appendOnly[0]: expected the name of a table, got "audit_log,users"'],
    ['a table skipped and added to', 'prod', (d) => (d.restoreSkip = ['x', 'audit_log']), 'restoreSkip: expected other tables than appendOnly, which a restore adds to, got ["audit_log"]'],
    ['paths that lead nowhere', 'prod', (d) => { delete d.tenantColumn; d.tenantPaths = ['a.b=c.d']; }, 'tenantPaths: expected none without a tenantColumn'],
    ['a path with one end', 'prod', (d) => (d.tenantPaths = ['senhas.user_id']), 'tenantPaths[0]: expected table.column=parent.column, got "senhas.user_id"'],
    ['an identity for a recipient', 'prod', (d) => (d.offlineRecipient = 'AGE-SECRET-KEY-1X'), 'offlineRecipient: expected a recipient of age, as in age1..., got'],
    ['undo for ever', 'prod', (d) => (d.undoHours = 8761), 'undoHours: expected a whole number from 1 to 8760, got 8761'],
    ['one role for both', 'prod', (d) => (d.masterRole = 'admin'), 'masterRole: expected another role than adminRole'],
    ['a role that is a list', 'prod', (d) => (d.adminRole = '[admin]'), 'adminRole: expected the name of a role'],
    ['a claim that is none', 'prod', (d) => (d.roleClaim = ''), 'roleClaim: expected the name of a claim, got ""'],
    ['a scratch name that leaves no room', 'prod', (d) => (d.scratch.name = 'a'.repeat(26)), 'scratch.name: expected what the names of scratch databases begin with, of at most 25 characters'],
    ['no database', 'prod', (d) => delete d.database, 'database: missing; give host, name and login'],
    ['a text for an object', 'prod', (d) => (d.database = 'mysql://'), 'database: expected an object, got "mysql://"'],
  ])('%s', (_, environment, change, message) => {
    expect(refusal(environment, change)).toContain(`prod.json: ${message}`);
  });

  it('an environment that is none', () => {
    expect(() => environmentName('production')).toThrow('context env: expected one of dev, prod, demo, got "production"');
    expect(() => environmentName(undefined)).toThrow('got null; for example: cdk synth -c env=dev');
  });

  it('a file that is not there, or no JSON', () => {
    expect(() => readConfig('prod', '/nowhere/prod.json')).toThrow('/nowhere/prod.json: cannot be read; copy infra/environments/prod.example.json');
    const file = join(mkdtempSync(join(tmpdir(), 'gorgen-infra-')), 'prod.json');
    writeFileSync(file, '{');
    expect(() => readConfig('prod', file)).toThrow(`${file}: is no JSON:`);
  });

  it('functions that were not built', () => {
    expect(() => compose(configOf('demo'), '/nowhere')).toThrow(
      '/nowhere/gorgen-function-backup/bootstrap.zip: no such file; build the functions with "make functions"',
    );
  });

  it('a system that tests no restore is warned about', () => {
    const { app } = compose(configOf('prod', { scratch: undefined }));
    const { messages } = app.synth().getStackByName('gorgen-prod-jobs');
    expect(messages.map(({ entry }) => entry.data)).toEqual([expect.stringContaining('no restore is ever tested')]);
  });
});

it('a system whose replica no restore test reads is warned about', () => {
  const { app } = compose(configOf('prod'));
  const { messages } = app.synth().getStackByName('gorgen-prod-jobs');
  expect(messages.map(({ entry }) => entry.data)).toEqual([expect.stringContaining('restore-test --from replica')]);
  const { app: open } = compose(configOf('prod', { network: undefined }));
  expect(open.synth().getStackByName('gorgen-prod-jobs').messages).toEqual([]);
});

describe('schedule expressions', () => {
  it.each(['rate(1 minute)', 'rate(12 hours)', 'cron(0 3 * * ? *)', 'cron(0/15 8-18 ? * MON-FRI 2026)', 'cron(0 4 ? * SUN *)', 'cron(0 5 L * ? *)', 'cron(0 9 ? * 2#1 *)'])(
    '%s is one',
    (expression) => expect(scheduleProblem(expression)).toBeUndefined(),
  );

  it.each([
    ['daily', 'neither rate(N minutes) nor cron(...)'],
    ['rate(0 minutes)', 'a rate must be 1 or more'],
    ['rate(5 weeks)', 'neither'],
    ['cron(0 3 * * *)', 'cron has 6 fields, here are 5'],
    ['cron(60 3 * * ? *)', 'minutes is 60'],
    ['cron(0 3 * * * *)', 'one of day of month and day of week must be ?'],
    ['cron(0 3 ? * ? *)', 'one of day of month and day of week must be ?'],
    ['cron(0 3 ? * SUM *)', 'day of week is SUM'],
    ['cron(0 9-8 * * ? *)', 'hours is 9-8'],
    ['cron(0 3 32 * ? *)', 'day of month is 32'],
  ])('%s is none', (expression, problem) => expect(scheduleProblem(expression)).toContain(problem));
});
