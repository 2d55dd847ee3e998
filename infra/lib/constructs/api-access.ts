/** What the function `api` may begin and change besides its records: it asks others to work, and does none of it itself. */
import { PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { type Config, SCHEDULED_JOBS, TIMED } from '../config';
import { nameOf, OLD_TABLES, restoreMachineArn, restoreTestMachineArn, scheduleGroupName, scheduleRoleName } from '../names';

/** Where it finds whom to ask, and which callers may do what. */
export function apiEnvironment(config: Config): Record<string, string> {
  return {
    GORGEN_RESTORE_MACHINE: restoreMachineArn(config),
    GORGEN_RESTORE_TEST_MACHINE: restoreTestMachineArn(config),
    GORGEN_JOB_FUNCTIONS: nameOf(config, ''),
    GORGEN_SCHEDULE_GROUP: scheduleGroupName(config),
    GORGEN_ROLE_CLAIM: config.roles.claim,
    GORGEN_ADMIN_ROLE: config.roles.admin,
    GORGEN_MASTER_ROLE: config.roles.master,
    GORGEN_TIMEZONE: config.timeZone,
  };
}

/** Why two of these have a wildcard, for cdk-nag. */
export const API_ACCESS_REASON = 'Schedules are listed as a whole, which IAM can allow only so, and changed in one group.';

/** By name, not by reference: the API can be deployed before the jobs, or after them. */
export function apiAccess(config: Config): PolicyDocument {
  const arn = (service: string, resource: string) => `arn:aws:${service}:${config.primaryRegion}:${config.account}:${resource}`;
  return new PolicyDocument({
    statements: [
      new PolicyStatement({
        sid: 'Restores',
        actions: ['states:StartExecution'],
        resources: [restoreMachineArn(config), restoreTestMachineArn(config)],
      }),
      new PolicyStatement({
        sid: 'Jobs',
        actions: ['lambda:InvokeFunction'],
        // Not `restore` and `restore-test`, which state machines alone take through their steps.
        resources: SCHEDULED_JOBS.filter((job) => job !== 'restore-test').map((job) => arn('lambda', `function:${nameOf(config, job)}`)),
      }),
      new PolicyStatement({ sid: 'ListSchedules', actions: ['scheduler:ListSchedules'], resources: ['*'] }),
      new PolicyStatement({
        sid: 'Schedules',
        actions: ['scheduler:GetSchedule', 'scheduler:UpdateSchedule'],
        resources: [arn('scheduler', `schedule/${scheduleGroupName(config)}/*`)],
      }),
      // A schedule is updated as a whole, with its role; each of these roles starts one function or machine and no other.
      new PolicyStatement({
        sid: 'RolesOfSchedules',
        actions: ['iam:PassRole'],
        resources: [...TIMED, OLD_TABLES].map((name) => `arn:aws:iam::${config.account}:role/${scheduleRoleName(config, name)}`),
        conditions: { StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } },
      }),
    ],
  });
}
