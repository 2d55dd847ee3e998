import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { definitionOf, ROOT, roleStatements, templates } from './environments';

const jobs = templates('prod').jobs as Template;
const machine = definitionOf(jobs, 'gorgen-prod-restore-test');
const states = machine.States as Record<string, any>;
const group = states.Load.ItemProcessor.States['Load a group'];
const tasks: [string, any][] = [...Object.entries(states).filter(([, { Type }]) => Type === 'Task'), ['Load a group', group]];
const EXECUTION = { 'name.$': '$$.Execution.Name', 'started.$': '$$.Execution.StartTime' };
const CHOSEN = '$.said.choice.chosen';

describe('a restore test', () => {
  it('chooses, prepares, loads, proves, and ends', () => {
    const passed: string[] = [];
    for (let name: string | undefined = machine.StartAt; name !== undefined; name = states[name].Next ?? states[name].Default) passed.push(name);
    expect(passed).toEqual(['Begin', 'Choose', 'Done before?', 'Prepare', 'Load', 'Prove', 'End', 'How did it end?', 'Failed']);
  });

  it('is done once for a schedule', () => {
    const [once] = states['Done before?'].Choices;
    expect(once).toEqual({ Variable: '$.said.choice.already_done', BooleanEquals: true, Next: 'Already done' });
    expect(states['Already done'].Type).toBe('Succeed');
  });

  it('hands each step what the function takes, with the run that the execution is', () => {
    const payload = (state: any) => state.Parameters.Payload;
    const input = { 'asked.$': '$$.Execution.Input' };
    expect(payload(states.Choose)).toEqual({ step: 'choose', execution: EXECUTION, ...input });
    expect(payload(states.Prepare)).toEqual({ step: 'prepare', execution: EXECUTION, 'chosen.$': CHOSEN });
    expect(payload(group)).toEqual({ step: 'load', execution: EXECUTION, 'chosen.$': '$.chosen', 'group.$': '$.group' });
    expect(payload(states.Prove)).toEqual({ step: 'prove', execution: EXECUTION, 'chosen.$': CHOSEN });
    expect(payload(states.End)).toEqual({
      step: 'end',
      execution: EXECUTION,
      ...input,
      'chosen.$': CHOSEN,
      'prepared.$': '$.said.ready.prepared',
      'loaded.$': '$.said.loaded',
      'proved.$': '$.said.proof.proved',
      'error.$': '$.said.error',
    });
    expect(states.Load).toMatchObject({
      ItemsPath: '$.said.ready.group_numbers',
      MaxConcurrency: 3,
      ItemSelector: { 'chosen.$': CHOSEN, 'group.$': '$$.Map.Item.Value' },
      ResultPath: '$.said.loaded',
    });
  });

  it('knows only fields that the function knows', () => {
    const source = readFileSync(join(ROOT, 'functions/restore-test/src/steps.rs'), 'utf8');
    const fields = /struct Event \{([^}]*)\}/.exec(source)?.[1] as string;
    const known = [...fields.matchAll(/^ {4}(\w+):/gm)].map(([, name]) => name);
    const handed = tasks.flatMap(([, { Parameters }]) => Object.keys(Parameters.Payload).map((name) => name.replace('.$', '')));
    expect(new Set(handed)).toEqual(new Set(known));
  });

  it('gives its end what was not said as nothing, whichever step failed', () => {
    expect(states.Begin).toMatchObject({
      Type: 'Pass',
      Result: { choice: { chosen: null }, ready: { prepared: null }, loaded: null, proof: { proved: null }, error: null },
      ResultPath: '$.said',
    });
  });

  it('carries of a group some numbers, so that hundreds of groups fit into an execution', () => {
    const answer = ['tables', 'rows', 'raw_bytes', 'seconds'];
    expect(group.ResultSelector).toEqual(Object.fromEntries(answer.map((name) => [`${name}.$`, `$.Payload.${name}`])));
    expect(group.ResultPath ?? '$').toBe('$');
  });
});

describe('a step that fails', () => {
  it.each(['Choose', 'Prepare', 'Load', 'Prove'])('%s: for good leads to the end', (name) => {
    expect(states[name].Catch).toEqual([{ ErrorEquals: ['States.ALL'], ResultPath: '$.said.error', Next: 'End' }]);
  });

  it('End: fails the execution, as does a test that failed, with its cause', () => {
    expect(states.End.Catch).toBeUndefined();
    expect(states['How did it end?'].Choices).toEqual([
      { Variable: '$.ended.Payload.outcome', StringEquals: 'succeeded', Next: 'Proved' },
    ]);
    expect(states.Failed).toEqual({ Type: 'Fail', ErrorPath: '$.ended.Payload.error', CausePath: '$.ended.Payload.cause' });
  });

  it.each(tasks)('%s: is tried again as a step of a restore is', (_, task) => {
    const steps = definitionOf(jobs, 'gorgen-prod-restore').States;
    const errors = ({ Retry }: any) => Retry.map(({ ErrorEquals }: any) => ErrorEquals);
    expect(errors(task)).toEqual(errors(steps.Plan));
    expect(task.TimeoutSeconds).toBe(960);
  });

  it('Load a group: is not tried for hours if it never fits into a function\'s life', () => {
    const outOfTime = ({ Retry }: any) => Retry.find(({ ErrorEquals }: any) => ErrorEquals.includes('OutOfTime')).MaxAttempts;
    expect([outOfTime(group), outOfTime(states.Prove)]).toEqual([2, 12]);
  });
});

describe('the machine', () => {
  it('lives longer than the function lets a test last, so that its end is reached', () => {
    const source = readFileSync(join(ROOT, 'functions/restore-test/src/steps.rs'), 'utf8');
    const hours = Number(/LONGEST: SignedDuration = SignedDuration::from_hours\((\d+)\)/.exec(source)?.[1]);
    expect(machine.TimeoutSeconds).toBe(6 * 3600);
    // One step that was begun just before, and the end with a try or two.
    expect(machine.TimeoutSeconds - hours * 3600).toBeGreaterThanOrEqual(3 * 960);
  });

  it('is traced, and logs each step but not what it was about', () => {
    jobs.hasResourceProperties('AWS::StepFunctions::StateMachine', {
      StateMachineName: 'gorgen-prod-restore-test',
      StateMachineType: 'STANDARD',
      TracingConfiguration: { Enabled: true },
      LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: false, Destinations: Match.anyValue() },
    });
  });

  it('calls one function and can do nothing else', () => {
    const [steps, watched, ...more] = roleStatements(jobs, 'gorgen-prod-restore-test-machine');
    expect(more).toEqual([]);
    expect(steps.Action).toBe('lambda:InvokeFunction');
    const called = jobs.toJSON().Resources[steps.Resource['Fn::GetAtt'][0]].Properties.FunctionName;
    expect(called).toBe('gorgen-prod-restore-test');
    expect(watched.Action.every((action: string) => /^(logs|xray):/.test(action))).toBe(true);
  });

  it('is nobody else\'s to use that role', () => {
    jobs.hasResourceProperties('AWS::IAM::Role', {
      RoleName: 'gorgen-prod-restore-test-machine',
      AssumeRolePolicyDocument: {
        Statement: [
          Match.objectLike({
            Principal: { Service: 'states.amazonaws.com' },
            Condition: {
              StringEquals: { 'aws:SourceAccount': '111122223333' },
              ArnEquals: { 'aws:SourceArn': 'arn:aws:states:sa-east-1:111122223333:stateMachine:gorgen-prod-restore-test' },
            },
          }),
        ],
      },
    });
  });
});
