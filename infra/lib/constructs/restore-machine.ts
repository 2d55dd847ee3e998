/**
 * Takes a restore through its steps, each one call of the function `restore`: so it may take longer than a function lives,
 * and goes on when one of them is lost. What a step is, and that doing it twice does no harm, the function knows.
 */
import { CfnOutput, Duration } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import {
  Choice,
  Condition,
  DefinitionBody,
  Fail,
  type IChainable,
  JitterType,
  JsonPath,
  LogLevel,
  Map as ForEach,
  Pass,
  Result,
  type RetryProps,
  StateMachine,
  StateMachineType,
  Succeed,
  TaskInput,
  Timeout,
} from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { NagSuppressions } from 'cdk-nag';
import { Construct } from 'constructs';
import type { Config } from '../config';
import { keep } from '../keep';
import { nameOf, restoreMachineArn, restoreMachineName } from '../names';

/** Half as long again as the time within which the clinic must be back at work. */
const WHOLE_RESTORE = Duration.hours(6);
/** A minute more than a function lives: whoever hears nothing for so long has lost it. */
const ONE_STEP = Duration.minutes(16);
/** Groups of tables at once; each of them is a function that loads by several connections. */
const GROUPS_AT_ONCE = 3;

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
/** The step stopped by itself before its function's time was over, and goes on from there. */
const UNFINISHED: RetryProps = {
  errors: ['OutOfTime'],
  interval: Duration.seconds(1),
  backoffRate: 1,
  maxDelay: Duration.seconds(2),
  maxAttempts: 12,
  jitterStrategy: JitterType.FULL,
};

export interface RestoreMachineProps {
  readonly config: Config;
  /** The function `restore`. */
  readonly restore: IFunction;
  /** The function `backup`, for the backup of what is there before it is replaced. */
  readonly backup: IFunction;
}

export class RestoreMachine extends Construct {
  readonly machine: StateMachine;

  constructor(scope: Construct, id: string, private readonly props: RestoreMachineProps) {
    super(scope, id);
    const { config } = props;
    const logs = new LogGroup(this, 'Logs', {
      // Under this prefix a log needs no resource policy of its own, of which an account has ten.
      logGroupName: `/aws/vendedlogs/states/${restoreMachineName(config)}`,
      retention: config.logDays as RetentionDays,
      removalPolicy: keep(config),
    });
    const role = this.role();
    this.machine = new StateMachine(this, 'Machine', {
      stateMachineName: restoreMachineName(config),
      stateMachineType: StateMachineType.STANDARD,
      comment: 'Restores a backup: planned, loaded beside the live tables, proved equal, then put in their place',
      definitionBody: DefinitionBody.fromChainable(this.definition()),
      // Its rights are those below and no others: CDK would add every version and alias of the functions.
      role: role.withoutPolicyUpdates(),
      timeout: WHOLE_RESTORE,
      tracingEnabled: true,
      // Each step that was taken, but not with what: the restore's record in the vault tells that, to those who may know.
      logs: { destination: logs, level: LogLevel.ALL, includeExecutionData: false },
    });
    new CfnOutput(this, 'Arn', { value: this.machine.stateMachineArn }).overrideLogicalId('RestoreMachineArn');
  }

  /** `restore` is the whole way; the others are a single step of it, some time later. */
  private definition(): IChainable {
    const asks = (action: string) => Condition.stringEquals('$.action', action);
    return new Choice(this, 'What is asked for?')
      .when(asks('restore'), this.wholeWay())
      .when(asks('promote'), this.step('Promote what was staged', 'promote'))
      .when(asks('undo'), this.step('Undo', 'undo'))
      .when(asks('cancel'), this.step('Cancel', 'discard'))
      .otherwise(new Fail(this, 'Unknown', { error: 'InvalidEvent', cause: 'action: expected restore, promote, undo or cancel' }));
  }

  private wholeWay(): IChainable {
    const giveUp = this.giveUp();
    const orGiveUp = <S extends LambdaInvoke | ForEach>(state: S): S => {
      state.addCatch(giveUp, { resultPath: '$.error' });
      return state;
    };
    const plan = this.step('Plan', 'plan', {
      answer: ['dry_run', 'stage_only', 'safety_backup'],
      at: '$.plan',
    });
    const safetyBackup = this.call('Safety backup', this.props.backup, {}, { answer: ['backup'], at: '$.safety' });
    const noSafetyBackup = new Pass(this, 'No safety backup', {
      result: Result.fromObject({ backup: null }),
      resultPath: '$.safety',
    });
    const prepare = this.step('Prepare', 'prepare', {
      input: { safety_backup: JsonPath.objectAt('$.safety.backup') },
      answer: ['group_numbers'],
      at: '$.prepared',
    });
    const load = new ForEach(this, 'Load', {
      itemsPath: '$.prepared.group_numbers',
      itemSelector: { restore: JsonPath.stringAt('$.restore'), group: JsonPath.objectAt('$$.Map.Item.Value') },
      maxConcurrency: GROUPS_AT_ONCE,
      resultPath: JsonPath.DISCARD,
    }).itemProcessor(this.step('Load a group', 'load', { input: { group: JsonPath.objectAt('$.group') } }));
    const verify = this.step('Verify', 'verify');
    const promote = this.step('Promote', 'promote');

    for (const state of [plan, safetyBackup, prepare, load, verify, promote]) orGiveUp(state);
    const stageOrPromote = new Choice(this, 'Only stage?')
      .when(Condition.booleanEquals('$.plan.stage_only', true), new Succeed(this, 'Staged'))
      .otherwise(promote);
    prepare.next(load).next(verify).next(stageOrPromote);
    const safely = new Choice(this, 'Back up first?')
      .when(Condition.booleanEquals('$.plan.safety_backup', true), safetyBackup.next(prepare))
      .otherwise(noSafetyBackup.next(prepare));
    const planOrRestore = new Choice(this, 'Only plan?')
      .when(Condition.booleanEquals('$.plan.dry_run', true), new Succeed(this, 'Planned'))
      .otherwise(safely);
    return plan.next(planOrRestore);
  }

  /**
   * Drops what was staged and writes down why. A promotion that was cut off is finished or taken back by that: the
   * record then says restored, which is what was wanted; and a restore somebody cancelled has not failed either.
   */
  private giveUp(): IChainable {
    const discard = this.step('Discard', 'discard', {
      input: { error: JsonPath.objectAt('$.error') },
      answer: ['stage'],
      at: '$.discarded',
    });
    const isNow = (stage: string) => Condition.stringEquals('$.discarded.stage', stage);
    return discard.next(
      new Choice(this, 'What became of it?')
        .when(Condition.or(isNow('restored'), isNow('cancelled')), new Succeed(this, 'As it was wanted'))
        .otherwise(new Fail(this, 'Failed', { errorPath: '$.error.Error', causePath: '$.error.Cause' })),
    );
  }

  /** One call of the function `restore`. */
  private step(id: string, step: string, { input, ...more }: StepProps = {}): LambdaInvoke {
    return this.call(id, this.props.restore, { restore: JsonPath.stringAt('$.restore'), step, ...input }, more);
  }

  /** One call of a function; of its answer the execution goes on with these fields, or none. */
  private call(id: string, lambdaFunction: IFunction, payload: object, { answer, at }: AnswerProps): LambdaInvoke {
    const task = new LambdaInvoke(this, id, {
      lambdaFunction,
      payload: TaskInput.fromObject(payload),
      taskTimeout: Timeout.duration(ONE_STEP),
      retryOnServiceExceptions: false,
      resultPath: at ?? JsonPath.DISCARD,
      ...(answer && {
        resultSelector: Object.fromEntries(answer.map((field) => [field, JsonPath.objectAt(`$.Payload.${field}`)])),
      }),
    });
    for (const retry of [LOST, BUSY, UNFINISHED]) task.addRetry(retry);
    return task;
  }

  private role(): Role {
    const { config, restore, backup } = this.props;
    const role = new Role(this, 'Role', {
      roleName: nameOf(config, 'restore-machine'),
      description: 'gorgen-backup: what the state machine of restores may do',
      assumedBy: new ServicePrincipal('states.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': config.account },
          ArnEquals: { 'aws:SourceArn': restoreMachineArn(config) },
        },
      }),
      inlinePolicies: {
        Steps: new PolicyDocument({
          statements: [
            new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [restore.functionArn, backup.functionArn] }),
          ],
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
}

/** What the execution keeps of a function's answer, and where. */
interface AnswerProps {
  readonly answer?: readonly string[];
  readonly at?: string;
}

interface StepProps extends AnswerProps {
  readonly input?: Record<string, unknown>;
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
