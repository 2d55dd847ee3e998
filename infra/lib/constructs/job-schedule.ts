/** Starts a function or a state machine at its times, in the clinic's time zone. */
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { IFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule, CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { IQueue } from 'aws-cdk-lib/aws-sqs';
import { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { Config, Timed } from '../config';
import { nameOf, scheduleRoleName } from '../names';

/** Of the delivery of the event alone: a job that fails is retried by Lambda, a step by its state machine. A backup an hour late is better left to the alarm. */
const RETRY = { maximumRetryAttempts: 2, maximumEventAgeInSeconds: 3600 };

export interface JobScheduleProps {
  readonly config: Config;
  /** Whose times these are. */
  readonly job: Timed;
  /** Its name, if it is not the job's. */
  readonly name?: string;
  /** What is asked for, if it is not the job itself. */
  readonly input?: Record<string, unknown>;
  readonly group: CfnScheduleGroup;
  /** What does it. */
  readonly starts: IFunction | IStateMachine;
  readonly deadLetters: IQueue;
}

export class JobSchedule extends Construct {
  constructor(scope: Construct, id: string, { config, job, name = job, input, group, starts, deadLetters }: JobScheduleProps) {
    super(scope, id);
    const { expression, enabled } = config.schedules[job];
    const [action, arn] = 'stateMachineArn' in starts ? ['states:StartExecution', starts.stateMachineArn] : ['lambda:InvokeFunction', starts.functionArn];
    const role = new Role(this, 'Role', {
      roleName: scheduleRoleName(config, name),
      description: `gorgen-backup: starts ${name}`,
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': config.account, 'aws:SourceArn': group.attrArn } },
      }),
      inlinePolicies: {
        Start: new PolicyDocument({
          statements: [
            new PolicyStatement({ actions: [action], resources: [arn] }),
            new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [deadLetters.queueArn] }),
          ],
        }),
      },
    });
    new CfnSchedule(this, 'Schedule', {
      name: nameOf(config, name),
      groupName: group.ref,
      description: `Starts ${name}`,
      scheduleExpression: expression,
      scheduleExpressionTimezone: config.timeZone,
      state: enabled ? 'ENABLED' : 'DISABLED',
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn,
        roleArn: role.roleArn,
        input: JSON.stringify(input ?? inputOf(job, config)),
        retryPolicy: RETRY,
        deadLetterConfig: { arn: deadLetters.queueArn },
      },
    });
  }
}

/** What a schedule asks for besides what the job does when nothing is said. */
const WISHES: Partial<Record<Timed, Record<string, unknown>>> = {
  verify: { read_share: true },
  reminder: { remind: 'offline-copy' },
};

function inputOf(job: Timed, config: Config): Record<string, unknown> {
  // The emulator hands the placeholder on as it is written.
  const moment = config.local ? {} : { scheduled_time: '<aws.scheduler.scheduled-time>' };
  return { ...moment, ...WISHES[job] };
}
