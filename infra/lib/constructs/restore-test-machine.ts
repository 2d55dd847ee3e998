/**
 * Takes a restore test through its steps, each one call of the function `restore-test`: so it may take longer than a function
 * lives. The execution carries what the steps say; whatever becomes of them, `end` drops the database and writes the record.
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
import { nameOf, restoreTestMachineName } from '../names';
import { type AnswerProps, stepCall, StepMachine } from './step-machine';

/** An hour more than the function gives a test (`LONGEST` in its steps.rs), so that `end` is always reached. */
const WHOLE_TEST = Duration.hours(6);
/** Groups of tables at once; each of them is a function that loads by several connections. */
const GROUPS_AT_ONCE = 3;
/** A group begins anew each time: what did not fit into a function's life three times will not. */
const TRIES_OF_A_GROUP = 2;

/** What `end` is given, if nobody has said anything. */
const NOTHING_YET = { choice: { chosen: null }, ready: { prepared: null }, loaded: null, proof: { proved: null }, error: null };

export interface RestoreTestMachineProps {
  readonly config: Config;
  /** The function `restore-test`. */
  readonly restoreTest: IFunction;
}

export class RestoreTestMachine extends Construct {
  readonly machine: StateMachine;

  constructor(scope: Construct, id: string, private readonly props: RestoreTestMachineProps) {
    super(scope, id);
    const { config, restoreTest } = props;
    this.machine = new StepMachine(this, config, {
      name: restoreTestMachineName(config),
      roleName: nameOf(config, 'restore-test-machine'),
      what: 'restore tests',
      comment: 'Tests a backup: restored into a throw-away database, proved equal, timed, and dropped',
      calls: [restoreTest],
      definition: this.definition(),
      timeout: WHOLE_TEST,
    }).machine;
    new CfnOutput(this, 'Arn', { value: this.machine.stateMachineArn }).overrideLogicalId('RestoreTestMachineArn');
  }

  private definition(): IChainable {
    const begin = new Pass(this, 'Begin', { result: Result.fromObject(NOTHING_YET), resultPath: '$.said' });
    const choose = this.step('Choose', 'choose', {
      input: { asked: JsonPath.objectAt('$$.Execution.Input') },
      answer: ['already_done', 'chosen'],
      at: '$.said.choice',
    });
    const prepare = this.step('Prepare', 'prepare', {
      input: { chosen: CHOSEN },
      answer: ['prepared', 'group_numbers'],
      at: '$.said.ready',
    });
    const load = new ForEach(this, 'Load', {
      itemsPath: '$.said.ready.group_numbers',
      itemSelector: { chosen: CHOSEN, group: JsonPath.objectAt('$$.Map.Item.Value') },
      maxConcurrency: GROUPS_AT_ONCE,
      resultPath: '$.said.loaded',
    }).itemProcessor(this.loadGroup());
    const prove = this.step('Prove', 'prove', { input: { chosen: CHOSEN }, answer: ['proved'], at: '$.said.proof' });
    const end = this.end();

    for (const state of [choose, prepare, load, prove]) state.addCatch(end, { resultPath: '$.said.error' });
    const once = new Choice(this, 'Done before?')
      .when(Condition.booleanEquals('$.said.choice.already_done', true), new Succeed(this, 'Already done'))
      .otherwise(prepare.next(load).next(prove).next(end));
    return begin.next(choose).next(once);
  }

  private loadGroup(): LambdaInvoke {
    return this.step('Load a group', 'load', {
      input: { chosen: JsonPath.objectAt('$.chosen'), group: JsonPath.objectAt('$.group') },
      answer: ['tables', 'rows', 'raw_bytes', 'seconds'],
      at: '$',
      triesOutOfTime: TRIES_OF_A_GROUP,
    });
  }

  /** A test that failed is no failure of `end`, which would be tried again: the execution fails after it. */
  private end(): LambdaInvoke {
    const said = (what: string) => JsonPath.objectAt(`$.said.${what}`);
    const end = this.step('End', 'end', {
      input: {
        asked: JsonPath.objectAt('$$.Execution.Input'),
        chosen: CHOSEN,
        prepared: said('ready.prepared'),
        loaded: said('loaded'),
        proved: said('proof.proved'),
        error: said('error'),
      },
      at: '$.ended',
    });
    end.next(
      new Choice(this, 'How did it end?')
        .when(Condition.stringEquals('$.ended.Payload.outcome', 'succeeded'), new Succeed(this, 'Proved'))
        .otherwise(new Fail(this, 'Failed', { errorPath: '$.ended.Payload.error', causePath: '$.ended.Payload.cause' })),
    );
    return end;
  }

  /** One call of the function; the run is the execution's, so that every step knows it. */
  private step(id: string, step: string, { input, ...more }: StepProps): LambdaInvoke {
    const execution = { name: JsonPath.stringAt('$$.Execution.Name'), started: JsonPath.stringAt('$$.Execution.StartTime') };
    return stepCall(this, id, { lambdaFunction: this.props.restoreTest, payload: { step, execution, ...input }, ...more });
  }
}

interface StepProps extends AnswerProps {
  readonly input: Record<string, unknown>;
  readonly triesOutOfTime?: number;
}

const CHOSEN = JsonPath.objectAt('$.said.choice.chosen');
