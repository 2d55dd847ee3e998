/** The jobs: a function for each, the schedules that start them, and the queue for what could not be done. */
import { Annotations, Duration, Stack, StackProps } from 'aws-cdk-lib';
import { IKey } from 'aws-cdk-lib/aws-kms';
import { CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { type Config, SCHEDULED_JOBS } from '../config';
import { scratchAccess, sourceAccess } from '../constructs/database-access';
import { DatabaseNetwork } from '../constructs/database-network';
import { DeadLetters } from '../constructs/dead-letters';
import { JobFunction, type JobFunctionProps } from '../constructs/job-function';
import { JobSchedule } from '../constructs/job-schedule';
import { RestoreMachine } from '../constructs/restore-machine';
import { RestoreTestMachine } from '../constructs/restore-test-machine';
import { inCamels, type Job, JOBS, OLD_TABLES, scheduleGroupName } from '../names';

/** As long as Lambda lets a function run; a job that sees the end near stops cleanly. */
const LONG = Duration.minutes(15);
/** Enough for one core. */
const SMALL_MB = 512;
const MIDDLE_MB = 1769;

export interface JobsStackProps extends StackProps {
  readonly config: Config;
  readonly key: IKey;
  readonly binaries: string;
}

export class JobsStack extends Stack {
  private readonly functions: Readonly<Record<Job, JobFunction>>;
  private readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, props: JobsStackProps) {
    super(scope, id, props);
    const { config } = props;
    this.deadLetters = new DeadLetters(this, 'DeadLetters', config).queue;
    const network = config.network && new DatabaseNetwork(this, 'Network', config, config.network);
    const particulars = this.particulars(config, props.key, network);
    const make = (name: Job) =>
      new JobFunction(this, inCamels(name), {
        config,
        name,
        binaries: props.binaries,
        keyArn: props.key.keyArn,
        timeout: LONG,
        deadLetters: this.deadLetters,
        ...particulars[name],
      });
    this.functions = Object.fromEntries(JOBS.map((name) => [name, make(name)])) as Record<Job, JobFunction>;
    const { restore, backup, 'restore-test': restoreTest } = this.functions;
    const tests = new RestoreTestMachine(this, 'RestoreTestMachine', { config, restoreTest: restoreTest.lambda });
    this.addSchedules(config, tests.machine);
    new RestoreMachine(this, 'RestoreMachine', { config, restore: restore.lambda, backup: backup.lambda });
  }

  /** In what the jobs differ. Only those that talk to a database are in its network. */
  private particulars(config: Config, key: IKey, network: DatabaseNetwork | undefined) {
    const keyring = { GORGEN_KEYRING: `kms:${key.keyArn}` };
    const tenant: Record<string, string> = config.tenantColumn === undefined ? {} : { GORGEN_TENANT_COLUMN: config.tenantColumn };
    const { offlineRecipient } = config;
    const offline: Record<string, string> = offlineRecipient === undefined ? {} : { GORGEN_OFFLINE_RECIPIENT: offlineRecipient };
    const big = { memoryMb: config.jobMemoryMb, network };
    return {
      backup: {
        ...big,
        description: 'Backs up the database into the vault',
        environment: { ...keyring, ...offline, ...tenant, ...retentionSettings(config) },
        databases: [sourceAccess(config, 'backup')],
      },
      restore: {
        ...big,
        description: 'Restores a backup, step by step as the state machine asks; an empty event only shows the plan',
        environment: { ...keyring, ...tenant, ...restoreSettings(config) },
        databases: [sourceAccess(config, 'restore'), scratchAccess(config)],
      },
      'restore-test': {
        ...big,
        description: 'Restores a backup into a throw-away database and compares it, step by step as the state machine asks, or at once',
        environment: keyring,
        databases: [scratchAccess(config)],
      },
      verify: { description: 'Checks that all backups are whole', memoryMb: MIDDLE_MB, environment: keyring },
      report: {
        description: 'Writes the report of a month',
        memoryMb: SMALL_MB,
        timeout: Duration.minutes(5),
      },
      cleanup: {
        description: 'Removes backups that retention lets go, and locks the others for as long as they are kept',
        memoryMb: MIDDLE_MB,
        environment: { ...keyring, ...retentionSettings(config) },
      },
    } satisfies Record<Job, Pick<JobFunctionProps, 'description' | 'memoryMb'> & Partial<JobFunctionProps>>;
  }

  private addSchedules(config: Config, restoreTests: IStateMachine): void {
    const group = new CfnScheduleGroup(this, 'Schedules', { name: scheduleGroupName(config) });
    for (const job of SCHEDULED_JOBS) {
      if (job === 'restore-test' && !config.scratch) continue;
      const starts = job === 'restore-test' ? restoreTests : this.functions[job].lambda;
      new JobSchedule(this, `${inCamels(job)}Schedule`, { config, job, group, starts, deadLetters: this.deadLetters });
    }
    // What restores left in the database only `restore` may drop.
    new JobSchedule(this, 'OldTablesSchedule', {
      config,
      job: 'cleanup',
      name: OLD_TABLES,
      group,
      starts: this.functions.restore.lambda,
      input: { step: 'clean-up' },
      deadLetters: this.deadLetters,
    });
    // A report is what the owner reads, too: it knows whom to write to, and how.
    new JobSchedule(this, 'ReminderSchedule', {
      config,
      job: 'reminder',
      group,
      starts: this.functions.report.lambda,
      deadLetters: this.deadLetters,
    });
    if (!config.scratch) {
      const advice = 'no scratch server is configured, so no restore is ever tested; give host, name and secretArn as "scratch"';
      Annotations.of(this).addWarningV2('gorgen:no-scratch', advice);
    } else if (config.network) {
      const advice =
        'restore tests read the vault alone: functions in a private network have no way to the second region; ' +
        'test the replica from elsewhere: gorgen-backup restore-test --from replica';
      Annotations.of(this).addWarningV2('gorgen:replica-untested', advice);
    }
  }
}

/** How long backups are kept, by the clinic's calendar. */
function retentionSettings({ retention }: Config): Record<string, string> {
  const kinds = Object.entries(retention).map(([kind, count]) => `${kind}=${count}`);
  return { GORGEN_RETENTION: kinds.join(',') };
}

/** What a restore of the live data does not simply replace; an empty list is no setting. */
function restoreSettings({ restore }: Config): Record<string, string> {
  const lists = { GORGEN_APPEND_ONLY: restore.appendOnly, GORGEN_RESTORE_SKIP: restore.skip, GORGEN_TENANT_PATHS: restore.tenantPaths };
  const given = Object.entries(lists).filter(([, names]) => names.length > 0);
  return { ...Object.fromEntries(given.map(([name, names]) => [name, names.join(',')])), GORGEN_UNDO_HOURS: String(restore.undoHours) };
}
