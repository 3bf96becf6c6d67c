/** Reads what there is, page by page. */
import type {
  DescribeInstancesCommandOutput,
  DescribeNetworkInterfacesCommandOutput,
  DescribeVpcPeeringConnectionsCommandOutput,
} from '@aws-sdk/client-ec2';
import type { AwsConfig } from '../config/aws-config.ts';
import type { Scope } from './clients.ts';
import { findDestination } from './destination.ts';
import { readEcsServices } from './ecs-services.ts';
import type { Instance, Inventory, NetworkInterface } from './inventory.ts';
import { allPages, ec2PageSize } from './pages.ts';
import { readMirrors } from './read-mirrors.ts';
import { readTags } from './read-tags.ts';
import { readTargetHealth } from './target-health.ts';

/** Everything that a plan is made from. Rejects with a `DoubletakeError`. */
export async function readInventory(aws: AwsConfig, scope: Scope): Promise<Inventory> {
  const [mirrors, interfaces, instances, ecsServices, peerings] = await Promise.all([
    readMirrors(scope),
    readInterfaces(scope),
    readInstances(scope),
    readEcsServices([...aws.sources, ...aws.exclude].flatMap((selector) => selector.ecsServices ?? []), scope),
    readPeerings(scope),
  ]);
  const known = { ...mirrors, interfaces, instances: new Map(instances.map((instance) => [instance.id, instance])) };
  const destination = await findDestination(aws.target, known, scope);
  return { ...known, ecsServices, peerings, destination, health: await readTargetHealth(destination, scope) };
}

async function readInterfaces(scope: Scope): Promise<NetworkInterface[]> {
  const found = await allPages(
    (page) =>
      scope.call('ec2', 'DescribeNetworkInterfaces', (ec2, options) => ec2.describeNetworkInterfaces({ MaxResults: ec2PageSize, ...page }, options)),
    (output: DescribeNetworkInterfacesCommandOutput) => output.NetworkInterfaces,
  );
  return found.map((link) => ({
    id: link.NetworkInterfaceId ?? '',
    type: link.InterfaceType ?? 'interface',
    status: link.Status ?? '',
    vpc: link.VpcId ?? '',
    subnet: link.SubnetId ?? '',
    instance: link.Attachment?.InstanceId ?? null,
    primary: link.Attachment?.DeviceIndex === 0 && (link.Attachment.NetworkCardIndex ?? 0) === 0,
    ipv4: link.PrivateIpAddress ?? null,
    managedBy: link.RequesterManaged === true ? (link.RequesterId ?? 'AWS') : null,
    tags: readTags(link.TagSet),
  }));
}

async function readInstances(scope: Scope): Promise<Instance[]> {
  const found = await allPages(
    (page) => scope.call('ec2', 'DescribeInstances', (ec2, options) => ec2.describeInstances({ MaxResults: ec2PageSize, ...page }, options)),
    (output: DescribeInstancesCommandOutput) => output.Reservations?.flatMap(({ Instances = [] }) => Instances),
  );
  return found.map((instance) => ({
    id: instance.InstanceId ?? '',
    type: instance.InstanceType ?? '',
    state: instance.State?.Name ?? '',
    tags: readTags(instance.Tags),
  }));
}

async function readPeerings(scope: Scope): Promise<[string, string][]> {
  const found = await allPages(
    (page) =>
      scope.call('ec2', 'DescribeVpcPeeringConnections', (ec2, options) =>
        ec2.describeVpcPeeringConnections({ MaxResults: ec2PageSize, Filters: [{ Name: 'status-code', Values: ['active'] }], ...page }, options),
      ),
    (output: DescribeVpcPeeringConnectionsCommandOutput) => output.VpcPeeringConnections,
  );
  return found.map(({ RequesterVpcInfo: one, AccepterVpcInfo: other }) => [one?.VpcId ?? '', other?.VpcId ?? '']);
}
