import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { actionsOf, definitionOf, ROOT, roleStatements, templates } from './environments';

const jobs = templates('prod').jobs as Template;

const machine = definitionOf(jobs, 'gorgen-prod-restore');
const states = machine.States as Record<string, any>;
const group = states.Load.ItemProcessor.States['Load a group'];
const tasks: [string, any][] = [...Object.entries(states).filter(([, { Type }]) => Type === 'Task'), ['Load a group', group]];

/** The states an execution passes, as the choices are answered. */
function way(action: string, plan: { dry_run?: boolean; safety_backup?: boolean; stage_only?: boolean } = {}): string[] {
  const facts: Record<string, unknown> = { '$.action': action };
  for (const name of ['dry_run', 'safety_backup', 'stage_only'] as const) facts[`$.plan.${name}`] = plan[name] ?? false;
  const holds = (rule: any) => facts[rule.Variable] === (rule.StringEquals ?? rule.BooleanEquals);
  const passed: string[] = [];
  for (let name: string | undefined = machine.StartAt; name !== undefined; ) {
    const state: any = states[name];
    if (state.Type === 'Choice') {
      name = state.Choices.find(holds)?.Next ?? state.Default;
      continue;
    }
    passed.push(name);
    name = state.Next;
  }
  return passed;
}

describe('a restore', () => {
  it('is planned, backed up, loaded, verified and only then put in place', () => {
    expect(way('restore', { safety_backup: true })).toEqual(['Plan', 'Safety backup', 'Prepare', 'Load', 'Verify', 'Promote']);
  });

  it('goes on without a backup only where the plan says so', () => {
    expect(way('restore')).toEqual(['Plan', 'No safety backup', 'Prepare', 'Load', 'Verify', 'Promote']);
    expect(states['No safety backup']).toMatchObject({ Type: 'Pass', Result: { backup: null }, ResultPath: '$.safety' });
  });

  it('stops where only a plan, or only staging, was wanted', () => {
    expect(way('restore', { dry_run: true })).toEqual(['Plan', 'Planned']);
    expect(way('restore', { safety_backup: true, stage_only: true }).slice(-2)).toEqual(['Verify', 'Staged']);
    expect([states.Planned.Type, states.Staged.Type]).toEqual(['Succeed', 'Succeed']);
  });

  it.each([
    ['promote', 'Promote what was staged', 'promote'],
    ['undo', 'Undo', 'undo'],
    ['cancel', 'Cancel', 'discard'],
  ])('that is there already: %s is one step', (action, state, step) => {
    expect(way(action)).toEqual([state]);
    expect(states[state].Parameters.Payload).toEqual({ 'restore.$': '$.restore', step });
  });

  it('is asked for in words that are known', () => {
    expect(way('drop')).toEqual(['Unknown']);
    expect(states.Unknown).toMatchObject({ Type: 'Fail', Error: 'InvalidEvent' });
  });

  it('loads three groups of tables at once', () => {
    expect(states.Load).toMatchObject({
      Type: 'Map',
      ItemsPath: '$.prepared.group_numbers',
      MaxConcurrency: 3,
      ItemSelector: { 'restore.$': '$.restore', 'group.$': '$$.Map.Item.Value' },
      ResultPath: null,
    });
    expect(group.Parameters.Payload).toEqual({ 'restore.$': '$.restore', step: 'load', 'group.$': '$.group' });
  });

  it('hands each step what the function takes, and no more', () => {
    const payload = (name: string) => states[name].Parameters.Payload;
    expect(payload('Plan')).toEqual({ 'restore.$': '$.restore', step: 'plan' });
    expect(payload('Safety backup')).toEqual({});
    expect(payload('Prepare')).toEqual({ 'restore.$': '$.restore', step: 'prepare', 'safety_backup.$': '$.safety.backup' });
    expect(payload('Discard')).toEqual({ 'restore.$': '$.restore', step: 'discard', 'error.$': '$.error' });
  });

  it('keeps of an answer what it needs', () => {
    const kept = Object.fromEntries(tasks.map(([name, { ResultSelector, ResultPath }]) => [name, [ResultSelector, ResultPath]]));
    expect(kept).toMatchObject({
      Plan: [
        { 'dry_run.$': '$.Payload.dry_run', 'stage_only.$': '$.Payload.stage_only', 'safety_backup.$': '$.Payload.safety_backup' },
        '$.plan',
      ],
      'Safety backup': [{ 'backup.$': '$.Payload.backup' }, '$.safety'],
      Prepare: [{ 'group_numbers.$': '$.Payload.group_numbers' }, '$.prepared'],
      Verify: [undefined, null],
    });
  });
});

describe('a step that fails', () => {
  const names = (source: string) => {
    const lines = [...source.matchAll(/Self::(\w+) => "(\w+)"/g)];
    return new Map(lines.map(([, variant, name]) => [variant as string, name as string]));
  };
  const source = readFileSync(join(ROOT, 'crates/function/src/failure.rs'), 'utf8');
  const known = names(source);

  it.each(tasks)('%s: is tried again when the function says that this may help, or was lost', (_, task) => {
    const retryable = /is_retryable\(self\) -> bool \{\s*matches!\(self, ([^)]*)\)/.exec(source)?.[1] as string;
    const ours = [...retryable.matchAll(/Self::(\w+)/g)].map(([, variant]) => known.get(variant as string) as string);
    const retried = task.Retry.flatMap(({ ErrorEquals }: any) => ErrorEquals) as string[];
    expect(ours.length).toBeGreaterThan(2);
    expect(retried.filter((name) => !/[.]/.test(name)).sort()).toEqual(ours.sort());
    expect(retried).toEqual(expect.arrayContaining(['Lambda.TooManyRequestsException', 'Lambda.Unknown', 'Sandbox.Timedout', 'States.Timeout']));
    for (const never of ['States.ALL', 'States.TaskFailed', 'Refused', 'NotFound', 'Integrity', 'InvalidEvent', 'Failed']) {
      expect(retried).not.toContain(never);
    }
  });

  it.each(tasks)('%s: is tried later and later, not for ever, and not by all at the same moment', (_, task) => {
    for (const retry of task.Retry) {
      expect(retry.MaxAttempts).toBeLessThanOrEqual(20);
      expect(retry.MaxDelaySeconds).toBeLessThanOrEqual(120);
      expect(retry.BackoffRate).toBeGreaterThanOrEqual(1);
      expect(retry.JitterStrategy).toBe('FULL');
    }
    expect(task.Retry[0].BackoffRate).toBe(2);
    expect(task.TimeoutSeconds).toBe(960);
  });

  it.each(['Plan', 'Safety backup', 'Prepare', 'Load', 'Verify', 'Promote'])('%s: for good has what was staged dropped', (name) => {
    expect(states[name].Catch).toEqual([{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Discard' }]);
    const after = states[states.Discard.Next];
    expect(after.Default).toBe('Failed');
    expect(states.Failed).toEqual({ Type: 'Fail', ErrorPath: '$.error.Error', CausePath: '$.error.Cause' });
  });

  it('has failed nothing where the restore stands after all, or somebody cancelled it', () => {
    const [{ Or, Next }] = states[states.Discard.Next].Choices;
    expect(Or.map(({ Variable, StringEquals }: any) => [Variable, StringEquals])).toEqual([
      ['$.discarded.stage', 'restored'],
      ['$.discarded.stage', 'cancelled'],
    ]);
    expect(states[Next].Type).toBe('Succeed');
  });

  it.each(['Promote what was staged', 'Undo', 'Cancel', 'Discard'])('%s: fails the execution and drops nothing', (name) => {
    expect(states[name].Catch).toBeUndefined();
  });
});

describe('the machine', () => {
  it('ends some time, is traced, and logs each step but not what it was about', () => {
    expect(machine.TimeoutSeconds).toBe(6 * 3600);
    jobs.hasResourceProperties('AWS::StepFunctions::StateMachine', {
      StateMachineName: 'gorgen-prod-restore',
      StateMachineType: 'STANDARD',
      TracingConfiguration: { Enabled: true },
      LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: false, Destinations: Match.anyValue() },
    });
    jobs.hasResource('AWS::Logs::LogGroup', {
      DeletionPolicy: 'RetainExceptOnCreate',
      Properties: { LogGroupName: '/aws/vendedlogs/states/gorgen-prod-restore', RetentionInDays: 365 },
    });
  });

  it('calls two functions and can do nothing else', () => {
    const [steps, watched, ...more] = roleStatements(jobs, 'gorgen-prod-restore-machine');
    expect(more).toEqual([]);
    expect(steps.Action).toBe('lambda:InvokeFunction');
    const functions = steps.Resource.map((resource: any) => jobs.toJSON().Resources[resource['Fn::GetAtt'][0]].Properties.FunctionName);
    expect(functions.sort()).toEqual(['gorgen-prod-backup', 'gorgen-prod-restore']);
    expect(watched.Action.every((action: string) => /^(logs|xray):/.test(action))).toBe(true);
    expect(actionsOf(jobs, 'gorgen-prod-restore-machine')).not.toContain('states:StartExecution');
  });

  it('is nobody else\'s to use that role', () => {
    jobs.hasResourceProperties('AWS::IAM::Role', {
      RoleName: 'gorgen-prod-restore-machine',
      AssumeRolePolicyDocument: {
        Statement: [
          Match.objectLike({
            Principal: { Service: 'states.amazonaws.com' },
            Condition: {
              StringEquals: { 'aws:SourceAccount': '111122223333' },
              ArnEquals: { 'aws:SourceArn': 'arn:aws:states:sa-east-1:111122223333:stateMachine:gorgen-prod-restore' },
            },
          }),
        ],
      },
    });
  });
});
