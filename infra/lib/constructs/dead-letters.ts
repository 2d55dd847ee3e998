/** Where events end that no retry could help; not empty means that somebody must look. */
import { CfnOutput, Duration } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { NagSuppressions } from 'cdk-nag';
import { Construct } from 'constructs';
import type { Config } from '../config';
import { keep } from '../keep';
import { deadLetterQueueName } from '../names';

export class DeadLetters extends Construct {
  readonly queue: Queue;

  constructor(scope: Construct, id: string, config: Config) {
    super(scope, id);
    this.queue = new Queue(this, 'Queue', {
      queueName: deadLetterQueueName(config),
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      removalPolicy: keep(config),
    });
    new CfnOutput(this, 'Url', { value: this.queue.queueUrl }).overrideLogicalId('DeadLetterQueueUrl');
    NagSuppressions.addResourceSuppressions(this.queue, [
      { id: 'AwsSolutions-SQS3', reason: 'It is the dead-letter queue itself; an alarm watches it.' },
    ]);
  }
}
