/** How a function finds a database and logs in: its settings, and the rights these need. */
import { PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Config, ServerConfig } from '../config';

export interface DatabaseAccess {
  /** Of the policy. */
  readonly name: 'Database' | 'Scratch';
  readonly environment: Record<string, string>;
  readonly policy: PolicyDocument;
}

/** The protected database, as the user that reads or as the one that restores. */
export function sourceAccess(config: Config, user: 'backup' | 'restore'): DatabaseAccess {
  const { database } = config;
  const { login } = database;
  if (login.kind === 'secret') {
    return {
      name: 'Database',
      environment: { GORGEN_DATABASE_URL: url(database), GORGEN_DATABASE_SECRET: login[user] },
      policy: readSecret(config, login[user], login.keyArn),
    };
  }
  const dbUser = `arn:aws:rds-db:${config.primaryRegion}:${config.account}:dbuser:${login.resourceId}/${login[user]}`;
  return {
    name: 'Database',
    environment: { GORGEN_DATABASE_URL: url(database, login[user]) },
    policy: new PolicyDocument({
      statements: [new PolicyStatement({ actions: ['rds-db:connect'], resources: [dbUser] })],
    }),
  };
}

/** The throw-away server, for restore tests and for a look at the past; nothing when there is none. */
export function scratchAccess(config: Config): DatabaseAccess | undefined {
  const { scratch } = config;
  if (!scratch) return undefined;
  return {
    name: 'Scratch',
    environment: { GORGEN_SCRATCH_URL: url(scratch), GORGEN_SCRATCH_SECRET: scratch.secretArn },
    policy: readSecret(config, scratch.secretArn, scratch.keyArn),
  };
}

function url({ host, port, name, ca }: ServerConfig, iamUser?: string): string {
  const options = [...(ca === 'rds' ? ['ca=rds'] : []), ...(iamUser === undefined ? [] : ['auth=rds-iam'])];
  const user = iamUser === undefined ? '' : `${iamUser}@`;
  return `mysql://${user}${host}:${port}/${name}${options.length > 0 ? `?${options.join('&')}` : ''}`;
}

function readSecret(config: Config, secretArn: string, keyArn?: string): PolicyDocument {
  const document = new PolicyDocument({
    statements: [new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [secretArn] })],
  });
  if (keyArn !== undefined) {
    const viaService = { 'kms:ViaService': `secretsmanager.${config.primaryRegion}.amazonaws.com` };
    document.addStatements(
      new PolicyStatement({ actions: ['kms:Decrypt'], resources: [keyArn], conditions: { StringEquals: viaService } }),
    );
  }
  return document;
}
