import type { TrafficMirrorFilter, TrafficMirrorSession } from '@aws-sdk/client-ec2';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { applyAll, awsConfig, destroyAll, onceOnly, planAll, quickBackoff, undone } from '../../test/support/aws/aws-runs.ts';
import type { FakeCloud } from '../../test/support/aws/cloud.ts';
import { type FakeAws, startFakeAws } from '../../test/support/aws/fake-aws.ts';
import { addBalancer, addInstance, productionVpc, removeInstance } from '../../test/support/aws/fleet.ts';
import { openScopes } from './clients.ts';
import { planScopeRemoval } from './reconcile.ts';
import { reportStatus } from './status-report.ts';
import { watchFleet } from './watch.ts';

let aws: FakeAws;
beforeEach(async () => {
  aws = await startFakeAws();
});
afterEach(() => aws.stop());

/** A cloud with a balancer and so many instances. */
function fleetOf(size: number): FakeCloud {
  const cloud = aws.cloud();
  addBalancer(cloud);
  for (let number = 0; number < size; number++) addInstance(cloud, number);
  return cloud;
}

/** What is mirrored, without ids. */
function mirrored(cloud: FakeCloud): object {
  const sessions = cloud.sessions.all().map(({ NetworkInterfaceId, SessionNumber, VirtualNetworkId, PacketLength }) => `${NetworkInterfaceId} ${SessionNumber} ${VirtualNetworkId} ${PacketLength}`);
  const filters = cloud.filters.all().map((filter) =>
    cloud.rulesOf(filter).map(({ TrafficDirection, RuleNumber, SourcePortRange, DestinationPortRange, SourceCidrBlock, DestinationCidrBlock }) =>
      JSON.stringify([TrafficDirection, RuleNumber, SourcePortRange, DestinationPortRange, SourceCidrBlock, DestinationCidrBlock]),
    ).toSorted(),
  );
  const used = new Set(cloud.sessions.all().flatMap(({ TrafficMirrorFilterId, TrafficMirrorTargetId }) => [TrafficMirrorFilterId, TrafficMirrorTargetId]));
  return { sessions: sessions.toSorted(), filters, targets: cloud.targets.all().map(({ NetworkLoadBalancerArn }) => NetworkLoadBalancerArn), used: used.size };
}

test.each([0, 1, 50])('a fleet of %i is mirrored, then nothing is left to do, then nothing is left', async (size) => {
  const cloud = fleetOf(size);
  const config = awsConfig({ session: { vni: 7 } });
  const [plan] = await planAll(config);
  expect(plan?.plan.steps).toHaveLength(size + 4);
  expect(undone(await applyAll(config))).toEqual([]);
  const sessions = cloud.sessions.all();
  expect(new Set(sessions.map(({ NetworkInterfaceId }) => NetworkInterfaceId)).size).toBe(size);
  const [filter] = cloud.filters.all();
  const [target] = cloud.targets.all();
  const wanted: TrafficMirrorSession = {
    SessionNumber: 1,
    VirtualNetworkId: 7,
    PacketLength: 8_500,
    TrafficMirrorFilterId: filter?.TrafficMirrorFilterId,
    TrafficMirrorTargetId: target?.TrafficMirrorTargetId,
    Tags: [{ Key: 'doubletake:owner', Value: 'doubletake' }, { Key: 'Name', Value: 'doubletake' }],
  };
  for (const session of sessions) expect(session).toMatchObject(wanted);
  expect(filter?.IngressFilterRules).toMatchObject([{ RuleAction: 'accept', Protocol: 6, DestinationPortRange: { FromPort: 80, ToPort: 80 } }]);
  expect(filter?.EgressFilterRules).toMatchObject([{ RuleAction: 'accept', Protocol: 6, SourcePortRange: { FromPort: 80, ToPort: 80 } }]);

  aws.changes();
  expect(await applyAll(config)).toEqual([]);
  expect(aws.changes()).toEqual([]);

  expect(undone(await destroyAll(config))).toEqual([]);
  expect([cloud.sessions.size, cloud.filters.size, cloud.targets.size]).toEqual([0, 0, 0]);

  // At once again: AWS remembers the tokens of what is gone.
  expect(undone(await applyAll(config))).toEqual([]);
  expect([cloud.sessions.size, cloud.filters.size, cloud.targets.size]).toEqual([size, 1, 1]);
});

test('a fleet of 5,000, in pages', async () => {
  const cloud = fleetOf(50);
  cloud.pageSizeMax = 700;
  const config = awsConfig();
  expect(undone(await applyAll(config))).toEqual([]);
  const [pattern] = cloud.sessions.all();
  for (let number = 50; number < 5_000; number++) {
    const { links } = addInstance(cloud, number);
    // The last hundred are new.
    if (number >= 4_900) continue;
    const session = { ...pattern, TrafficMirrorSessionId: cloud.id('tms'), NetworkInterfaceId: links[0]?.NetworkInterfaceId };
    cloud.sessions.add(session.TrafficMirrorSessionId, session);
  }
  const results = await applyAll(config);
  expect([results.length, undone(results)]).toEqual([100, []]);
  expect(new Set(cloud.sessions.all().map(({ NetworkInterfaceId }) => NetworkInterfaceId)).size).toBe(5_000);
  removeInstance(cloud, 'i-00000000000000007');
  addInstance(cloud, 5_000);
  expect((await applyAll(config)).map(({ step, outcome }) => `${step.action} ${outcome}`)).toEqual(['delete-session done', 'create-session done']);
  const [scope] = await openScopes(config, { backoff: quickBackoff, signal: null });
  if (scope === undefined) throw new Error('there is no scope');
  expect((await planScopeRemoval(config.name, scope)).plan.steps).toHaveLength(5_002);

  aws.changes();
  const status = await reportStatus(config, scope, { nowMs: 1_700_000_000_000, windowMs: 900_000, instancesMax: 300 });
  expect([status.sessions.length, status.unasked, status.pending]).toEqual([5_000, 4_700, 0]);
  expect(aws.calls.filter(({ operation }) => operation === 'GetMetricData')).toHaveLength(3);

  addInstance(cloud, 5_001);
  const ending = new AbortController();
  const rounds: number[] = [];
  const onRound = (steps: number): void => {
    rounds.push(steps);
    if (rounds.length === 2) ending.abort();
  };
  const quiet = (): void => {};
  await watchFleet(config, { everyMs: 1, queueUrl: null }, [scope], { backoff: quickBackoff, signal: ending.signal, now: () => 1_700_000_000_000, notice: quiet, warning: quiet, onRound });
  expect(rounds).toEqual([1, 0]);
  expect(cloud.sessions.size).toBe(5_001);
});

test('what has changed is modified, and mirroring goes on meanwhile', async () => {
  const cloud = fleetOf(3);
  await applyAll(awsConfig({ filter: { ports: [80, 90], clients: ['10.0.0.0/8'] }, session: { packetLength: 1_000 } }));
  const before = cloud.sessions.all().map(({ TrafficMirrorSessionId }) => TrafficMirrorSessionId);
  const config = awsConfig({ filter: { ports: [81], clients: ['10.0.0.0/8'], networkServices: ['amazon-dns'] }, session: { number: 5, vni: 9 } });
  aws.changes();
  expect(undone(await applyAll(config))).toEqual([]);
  expect(aws.changes().map(({ operation }) => operation).toSorted()).toEqual([
    ...Array.from({ length: 2 }, () => 'DeleteTrafficMirrorFilterRule'),
    'ModifyTrafficMirrorFilterNetworkServices',
    ...Array.from({ length: 2 }, () => 'ModifyTrafficMirrorFilterRule'),
    ...Array.from({ length: 3 }, () => 'ModifyTrafficMirrorSession'),
  ]);
  expect(cloud.sessions.all().map(({ TrafficMirrorSessionId }) => TrafficMirrorSessionId)).toEqual(before);
  expect(mirrored(cloud)).toMatchObject({ sessions: expect.arrayContaining([expect.stringMatching(/ 5 9 undefined$/) as string]) as string[] });
  expect(await applyAll(config)).toEqual([]);
});

test('another load balancer: the sessions move before the old target goes', async () => {
  const cloud = fleetOf(2);
  await applyAll(awsConfig());
  addBalancer(cloud, undefined, 'others');
  const config = awsConfig({ target: { networkLoadBalancer: 'others' } });
  expect(undone(await applyAll(config))).toEqual([]);
  expect(mirrored(cloud)).toMatchObject({ targets: [expect.stringContaining('others') as string], used: 2 });
});

describe('targets and filters that are there already', () => {
  test('are used, and never changed or removed', async () => {
    const cloud = fleetOf(2);
    const filter = { TrafficMirrorFilterId: 'tmf-00000001', IngressFilterRules: [], EgressFilterRules: [], NetworkServices: [], Tags: [] };
    const target = { TrafficMirrorTargetId: 'tmt-00000001', Type: 'network-load-balancer' as const, NetworkLoadBalancerArn: cloud.loadBalancers[0]?.LoadBalancerArn ?? '', Tags: [] };
    cloud.filters.add('tmf-00000001', filter);
    cloud.targets.add('tmt-00000001', target);
    const config = awsConfig({ filter: { mirrorFilter: 'tmf-00000001' }, target: { mirrorTarget: 'tmt-00000001' } });
    expect(undone(await applyAll(config))).toEqual([]);
    expect(aws.changes().map(({ operation }) => operation)).toEqual(['CreateTrafficMirrorSession', 'CreateTrafficMirrorSession']);
    for (const session of cloud.sessions.all()) expect(session).toMatchObject({ TrafficMirrorFilterId: 'tmf-00000001', TrafficMirrorTargetId: 'tmt-00000001' });
    expect(await applyAll(config)).toEqual([]);
    expect(undone(await destroyAll(config))).toEqual([]);
    expect([cloud.sessions.size, cloud.filters.all(), cloud.targets.all()]).toEqual([0, [filter], [target]]);
  });

  test('a target that somebody made for the same balancer is used, since AWS needs no second one', async () => {
    const cloud = fleetOf(1);
    cloud.targets.add('tmt-00000001', { TrafficMirrorTargetId: 'tmt-00000001', Type: 'network-load-balancer', NetworkLoadBalancerArn: cloud.loadBalancers[0]?.LoadBalancerArn ?? '', Tags: [] });
    await applyAll(awsConfig());
    await destroyAll(awsConfig());
    expect(cloud.targets.all()).toHaveLength(1);
  });

  test('the endpoint of a gateway load balancer', async () => {
    const cloud = fleetOf(1);
    cloud.endpoints.push({ VpcEndpointId: 'vpce-00000001', VpcEndpointType: 'GatewayLoadBalancer', VpcId: productionVpc });
    const config = awsConfig({ target: { gatewayLoadBalancerEndpoint: 'vpce-00000001' } });
    expect(undone(await applyAll(config))).toEqual([]);
    expect(cloud.targets.all()).toMatchObject([{ Type: 'gateway-load-balancer-endpoint', GatewayLoadBalancerEndpointId: 'vpce-00000001' }]);
    expect(await applyAll(config)).toEqual([]);
  });
});

describe('a run that ends anywhere is repaired by the next', () => {
  const before = awsConfig({ filter: { ports: [90, 100], clients: ['0.0.0.0/0'] } });
  const config = awsConfig({ filter: { ports: [80], clients: ['0.0.0.0/0', '::/0'] }, session: { vni: 3 } });

  /** The state after a run whose call number `broken`, and all behind it, failed, and a second one that was not hindered. */
  async function runTwice(how: 'refused' | 'lost', fresh: boolean, broken: number): Promise<{ state: object; hindered: boolean }> {
    await aws.stop();
    aws = await startFakeAws();
    const cloud = fleetOf(2);
    if (!fresh) {
      await applyAll(before);
      // Now there is something to make, to change and to remove.
      removeInstance(cloud, 'i-00000000000000001');
      addInstance(cloud, 2);
      addInstance(cloud, 3);
    }
    let changes = 0;
    aws.fault = ({ operation }) => {
      if (!/^(?:Create|Modify|Delete)/.test(operation) || changes++ < broken) return null;
      return how === 'lost' && changes === broken + 1 ? { lost: true } : { code: 'InternalError', status: 500 };
    };
    await applyAll(config, { backoff: onceOnly, callsAtOnce: 1 });
    aws.fault = () => null;
    expect(undone(await applyAll(config))).toEqual([]);
    expect(await applyAll(config)).toEqual([]);
    return { state: mirrored(cloud), hindered: changes > broken };
  }

  test.each([
    ['refused', true],
    ['lost', true],
    ['refused', false],
    ['lost', false],
  ] as const)('each call %s, of a first run: %s', async (how, fresh) => {
    const { state: sound } = await runTwice(how, fresh, Infinity);
    expect(sound).toMatchObject({ sessions: Array.from({ length: fresh ? 2 : 3 }, () => expect.stringMatching(/ 1 3 8500$/) as string), used: 2 });
    let broken = 0;
    for (let hindered = true; hindered; broken++) {
      const run = await runTwice(how, fresh, broken);
      expect(run.state, `broken at call ${broken}`).toEqual(sound);
      hindered = run.hindered;
    }
    expect(broken).toBeGreaterThan(5);
  });
});

test('calls that are too many are made again, later', async () => {
  const cloud = fleetOf(20);
  const tries = new Map<string, number>();
  aws.fault = ({ operation, input }) => {
    const key = `${operation} ${JSON.stringify(input)}`;
    const before = tries.get(key) ?? 0;
    tries.set(key, before + 1);
    return before < 3 ? { code: 'RequestLimitExceeded', status: 503 } : null;
  };
  expect(undone(await applyAll(awsConfig()))).toEqual([]);
  expect(cloud.sessions.size).toBe(20);
  expect([...tries.values()].every((count) => count >= 4)).toBe(true);
});

test('a call whose answer is lost makes nothing twice when it is made again', async () => {
  const cloud = fleetOf(5);
  const tried = new Set<string>();
  aws.fault = ({ operation, input }) => {
    const key = `${operation} ${JSON.stringify(input)}`;
    if (!/^(?:Create|Modify|Delete)/.test(operation) || tried.has(key)) return null;
    tried.add(key);
    return { lost: true };
  };
  const config = awsConfig();
  expect(undone(await applyAll(config))).toEqual([]);
  expect([cloud.sessions.size, cloud.filters.size, cloud.targets.size]).toEqual([5, 1, 1]);
  const removed = await destroyAll(config);
  expect(removed.filter(({ outcome }) => outcome !== 'done' && outcome !== 'gone')).toEqual([]);
  expect([cloud.sessions.size, cloud.filters.size, cloud.targets.size]).toEqual([0, 0, 0]);
});

test('what AWS does not list yet is waited for', async () => {
  const cloud = fleetOf(5);
  cloud.lag = 7;
  const config = awsConfig();
  expect(undone(await applyAll(config))).toEqual([]);
  cloud.calls += 100;
  expect(await applyAll(config)).toEqual([]);
  expect([cloud.sessions.size, cloud.filters.size]).toEqual([5, 1]);
  expect(undone(await destroyAll(config))).toEqual([]);
  expect([cloud.sessions.size, cloud.filters.size, cloud.targets.size]).toEqual([0, 0, 0]);
});

test('a session that was deleted a moment ago comes again, though AWS remembers its token', async () => {
  const cloud = fleetOf(1);
  const config = awsConfig();
  await applyAll(config);
  const [instance] = cloud.instanceById.values();
  if (instance === undefined) throw new Error('there is no instance');
  // The second time, the call is the same as the one before, to the letter.
  for (const time of [1, 2]) {
    instance.State = { Name: 'stopped' };
    expect(await applyAll(config)).toMatchObject([{ step: { action: 'delete-session', reason: expect.stringContaining('stopped') as string }, outcome: 'done' }]);
    instance.State = { Name: 'running' };
    expect(undone(await applyAll(config)), `time ${time}`).toEqual([]);
    expect(cloud.sessions.size).toBe(1);
  }
});

test('an interface that goes while a plan is done is nothing to worry about', async () => {
  const cloud = fleetOf(3);
  aws.fault = ({ operation }) => {
    if (operation === 'CreateTrafficMirrorFilter') removeInstance(cloud, 'i-00000000000000002');
    return null;
  };
  const results = await applyAll(awsConfig());
  expect(undone(results)).toMatchObject([{ outcome: 'gone' }]);
  expect(await applyAll(awsConfig())).toEqual([]);
});

test('a missing permission is told once, with the action and a policy, and is not tried five thousand times', async () => {
  fleetOf(200);
  aws.fault = ({ operation }) =>
    operation === 'CreateTrafficMirrorSession'
      ? { code: 'UnauthorizedOperation', status: 403, message: 'You are not authorized to perform this operation. User: arn:aws:iam::1:user/x is not authorized to perform: ec2:CreateTags on resource: x. Encoded authorization failure message: AAAA' }
      : null;
  const results = undone(await applyAll(awsConfig()));
  expect(results).toHaveLength(200);
  expect(new Set(results.map(({ problem }) => problem?.text)).size).toBe(1);
  expect(results[0]?.problem).toMatchObject({ code: 'DT_AWS_PERMISSION', text: expect.stringMatching(/ec2:CreateTags.*"Effect":"Allow","Action":\["ec2:CreateTags"\]/) as string });
  expect(aws.changes().filter(({ operation }) => operation === 'CreateTrafficMirrorSession').length).toBeLessThanOrEqual(8);
});

test('when it is interrupted, no further call changes anything', async () => {
  fleetOf(50);
  const interruption = new AbortController();
  let created = 0;
  aws.fault = ({ operation }) => {
    if (operation === 'CreateTrafficMirrorSession' && ++created === 5) interruption.abort();
    return null;
  };
  const results = await applyAll(awsConfig(), { signal: interruption.signal, callsAtOnce: 1 });
  expect(created).toBe(5);
  expect(results).toHaveLength(54);
  expect(undone(results)).toHaveLength(45);
});

describe('quotas', () => {
  test.each([
    ['m5.large', 10],
    ['m5.24xlarge', 100],
  ])('an interface of %s takes %i sources', async (type, most) => {
    const cloud = aws.cloud();
    const { links } = addInstance(cloud, 500, { type, tags: { role: 'mirror' } });
    for (let number = 0; number < most + 5; number++) addInstance(cloud, number);
    const config = awsConfig({ target: { networkInterface: links[0]?.NetworkInterfaceId } });
    expect(undone(await applyAll(config))).toEqual([]);
    expect(cloud.sessions.size).toBe(most);
    expect(await applyAll(config)).toEqual([]);
    // Those that are there stay, though earlier ids are free for others.
    const gone = cloud.sessions.all()[0]?.NetworkInterfaceId ?? '';
    removeInstance(cloud, cloud.interfaceById.get(gone)?.Attachment?.InstanceId);
    expect((await applyAll(config)).map(({ step, outcome }) => `${step.action} ${outcome}`)).toEqual(['delete-session done', 'create-session done']);
    expect(cloud.sessions.size).toBe(most);
  });
});

test('nothing that is not ours is ever touched', async () => {
  const owners = fc.constantFrom(null, 'somebody', 'doubletake2', 'Doubletake', '');
  const foreign = fc.record({ owner: owners, instance: fc.integer({ min: 0, max: 4 }), number: fc.integer({ min: 1, max: 4 }), ours: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(foreign, { maxLength: 12 }), async (sessions) => {
      await aws.stop();
      aws = await startFakeAws();
      const cloud = fleetOf(5);
      const config = awsConfig();
      await applyAll(config);
      const tags = (owner: string | null): { Key: string; Value: string }[] => (owner === null ? [] : [{ Key: 'doubletake:owner', Value: owner }]);
      const ourFilter = cloud.filters.all()[0]?.TrafficMirrorFilterId;
      const ourTarget = cloud.targets.all()[0]?.TrafficMirrorTargetId;
      for (const { owner, instance, number, ours } of sessions) {
        const filter = { TrafficMirrorFilterId: cloud.id('tmf'), IngressFilterRules: [], EgressFilterRules: [], NetworkServices: [], Tags: tags(owner) };
        cloud.filters.add(filter.TrafficMirrorFilterId, filter);
        const session = {
          TrafficMirrorSessionId: cloud.id('tms'),
          NetworkInterfaceId: `eni-00${instance.toString(16).padStart(15, '0')}`,
          SessionNumber: number + 10,
          VirtualNetworkId: 1,
          TrafficMirrorFilterId: ours ? ourFilter : filter.TrafficMirrorFilterId,
          TrafficMirrorTargetId: ourTarget,
          Tags: tags(owner),
        };
        cloud.sessions.add(session.TrafficMirrorSessionId, session);
      }
      const others = (): object => {
        const isForeign = ({ Tags }: TrafficMirrorSession | TrafficMirrorFilter): boolean => !(Tags ?? []).some(({ Value }) => Value === 'doubletake');
        return structuredClone([cloud.sessions.all().filter(isForeign), cloud.filters.all().filter(isForeign)]);
      };
      const before = others();
      await applyAll(awsConfig({ session: { vni: 4 } }));
      expect(others()).toEqual(before);
      expect(undone(await destroyAll(config))).toEqual([]);
      expect(others()).toEqual(before);
      const left = cloud.sessions.all().filter(({ Tags }) => (Tags ?? []).some(({ Value }) => Value === 'doubletake'));
      expect(left).toEqual([]);
    }),
    { numRuns: 15 },
  );
});
