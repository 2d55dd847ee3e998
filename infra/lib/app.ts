/** Composes the stacks of one environment, in the order in which they must come. */
import { App, Stack, Tags } from 'aws-cdk-lib';
import type { Config } from './config';
import { nameOf } from './names';
import { ApiStack } from './stacks/api-stack';
import { JobsStack } from './stacks/jobs-stack';
import { MonitoringReplicaStack } from './stacks/monitoring-replica-stack';
import { MonitoringStack } from './stacks/monitoring-stack';
import { VaultKeyStack } from './stacks/vault-key-stack';
import { VaultReplicaStack } from './stacks/vault-replica-stack';
import { VaultStack } from './stacks/vault-stack';

export function composeStacks(app: App, config: Config, binaries: string): Record<string, Stack> {
  const primary = { env: { account: config.account, region: config.primaryRegion } };
  const second = { env: { account: config.account, region: config.replicaRegion } };
  // What holds data or keys stays when a stack goes, and the stack goes only when somebody says so twice.
  const stateful = { terminationProtection: !config.local };
  // The key's ARN is the only thing that one region must learn from the other.
  const crossing = { crossRegionReferences: !config.local };

  const vaultKey = new VaultKeyStack(app, nameOf(config, 'vault-key'), config, { ...primary, ...stateful, ...crossing });
  const vaultReplica = new VaultReplicaStack(app, nameOf(config, 'vault-replica'), config, vaultKey.key, {
    ...second,
    ...stateful,
    ...crossing,
  });
  vaultReplica.addStackDependency(vaultKey);
  const vault = new VaultStack(app, nameOf(config, 'vault'), config, vaultKey.key, { ...primary, ...stateful });
  // S3 takes a rule of replication only when its destination is there.
  vault.addStackDependency(vaultReplica);
  const jobs = new JobsStack(app, nameOf(config, 'jobs'), { ...primary, config, key: vaultKey.key, binaries });
  jobs.addStackDependency(vault);
  const api = new ApiStack(app, nameOf(config, 'api'), { ...primary, config, key: vaultKey.key, binaries });
  api.addStackDependency(vault);
  const monitoring = new MonitoringStack(app, nameOf(config, 'monitoring'), config, primary);
  const monitoringReplica = new MonitoringReplicaStack(app, nameOf(config, 'monitoring-replica'), config, second);

  Tags.of(app).add('project', 'gorgen-backup');
  Tags.of(app).add('environment', config.environment);
  return { vaultKey, vaultReplica, vault, jobs, api, monitoring, monitoringReplica };
}
