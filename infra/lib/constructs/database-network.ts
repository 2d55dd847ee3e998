/** The private network of the database: a place in it for the functions, and a way from there to AWS. */
import { Peer, Port, SecurityGroup, Subnet, Vpc, CfnSecurityGroupIngress, CfnVPCEndpoint, ISubnet, IVpc } from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import type { Config, NetworkConfig } from '../config';

export class DatabaseNetwork extends Construct {
  readonly vpc: IVpc;
  readonly subnets: ISubnet[];
  readonly securityGroup: SecurityGroup;

  constructor(scope: Construct, id: string, config: Config, network: NetworkConfig) {
    super(scope, id);
    this.vpc = Vpc.fromVpcAttributes(this, 'Vpc', {
      vpcId: network.vpcId,
      vpcCidrBlock: network.cidr,
      availabilityZones: network.availabilityZones,
      privateSubnetIds: network.subnetIds,
      privateSubnetRouteTableIds: network.routeTableIds,
    });
    this.subnets = network.subnetIds.map((subnetId, index) =>
      Subnet.fromSubnetAttributes(this, `Subnet${index}`, {
        subnetId,
        availabilityZone: network.availabilityZones[index] as string,
        routeTableId: network.routeTableIds[index] as string,
      }),
    );
    this.securityGroup = new SecurityGroup(this, 'Functions', {
      vpc: this.vpc,
      description: 'gorgen-backup: functions that talk to the database',
      allowAllOutbound: false,
    });
    this.securityGroup.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'S3, KMS, Secrets Manager, SNS');
    for (const port of new Set([config.database.port, config.scratch?.port ?? config.database.port])) {
      this.securityGroup.addEgressRule(Peer.ipv4(network.cidr), Port.tcp(port), 'databases');
    }
    if (network.databaseSecurityGroupId !== undefined) {
      new CfnSecurityGroupIngress(this, 'IntoDatabase', {
        groupId: network.databaseSecurityGroupId,
        sourceSecurityGroupId: this.securityGroup.securityGroupId,
        ipProtocol: 'tcp',
        fromPort: config.database.port,
        toPort: config.database.port,
        description: 'gorgen-backup',
      });
    }
    if (network.createEndpoints) this.createEndpoints(config, network);
  }

  private createEndpoints(config: Config, network: NetworkConfig): void {
    const inside = new SecurityGroup(this, 'Endpoints', {
      vpc: this.vpc,
      description: 'gorgen-backup: endpoints of AWS services',
      allowAllOutbound: false,
    });
    inside.addIngressRule(this.securityGroup, Port.tcp(443), 'from the functions');
    const service = (name: string) => `com.amazonaws.${config.primaryRegion}.${name}`;
    new CfnVPCEndpoint(this, 'S3', {
      vpcId: network.vpcId,
      serviceName: service('s3'),
      vpcEndpointType: 'Gateway',
      routeTableIds: [...new Set(network.routeTableIds)],
    });
    for (const [name, logicalId] of [['kms', 'Kms'], ['secretsmanager', 'SecretsManager'], ['sns', 'Sns']] as const) {
      new CfnVPCEndpoint(this, logicalId, {
        vpcId: network.vpcId,
        serviceName: service(name),
        vpcEndpointType: 'Interface',
        privateDnsEnabled: true,
        subnetIds: network.subnetIds,
        securityGroupIds: [inside.securityGroupId],
      });
    }
  }
}
