/** Tells people when the second region falls behind. It is there because S3 measures that there, and alarms stay at home. */
import { Stack, StackProps } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Config } from '../config';
import { AlarmTopic } from '../constructs/alarm-topic';
import { Watch } from '../constructs/watch';
import { replicationMetric } from '../metrics';
import { alarmText } from '../texts';

/** S3 copies most objects within 15 minutes. */
const LATENCY_SECONDS = 3600;
/** Periods of 15 minutes without a moment in which all was copied. */
const NEVER_DONE_PERIODS = 8;

export class MonitoringReplicaStack extends Stack {
  constructor(scope: Construct, id: string, config: Config, props: StackProps) {
    super(scope, id, props);
    const { action } = new AlarmTopic(this, 'Alarms', config, 'ReplicaTopicArn');
    new Watch(this, config, action, {
      name: 'replica-late',
      says: alarmText(config.language, 'replica-late'),
      metric: replicationMetric(config, 'ReplicationLatency', 'Maximum'),
      when: { above: LATENCY_SECONDS },
    });
    new Watch(this, config, action, {
      name: 'replica-behind',
      says: alarmText(config.language, 'replica-behind'),
      metric: replicationMetric(config, 'OperationsPendingReplication', 'Minimum'),
      when: { above: 0 },
      periods: NEVER_DONE_PERIODS,
    });
  }
}
