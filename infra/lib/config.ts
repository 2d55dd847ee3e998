/** What an environment is made of: its defaults, and what the operator's file adds. Everything else reads this and nothing more. */
import { readFileSync } from 'node:fs';
import { ConfigError, Fields } from './fields';
import { scheduleProblem } from './schedule-expression';

export { ConfigError } from './fields';

/** The environments there are. `demo` is the local cloud: kept nowhere, protected from nothing. */
export const ENVIRONMENTS = ['dev', 'prod', 'demo'] as const;
export type EnvironmentName = (typeof ENVIRONMENTS)[number];

/** The jobs a schedule starts; `restore` is only ever started by a person. */
export const SCHEDULED_JOBS = ['cleanup', 'backup', 'restore-test', 'verify', 'report'] as const;
export type ScheduledJob = (typeof SCHEDULED_JOBS)[number];

/** Beside them, when people are reminded of what they do themselves. */
export const TIMED = [...SCHEDULED_JOBS, 'reminder'] as const;
export type Timed = (typeof TIMED)[number];

/** When a job runs, as EventBridge Scheduler writes it, or never. */
export interface ScheduleConfig {
  readonly expression: string;
  readonly enabled: boolean;
}

/** Who may log in to the database, and how. Backup and restore are two users: backup only reads. */
export type DatabaseLogin =
  | { readonly kind: 'secret'; readonly backup: string; readonly restore: string; readonly keyArn?: string }
  | { readonly kind: 'rds-iam'; readonly resourceId: string; readonly backup: string; readonly restore: string };

/** A database server as a function reaches it. */
export interface ServerConfig {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  /** Which certificates vouch for it: those of RDS, or those every program trusts. */
  readonly ca: 'rds' | 'system';
}

export interface DatabaseConfig extends ServerConfig {
  readonly login: DatabaseLogin;
}

/** The throw-away server of restore tests. */
export interface ScratchConfig extends ServerConfig {
  readonly secretArn: string;
  readonly keyArn?: string;
}

/** The private network of the database, when it has one. */
export interface NetworkConfig {
  readonly vpcId: string;
  readonly cidr: string;
  readonly subnetIds: string[];
  readonly availabilityZones: string[];
  readonly routeTableIds: string[];
  /** The database's own security group; the functions are let in when it is given. */
  readonly databaseSecurityGroupId?: string;
  /** Whether to make the endpoints of S3, KMS and Secrets Manager, or rely on those (or the NAT) that are there. */
  readonly createEndpoints: boolean;
}

/** How many backups of each kind are kept. */
export interface RetentionConfig {
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
  readonly yearly: number;
}

export interface ObjectLockConfig {
  readonly mode: 'governance' | 'compliance';
  readonly days: number;
}

/** What a restore of the live data does not simply replace. */
export interface RestoreConfig {
  /** Tables whose later entries survive a restore. */
  readonly appendOnly: string[];
  /** Tables that a restore leaves as they are. */
  readonly skip: string[];
  /** Which way a table without the tenant column leads to its tenant. */
  readonly tenantPaths: string[];
  /** How long a restore can be undone. */
  readonly undoHours: number;
}

/** Who may do what over the API: a claim of the token holds the caller's roles. */
export interface RolesConfig {
  readonly claim: string;
  /** Sees everything, and starts backups. */
  readonly admin: string;
  /** Restores, too. */
  readonly master: string;
}

/** Somebody else's OpenID Connect issuer, in place of a user pool of ours. */
export interface JwtConfig {
  readonly issuer: string;
  readonly audience: string[];
}

export interface Config {
  readonly environment: EnvironmentName;
  readonly account: string;
  readonly primaryRegion: string;
  readonly replicaRegion: string;
  readonly database: DatabaseConfig;
  readonly scratch?: ScratchConfig;
  readonly network?: NetworkConfig;
  readonly tenantColumn?: string;
  /** Whose identity, kept in a safe, opens every data key without AWS: a recipient of age. */
  readonly offlineRecipient?: string;
  readonly restore: RestoreConfig;
  readonly roles: RolesConfig;
  readonly timeZone: string;
  /** Of reports, notices and alarms. */
  readonly language: 'pt-BR' | 'en';
  readonly retention: RetentionConfig;
  readonly objectLock: ObjectLockConfig;
  readonly schedules: Readonly<Record<Timed, ScheduleConfig>>;
  readonly notify: string[];
  /** Which notices the functions send: what is wrong or odd, or also what went well. */
  readonly notices: 'problems' | 'all';
  readonly jwt?: JwtConfig;
  /** Roles that may decrypt by hand and undo what the bucket policy forbids; an empty list means nobody. */
  readonly breakGlass: string[];
  readonly architecture: 'arm64' | 'x86_64';
  readonly jobMemoryMb: number;
  readonly logDays: number;
  /** Whether this is the local cloud, which is thrown away, and whose emulator lacks a few things. */
  readonly local: boolean;
}

/** The owner's times. */
const SCHEDULES: Record<Timed, string> = {
  cleanup: 'cron(0 2 * * ? *)',
  backup: 'cron(0 3 * * ? *)',
  'restore-test': 'cron(0 4 ? * SUN *)',
  verify: 'cron(0 6 ? * MON *)',
  report: 'cron(0 5 1 * ? *)',
  reminder: 'cron(0 9 ? * SUN#1 *)',
};

/** 2 vCPU: reading, compressing and sealing keep both busy. An account that is new may be limited to 3008. */
const JOB_MEMORY_MB = 3538;

/** Three days: a weekend passes before somebody notices. */
const UNDO_HOURS = 72;

/** What CloudWatch Logs takes as a retention. */
const LOG_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

const ACCOUNT = /^\d{12}$/;
const REGION = /^[a-z]{2}(-[a-z]+)+-\d$/;
const HOST = /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/;
/** They are given to functions in a list with commas. */
const TABLE = /^[^\s,`]{1,64}$/;
const TENANT_PATH = /^[^\s,.=]+\.[^\s,.=]+=[^\s,.=]+\.[^\s,.=]+$/;
const ROLE = /^[^\s,[\]]{1,128}$/;
const DATABASE = /^[A-Za-z0-9_$-]{1,64}$/;
/** Each restore test adds the vault and its run to it: 39 of the 64 characters that MySQL takes. */
const SCRATCH = /^[A-Za-z0-9_$-]{1,25}$/;
const USER = /^[A-Za-z0-9_.-]{1,32}$/;
const SECRET_ARN = /^arn:aws:secretsmanager:[a-z0-9-]+:\d{12}:secret:\S+$/;
const KEY_ARN = /^arn:aws:kms:[a-z0-9-]+:\d{12}:key\/\S+$/;
const RECIPIENT = /^age1[02-9ac-hj-np-z]{58}$/;
const PRINCIPAL_ARN = /^arn:aws:iam::\d{12}:(role\/\S+|user\/\S+|root)$/;
const E_MAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

/** Reads the file of an environment. */
export function readConfig(environment: string | undefined, path: string): Config {
  const name = environmentName(environment);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    throw new ConfigError(
      `${path}: cannot be read; copy infra/environments/${name}.example.json there and ` +
        'fill it in, or name another file with -c config=FILE',
    );
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new ConfigError(`${path}: is no JSON: ${(error as Error).message}`);
  }
  return parseConfig(name, document, path);
}

/** The environment of this name. */
export function environmentName(given: string | undefined): EnvironmentName {
  const found = ENVIRONMENTS.find((name) => name === given);
  if (found) return found;
  throw new ConfigError(
    `context env: expected one of ${ENVIRONMENTS.join(', ')}, got ${JSON.stringify(given ?? null)}; ` +
      'for example: cdk synth -c env=dev',
  );
}

/** Checks a document and fills in the environment's defaults; `source` names it in messages. */
export function parseConfig(environment: EnvironmentName, document: unknown, source: string): Config {
  const fields = Fields.root(document, source);
  const local = environment === 'demo';
  const scratch = readScratch(fields, local);
  const network = readNetwork(fields);
  const jwt = readJwt(fields);
  const tenantColumn = fields.text('tenantColumn', DATABASE, 'the name of a column', undefined);
  const offlineRecipient = fields.text('offlineRecipient', RECIPIENT, 'a recipient of age, as in age1...', undefined);
  const retention = readRetention(fields);
  const config: Config = {
    environment,
    local,
    account: fields.requiredText('account', ACCOUNT, 'the 12 digits of the AWS account, as text'),
    primaryRegion: fields.text('primaryRegion', REGION, 'a region, such as sa-east-1', 'sa-east-1'),
    replicaRegion: fields.text('replicaRegion', REGION, 'a region, such as us-east-1', 'us-east-1'),
    database: readDatabase(fields, local),
    restore: readRestore(fields, tenantColumn),
    roles: readRoles(fields),
    timeZone: readTimeZone(fields),
    language: fields.choice('language', ['pt-BR', 'en'], 'pt-BR'),
    retention,
    objectLock: readObjectLock(fields, environment, retention),
    schedules: readSchedules(fields),
    notify: fields.texts('notify', E_MAIL, 'an e-mail address'),
    notices: fields.choice('notices', ['problems', 'all'], 'problems'),
    breakGlass: fields.texts('breakGlass', PRINCIPAL_ARN, 'the ARN of an IAM role or user'),
    architecture: fields.choice('architecture', ['arm64', 'x86_64'], local ? 'x86_64' : 'arm64'),
    jobMemoryMb: fields.number('jobMemoryMb', 512, 10_240, JOB_MEMORY_MB),
    logDays: fields.number('logDays', 1, 3653, local ? 7 : 365),
    ...(scratch && { scratch }),
    ...(network && { network }),
    ...(jwt && { jwt }),
    ...(tenantColumn !== undefined && { tenantColumn }),
    ...(offlineRecipient !== undefined && { offlineRecipient }),
  };
  if (config.primaryRegion === config.replicaRegion) {
    fields.fail('replicaRegion', config.replicaRegion, 'another region than primaryRegion');
  }
  if (!LOG_DAYS.includes(config.logDays)) {
    fields.fail('logDays', config.logDays, `what CloudWatch Logs offers: ${LOG_DAYS.join(', ')}`);
  }
  if (!local && config.notify.length === 0) {
    fields.fail('notify', config.notify, 'at least one e-mail address, or nobody hears of a failure');
  }
  fields.close();
  return config;
}

function readServer(fields: Fields, local: boolean, name: RegExp = DATABASE, whatName = 'the name of the database'): ServerConfig {
  return {
    host: fields.requiredText('host', HOST, 'the name of the database server'),
    port: fields.number('port', 1, 65_535, 3306),
    name: fields.requiredText('name', name, whatName),
    ca: fields.choice('ca', ['rds', 'system'], local ? 'system' : 'rds'),
  };
}

function readDatabase(root: Fields, local: boolean): DatabaseConfig {
  const fields = root.requiredObject('database', 'host, name and login of the database to protect');
  const server = readServer(fields, local);
  const login = readLogin(fields);
  if (login.kind === 'rds-iam' && server.ca !== 'rds') {
    fields.fail('ca', server.ca, 'rds, when users log in with rds-iam');
  }
  fields.close();
  return { ...server, login };
}

function readLogin(database: Fields): DatabaseLogin {
  const fields = database.requiredObject('login', '{"kind": "secret", "backup": ARN, "restore": ARN}');
  const kind = fields.choice('kind', ['secret', 'rds-iam'], 'secret');
  if (kind === 'rds-iam') {
    const login = {
      kind,
      resourceId: fields.requiredText('resourceId', /^(db|cluster|prx)-[A-Za-z0-9]+$/, 'the DbiResourceId, as in db-ABC'),
      backup: fields.requiredText('backup', USER, 'the name of the user that reads'),
      restore: fields.requiredText('restore', USER, 'the name of the user that restores'),
    };
    if (login.backup === login.restore) fields.fail('restore', login.restore, 'another user than backup, which only reads');
    fields.close();
    return login;
  }
  const keyArn = fields.text('keyArn', KEY_ARN, 'the ARN of the KMS key of the secrets', undefined);
  const login = {
    kind,
    backup: fields.requiredText('backup', SECRET_ARN, 'the ARN of the secret of the user that reads'),
    restore: fields.requiredText('restore', SECRET_ARN, 'the ARN of the secret of the user that restores'),
    ...(keyArn !== undefined && { keyArn }),
  };
  if (login.backup === login.restore) fields.fail('restore', login.restore, 'another secret than backup, which only reads');
  fields.close();
  return login;
}

function readScratch(root: Fields, local: boolean): ScratchConfig | undefined {
  const fields = root.object('scratch');
  if (!fields) return undefined;
  const keyArn = fields.text('keyArn', KEY_ARN, 'the ARN of the KMS key of the secret', undefined);
  const scratch = {
    ...readServer(fields, local, SCRATCH, 'what the names of scratch databases begin with, of at most 25 characters'),
    secretArn: fields.requiredText('secretArn', SECRET_ARN, 'the ARN of the secret of the scratch server'),
    ...(keyArn !== undefined && { keyArn }),
  };
  fields.close();
  return scratch;
}

function readNetwork(root: Fields): NetworkConfig | undefined {
  const fields = root.object('network');
  if (!fields) return undefined;
  const group = fields.text('databaseSecurityGroupId', /^sg-[0-9a-f]+$/, 'a security group, as in sg-0abc', undefined);
  const network = {
    vpcId: fields.requiredText('vpcId', /^vpc-[0-9a-f]+$/, 'a VPC, as in vpc-0abc'),
    cidr: fields.requiredText('cidr', /^\d+\.\d+\.\d+\.\d+\/\d+$/, 'the addresses of the VPC, as in 10.0.0.0/16'),
    subnetIds: fields.texts('subnetIds', /^subnet-[0-9a-f]+$/, 'a private subnet, as in subnet-0abc'),
    availabilityZones: fields.texts('availabilityZones', /^[a-z0-9-]+[a-z]$/, 'a zone, as in sa-east-1a'),
    routeTableIds: fields.texts('routeTableIds', /^rtb-[0-9a-f]+$/, 'the route table of the subnet, as in rtb-0abc'),
    createEndpoints: fields.flag('createEndpoints', true),
    ...(group !== undefined && { databaseSecurityGroupId: group }),
  };
  if (network.subnetIds.length === 0) fields.fail('subnetIds', network.subnetIds, 'at least one private subnet');
  for (const name of ['availabilityZones', 'routeTableIds'] as const) {
    if (network[name].length !== network.subnetIds.length) {
      fields.fail(name, network[name], `one for each of the ${network.subnetIds.length} subnets, in their order`);
    }
  }
  fields.close();
  return network;
}

function readRetention(root: Fields): RetentionConfig {
  const fields = root.object('retention');
  const retention = {
    daily: fields?.number('daily', 1, 3650, 30) ?? 30,
    weekly: fields?.number('weekly', 0, 520, 12) ?? 12,
    monthly: fields?.number('monthly', 0, 240, 12) ?? 12,
    yearly: fields?.number('yearly', 0, 100, 20) ?? 20,
  };
  fields?.close();
  return retention;
}

function readRestore(fields: Fields, tenantColumn: string | undefined): RestoreConfig {
  const restore = {
    appendOnly: fields.texts('appendOnly', TABLE, 'the name of a table'),
    skip: fields.texts('restoreSkip', TABLE, 'the name of a table'),
    tenantPaths: fields.texts('tenantPaths', TENANT_PATH, 'table.column=parent.column'),
    undoHours: fields.number('undoHours', 1, 8760, UNDO_HOURS),
  };
  const both = restore.skip.filter((table) => restore.appendOnly.includes(table));
  if (both.length > 0) fields.fail('restoreSkip', both, 'other tables than appendOnly, which a restore adds to');
  if (restore.tenantPaths.length > 0 && tenantColumn === undefined) {
    fields.fail('tenantPaths', restore.tenantPaths, 'none without a tenantColumn, to which they lead');
  }
  return restore;
}

function readRoles(fields: Fields): RolesConfig {
  const roles = {
    claim: fields.text('roleClaim', /^\S+$/, 'the name of a claim', 'cognito:groups'),
    admin: fields.text('adminRole', ROLE, 'the name of a role', 'admin'),
    master: fields.text('masterRole', ROLE, 'the name of a role', 'admin_master'),
  };
  if (roles.admin === roles.master) fields.fail('masterRole', roles.master, 'another role than adminRole, which restores nothing');
  return roles;
}

/** What is locked longer than the daily backups are kept could not be removed when retention lets it go. */
function readObjectLock(root: Fields, environment: EnvironmentName, retention: RetentionConfig): ObjectLockConfig {
  const fallback: ObjectLockConfig = {
    mode: environment === 'prod' ? 'compliance' : 'governance',
    days: environment === 'prod' ? Math.min(30, retention.daily) : 1,
  };
  const fields = root.object('objectLock');
  if (!fields) return fallback;
  const lock = {
    mode: fields.choice('mode', ['governance', 'compliance'], fallback.mode),
    days: fields.number('days', 1, 36_500, fallback.days),
  };
  if (lock.days > retention.daily) {
    fields.fail('days', lock.days, `at most retention.daily (${retention.daily}), or daily backups outlive their retention`);
  }
  fields.close();
  return lock;
}

function readSchedules(root: Fields): Record<Timed, ScheduleConfig> {
  const fields = root.object('schedules');
  const read = (name: Timed): ScheduleConfig => {
    const given = fields?.text(name, /^/, 'rate(...), cron(...) or off', undefined) ?? SCHEDULES[name];
    const expression = given === 'off' ? SCHEDULES[name] : given;
    const problem = scheduleProblem(expression);
    if (problem) fields?.fail(name, given, `rate(...), cron(...) or off (${problem})`);
    return { expression, enabled: given !== 'off' };
  };
  const schedules = Object.fromEntries(TIMED.map((name) => [name, read(name)]));
  fields?.close();
  return schedules as Record<Timed, ScheduleConfig>;
}

function readTimeZone(fields: Fields): string {
  const zone = fields.text('timeZone', /^/, 'a time zone, such as America/Sao_Paulo', 'America/Sao_Paulo');
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
  } catch {
    fields.fail('timeZone', zone, 'a time zone, such as America/Sao_Paulo');
  }
  return zone;
}

function readJwt(root: Fields): JwtConfig | undefined {
  const fields = root.object('jwt');
  if (!fields) return undefined;
  const jwt = {
    issuer: fields.requiredText('issuer', /^https?:\/\/\S+$/, 'the address of the OpenID Connect issuer'),
    audience: fields.texts('audience', /\S/, 'an audience'),
  };
  if (jwt.audience.length === 0) fields.fail('audience', jwt.audience, 'at least one audience');
  fields.close();
  return jwt;
}
