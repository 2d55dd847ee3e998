/** The HTTP API over the vault, and who may call it. */
import { CfnOutput, Duration, Stack, StackProps } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { type CfnStage, HttpApi, HttpMethod, HttpStage, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Config } from '../config';
import { keep } from '../keep';
import { API_ACCESS_REASON, apiAccess, apiEnvironment } from '../constructs/api-access';
import { JobFunction } from '../constructs/job-function';
import { Operators } from '../constructs/operators';
import { nameOf } from '../names';

/** What only looks. */
const READS = [
  '/v1/backups',
  '/v1/backups/{id}',
  '/v1/runs',
  '/v1/runs/{id}',
  '/v1/restores',
  '/v1/restores/{id}',
  '/v1/status',
  '/v1/reports',
  '/v1/reports/{month}',
  '/v1/reports/{month}/page',
  '/v1/openapi.json',
].map((path) => ({ method: HttpMethod.GET, path }));

/** What begins or changes something. */
const CHANGES = [
  { method: HttpMethod.POST, path: '/v1/backups' },
  { method: HttpMethod.POST, path: '/v1/runs' },
  { method: HttpMethod.POST, path: '/v1/restores' },
  { method: HttpMethod.POST, path: '/v1/restores/{id}/promote' },
  { method: HttpMethod.POST, path: '/v1/restores/{id}/undo' },
  { method: HttpMethod.POST, path: '/v1/restores/{id}/cancel' },
  { method: HttpMethod.PATCH, path: '/v1/schedules/{name}' },
];

/** A page of history asks a few times a minute; whoever asks more often is no person. */
const THROTTLE = { rateLimit: 20, burstLimit: 40 };

/** Each leaves a record that is kept, and may start an hour's work. */
const CHANGES_THROTTLE = { ThrottlingRateLimit: 2, ThrottlingBurstLimit: 10 };

/** Just below the 30 seconds that API Gateway waits. */
const TIMEOUT = Duration.seconds(29);

/** Who asked for what, when and from where. */
const ACCESS_LOG = JSON.stringify({
  requestId: '$context.requestId',
  time: '$context.requestTime',
  ip: '$context.identity.sourceIp',
  user: '$context.authorizer.claims.sub',
  agent: '$context.identity.userAgent',
  route: '$context.routeKey',
  path: '$context.path',
  status: '$context.status',
  milliseconds: '$context.responseLatency',
  bytes: '$context.responseLength',
  refused: '$context.authorizer.error',
  failed: '$context.integrationErrorMessage',
});

export interface ApiStackProps extends StackProps {
  readonly config: Config;
  readonly key: IKey;
  readonly binaries: string;
}

export class ApiStack extends Stack {
  constructor(scope: Construct, id: string, props: ApiStackProps) {
    super(scope, id, props);
    const { config } = props;
    const { lambda } = new JobFunction(this, 'Function', {
      config,
      name: 'api',
      description: 'Answers the API: tells what there is, and has others back up and restore',
      binaries: props.binaries,
      keyArn: props.key.keyArn,
      memoryMb: 512,
      timeout: TIMEOUT,
      environment: apiEnvironment(config),
      more: { policy: apiAccess(config), reason: API_ACCESS_REASON },
    });
    const { issuer, audience } = config.jwt ?? new Operators(this, 'Operators', config).jwt;
    const api = new HttpApi(this, 'Api', {
      apiName: nameOf(config, 'api'),
      createDefaultStage: false,
      defaultAuthorizer: new HttpJwtAuthorizer('Jwt', issuer, { jwtAudience: audience }),
    });
    const integration = new HttpLambdaIntegration('Answer', lambda);
    const routes = [...READS, ...CHANGES].flatMap(({ path, method }) => api.addRoutes({ path, methods: [method], integration }));
    const stage = new HttpStage(this, 'Stage', {
      httpApi: api,
      stageName: '$default',
      autoDeploy: true,
      throttle: THROTTLE,
      accessLogSettings: {
        destination: new LogGroupLogDestination(this.accessLog(config)),
        format: AccessLogFormat.custom(ACCESS_LOG),
      },
    });
    (stage.node.defaultChild as CfnStage).routeSettings = Object.fromEntries(
      CHANGES.map(({ method, path }) => [`${method} ${path}`, CHANGES_THROTTLE]),
    );
    // A stage with settings for a route that is not there yet is refused.
    stage.node.addDependency(...routes);
    new CfnOutput(this, 'ApiUrl', { value: api.apiEndpoint });
  }

  private accessLog(config: Config): LogGroup {
    return new LogGroup(this, 'AccessLog', {
      logGroupName: `/aws/apigateway/${nameOf(config, 'api')}`,
      retention: config.logDays as RetentionDays,
      removalPolicy: keep(config),
    });
  }
}
