/**
 * Where alarms and notices go, and from there to people's e-mail. One in each region: an alarm can't reach a topic in another.
 * Notices are those of the functions, which know topic and key by name: see notices.ts.
 */
import { CfnOutput, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Alias, Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { Config } from '../config';
import { topicKeyAlias, topicName } from '../names';

export class AlarmTopic extends Construct {
  readonly topic: Topic;
  readonly action: SnsAction;

  constructor(scope: Construct, id: string, config: Config, output = 'TopicArn') {
    super(scope, id);
    // A key of its own: AWS's own key of SNS is closed to CloudWatch, and the vault's key is not for messages.
    const masterKey = new Key(this, 'Key', {
      description: `gorgen-backup ${config.environment}: encrypts alarms and notices on their way`,
      enableKeyRotation: true,
      pendingWindow: Duration.days(7),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    new Alias(this, 'Alias', { aliasName: topicKeyAlias(config), targetKey: masterKey });
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
      topicName: topicName(config),
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
