/** Tells people when a backup, a test or a check did not happen or did not succeed, and shows how things are. */
import { Duration, Stack, StackProps } from 'aws-cdk-lib';
import { Dashboard, GraphWidget, type IMetric, Metric, SingleValueWidget } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { Config } from '../config';
import { AlarmTopic } from '../constructs/alarm-topic';
import { Watch, type WatchProps } from '../constructs/watch';
import { type JobMetricName, jobMetric, replicationMetric } from '../metrics';
import { deadLetterQueueName, type FunctionName, FUNCTIONS, type Job, JOBS, nameOf, restoreMachineArn } from '../names';

const MINUTE = Duration.minutes(1);
const FIVE_MINUTES = Duration.minutes(5);
const HOUR = Duration.hours(1);
const DAY = Duration.days(1);

/** A backup starts every 24 hours and may take its time. */
const BACKUP_HOURS = 26;
/**
 * CloudWatch looks back seven days at most, and evaluates such an alarm at the full hour. A test that starts at 04:00
 * on Sundays and ends within the hour is seen at 05:00, when the one a week before has just gone out of sight.
 */
const RESTORE_TEST_HOURS = 7 * 24;
const SIZE_PERCENT = 30;
const BACKUP_SECONDS = 30 * 60;

export class MonitoringStack extends Stack {
  private readonly alarms: AlarmTopic;

  // What it watches it knows by name, so that it can be deployed before or after.
  constructor(scope: Construct, id: string, private readonly config: Config, props: StackProps) {
    super(scope, id, props);
    this.alarms = new AlarmTopic(this, 'Alarms', config);
    this.watchBackups();
    this.watchRestoreTests();
    JOBS.forEach((job) => this.watchJob(job));
    FUNCTIONS.forEach((name) => this.watchFunction(name));
    this.watchRestores();
    this.watchReplication();
    this.watchDeadLetters();
    this.showDashboard();
  }

  private watchBackups(): void {
    this.watch({
      name: 'no-good-backup',
      says: `No backup has succeeded for ${BACKUP_HOURS} hours, or none has run at all. Look at the log of backup and start it.`,
      metric: this.metric('backup', 'Succeeded', 'Sum', HOUR),
      when: { below: 1 },
      periods: BACKUP_HOURS,
      silenceIsBad: true,
    });
    this.watch({
      name: 'backup-size',
      says: `A backup's size is off by more than ${SIZE_PERCENT} % of the mean of seven days. Did data vanish, or come in masses?`,
      metric: this.metric('backup', 'SizeDeviationPercent', 'Maximum', FIVE_MINUTES),
      when: { above: SIZE_PERCENT },
    });
    this.watch({
      name: 'backup-slow',
      says: `A backup took longer than ${BACKUP_SECONDS / 60} minutes.`,
      metric: this.metric('backup', 'DurationSeconds', 'Maximum', FIVE_MINUTES),
      when: { above: BACKUP_SECONDS },
    });
    this.watch({
      name: 'backups-damaged',
      says: 'The check of the vault found objects that are missing or damaged. Look at its log; the second region may have them whole.',
      metric: this.metric('verify', 'ProblemsFound', 'Maximum', FIVE_MINUTES),
      when: { above: 0 },
    });
  }

  /** A failed test is a failed job, below; this is for the test that did not take place. */
  private watchRestoreTests(): void {
    const { enabled } = this.config.schedules['restore-test'];
    if (!this.config.scratch || !enabled) return;
    this.watch({
      name: 'no-good-restore-test',
      says: 'No restore test has succeeded for a week. A backup that was never restored is a hope.',
      metric: this.metric('restore-test', 'Succeeded', 'Sum', HOUR),
      when: { below: 1 },
      periods: RESTORE_TEST_HOURS,
      silenceIsBad: true,
    });
  }

  /** What a run says of itself. */
  private watchJob(job: Job): void {
    this.watch({
      name: `${job}-failed`,
      says: `A run of ${job} failed; its log and its record in the vault say why.`,
      metric: this.metric(job, 'Failed', 'Sum', MINUTE),
      when: { above: 0 },
    });
  }

  /** What AWS says of it: the run that crashed, ran out of time or never started says nothing itself. */
  private watchFunction(name: FunctionName): void {
    const functionName = nameOf(this.config, name);
    const metric = (metricName: string) =>
      new Metric({
        namespace: 'AWS/Lambda',
        metricName,
        dimensionsMap: { FunctionName: functionName },
        statistic: 'Sum',
        period: MINUTE,
      });
    this.watch({
      name: `${name}-errors`,
      says: `The function ${functionName} ended with an error.`,
      metric: metric('Errors'),
      when: { above: 0 },
    });
    this.watch({
      name: `${name}-throttles`,
      says: `The function ${functionName} was not started: too many functions of the account run at once.`,
      metric: metric('Throttles'),
      when: { above: 0 },
    });
  }

  /** Somebody waits for a restore; and what it leaves unfinished is beside the live data. */
  private watchRestores(): void {
    const metric = (metricName: string) =>
      new Metric({
        namespace: 'AWS/States',
        metricName,
        dimensionsMap: { StateMachineArn: restoreMachineArn(this.config) },
        statistic: 'Sum',
        period: MINUTE,
      });
    this.watch({
      name: 'restores-failed',
      says: 'A restore failed or was refused. Its record, GET /v1/restores, says why and what the live tables hold.',
      metric: metric('ExecutionsFailed'),
      when: { above: 0 },
    });
    this.watch({
      name: 'restores-timed-out',
      says: 'A restore took longer than six hours and was given up where it was. Cancel it, which drops what it loaded.',
      metric: metric('ExecutionsTimedOut'),
      when: { above: 0 },
    });
  }

  /** The rest of replication is measured in the second region. */
  private watchReplication(): void {
    this.watch({
      name: 'replication-failed',
      says: 'S3 gave up copying an object to the second region. Look at the rule, its role and its keys, then copy it by S3 Batch Replication.',
      metric: replicationMetric(this.config, 'OperationsFailedReplication', 'Sum'),
      when: { above: 0 },
    });
  }

  private watchDeadLetters(): void {
    this.watch({
      name: 'dead-letters',
      says: 'An event was given up after its retries. It waits in the queue with the reason.',
      metric: this.deadLetters(),
      when: { above: 0 },
    });
  }

  private showDashboard(): void {
    const daily = (metricName: JobMetricName) => this.metric('backup', metricName, 'Maximum', DAY);
    const each = (metricName: JobMetricName) => JOBS.map((job) => this.metric(job, metricName, 'Sum', DAY));
    const graph = (title: string, ...left: IMetric[]) => new GraphWidget({ title, left, width: 8 });
    new Dashboard(this, 'Dashboard', {
      dashboardName: nameOf(this.config, 'backup'),
      defaultInterval: Duration.days(30),
      widgets: [
        [
          new SingleValueWidget({
            title: 'Newest backup',
            metrics: [daily('LastGoodBackupAgeSeconds'), daily('RowsRead'), daily('BytesRead')],
            width: 16,
          }),
          new SingleValueWidget({ title: 'Given up', metrics: [this.deadLetters()], width: 8 }),
        ],
        [
          graph('Runs that succeeded', ...each('Succeeded')),
          graph('Runs that failed', ...each('Failed')),
          graph('Problems found', this.metric('verify', 'ProblemsFound', 'Maximum', DAY)),
        ],
        [
          graph('Bytes of a backup', daily('BytesRead'), daily('BytesStored'), daily('BytesNew')),
          graph('Seconds of a backup', daily('DurationSeconds')),
          graph('Seconds of a restore', this.metric('restore-test', 'RestoreSeconds', 'Maximum', DAY)),
        ],
      ],
    });
  }

  private deadLetters(): Metric {
    return new Metric({
      namespace: 'AWS/SQS',
      metricName: 'ApproximateNumberOfMessagesVisible',
      dimensionsMap: { QueueName: deadLetterQueueName(this.config) },
      statistic: 'Maximum',
      period: MINUTE,
    });
  }

  private metric(job: Job, name: JobMetricName, statistic: 'Sum' | 'Maximum', period: Duration): Metric {
    return jobMetric(this.config, job, name, statistic, period);
  }

  private watch(props: WatchProps): void {
    new Watch(this, this.config, this.alarms.action, props);
  }
}
