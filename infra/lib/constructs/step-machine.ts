/**
 * What state machines have in common that take a job through its steps, each one call of a function: how a step is called
 * and tried again, what is logged, and that the machine may call these functions and do nothing else.
 */
import { Duration } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import {
  DefinitionBody,
  type IChainable,
  JitterType,
  JsonPath,
  LogLevel,
  type RetryProps,
  StateMachine,
  StateMachineType,
  TaskInput,
  Timeout,
} from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { NagSuppressions } from 'cdk-nag';
import { Construct } from 'constructs';
import type { Config } from '../config';
import { keep } from '../keep';
import { machineArn } from '../names';

/** A minute more than a function lives: whoever hears nothing for so long has lost it. */
const ONE_STEP = Duration.minutes(16);

/** Nothing was wrong with the step: somebody did not answer, or the function was lost. */
const LOST: RetryProps = {
  errors: [
    'Unavailable',
    'Lambda.ServiceException',
    'Lambda.AWSLambdaException',
    'Lambda.SdkClientException',
    'Lambda.ClientExecutionTimeoutException',
    'Lambda.TooManyRequestsException',
    'Lambda.Unknown',
    'Runtime.ExitError',
    'Sandbox.Timedout',
    'States.Timeout',
  ],
  interval: Duration.seconds(2),
  backoffRate: 2,
  maxDelay: Duration.minutes(1),
  maxAttempts: 6,
  jitterStrategy: JitterType.FULL,
};
/** Another run is at work, a backup perhaps: it ends within half an hour. */
const BUSY: RetryProps = {
  errors: ['Locked'],
  interval: Duration.seconds(10),
  backoffRate: 1.5,
  maxDelay: Duration.minutes(2),
  maxAttempts: 20,
  jitterStrategy: JitterType.FULL,
};
/** The step stopped by itself before its function's time was over; one that knows what is done goes on from there. */
const UNFINISHED: RetryProps = {
  errors: ['OutOfTime'],
  interval: Duration.seconds(1),
  backoffRate: 1,
  maxDelay: Duration.seconds(2),
  maxAttempts: 12,
  jitterStrategy: JitterType.FULL,
};

/** What the execution keeps of a function's answer, and where. */
export interface AnswerProps {
  readonly answer?: readonly string[];
  readonly at?: string;
}

export interface StepCallProps extends AnswerProps {
  readonly lambdaFunction: IFunction;
  readonly payload: object;
  /** How often a step that ran out of time is tried again, if each time it begins anew. */
  readonly triesOutOfTime?: number;
}

/** One call of a function; of its answer the execution goes on with these fields, or none. */
export function stepCall(scope: Construct, id: string, props: StepCallProps): LambdaInvoke {
  const { lambdaFunction, payload, answer, at, triesOutOfTime = UNFINISHED.maxAttempts } = props;
  const task = new LambdaInvoke(scope, id, {
    lambdaFunction,
    payload: TaskInput.fromObject(payload as Record<string, unknown>),
    taskTimeout: Timeout.duration(ONE_STEP),
    retryOnServiceExceptions: false,
    resultPath: at ?? JsonPath.DISCARD,
    ...(answer && {
      resultSelector: Object.fromEntries(answer.map((field) => [field, JsonPath.objectAt(`$.Payload.${field}`)])),
    }),
  });
  for (const retry of [LOST, BUSY, { ...UNFINISHED, maxAttempts: triesOutOfTime }]) task.addRetry(retry);
  return task;
}

export interface StepMachineProps {
  readonly name: string;
  readonly roleName: string;
  /** What it takes through steps. */
  readonly what: string;
  readonly comment: string;
  /** The functions that its steps call. */
  readonly calls: readonly IFunction[];
  readonly definition: IChainable;
  readonly timeout: Duration;
}

/** The machine with its role and its log, as children of its scope. */
export class StepMachine {
  readonly machine: StateMachine;

  constructor(scope: Construct, config: Config, props: StepMachineProps) {
    const { name, comment, definition, timeout } = props;
    const logs = new LogGroup(scope, 'Logs', {
      // Under this prefix a log needs no resource policy of its own, of which an account has ten.
      logGroupName: `/aws/vendedlogs/states/${name}`,
      retention: config.logDays as RetentionDays,
      removalPolicy: keep(config),
    });
    const role = roleOf(scope, config, props);
    this.machine = new StateMachine(scope, 'Machine', {
      stateMachineName: name,
      stateMachineType: StateMachineType.STANDARD,
      comment,
      definitionBody: DefinitionBody.fromChainable(definition),
      // Its rights are those below and no others: CDK would add every version and alias of the functions.
      role: role.withoutPolicyUpdates(),
      timeout,
      tracingEnabled: true,
      // Each step that was taken, but not with what: a record in the vault tells that, to those who may know.
      logs: { destination: logs, level: LogLevel.ALL, includeExecutionData: false },
    });
  }
}

function roleOf(scope: Construct, config: Config, { name, roleName, what, calls }: StepMachineProps): Role {
  const resources = calls.map(({ functionArn }) => functionArn);
  const role = new Role(scope, 'Role', {
    roleName,
    description: `gorgen-backup: what the state machine of ${what} may do`,
    assumedBy: new ServicePrincipal('states.amazonaws.com', {
      conditions: {
        StringEquals: { 'aws:SourceAccount': config.account },
        ArnEquals: { 'aws:SourceArn': machineArn(config, name) },
      },
    }),
    inlinePolicies: {
      Steps: new PolicyDocument({
        statements: [new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources })],
      }),
      Watched: new PolicyDocument({
        statements: [new PolicyStatement({ actions: [...LOG_DELIVERY, ...TRACING], resources: ['*'] })],
      }),
    },
  });
  NagSuppressions.addResourceSuppressions(role, [
    { id: 'AwsSolutions-IAM5', reason: 'Deliveries of logs and segments of traces have no ARNs: these actions take no narrower resource.' },
  ]);
  return role;
}

const LOG_DELIVERY = [
  'logs:CreateLogDelivery',
  'logs:GetLogDelivery',
  'logs:UpdateLogDelivery',
  'logs:DeleteLogDelivery',
  'logs:ListLogDeliveries',
  'logs:PutResourcePolicy',
  'logs:DescribeResourcePolicies',
  'logs:DescribeLogGroups',
];
const TRACING = [
  'xray:PutTraceSegments',
  'xray:PutTelemetryRecords',
  'xray:GetSamplingRules',
  'xray:GetSamplingTargets',
];
