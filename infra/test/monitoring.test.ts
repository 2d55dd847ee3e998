import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { FUNCTIONS, JOBS } from '../lib/names';
import { ALARM_NAMES, alarmText } from '../lib/texts';
import { ROOT, templates } from './environments';

const prod = templates('prod');
const monitoring = prod.monitoring as Template;
const second = prod.monitoringReplica as Template;
const VAULT = 's3://gorgen-prod-vault-111122223333-sa-east-1';

function alarm(name: string, template = monitoring): any {
  const [found] = Object.values(template.findResources('AWS::CloudWatch::Alarm', { Properties: { AlarmName: `gorgen-prod-${name}` } }));
  return found?.Properties;
}

const ofJob = (Job: string) => expect.arrayContaining([{ Name: 'Vault', Value: VAULT }, { Name: 'Job', Value: Job }]);

describe('an alarm goes off when', () => {
  it('no backup has succeeded for 26 hours, also when none has run', () => {
    expect(alarm('no-good-backup')).toMatchObject({
      Namespace: 'GorgenBackup',
      MetricName: 'Succeeded',
      Dimensions: ofJob('backup'),
      Statistic: 'Sum',
      Period: 3600,
      EvaluationPeriods: 26,
      Threshold: 1,
      ComparisonOperator: 'LessThanThreshold',
      TreatMissingData: 'breaching',
    });
  });

  it('no restore test has succeeded for a week', () => {
    expect(alarm('no-good-restore-test')).toMatchObject({
      MetricName: 'Succeeded',
      Dimensions: ofJob('restore-test'),
      Period: 3600,
      EvaluationPeriods: 168,
      ComparisonOperator: 'LessThanThreshold',
      TreatMissingData: 'breaching',
    });
  });

  it.each([...JOBS])('%s fails, within a minute', (job) => {
    expect(alarm(`${job}-failed`)).toMatchObject({
      Namespace: 'GorgenBackup',
      MetricName: 'Failed',
      Dimensions: ofJob(job),
      Statistic: 'Sum',
      Period: 60,
      Threshold: 0,
      ComparisonOperator: 'GreaterThanThreshold',
    });
  });

  it.each([...FUNCTIONS])('%s crashes or cannot start', (name) => {
    const Dimensions = [{ Name: 'FunctionName', Value: `gorgen-prod-${name}` }];
    expect(alarm(`${name}-errors`)).toMatchObject({ Namespace: 'AWS/Lambda', MetricName: 'Errors', Dimensions, Period: 60 });
    expect(alarm(`${name}-throttles`)).toMatchObject({ Namespace: 'AWS/Lambda', MetricName: 'Throttles', Dimensions });
  });

  it.each([
    ['backup-size', 'SizeDeviationPercent', 'backup', 30],
    ['backup-slow', 'DurationSeconds', 'backup', 1800],
    ['backups-damaged', 'ProblemsFound', 'verify', 0],
  ])('%s: %s of %s is above %d', (name, MetricName, job, Threshold) => {
    expect(alarm(name)).toMatchObject({
      MetricName,
      Dimensions: ofJob(job),
      Statistic: 'Maximum',
      Threshold,
      ComparisonOperator: 'GreaterThanThreshold',
    });
  });

  it.each([
    ['restores-failed', 'ExecutionsFailed'],
    ['restores-timed-out', 'ExecutionsTimedOut'],
  ])('%s: %s of the state machine', (name, MetricName) => {
    const Value = 'arn:aws:states:sa-east-1:111122223333:stateMachine:gorgen-prod-restore';
    expect(alarm(name)).toMatchObject({
      Namespace: 'AWS/States',
      MetricName,
      Dimensions: [{ Name: 'StateMachineArn', Value }],
      Period: 60,
      Threshold: 0,
    });
  });

  it('an event was given up', () => {
    expect(alarm('dead-letters')).toMatchObject({
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Dimensions: [{ Name: 'QueueName', Value: 'gorgen-prod-dead-letters' }],
      Threshold: 0,
    });
  });

  it.each([
    ['failed', 'ExecutionsFailed'],
    ['timed-out', 'ExecutionsTimedOut'],
    ['aborted', 'ExecutionsAborted'],
  ])('an execution of a restore test has %s, whether or not its last step could say so', (what, MetricName) => {
    expect(alarm(`restore-tests-${what}`)).toMatchObject({
      Namespace: 'AWS/States',
      MetricName,
      Dimensions: [{ Name: 'StateMachineArn', Value: 'arn:aws:states:sa-east-1:111122223333:stateMachine:gorgen-prod-restore-test' }],
      Threshold: 0,
      Period: 60,
    });
  });

  it('the second region falls behind, each metric in the region where S3 measures it', () => {
    const Dimensions = expect.arrayContaining([
      { Name: 'SourceBucket', Value: 'gorgen-prod-vault-111122223333-sa-east-1' },
      { Name: 'DestinationBucket', Value: 'gorgen-prod-vault-111122223333-us-east-1' },
      { Name: 'RuleId', Value: 'everything' },
    ]);
    expect(alarm('replication-failed')).toMatchObject({ MetricName: 'OperationsFailedReplication', Dimensions });
    expect(alarm('replica-late', second)).toMatchObject({ MetricName: 'ReplicationLatency', Dimensions, Threshold: 3600 });
    expect(alarm('replica-behind', second)).toMatchObject({ MetricName: 'OperationsPendingReplication', Dimensions, EvaluationPeriods: 8 });
  });
});

describe('alarms', () => {
  const all = [monitoring, second].flatMap((template) => Object.values(template.findResources('AWS::CloudWatch::Alarm')));

  it('look back no longer than CloudWatch can', () => {
    for (const { Properties } of all) {
      const seconds = Properties.Period * Properties.EvaluationPeriods;
      expect(seconds).toBeLessThanOrEqual(Properties.Period < 3600 ? 86_400 : 604_800);
    }
  });

  it('tell people, also when all is well again, over an encrypted topic', () => {
    for (const { Properties } of all) {
      expect(Properties.AlarmActions).toHaveLength(1);
      expect(Properties.OKActions).toEqual(Properties.AlarmActions);
      expect(Properties.AlarmDescription.length).toBeGreaterThan(20);
    }
    for (const template of [monitoring, second]) {
      template.hasResourceProperties('AWS::SNS::Topic', { KmsMasterKeyId: Match.anyValue() });
      template.hasResourceProperties('AWS::SNS::Subscription', { Protocol: 'email', Endpoint: 'operations@example.com' });
      template.hasResourceProperties('AWS::KMS::Key', {
        KeyPolicy: { Statement: Match.arrayWith([Match.objectLike({ Principal: { Service: 'cloudwatch.amazonaws.com' } })]) },
      });
    }
  });

  it('go to the topic and over the key that the functions tell people by', () => {
    monitoring.hasResourceProperties('AWS::SNS::Topic', { TopicName: 'gorgen-prod-alarms' });
    const [key] = Object.keys(monitoring.findResources('AWS::KMS::Key'));
    const TargetKeyId = { 'Fn::GetAtt': [key, 'Arn'] };
    monitoring.hasResourceProperties('AWS::KMS::Alias', { AliasName: 'alias/gorgen-prod-alarms', TargetKeyId });
  });

  it.each([
    ['pt-BR', /Hoje|Agora|Esta semana|leia|peça/],
    ['en', /Today|Now|This week|read|ask/],
  ] as const)('say in %s what happened, what it means and what to do', (language, todo) => {
    const { monitoring: first, monitoringReplica: other } = templates('prod', { language });
    const said = [first, other].flatMap((template) => Object.values((template as Template).findResources('AWS::CloudWatch::Alarm')));
    expect(said).toHaveLength(all.length);
    for (const { Properties } of said) {
      // CloudWatch's limit.
      expect(Properties.AlarmDescription.length).toBeLessThanOrEqual(1024);
      expect(Properties.AlarmDescription).toMatch(todo);
      expect(Properties.AlarmDescription.split('. ').length).toBeGreaterThan(2);
    }
  });

  it('say each in both languages, and not the same', () => {
    for (const name of ALARM_NAMES) expect(alarmText('pt-BR', name)).not.toBe(alarmText('en', name));
    const names = all.map(({ Properties }) => Properties.AlarmName.replace('gorgen-prod-', ''));
    expect(names).toEqual(expect.arrayContaining(ALARM_NAMES));
  });

  it('of restore tests are there only where there are tests', () => {
    const names = Object.values((templates('dev').monitoring as Template).findResources('AWS::CloudWatch::Alarm'));
    expect(names.map(({ Properties }) => Properties.AlarmName)).not.toContain('gorgen-dev-no-good-restore-test');
  });

  it('and the dashboard know only metrics that docs/metrics.md names', () => {
    const page = readFileSync(join(ROOT, 'docs/metrics.md'), 'utf8');
    const named = new Set([...page.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1]));
    const dashboard = JSON.stringify(monitoring.findResources('AWS::CloudWatch::Dashboard')).replaceAll('\\', '');
    const shown = [...dashboard.matchAll(/"GorgenBackup","(\w+)"/g)].map((match) => match[1]);
    const watched = all.filter(({ Properties }) => Properties.Namespace === 'GorgenBackup').map(({ Properties }) => Properties.MetricName);
    expect(shown.length).toBeGreaterThan(10);
    expect([...shown, ...watched].filter((name) => !named.has(name))).toEqual([]);
  });
});
