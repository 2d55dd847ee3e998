/** Names that more than one stack, or a script outside, must know. `doctor --aws` knows them, too: crates/adapters/src/deployed. */
import type { Config } from './config';

/** The functions that run jobs; `api` answers requests and is none of them. */
export const JOBS = ['backup', 'cleanup', 'restore-test', 'restore', 'verify', 'report'] as const;
export type Job = (typeof JOBS)[number];
export const FUNCTIONS = [...JOBS, 'api'] as const;
export type FunctionName = (typeof FUNCTIONS)[number];

/** `gorgen-prod-vault-key`: everything of an environment begins alike. */
export function nameOf(config: Config, what: string): string {
  return `gorgen-${config.environment}-${what}`;
}

/** The role of a function, for those who know it by name alone. */
export function roleArnOf(config: Config, name: FunctionName): string {
  return `arn:aws:iam::${config.account}:role/${nameOf(config, name)}`;
}

/** The bucket of the vault; a fixed name, so that no region must ask the other for it. */
export function vaultBucketName(config: Config): string {
  return nameOf(config, `vault-${config.account}-${config.primaryRegion}`);
}

/** The bucket of the vault's copy in the second region. */
export function replicaBucketName(config: Config): string {
  return nameOf(config, `vault-${config.account}-${config.replicaRegion}`);
}

/** The alias of the key, the same in both regions. */
export function keyAlias(config: Config): string {
  return `alias/gorgen-${config.environment}`;
}

/** The topic that mails alarms and notices, one of this name in each region. */
export function topicName(config: Config): string {
  return nameOf(config, 'alarms');
}

/** That of the first region, for those who know it by name alone. */
export function topicArn(config: Config): string {
  return `arn:aws:sns:${config.primaryRegion}:${config.account}:${topicName(config)}`;
}

/** The alias of its key, by which publishers may use it. */
export function topicKeyAlias(config: Config): string {
  return `alias/${topicName(config)}`;
}

/** The queue of events that were given up. */
export function deadLetterQueueName(config: Config): string {
  return nameOf(config, 'dead-letters');
}

/** The schedule by which old tables of restores go, at the time of cleanup. */
export const OLD_TABLES = 'old-tables';

/** The group that the jobs' schedules are in. */
export function scheduleGroupName(config: Config): string {
  return nameOf(config, 'jobs');
}

/** The role with which the Scheduler starts a job. */
export function scheduleRoleName(config: Config, job: string): string {
  return nameOf(config, `schedule-${job}`);
}

/** The state machine of restores. */
export function restoreMachineName(config: Config): string {
  return nameOf(config, 'restore');
}

/** Its ARN, for those who know it by name alone. */
export function restoreMachineArn(config: Config): string {
  return machineArn(config, restoreMachineName(config));
}

/** The state machine of restore tests. */
export function restoreTestMachineName(config: Config): string {
  return nameOf(config, 'restore-test');
}

/** Its ARN, likewise. */
export function restoreTestMachineArn(config: Config): string {
  return machineArn(config, restoreTestMachineName(config));
}

/** The ARN of a state machine. */
export function machineArn(config: Config, name: string): string {
  return `arn:aws:states:${config.primaryRegion}:${config.account}:stateMachine:${name}`;
}

/** `GORGEN_VAULT`, and the dimension `Vault` of all metrics. */
export function vaultUrl(config: Config): string {
  return `s3://${vaultBucketName(config)}`;
}

/** `GORGEN_REPLICA_VAULT`. */
export function replicaUrl(config: Config): string {
  return `s3://${replicaBucketName(config)}?region=${config.replicaRegion}`;
}

/** `restore-test` as `RestoreTest`: for logical ids and outputs. */
export function inCamels(name: string): string {
  return name.replace(/(^|-)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
}
