/** The HTTP API over the vault, and who may call it. */
import { CfnOutput, Duration, Stack, StackProps } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { HttpApi, HttpMethod, HttpStage, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Config } from '../config';
import { keep } from '../keep';
import { JobFunction } from '../constructs/job-function';
import { Operators } from '../constructs/operators';
import { nameOf } from '../names';

const ROUTES = ['/v1/backups', '/v1/backups/{id}', '/v1/runs', '/v1/runs/{id}'];

/** A page of history asks a few times a minute; whoever asks more often is no person. */
const THROTTLE = { rateLimit: 20, burstLimit: 40 };

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
      description: 'Answers the API: backups and runs',
      binaries: props.binaries,
      keyArn: props.key.keyArn,
      memoryMb: 512,
      timeout: TIMEOUT,
    });
    const { issuer, audience } = config.jwt ?? new Operators(this, 'Operators', config).jwt;
    const api = new HttpApi(this, 'Api', {
      apiName: nameOf(config, 'api'),
      createDefaultStage: false,
      defaultAuthorizer: new HttpJwtAuthorizer('Jwt', issuer, { jwtAudience: audience }),
    });
    const integration = new HttpLambdaIntegration('Answer', lambda);
    for (const path of ROUTES) api.addRoutes({ path, methods: [HttpMethod.GET], integration });
    new HttpStage(this, 'Stage', {
      httpApi: api,
      stageName: '$default',
      autoDeploy: true,
      throttle: THROTTLE,
      accessLogSettings: {
        destination: new LogGroupLogDestination(this.accessLog(config)),
        format: AccessLogFormat.custom(ACCESS_LOG),
      },
    });
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
