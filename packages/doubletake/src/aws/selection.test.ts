import { describe, expect, test } from 'vitest';
import { awsConfig } from '../../test/support/aws/aws-runs.ts';
import type { Destination, Instance, Inventory, MirrorSession, NetworkInterface } from './inventory.ts';
import { selectInterfaces } from './selection.ts';

const balancer: Destination = { kind: 'network-load-balancer', resource: 'arn:balancer', mirrorTarget: null, vpc: 'vpc-1', instanceType: null };

function link(settings: Partial<NetworkInterface> = {}): NetworkInterface {
  return { id: 'eni-1', type: 'interface', status: 'in-use', vpc: 'vpc-1', subnet: 'subnet-00000001', instance: 'i-00000001', primary: true, ipv4: '10.0.0.1', managedBy: null, tags: {}, ...settings };
}

function instance(settings: Partial<Instance> = {}): Instance {
  return { id: 'i-00000001', type: 'm5.large', state: 'running', tags: { app: 'shop' }, ...settings };
}

function session(settings: Partial<MirrorSession> = {}): MirrorSession {
  return { id: 'tms-1', interface: 'eni-1', target: 'tmt-1', filter: 'tmf-1', number: 9, vni: 1, packetLength: null, tags: {}, ...settings };
}

function inventory({ interfaces = [link()], instances = [instance()], ...settings }: Partial<Omit<Inventory, 'instances'>> & { instances?: Instance[] } = {}): Inventory {
  return {
    account: '1',
    region: 'eu-central-1',
    interfaces,
    instances: new Map(instances.map((one) => [one.id, one])),
    ecsServices: new Map(),
    peerings: [],
    sessions: [],
    filters: [],
    targets: [],
    destination: balancer,
    health: { healthy: null, all: null, mirrors: new Set(), findings: [] },
    ...settings,
  };
}

const verdict = (settings: object, what: Inventory): string => {
  const [first] = selectInterfaces(awsConfig(settings), what);
  return `${first?.verdict}: ${first?.reason}`;
};

describe('what a selector means', () => {
  const shop = inventory({ instances: [instance({ tags: { app: 'shop', env: 'prod-eu', 'aws:autoscaling:groupName': 'shop-blue' } })], interfaces: [link({ tags: { team: 'web' } })] });
  const ecs = new Map([['default shop', { interfaces: new Set(['eni-1']), instances: new Set<string>() }]]);
  const host = new Map([['c shop', { interfaces: new Set<string>(), instances: new Set(['i-00000001']) }]]);
  test.each<[string, object[], Inventory, boolean]>([
    ['a tag', [{ tags: { app: 'shop' } }], shop, true],
    ['another value of it', [{ tags: { app: 'bank' } }], shop, false],
    ['one of several values', [{ tags: { app: ['bank', 'shop'] } }], shop, true],
    ['a wildcard', [{ tags: { env: 'prod-*' } }], shop, true],
    ['all tags of an entry', [{ tags: { app: 'shop', env: 'test' } }], shop, false],
    ['one of two entries', [{ tags: { app: 'bank' } }, { tags: { app: 'shop' } }], shop, true],
    ['a tag of the interface itself', [{ tags: { team: 'web' } }], shop, true],
    ['a tag called as a property of every object', [{ tags: { constructor: '*' } }], shop, false],
    ['an Auto Scaling group', [{ autoScalingGroups: ['shop-*'] }], shop, true],
    ['another group', [{ autoScalingGroups: ['shop'] }], shop, false],
    ['a VPC and a tag', [{ vpcs: ['vpc-00000001'], tags: { app: 'shop' } }], shop, false],
    ['a subnet', [{ subnets: ['subnet-00000001'] }], shop, true],
    ['an instance', [{ instances: ['i-00000001'] }], shop, true],
    ['an interface that is another', [{ interfaces: ['eni-00000002'] }], shop, false],
    ['a service of ECS by the interfaces of its tasks', [{ ecsServices: [{ service: 'shop' }] }], { ...shop, ecsServices: ecs }, true],
    ['a service of ECS by its hosts', [{ ecsServices: [{ cluster: 'c', service: 'shop' }] }], { ...shop, ecsServices: host }, true],
    ['a service without tasks', [{ ecsServices: [{ cluster: 'd', service: 'shop' }] }], { ...shop, ecsServices: host }, false],
  ])('%s', (_, sources, what, selected) => {
    expect(verdict({ sources }, what)).toMatch(selected ? /^in: aws\.sources\[\d\] means it$/ : /^unselected: /);
  });

  test('what is excluded is out', () => {
    expect(verdict({ exclude: [{ tags: { app: 'bank' } }, { tags: { env: 'prod*' } }] }, shop)).toBe('out: aws.exclude[1] means it');
  });
});

describe('why a selected interface is out', () => {
  const target: Destination = { kind: 'network-interface', resource: 'eni-1', mirrorTarget: null, vpc: 'vpc-1', instanceType: 'm5.large' };
  test.each<[string, object, Inventory]>([
    ['its instance has the tag doubletake:owner', {}, inventory({ instances: [instance({ tags: { app: 'shop', 'doubletake:owner': 'other' } })] })],
    ['it is behind the load balancer of the target', {}, inventory({ health: { healthy: 1, all: 1, mirrors: new Set(['i-00000001']), findings: [] } })],
    ['it is behind the load balancer of the target', {}, inventory({ health: { healthy: 1, all: 1, mirrors: new Set(['10.0.0.1']), findings: [] } })],
    ['it is not the first interface', { interfaces: 'primary' }, inventory({ interfaces: [link({ primary: false })] })],
    ['AWS mirrors interfaces of type interface alone, and its type is branch', {}, inventory({ interfaces: [link({ type: 'branch' })] })],
    ['it is managed by amazon-elb', {}, inventory({ interfaces: [link({ managedBy: 'amazon-elb' })] })],
    ['it is attached to nothing (available)', {}, inventory({ interfaces: [link({ status: 'available' })] })],
    ['its instance is stopped', {}, inventory({ instances: [instance({ state: 'stopped' })] })],
    ['AWS does not mirror its type t2.micro: family t2 is not on its list', {}, inventory({ instances: [instance({ type: 't2.micro' })] })],
    ['AWS does not mirror its type m6i.metal: bare metal of family m6i', {}, inventory({ instances: [instance({ type: 'm6i.metal' })] })],
    ['it has no IPv4 address', {}, inventory({ interfaces: [link({ ipv4: null })] })],
    ['it is a traffic mirror target', {}, inventory({ destination: target })],
    ['it is a traffic mirror target', {}, inventory({ targets: [{ id: 'tmt-9', kind: 'network-interface', resource: 'eni-1', tags: {} }] })],
    ['its vpc-2 is neither that of the target nor peered with it', {}, inventory({ interfaces: [link({ vpc: 'vpc-2' })] })],
    ['it has 3 sessions of others', {}, inventory({ sessions: ['a', 'b', 'c'].map((id) => session({ id })) })],
    ['session number 9 on it is taken by tms-1', { session: { number: 9 } }, inventory({ sessions: [session()] })],
  ])('%s', (reason, settings, what) => {
    expect(verdict(settings, what)).toContain(`out: ${reason}`);
  });

  test.each<[string, object, Inventory]>([
    ['a peering joins the VPCs', {}, inventory({ interfaces: [link({ vpc: 'vpc-2' })], peerings: [['vpc-2', 'vpc-1']] })],
    ['a transit gateway does', { target: { networkLoadBalancer: 'x', vpcs: ['vpc-00000002'] } }, inventory({ interfaces: [link({ vpc: 'vpc-00000002' })] })],
    ['the target is another account\'s', {}, inventory({ interfaces: [link({ vpc: 'vpc-2' })], destination: { ...balancer, vpc: null } })],
    ['any instance type may be tried', { instanceTypes: 'any' }, inventory({ instances: [instance({ type: 't2.micro' })] })],
    ['RDS made it', { sources: [{ interfaces: ['eni-00000001'] }] }, inventory({ interfaces: [link({ id: 'eni-00000001', managedBy: 'amazon-rds', instance: null })] })],
    ['sessions of others leave room', {}, inventory({ sessions: [session(), session({ id: 'tms-2', number: 8 })] })],
    ['its session is our own', { session: { number: 9 } }, inventory({ sessions: [session({ tags: { 'doubletake:owner': 'doubletake' } })] })],
  ])('but not when %s', (_, settings, what) => {
    expect(verdict(settings, what)).toMatch(/^in: /);
  });
});

test('an account has 10,000 sessions, with those of others; ours that are there come first', () => {
  const interfaces = Array.from({ length: 5 }, (_, index) => link({ id: `eni-${index}` }));
  const foreign = Array.from({ length: 9_998 }, (_, index) => session({ id: `tms-${index}`, interface: `eni-x${index}` }));
  const ours = session({ id: 'tms-ours', interface: 'eni-4', tags: { 'doubletake:owner': 'doubletake' } });
  const verdicts = selectInterfaces(awsConfig(), inventory({ interfaces, sessions: [...foreign, ours] }));
  expect(verdicts.filter(({ verdict: which }) => which === 'in').map((one) => one.interface)).toEqual(['eni-0', 'eni-4']);
  expect(verdicts[1]?.reason).toBe('there is no room: an account has at most 10000 sessions');
});
