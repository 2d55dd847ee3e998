/** Wires the environment named by the context `env` from its file; see infra/README.md. */
import { resolve } from 'node:path';
import { App } from 'aws-cdk-lib';
import { composeStacks } from '../lib/app';
import { ConfigError, environmentName, readConfig } from '../lib/config';

const ROOT = resolve(__dirname, '../..');

try {
  const app = new App();
  const context = (name: string): string | undefined => app.node.tryGetContext(name) as string | undefined;
  const environment = environmentName(context('env'));
  const file = context('config') ?? `infra/environments/${environment}.json`;
  const binaries = context('binaries') ?? 'target/lambda';
  composeStacks(app, readConfig(environment, resolve(ROOT, file)), resolve(ROOT, binaries));
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(`\n${error.message}\n`);
  process.exit(1);
}
