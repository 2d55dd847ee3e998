/** Where alarms go, and from there to people's e-mail. One in each region: an alarm can't reach a topic in another. */
import { CfnOutput, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { Config } from '../config';
import { nameOf } from '../names';

export class AlarmTopic extends Construct {
  readonly topic: Topic;
  readonly action: SnsAction;

  constructor(scope: Construct, id: string, config: Config, output = 'TopicArn') {
    super(scope, id);
    // A key of its own: AWS's own key of SNS is closed to CloudWatch, and the vault's key is not for messages.
    const masterKey = new Key(this, 'Key', {
      description: `gorgen-backup ${config.environment}: encrypts alarms on their way`,
      enableKeyRotation: true,
      pendingWindow: Duration.days(7),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const ofThisAccount = { StringEquals: { 'aws:SourceAccount': config.account } };
    const cloudWatch = new ServicePrincipal('cloudwatch.amazonaws.com');
    masterKey.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsAreEncrypted',
        principals: [cloudWatch],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        resources: ['*'],
        conditions: ofThisAccount,
      }),
    );
    this.topic = new Topic(this, 'Topic', {
      topicName: nameOf(config, 'alarms'),
      displayName: `gorgen-backup ${config.environment}`,
      masterKey,
      enforceSSL: true,
    });
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsArePublished',
        principals: [cloudWatch],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: ofThisAccount,
      }),
    );
    config.notify.forEach((address) => this.topic.addSubscription(new EmailSubscription(address)));
    this.action = new SnsAction(this.topic);
    new CfnOutput(this, 'Arn', { value: this.topic.topicArn }).overrideLogicalId(output);
  }
}
