/**
 * Takes a restore through its steps, each one call of the function `restore`: so it may take longer than a function lives,
 * and goes on when one of them is lost. What a step is, and that doing it twice does no harm, the function knows.
 */
import { CfnOutput, Duration } from 'aws-cdk-lib';
import { IFunction } from 'aws-cdk-lib/aws-lambda';
import {
  Choice,
  Condition,
  Fail,
  type IChainable,
  JsonPath,
  Map as ForEach,
  Pass,
  Result,
  StateMachine,
  Succeed,
} from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';
import type { Config } from '../config';
import { nameOf, restoreMachineName } from '../names';
import { type AnswerProps, stepCall, StepMachine } from './step-machine';

/** Half as long again as the time within which the clinic must be back at work. */
const WHOLE_RESTORE = Duration.hours(6);
/** Groups of tables at once; each of them is a function that loads by several connections. */
const GROUPS_AT_ONCE = 3;

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
    this.machine = new StepMachine(this, config, {
      name: restoreMachineName(config),
      roleName: nameOf(config, 'restore-machine'),
      what: 'restores',
      comment: 'Restores a backup: planned, loaded beside the live tables, proved equal, then put in their place',
      calls: [props.restore, props.backup],
      definition: this.definition(),
      timeout: WHOLE_RESTORE,
    }).machine;
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

  private call(id: string, lambdaFunction: IFunction, payload: object, answer: AnswerProps): LambdaInvoke {
    return stepCall(this, id, { lambdaFunction, payload, ...answer });
  }
}

interface StepProps extends AnswerProps {
  readonly input?: Record<string, unknown>;
}
