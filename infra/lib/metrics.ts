/** The metrics that alarms look at: those our functions write, and those AWS writes about replication. */
import { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Config } from './config';
import { type Job, replicaBucketName, vaultBucketName, vaultUrl } from './names';

/** The namespace and the names that the functions write; docs/metrics.md says what each tells. */
const NAMESPACE = 'GorgenBackup';
export type JobMetricName =
  | 'Succeeded'
  | 'Failed'
  | 'DurationSeconds'
  | 'PeakMemoryBytes'
  | 'RowsRead'
  | 'BytesRead'
  | 'BytesStored'
  | 'BytesNew'
  | 'SizeDeviationPercent'
  | 'LastGoodBackupAgeSeconds'
  | 'RestoreSeconds'
  | 'ProblemsFound'
  | 'ReplicaProblems'
  | 'ReplicaBehindSeconds';

/** Also a dimension of the metrics of replication. */
export const REPLICATION_RULE = 'everything';

export function jobMetric(
  config: Config,
  job: Job,
  metricName: JobMetricName,
  statistic: 'Sum' | 'Maximum',
  period: Duration,
): Metric {
  const dimensionsMap = { Vault: vaultUrl(config), Job: job };
  return new Metric({ namespace: NAMESPACE, metricName, dimensionsMap, statistic, period });
}

/** S3 writes these into the region of the destination, but failures into that of the source. */
export function replicationMetric(
  config: Config,
  metricName: 'ReplicationLatency' | 'OperationsPendingReplication' | 'OperationsFailedReplication',
  statistic: 'Sum' | 'Maximum' | 'Minimum',
): Metric {
  return new Metric({
    namespace: 'AWS/S3',
    metricName,
    dimensionsMap: {
      SourceBucket: vaultBucketName(config),
      DestinationBucket: replicaBucketName(config),
      RuleId: REPLICATION_RULE,
    },
    statistic,
    period: Duration.minutes(15),
  });
}
