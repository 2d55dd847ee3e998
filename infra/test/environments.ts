/** Synthesized environments for tests: from the examples that are committed, with binaries that are empty. */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { App, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { composeStacks } from '../lib/app';
import { type Config, type EnvironmentName, parseConfig } from '../lib/config';
import { FUNCTIONS } from '../lib/names';

export const ROOT = resolve(__dirname, '../..');
const CONTEXT = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8')).context as Record<string, unknown>;

/** The example of an environment, to be changed as a test likes. */
export function example(environment: EnvironmentName): Record<string, any> {
  const path = join(ROOT, 'infra/environments', `${environment}.example.json`);
  return JSON.parse(readFileSync(path, 'utf8')) as Record<string, any>;
}

/** The configuration of an environment, from its example and changes to it. */
export function configOf(environment: EnvironmentName, changes: Record<string, unknown> = {}): Config {
  return parseConfig(environment, { ...example(environment), ...changes }, 'example.json');
}

/** A folder such as cargo-lambda makes, with files that are no programs. */
export function binaries(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gorgen-infra-'));
  for (const name of FUNCTIONS) {
    mkdirSync(join(folder, `gorgen-function-${name}`));
    // An empty zip: its end record alone.
    writeFileSync(join(folder, `gorgen-function-${name}`, 'bootstrap.zip'), Buffer.from(`504b0506${'00'.repeat(18)}`, 'hex'));
  }
  return folder;
}

/** The app of a configuration and its stacks, as bin/app.ts would make them. */
export function compose(config: Config, folder = binaries()): { app: App; stacks: ReturnType<typeof composeStacks> } {
  const app = new App({ context: CONTEXT });
  return { app, stacks: composeStacks(app, config, folder) };
}

export type Templates = Record<string, Template>;

/** The templates of an environment, by the stack's short name. */
export function templates(environment: EnvironmentName, changes: Record<string, unknown> = {}): Templates {
  const { stacks } = compose(configOf(environment, changes));
  return Object.fromEntries(Object.entries(stacks).map(([name, stack]: [string, Stack]) => [name, Template.fromStack(stack)]));
}

/** The definition of a state machine, with the logical ids of functions in the place of their ARNs. */
export function definitionOf(template: Template, name: string): any {
  const [machine] = Object.values(template.findResources('AWS::StepFunctions::StateMachine', { Properties: { StateMachineName: name } }));
  const parts = machine?.Properties.DefinitionString['Fn::Join'][1] as any[];
  return JSON.parse(parts.map((part) => (typeof part === 'string' ? part : (part['Fn::GetAtt']?.[0] ?? part.Ref))).join(''));
}

/** The statements of all policies that a role has, with the role's name. */
export function roleStatements(template: Template, roleName: string): any[] {
  const roles = Object.values(template.findResources('AWS::IAM::Role', { Properties: { RoleName: roleName } }));
  const ids = Object.keys(template.findResources('AWS::IAM::Role', { Properties: { RoleName: roleName } }));
  const attached = Object.values(template.findResources('AWS::IAM::Policy')).filter((policy) =>
    policy.Properties.Roles.some((role: { Ref: string }) => ids.includes(role.Ref)),
  );
  const documents = [
    ...roles.flatMap((role) => (role.Properties.Policies ?? []) as any[]).map((policy) => policy.PolicyDocument),
    ...attached.map((policy) => policy.Properties.PolicyDocument),
  ];
  return documents.flatMap((document) => document.Statement as any[]);
}

/** All actions that a role may take. */
export function actionsOf(template: Template, roleName: string): string[] {
  const actions = roleStatements(template, roleName).flatMap((statement) => statement.Action as string | string[]);
  return [...new Set(actions)].sort();
}
