/** Finds what the configuration names as the target, and what has to be known of it. */
import type { LoadBalancer } from '@aws-sdk/client-elastic-load-balancing-v2';
import { idIn, type TargetConfig } from '../config/aws-config.ts';
import { DoubletakeError } from '../errors.ts';
import { readApiError } from './api-error.ts';
import type { Scope } from './clients.ts';
import type { Destination, Instance, Mirrors, NetworkInterface } from './inventory.ts';
import { readTargets } from './read-mirrors.ts';

interface Known extends Mirrors {
  interfaces: readonly NetworkInterface[];
  instances: ReadonlyMap<string, Instance>;
}

/** Rejects with a `DoubletakeError` where there is no such target. */
export async function findDestination(target: TargetConfig, known: Known, scope: Scope): Promise<Destination> {
  switch (target.kind) {
    case 'network-load-balancer':
      return { ...(await loadBalancer(target.name, scope)), mirrorTarget: null };
    case 'network-interface':
      return { ...networkInterface(target.id, known, scope), mirrorTarget: null };
    case 'gateway-load-balancer-endpoint':
      return { ...(await endpoint(target.id, scope)), mirrorTarget: null };
    case 'mirror-target':
      return mirrorTarget(idIn(target.ids, scope.region) ?? '', known, scope);
  }
}

type Resource = Omit<Destination, 'mirrorTarget'>;

async function loadBalancer(name: string, scope: Scope): Promise<Resource> {
  const choice = name.startsWith('arn:') ? { LoadBalancerArns: [name] } : { Names: [name] };
  const [found] = await orMissing(`network load balancer ${name}`, scope, async () => {
    const { LoadBalancers } = await scope.call('elasticloadbalancing', 'DescribeLoadBalancers', (elb, options) => elb.describeLoadBalancers(choice, options));
    return LoadBalancers ?? [];
  });
  if (found === undefined) throw missing(`network load balancer ${name}`, scope);
  checkLoadBalancer(name, found);
  return { kind: 'network-load-balancer', resource: found.LoadBalancerArn ?? '', vpc: found.VpcId ?? null, instanceType: null };
}

function checkLoadBalancer(name: string, { Type: type, State: state }: LoadBalancer): void {
  if (type !== 'network') {
    throw new DoubletakeError('DT_AWS_TARGET', `aws.target: ${name} is a load balancer of type ${type}, expected a network load balancer`);
  }
  if (state?.Code === 'failed') {
    throw new DoubletakeError('DT_AWS_TARGET', `aws.target: the network load balancer ${name} failed: ${state.Reason ?? 'AWS does not say why'}`);
  }
}

function networkInterface(id: string, { interfaces, instances }: Known, scope: Scope): Resource {
  const link = interfaces.find((candidate) => candidate.id === id);
  if (link === undefined) throw missing(`network interface ${id}`, scope);
  if (link.type !== 'interface') {
    throw new DoubletakeError('DT_AWS_TARGET', `aws.target: the network interface ${id} is of type ${link.type}, expected one of type interface`);
  }
  const instanceType = link.instance === null ? null : (instances.get(link.instance)?.type ?? null);
  return { kind: 'network-interface', resource: id, vpc: link.vpc, instanceType };
}

async function endpoint(id: string, scope: Scope): Promise<Resource> {
  const found = await orMissing(`gateway load balancer endpoint ${id}`, scope, async () => {
    const { VpcEndpoints } = await scope.call('ec2', 'DescribeVpcEndpoints', (ec2, options) => ec2.describeVpcEndpoints({ VpcEndpointIds: [id] }, options));
    return VpcEndpoints?.[0];
  });
  if (found === undefined) throw missing(`gateway load balancer endpoint ${id}`, scope);
  if (found.VpcEndpointType !== 'GatewayLoadBalancer') {
    throw new DoubletakeError('DT_AWS_TARGET', `aws.target: ${id} is an endpoint of type ${found.VpcEndpointType}, expected GatewayLoadBalancer`);
  }
  return { kind: 'gateway-load-balancer-endpoint', resource: id, vpc: found.VpcId ?? null, instanceType: null };
}

/** One that is there already. What it leads to may be another account's, and then cannot be seen. */
async function mirrorTarget(id: string, known: Known, scope: Scope): Promise<Destination> {
  // One that is shared is not in the list of all.
  const target =
    known.targets.find((candidate) => candidate.id === id) ??
    (await orMissing(`traffic mirror target ${id}`, scope, async () => (await readTargets(scope, [id]))[0]));
  if (target === undefined) throw missing(`traffic mirror target ${id}`, scope);
  const { kind, resource } = target;
  const unknown = { kind, resource, vpc: null, instanceType: null, mirrorTarget: id };
  try {
    if (kind === 'network-interface') return { ...networkInterface(resource, known, scope), mirrorTarget: id };
    if (kind === 'gateway-load-balancer-endpoint') return { ...(await endpoint(resource, scope)), mirrorTarget: id };
    return resource.includes(`:${scope.account}:`) ? { ...(await loadBalancer(resource, scope)), mirrorTarget: id } : unknown;
  } catch (error) {
    if (error instanceof DoubletakeError && error.code === 'DT_AWS_TARGET') return unknown;
    throw error;
  }
}

/** What `read` finds; a `DT_AWS_TARGET` where AWS says that there is none. */
async function orMissing<T>(what: string, scope: Scope, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const cause = error instanceof DoubletakeError ? error.cause : error;
    throw readApiError(cause).kind === 'not-found' ? missing(what, scope) : error;
  }
}

function missing(what: string, { account, region }: Scope): DoubletakeError {
  return new DoubletakeError('DT_AWS_TARGET', `aws.target: there is no ${what} in ${region} of account ${account}`);
}
