/** Starts a function at its times, in the clinic's time zone. */
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { IFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule, CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Config, ScheduledJob } from '../config';
import { nameOf, scheduleRoleName } from '../names';

/** Of the delivery of the event alone: a job that fails is retried by Lambda. A backup an hour late is better left to the alarm. */
const RETRY = { maximumRetryAttempts: 2, maximumEventAgeInSeconds: 3600 };

export interface JobScheduleProps {
  readonly config: Config;
  readonly job: ScheduledJob;
  readonly group: CfnScheduleGroup;
  readonly lambda: IFunction;
  readonly deadLetters: IQueue;
}

export class JobSchedule extends Construct {
  constructor(scope: Construct, id: string, { config, job, group, lambda, deadLetters }: JobScheduleProps) {
    super(scope, id);
    const { expression, enabled } = config.schedules[job];
    const role = new Role(this, 'Role', {
      roleName: scheduleRoleName(config, job),
      description: `gorgen-backup: starts ${job}`,
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': config.account, 'aws:SourceArn': group.attrArn } },
      }),
      inlinePolicies: {
        Start: new PolicyDocument({
          statements: [
            new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [lambda.functionArn] }),
            new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [deadLetters.queueArn] }),
          ],
        }),
      },
    });
    new CfnSchedule(this, 'Schedule', {
      name: nameOf(config, job),
      groupName: group.ref,
      description: `Starts ${job}`,
      scheduleExpression: expression,
      scheduleExpressionTimezone: config.timeZone,
      state: enabled ? 'ENABLED' : 'DISABLED',
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: lambda.functionArn,
        roleArn: role.roleArn,
        // The emulator hands the placeholder on as it is written.
        input: config.local ? '{}' : '{"scheduled_time":"<aws.scheduler.scheduled-time>"}',
        retryPolicy: RETRY,
        deadLetterConfig: { arn: deadLetters.queueArn },
      },
    });
  }
}
