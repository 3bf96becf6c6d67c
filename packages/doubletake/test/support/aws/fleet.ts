/** Fleets for the fake AWS. */
import type { Instance, NetworkInterface } from '@aws-sdk/client-ec2';
import type { FakeCloud } from './cloud.ts';

export const productionVpc = 'vpc-00000000000000001';
export const balancerName = 'mirrors';

/** A balancer with a listener and a healthy target, as `generate cloudformation` makes it. */
export function addBalancer(cloud: FakeCloud, vpc = productionVpc, name = balancerName): string {
  const arn = `arn:aws:elasticloadbalancing:${cloud.region}:${cloud.account}:loadbalancer/net/${name}/0123456789abcdef`;
  const group = `arn:aws:elasticloadbalancing:${cloud.region}:${cloud.account}:targetgroup/${name}/0123456789abcdef`;
  cloud.loadBalancers.push({ LoadBalancerArn: arn, LoadBalancerName: name, Type: 'network', VpcId: vpc, State: { Code: 'active' } });
  cloud.listeners.push({ ListenerArn: `${arn}/listener`, LoadBalancerArn: arn, Port: 4_789, Protocol: 'UDP' });
  cloud.targetGroups.push({ TargetGroupArn: group, TargetGroupName: name, LoadBalancerArns: [arn], Protocol: 'UDP', Port: 4_789 });
  cloud.targetHealth.set(group, [{ Target: { Id: 'i-0aaaaaaaaaaaaaaaa', Port: 4_789 }, TargetHealth: { State: 'healthy' } }]);
  return arn;
}

export interface InstanceOptions {
  type?: string;
  state?: 'pending' | 'running' | 'stopped';
  tags?: Record<string, string>;
  vpc?: string;
  /** Further interfaces beside the first. */
  more?: number;
}

/** An instance with its interfaces; its number makes the ids. */
export function addInstance(cloud: FakeCloud, number: number, { type = 'm5.large', state = 'running', tags = { app: 'shop' }, vpc = productionVpc, more = 0 }: InstanceOptions = {}): { instance: Instance; links: NetworkInterface[] } {
  const id = number.toString(16).padStart(15, '0');
  const instance: Instance = {
    InstanceId: `i-00${id}`,
    InstanceType: type as never,
    State: { Name: state },
    Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
  };
  const links = Array.from({ length: 1 + more }, (_, index): NetworkInterface => ({
    NetworkInterfaceId: `eni-${index.toString(16).padStart(2, '0')}${id}`,
    InterfaceType: 'interface',
    Status: 'in-use',
    VpcId: vpc,
    SubnetId: 'subnet-00000000000000001',
    PrivateIpAddress: '10.0.0.1',
    RequesterManaged: false,
    Attachment: { InstanceId: instance.InstanceId, DeviceIndex: index, NetworkCardIndex: 0 },
    TagSet: [],
  }));
  cloud.instanceById.set(instance.InstanceId, instance);
  for (const link of links) cloud.interfaceById.set(link.NetworkInterfaceId, link);
  return { instance, links };
}

export function removeInstance(cloud: FakeCloud, id: string | undefined): void {
  cloud.instanceById.delete(id);
  for (const [link, { Attachment }] of cloud.interfaceById) if (Attachment?.InstanceId === id) cloud.interfaceById.delete(link);
}
