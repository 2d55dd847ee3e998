/** One Lambda function: a Rust binary, a role of its own, and a log of its own. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CfnOutput, Duration, Stack, Tags } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, LoggingFormat, Runtime } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { IQueue } from 'aws-cdk-lib/aws-sqs';
import { NagSuppressions } from 'cdk-nag';
import { Construct } from 'constructs';
import { type Config, ConfigError } from '../config';
import { keep } from '../keep';
import { type FunctionName, inCamels, nameOf, replicaUrl, vaultUrl } from '../names';
import { programVersion } from '../version';
import type { DatabaseAccess } from './database-access';
import type { DatabaseNetwork } from './database-network';
import { NOTICES_REASON, noticesAccess, noticesEnvironment } from './notices';
import { readsReplica, replicaAccess, VAULT_ACCESS_REASON, vaultAccess } from './vault-access';
import { keyArnIn } from './vault-key';

/** Lambda retries an event twice, a minute and two later; after an hour it gives it to the dead letters. */
const RETRIES = 2;
const MAX_EVENT_AGE = Duration.hours(1);

export interface JobFunctionProps {
  readonly config: Config;
  readonly name: FunctionName;
  readonly description: string;
  /** The folder that cargo-lambda builds into. */
  readonly binaries: string;
  readonly keyArn: string;
  readonly memoryMb: number;
  readonly timeout: Duration;
  readonly environment?: Record<string, string>;
  /** The databases it logs in to. */
  readonly databases?: readonly (DatabaseAccess | undefined)[];
  /** What it may do besides, and why its wildcards are no wider than they must be. */
  readonly more?: { readonly policy: PolicyDocument; readonly reason: string };
  readonly network?: DatabaseNetwork | undefined;
  /** Where events go that failed; a function that only answers has none. */
  readonly deadLetters?: IQueue;
}

export class JobFunction extends Construct {
  readonly lambda: LambdaFunction;

  constructor(scope: Construct, id: string, props: JobFunctionProps) {
    super(scope, id);
    const { config, name, network, more } = props;
    const databases = (props.databases ?? []).filter((access) => access !== undefined);
    const functionName = nameOf(config, name);
    // A private network has ways to the services of its own region alone.
    const replicaKeyArn = readsReplica(name) && network === undefined ? keyArnIn(Stack.of(this), config.replicaRegion, props.keyArn) : undefined;
    // The api answers whoever asks, and has nobody else to tell.
    const tells = name !== 'api';
    const logs = new LogGroup(this, 'Logs', {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: config.logDays as RetentionDays,
      removalPolicy: keep(config),
    });
    const role = new Role(this, 'Role', {
      roleName: functionName,
      description: `gorgen-backup: what ${name} may do`,
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: {
        Vault: vaultAccess(name, config, props.keyArn),
        ...(replicaKeyArn && { Replica: replicaAccess(config, replicaKeyArn) }),
        Logs: new PolicyDocument({
          statements: [
            new PolicyStatement({
              actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
              resources: [logs.logGroupArn],
            }),
          ],
        }),
        ...(tells && { Notices: noticesAccess(config) }),
        ...Object.fromEntries(databases.map(({ name: database, policy }) => [database, policy])),
        ...(more && { More: more.policy }),
        ...(network && { Network: networkPolicy() }),
      },
    });
    this.lambda = new LambdaFunction(this, 'Function', {
      functionName,
      description: props.description,
      runtime: Runtime.PROVIDED_AL2023,
      architecture: config.architecture === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
      handler: 'bootstrap',
      code: Code.fromAsset(binaryOf(name, props.binaries)),
      memorySize: props.memoryMb,
      timeout: props.timeout,
      role,
      environment: Object.assign({ GORGEN_VAULT: vaultUrl(config), GORGEN_LANG: config.language }, replicaKeyArn && replicaSettings(config, replicaKeyArn), tells && noticesEnvironment(config), props.environment, ...databases.map(({ environment }) => environment)),
      loggingFormat: LoggingFormat.JSON,
      logGroup: logs,
      ...(network && { vpc: network.vpc, vpcSubnets: { subnets: network.subnets }, securityGroups: [network.securityGroup] }),
      ...(props.deadLetters && {
        onFailure: new SqsDestination(props.deadLetters),
        retryAttempts: RETRIES,
        maxEventAge: MAX_EVENT_AGE,
      }),
    });
    Tags.of(this.lambda).add('version', programVersion());
    new CfnOutput(this, 'Name', { value: this.lambda.functionName }).overrideLogicalId(`Function${inCamels(name)}`);
    NagSuppressions.addResourceSuppressions(
      role,
      [
        { id: 'AwsSolutions-IAM5', reason: `${VAULT_ACCESS_REASON} Streams of one log group are named by Lambda.` },
        ...(tells ? [{ id: 'AwsSolutions-IAM5', reason: NOTICES_REASON }] : []),
        ...(network ? [{ id: 'AwsSolutions-IAM5', reason: NETWORK_REASON }] : []),
        ...(more ? [{ id: 'AwsSolutions-IAM5', reason: more.reason }] : []),
      ],
      true,
    );
  }
}

function replicaSettings(config: Config, keyArn: string): Record<string, string> {
  return { GORGEN_REPLICA_VAULT: replicaUrl(config), GORGEN_REPLICA_KEYRING: `kms:${keyArn}` };
}

const NETWORK_REASON = 'Lambda makes network interfaces of its own naming, and EC2 takes no narrower resource for that.';

function networkPolicy(): PolicyDocument {
  return new PolicyDocument({
    statements: [
      new PolicyStatement({
        actions: [
          'ec2:CreateNetworkInterface',
          'ec2:DeleteNetworkInterface',
          'ec2:DescribeNetworkInterfaces',
          'ec2:DescribeSubnets',
          'ec2:AssignPrivateIpAddresses',
          'ec2:UnassignPrivateIpAddresses',
        ],
        resources: ['*'],
      }),
    ],
  });
}

function binaryOf(name: FunctionName, binaries: string): string {
  const path = join(binaries, `gorgen-function-${name}`, 'bootstrap.zip');
  if (existsSync(path)) return path;
  throw new ConfigError(
    `${path}: no such file; build the functions with "make functions", or name the folder they are in with -c binaries=FOLDER`,
  );
}

