import { execFileSync } from 'node:child_process';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { FUNCTIONS, type FunctionName, JOBS } from '../lib/names';
import { actionsOf, roleStatements, templates } from './environments';

const prod = templates('prod');
const jobs = prod.jobs as Template;
const api = prod.api as Template;
const templateOf = (name: FunctionName) => (name === 'api' ? api : jobs);

function functionOf(name: FunctionName, template = templateOf(name)): any {
  const found = Object.values(template.findResources('AWS::Lambda::Function')).find((resource) =>
    String(resource.Properties.FunctionName).endsWith(`-${name}`) && !String(resource.Properties.FunctionName).endsWith(`restore-${name}`),
  );
  return found?.Properties;
}

const READERS_OF_THE_REPLICA: readonly FunctionName[] = ['verify'];

describe.each([...FUNCTIONS])('the function %s', (name) => {
  it('is a Rust binary on arm64 with a log of its own, as JSON, kept a year', () => {
    expect(functionOf(name)).toMatchObject({
      FunctionName: `gorgen-prod-${name}`,
      Runtime: 'provided.al2023',
      Architectures: ['arm64'],
      LoggingConfig: { LogFormat: 'JSON', LogGroup: { Ref: expect.any(String) } },
      Environment: { Variables: { GORGEN_VAULT: 's3://gorgen-prod-vault-111122223333-sa-east-1' } },
    });
    templateOf(name).hasResource('AWS::Logs::LogGroup', {
      DeletionPolicy: 'RetainExceptOnCreate',
      Properties: { LogGroupName: `/aws/lambda/gorgen-prod-${name}`, RetentionInDays: 365 },
    });
  });

  it('says which version of the program it is', () => {
    const { version } = JSON.parse(execFileSync('cargo', ['metadata', '--no-deps', '--format-version', '1'], { encoding: 'utf-8' })).packages[0];
    expect(functionOf(name).Tags).toContainEqual({ Key: 'version', Value: version });
  });

  it('deletes nothing, but for cleanup, and has no right with a wildcard', () => {
    const actions = actionsOf(templateOf(name), `gorgen-prod-${name}`);
    const network = ['ec2:DeleteNetworkInterface'];
    const found = actions.filter((action) => /\*|Delete|Bypass|PutBucket/.test(action) && !network.includes(action));
    expect(found).toEqual(name === 'cleanup' ? ['s3:DeleteObjectVersion'] : []);
  });

  it('opens rows only if that is its work', () => {
    const statement = roleStatements(templateOf(name), `gorgen-prod-${name}`).find(({ Sid }) => Sid === 'DataKeys');
    const actions = {
      backup: ['kms:Decrypt', 'kms:GenerateDataKey'],
      restore: 'kms:Decrypt',
      'restore-test': 'kms:Decrypt',
      verify: 'kms:Decrypt',
      report: undefined,
      cleanup: 'kms:Decrypt',
      api: undefined,
    }[name];
    expect(statement?.Action).toEqual(actions);
    if (!statement) return;
    expect(statement.Condition).toEqual({
      StringEquals: { 'kms:EncryptionContext:gorgen:purpose': name === 'cleanup' ? ['manifest'] : ['rows', 'manifest', 'naming'] },
    });
  });

  it('uses the keys otherwise through the buckets and the topic alone', () => {
    const kms = roleStatements(templateOf(name), `gorgen-prod-${name}`).filter(
      ({ Action, Sid }) => JSON.stringify(Action).includes('kms:') && Sid !== 'DataKeys',
    );
    const replica = READERS_OF_THE_REPLICA.includes(name) ? ['s3.us-east-1.amazonaws.com'] : [];
    const services = kms.map(({ Condition }) => Condition.StringEquals['kms:ViaService']).sort();
    const topic = name === 'api' ? [] : ['sns.sa-east-1.amazonaws.com'];
    expect(services).toEqual(['s3.sa-east-1.amazonaws.com', ...replica, ...topic]);
  });

  it('tells people by one topic, whose key it uses for that alone; the api tells nobody', () => {
    const topic = 'arn:aws:sns:sa-east-1:111122223333:gorgen-prod-alarms';
    const all = roleStatements(templateOf(name), `gorgen-prod-${name}`);
    const publish = all.filter(({ Action }) => JSON.stringify(Action).includes('sns:'));
    const key = all.filter(({ Condition }) => JSON.stringify(Condition ?? {}).includes('sns.sa-east-1'));
    if (name === 'api') {
      expect([publish, key]).toEqual([[], []]);
      return;
    }
    expect(publish).toEqual([{ Effect: 'Allow', Action: 'sns:Publish', Resource: topic }]);
    expect(key).toEqual([
      {
        Effect: 'Allow',
        Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
        Resource: 'arn:aws:kms:sa-east-1:111122223333:key/*',
        Condition: {
          StringEquals: { 'kms:ViaService': 'sns.sa-east-1.amazonaws.com' },
          'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/gorgen-prod-alarms' },
        },
      },
    ]);
    expect(functionOf(name).Environment.Variables).toMatchObject({ GORGEN_NOTICE_TOPIC: topic, GORGEN_NOTICES: 'problems' });
  });

  it('reads the replica only if that is its work, and changes nothing there', () => {
    const replica = 'arn:aws:s3:::gorgen-prod-vault-111122223333-us-east-1';
    const there = roleStatements(templateOf(name), `gorgen-prod-${name}`).filter(({ Resource }) =>
      [Resource].flat().some((arn) => JSON.stringify(arn).includes('us-east-1')),
    );
    const rights = there.map(({ Action, Resource }) => [Action, typeof Resource === 'string' ? Resource : 'the key there']);
    if (!READERS_OF_THE_REPLICA.includes(name)) return expect(rights).toEqual([]);
    expect(rights).toEqual([
      ['s3:ListBucket', replica],
      ['s3:GetObject', `${replica}/*`],
      ['kms:Decrypt', 'the key there'],
      ['kms:Decrypt', 'the key there'],
    ]);
    expect(functionOf(name).Environment.Variables.GORGEN_REPLICA_VAULT).toBe(
      's3://gorgen-prod-vault-111122223333-us-east-1?region=us-east-1',
    );
    expect(JSON.stringify(functionOf(name).Environment.Variables.GORGEN_REPLICA_KEYRING)).toMatch(/kms:arn:.*us-east-1/);
  });

  it('writes only what is its own', () => {
    const statement = roleStatements(templateOf(name), `gorgen-prod-${name}`).find(({ Sid }) => Sid === 'Write');
    const bucket = 'arn:aws:s3:::gorgen-prod-vault-111122223333-sa-east-1/';
    const written = [statement?.Resource ?? []].flat().map((resource: string) => resource.replace(bucket, ''));
    const all = ['keys/*', 'locks/*', 'manifests/*', 'packs/*', 'runs/*', 'vault.json'];
    const others: Partial<Record<FunctionName, string[]>> = {
      backup: all,
      restore: ['locks/restore.json', 'restores/*', 'runs/*'],
      cleanup: ['cleanups/*', 'locks/backup.json', 'runs/*'],
      report: ['reports/*', 'runs/*'],
      api: ['audit/*', 'requests/*', 'restores/*'],
    };
    expect(written.sort()).toEqual(others[name] ?? ['runs/*']);
  });

  it('locks what it makes or keeps, and removes what retention lets go, or does neither', () => {
    const bucket = 'arn:aws:s3:::gorgen-prod-vault-111122223333-sa-east-1';
    const backups = ['manifests/*', 'packs/*', 'keys/*'].map((names) => `${bucket}/${names}`);
    const statements = Object.fromEntries(roleStatements(templateOf(name), `gorgen-prod-${name}`).map((one) => [one.Sid, one]));
    const of = (...actions: string[]) => ({ Action: expect.arrayContaining(actions), Resource: expect.arrayContaining(backups) });
    const locks = of('s3:GetObjectRetention', 's3:PutObjectRetention');
    const removes = of('s3:DeleteObjectVersion', 's3:GetObjectLegalHold', 's3:AbortMultipartUpload');
    const expected = { Lock: ['backup', 'cleanup'].includes(name) ? locks : undefined, Remove: name === 'cleanup' ? removes : undefined };
    for (const [sid, wanted] of Object.entries(expected)) {
      if (wanted) {
        expect(statements[sid]).toMatchObject(wanted);
        expect(statements[sid].Resource).toHaveLength(backups.length);
      } else {
        expect(statements[sid]).toBeUndefined();
      }
    }
  });
});

describe('functions', () => {
  it('have the time and the memory of their work', () => {
    const sizes = Object.fromEntries(FUNCTIONS.map((name) => [name, [functionOf(name).MemorySize, functionOf(name).Timeout]]));
    expect(sizes).toEqual({
      backup: [3538, 900],
      restore: [3538, 900],
      'restore-test': [3538, 900],
      verify: [1769, 900],
      report: [512, 300],
      cleanup: [1769, 900],
      api: [512, 29],
    });
  });

  it.each([...JOBS])('%s is tried three times and then given to the dead letters', () => {
    jobs.resourceCountIs('AWS::Lambda::EventInvokeConfig', JOBS.length);
    jobs.allResourcesProperties('AWS::Lambda::EventInvokeConfig', {
      MaximumRetryAttempts: 2,
      MaximumEventAgeInSeconds: 3600,
      DestinationConfig: { OnFailure: { Destination: Match.anyValue() } },
    });
  });

  it('log in to the database as two users, each with its own secret', () => {
    const secretsOf = (name: FunctionName) =>
      roleStatements(templateOf(name), `gorgen-prod-${name}`)
        .filter(({ Action }) => Action === 'secretsmanager:GetSecretValue')
        .flatMap(({ Resource }) => Resource as string | string[])
        .map((arn) => arn.replace(/.*gorgen\/(\w+)-.*/, '$1'));
    expect(secretsOf('backup')).toEqual(['backup']);
    expect(secretsOf('restore').sort()).toEqual(['restore', 'scratch']);
    expect(secretsOf('restore-test')).toEqual(['scratch']);
    for (const name of ['verify', 'report', 'cleanup', 'api'] as const) expect(secretsOf(name)).toEqual([]);
    expect(functionOf('backup').Environment.Variables).toMatchObject({
      GORGEN_DATABASE_URL: 'mysql://gorgen.cluster-abc.sa-east-1.rds.amazonaws.com:3306/gorgen?ca=rds',
      GORGEN_TENANT_COLUMN: 'tenant_id',
    });
  });

  it('wrap keys for the identity in the safe, where one is given', () => {
    const offlineRecipient = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';
    const changed = templates('prod', { offlineRecipient }).jobs as Template;
    const given = FUNCTIONS.filter((name) => functionOf(name, changed)?.Environment.Variables.GORGEN_OFFLINE_RECIPIENT === offlineRecipient);
    expect(given).toEqual(['backup']); // which alone makes keys
    expect(functionOf('backup').Environment.Variables.GORGEN_OFFLINE_RECIPIENT).toBeUndefined();
  });

  it('log in with tokens where the users are of IAM', () => {
    const dev = templates('dev').jobs as Template;
    const url = (name: FunctionName) => functionOf(name, dev).Environment.Variables;
    expect(url('backup').GORGEN_DATABASE_URL).toMatch(/^mysql:\/\/gorgen_backup@dev.*\?ca=rds&auth=rds-iam$/);
    expect(url('restore').GORGEN_DATABASE_SECRET).toBeUndefined();
    const connect = roleStatements(dev, 'gorgen-dev-restore').find(({ Action }) => Action === 'rds-db:connect');
    expect(connect.Resource).toBe('arn:aws:rds-db:sa-east-1:111122223333:dbuser:db-ABCDEFGHIJKLMNOP/gorgen_restore');
  });

  it('of restores know what a restore does not simply replace', () => {
    const given = { appendOnly: ['audit_log', 'eventos'], restoreSkip: ['user_sessions'], tenantPaths: ['senhas.user_id=usuarios.id'], undoHours: 24 };
    const changed = templates('prod', given).jobs as Template;
    expect(functionOf('restore', changed).Environment.Variables).toMatchObject({
      GORGEN_APPEND_ONLY: 'audit_log,eventos',
      GORGEN_RESTORE_SKIP: 'user_sessions',
      GORGEN_TENANT_PATHS: 'senhas.user_id=usuarios.id',
      GORGEN_UNDO_HOURS: '24',
      GORGEN_TENANT_COLUMN: 'tenant_id',
    });
    expect(functionOf('restore', templates('dev').jobs as Template).Environment.Variables.GORGEN_APPEND_ONLY).toBeUndefined();
  });

  it('are in the network of the database only if they talk to it', () => {
    const inside = FUNCTIONS.filter((name) => functionOf(name).VpcConfig);
    expect(inside).toEqual(['backup', 'restore-test', 'restore']);
    const endpoints = Object.values(jobs.findResources('AWS::EC2::VPCEndpoint')).map(({ Properties }) => [
      Properties.ServiceName,
      Properties.VpcEndpointType,
    ]);
    expect(endpoints).toEqual([
      ['com.amazonaws.sa-east-1.s3', 'Gateway'],
      ['com.amazonaws.sa-east-1.kms', 'Interface'],
      ['com.amazonaws.sa-east-1.secretsmanager', 'Interface'],
      ['com.amazonaws.sa-east-1.sns', 'Interface'],
    ]);
    jobs.hasResourceProperties('AWS::EC2::SecurityGroupIngress', { GroupId: 'sg-0123456789abcdef0', FromPort: 3306, ToPort: 3306 });
  });

  it('need no network where the database is reached without', () => {
    (templates('dev').jobs as Template).resourceCountIs('AWS::EC2::SecurityGroup', 0);
  });
});

describe('schedules', () => {
  it.each([
    ['cleanup', 'cron(0 2 * * ? *)', 'ENABLED'],
    ['backup', 'cron(0 3 * * ? *)', 'ENABLED'],
    ['restore-test', 'cron(0 4 ? * SUN *)', 'ENABLED'],
    ['verify', 'cron(0 6 ? * MON *)', 'ENABLED'],
    ['report', 'cron(0 5 1 * ? *)', 'ENABLED'],
  ])('%s: %s in São Paulo, %s', (job, ScheduleExpression, State) => {
    jobs.hasResourceProperties('AWS::Scheduler::Schedule', {
      Name: `gorgen-prod-${job}`,
      ScheduleExpression,
      ScheduleExpressionTimezone: 'America/Sao_Paulo',
      State,
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: {
        Input:
          job === 'verify'
            ? '{"scheduled_time":"<aws.scheduler.scheduled-time>","read_share":true}'
            : '{"scheduled_time":"<aws.scheduler.scheduled-time>"}',
        RetryPolicy: { MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 3600 },
        DeadLetterConfig: { Arn: Match.anyValue() },
      },
    });
    const start = job === 'restore-test' ? 'states:StartExecution' : 'lambda:InvokeFunction';
    expect(actionsOf(jobs, `gorgen-prod-schedule-${job}`)).toEqual([start, 'sqs:SendMessage'].sort());
  });

  it('start the state machine of restore tests, and may start no other', () => {
    const [machine] = Object.keys(jobs.findResources('AWS::StepFunctions::StateMachine', { Properties: { StateMachineName: 'gorgen-prod-restore-test' } }));
    jobs.hasResourceProperties('AWS::Scheduler::Schedule', { Name: 'gorgen-prod-restore-test', Target: { Arn: { Ref: machine } } });
    const [start] = roleStatements(jobs, 'gorgen-prod-schedule-restore-test');
    expect(start).toMatchObject({ Action: 'states:StartExecution', Resource: { Ref: machine } });
  });

  it('let old tables of restores go at the time of cleanup', () => {
    jobs.hasResourceProperties('AWS::Scheduler::Schedule', {
      Name: 'gorgen-prod-old-tables',
      ScheduleExpression: 'cron(0 2 * * ? *)',
      State: 'ENABLED',
      Target: { Input: '{"step":"clean-up"}', Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Restore'), 'Arn'] } },
    });
  });

  it('remind people of the offline copy on the first Sunday of a month', () => {
    jobs.hasResourceProperties('AWS::Scheduler::Schedule', {
      Name: 'gorgen-prod-reminder',
      ScheduleExpression: 'cron(0 9 ? * SUN#1 *)',
      ScheduleExpressionTimezone: 'America/Sao_Paulo',
      State: 'ENABLED',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: {
        Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Report'), 'Arn'] },
        Input: '{"scheduled_time":"<aws.scheduler.scheduled-time>","remind":"offline-copy"}',
        RetryPolicy: { MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 3600 },
        DeadLetterConfig: { Arn: Match.anyValue() },
      },
    });
    expect(actionsOf(jobs, 'gorgen-prod-schedule-reminder')).toEqual(['lambda:InvokeFunction', 'sqs:SendMessage']);
  });

  it('remind nobody where that is switched off', () => {
    const quiet = templates('prod', { schedules: { reminder: 'off' } }).jobs as Template;
    quiet.hasResourceProperties('AWS::Scheduler::Schedule', { Name: 'gorgen-prod-reminder', State: 'DISABLED' });
  });

  it('are no more than these, and no restore', () => jobs.resourceCountIs('AWS::Scheduler::Schedule', 7));

  it('test no restore without a scratch server', () => {
    (templates('dev').jobs as Template).resourceCountIs('AWS::Scheduler::Schedule', 6);
  });

  it('of the local cloud are quick, and their event empty', () => {
    (templates('demo').jobs as Template).hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'rate(1 minute)',
      Target: { Input: '{}' },
    });
  });
});

describe('dead letters', () => {
  it('are encrypted and kept for two weeks', () => {
    jobs.hasResourceProperties('AWS::SQS::Queue', { SqsManagedSseEnabled: true, MessageRetentionPeriod: 1_209_600 });
  });
});

describe('the API', () => {
  it('lets nobody in without a token, on any route', () => {
    const routes = Object.values(api.findResources('AWS::ApiGatewayV2::Route')).map(({ Properties }) => Properties);
    expect(routes.map(({ RouteKey }) => RouteKey).sort()).toEqual([
      'GET /v1/backups',
      'GET /v1/backups/{id}',
      'GET /v1/openapi.json',
      'GET /v1/reports',
      'GET /v1/reports/{month}',
      'GET /v1/reports/{month}/page',
      'GET /v1/restores',
      'GET /v1/restores/{id}',
      'GET /v1/runs',
      'GET /v1/runs/{id}',
      'GET /v1/status',
      'PATCH /v1/schedules/{name}',
      'POST /v1/backups',
      'POST /v1/restores',
      'POST /v1/restores/{id}/cancel',
      'POST /v1/restores/{id}/promote',
      'POST /v1/restores/{id}/undo',
      'POST /v1/runs',
    ]);
    expect(routes.every(({ AuthorizationType, AuthorizerId }) => AuthorizationType === 'JWT' && AuthorizerId)).toBe(true);
  });

  it('is logged and throttled', () => {
    api.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      StageName: '$default',
      AccessLogSettings: { DestinationArn: Match.anyValue(), Format: Match.stringLikeRegexp('authorizer.claims.sub') },
      DefaultRouteSettings: { ThrottlingRateLimit: 20, ThrottlingBurstLimit: 40 },
    });
  });

  it('is throttled more where it changes something, once the routes are there', () => {
    const [stage] = Object.values(api.findResources('AWS::ApiGatewayV2::Stage'));
    const routes = Object.entries(api.findResources('AWS::ApiGatewayV2::Route'));
    const changes = routes.map(([, { Properties }]) => Properties.RouteKey).filter((key) => !key.startsWith('GET '));
    expect(Object.keys(stage?.Properties.RouteSettings).sort()).toEqual(changes.sort());
    expect(Object.values(stage?.Properties.RouteSettings)).toEqual(changes.map(() => ({ ThrottlingRateLimit: 2, ThrottlingBurstLimit: 10 })));
    expect(stage?.DependsOn).toEqual(expect.arrayContaining(routes.map(([id]) => id)));
  });

  it('asks others to work: two state machines, the jobs on a schedule, and their schedules', () => {
    const statements = Object.fromEntries(roleStatements(api, 'gorgen-prod-api').map((statement) => [statement.Sid, statement]));
    const place = 'sa-east-1:111122223333';
    expect(statements.Restores).toMatchObject({
      Action: 'states:StartExecution',
      Resource: ['restore', 'restore-test'].map((name) => `arn:aws:states:${place}:stateMachine:gorgen-prod-${name}`),
    });
    const jobsOnSchedule = ['backup', 'cleanup', 'report', 'restore-test', 'verify'];
    expect(statements.Jobs).toMatchObject({
      Action: 'lambda:InvokeFunction',
      Resource: jobsOnSchedule.filter((job) => job !== 'restore-test').map((job) => `arn:aws:lambda:${place}:function:gorgen-prod-${job}`),
    });
    expect(statements.ListSchedules).toMatchObject({ Action: 'scheduler:ListSchedules', Resource: '*' });
    expect(statements.Schedules).toMatchObject({
      Action: ['scheduler:GetSchedule', 'scheduler:UpdateSchedule'],
      Resource: `arn:aws:scheduler:${place}:schedule/gorgen-prod-jobs/*`,
    });
    expect(statements.RolesOfSchedules).toMatchObject({
      Action: 'iam:PassRole',
      Resource: expect.arrayContaining(
        [...jobsOnSchedule, 'reminder', 'old-tables'].map((name) => `arn:aws:iam::111122223333:role/gorgen-prod-schedule-${name}`),
      ),
      Condition: { StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } },
    });
  });

  it('finds by its settings what the other stack made', () => {
    const { Variables } = functionOf('api').Environment;
    const names = (type: string, property: string) => Object.values(jobs.findResources(type)).map(({ Properties }) => Properties[property]);
    const machines = [Variables.GORGEN_RESTORE_MACHINE, Variables.GORGEN_RESTORE_TEST_MACHINE].map((arn) => arn.split(':').at(-1));
    expect(names('AWS::StepFunctions::StateMachine', 'StateMachineName').sort()).toEqual(machines);
    expect(names('AWS::Scheduler::ScheduleGroup', 'Name')).toEqual([Variables.GORGEN_SCHEDULE_GROUP]);
    for (const name of names('AWS::Lambda::Function', 'FunctionName')) expect(name).toMatch(new RegExp(`^${Variables.GORGEN_JOB_FUNCTIONS}`));
    expect(Variables).toMatchObject({
      GORGEN_ROLE_CLAIM: 'cognito:groups',
      GORGEN_ADMIN_ROLE: 'admin',
      GORGEN_MASTER_ROLE: 'admin_master',
    });
  });

  it('knows the roles of its callers by the groups of the pool', () => {
    const other = templates('prod', { adminRole: 'operador', masterRole: 'chefe' }).api as Template;
    const groups = Object.values(other.findResources('AWS::Cognito::UserPoolGroup')).map(({ Properties }) => Properties.GroupName);
    expect(groups.sort()).toEqual(['chefe', 'operador']);
    expect(functionOf('api', other).Environment.Variables).toMatchObject({ GORGEN_ADMIN_ROLE: 'operador', GORGEN_MASTER_ROLE: 'chefe' });
  });

  it('knows people by two factors, whom an administrator has enrolled', () => {
    api.hasResource('AWS::Cognito::UserPool', {
      DeletionPolicy: 'RetainExceptOnCreate',
      Properties: {
        MfaConfiguration: 'ON',
        EnabledMfas: ['SOFTWARE_TOKEN_MFA'],
        AdminCreateUserConfig: { AllowAdminCreateUserOnly: true },
        DeletionProtection: 'ACTIVE',
      },
    });
    api.hasResourceProperties('AWS::Cognito::UserPoolClient', {
      ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
      PreventUserExistenceErrors: 'ENABLED',
    });
  });

  it('takes another issuer in place of a pool of ours', () => {
    const other = templates('prod', { jwt: { issuer: 'https://login.example.com', audience: ['gorgen'] } }).api as Template;
    other.resourceCountIs('AWS::Cognito::UserPool', 0);
    other.hasResourceProperties('AWS::ApiGatewayV2::Authorizer', {
      AuthorizerType: 'JWT',
      JwtConfiguration: { Issuer: 'https://login.example.com', Audience: ['gorgen'] },
    });
  });
});
