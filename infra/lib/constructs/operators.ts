/** The people who may call the API: a user pool in which nobody can enrol himself, and everybody needs a second factor. */
import { CfnOutput, Duration } from 'aws-cdk-lib';
import { FeaturePlan, Mfa, StandardThreatProtectionMode, UserPool, UserPoolClient } from 'aws-cdk-lib/aws-cognito';
import { Construct } from 'constructs';
import type { Config, JwtConfig } from '../config';
import { keep } from '../keep';
import { nameOf } from '../names';

export class Operators extends Construct {
  readonly jwt: JwtConfig;

  constructor(scope: Construct, id: string, config: Config) {
    super(scope, id);
    const pool = new UserPool(this, 'Pool', {
      userPoolName: nameOf(config, 'operators'),
      selfSignUpEnabled: false,
      signInAliases: { email: true },
      mfa: Mfa.REQUIRED,
      mfaSecondFactor: { otp: true, sms: false },
      passwordPolicy: {
        minLength: 14,
        requireLowercase: true,
        requireUppercase: true,
        requireDigits: true,
        requireSymbols: true,
        tempPasswordValidity: Duration.days(3),
      },
      // Paid per user, of whom there are a handful: leaked passwords and strange places are noticed.
      featurePlan: FeaturePlan.PLUS,
      standardThreatProtectionMode: StandardThreatProtectionMode.FULL_FUNCTION,
      deletionProtection: !config.local,
      removalPolicy: keep(config),
    });
    const client: UserPoolClient = pool.addClient('Console', {
      userPoolClientName: nameOf(config, 'console'),
      authFlows: { userSrp: true },
      disableOAuth: true,
      preventUserExistenceErrors: true,
      enableTokenRevocation: true,
      accessTokenValidity: Duration.hours(1),
      idTokenValidity: Duration.hours(1),
      refreshTokenValidity: Duration.hours(12),
    });
    const { admin, master } = config.roles;
    for (const [id, groupName, description] of [
      ['Admins', admin, 'See everything, and start backups'],
      ['Masters', master, 'Restore, too'],
    ] as const) {
      pool.addGroup(id, { groupName, description });
    }
    this.jwt = {
      issuer: `https://cognito-idp.${config.primaryRegion}.amazonaws.com/${pool.userPoolId}`,
      audience: [client.userPoolClientId],
    };
    new CfnOutput(this, 'UserPoolId', { value: pool.userPoolId }).overrideLogicalId('UserPoolId');
    new CfnOutput(this, 'UserPoolClientId', { value: client.userPoolClientId }).overrideLogicalId('UserPoolClientId');
  }
}
