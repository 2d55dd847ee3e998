/** Tells people when a backup, a test or a check did not happen or did not succeed, and shows how things are. */
import { Duration, Stack, StackProps } from 'aws-cdk-lib';
import { Dashboard, GraphWidget, type IMetric, Metric, SingleValueWidget } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { Config } from '../config';
import { AlarmTopic } from '../constructs/alarm-topic';
import { Watch, type WatchProps } from '../constructs/watch';
import { type JobMetricName, jobMetric, replicationMetric } from '../metrics';
import { type AlarmName, alarmText, functionAlarmText } from '../texts';
import { deadLetterQueueName, type FunctionName, FUNCTIONS, type Job, JOBS, nameOf, restoreMachineArn, restoreTestMachineArn } from '../names';

const MINUTE = Duration.minutes(1);
const FIVE_MINUTES = Duration.minutes(5);
const HOUR = Duration.hours(1);
const DAY = Duration.days(1);

/** A backup starts every 24 hours and may take its time. */
const BACKUP_HOURS = 26;
/**
 * CloudWatch looks back seven days at most, and evaluates such an alarm at the full hour. A test that starts at 04:00
 * on Sundays and ends within the hour is seen at 05:00, when the one a week before has just gone out of sight; one that ends
 * hours later than that one did sets the alarm off, and takes it back.
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
    this.watchTestMachine();
    this.watchReplication();
    this.watchDeadLetters();
    this.showDashboard();
  }

  private watchBackups(): void {
    this.watch({
      name: 'no-good-backup',
      metric: this.metric('backup', 'Succeeded', 'Sum', HOUR),
      when: { below: 1 },
      periods: BACKUP_HOURS,
      silenceIsBad: true,
    });
    this.watch({
      name: 'backup-size',
      metric: this.metric('backup', 'SizeDeviationPercent', 'Maximum', FIVE_MINUTES),
      when: { above: SIZE_PERCENT },
    });
    this.watch({
      name: 'backup-slow',
      metric: this.metric('backup', 'DurationSeconds', 'Maximum', FIVE_MINUTES),
      when: { above: BACKUP_SECONDS },
    });
    this.watch({
      name: 'backups-damaged',
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
      says: functionAlarmText(this.config.language, 'failed', job, nameOf(this.config, job)),
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
      says: functionAlarmText(this.config.language, 'errors', name, functionName),
      metric: metric('Errors'),
      when: { above: 0 },
    });
    this.watch({
      name: `${name}-throttles`,
      says: functionAlarmText(this.config.language, 'throttles', name, functionName),
      metric: metric('Throttles'),
      when: { above: 0 },
    });
  }

  /** Somebody waits for a restore; and what it leaves unfinished is beside the live data. */
  private watchRestores(): void {
    this.watchMachine(restoreMachineArn(this.config), {
      'restores-failed': 'ExecutionsFailed',
      'restores-timed-out': 'ExecutionsTimedOut',
    });
  }

  /** A test whose last step was never reached, or could not be called, says nothing itself and may leave its database. */
  private watchTestMachine(): void {
    this.watchMachine(restoreTestMachineArn(this.config), {
      'restore-tests-failed': 'ExecutionsFailed',
      'restore-tests-timed-out': 'ExecutionsTimedOut',
      'restore-tests-aborted': 'ExecutionsAborted',
    });
  }

  private watchMachine(arn: string, metrics: Partial<Record<AlarmName, string>>): void {
    for (const [name, metricName] of Object.entries(metrics) as [AlarmName, string][]) {
      const metric = new Metric({
        namespace: 'AWS/States',
        metricName,
        dimensionsMap: { StateMachineArn: arn },
        statistic: 'Sum',
        period: MINUTE,
      });
      this.watch({ name, metric, when: { above: 0 } });
    }
  }

  /** The rest of replication is measured in the second region. */
  private watchReplication(): void {
    this.watch({
      name: 'replication-failed',
      metric: replicationMetric(this.config, 'OperationsFailedReplication', 'Sum'),
      when: { above: 0 },
    });
  }

  private watchDeadLetters(): void {
    this.watch({
      name: 'dead-letters',
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

  /** An alarm that is of no one function says what stands under its name. */
  private watch(props: (Omit<WatchProps, 'says'> & { readonly name: AlarmName }) | WatchProps): void {
    const says = 'says' in props ? props.says : alarmText(this.config.language, props.name);
    new Watch(this, this.config, this.alarms.action, { ...props, says });
  }
}
