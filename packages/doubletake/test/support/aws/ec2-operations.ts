/** What the fake EC2 does. */
import type {
  CreateTrafficMirrorFilterRequest,
  CreateTrafficMirrorFilterRuleRequest,
  CreateTrafficMirrorSessionRequest,
  CreateTrafficMirrorTargetRequest,
  DeleteTrafficMirrorFilterRequest,
  DeleteTrafficMirrorFilterRuleRequest,
  DeleteTrafficMirrorSessionRequest,
  DeleteTrafficMirrorTargetRequest,
  DescribeTrafficMirrorFiltersRequest,
  DescribeTrafficMirrorTargetsRequest,
  DescribeVpcEndpointsRequest,
  DescribeVpcPeeringConnectionsRequest,
  ModifyTrafficMirrorFilterNetworkServicesRequest,
  ModifyTrafficMirrorFilterRuleRequest,
  ModifyTrafficMirrorSessionRequest,
  TrafficMirrorFilter,
  TrafficMirrorFilterRule,
  TrafficMirrorSession,
  TrafficMirrorTarget,
} from '@aws-sdk/client-ec2';
import { canonicalCidr } from '../../../src/aws-rules/cidr.ts';
import { AwsFault, type FakeCloud, inRange, tagsFor } from './cloud.ts';

interface Page {
  MaxResults?: number;
  NextToken?: string;
}

/** A page of a list; tokens are positions. */
function page<T>(cloud: FakeCloud, all: readonly T[], { MaxResults, NextToken }: Page): { entries: T[]; NextToken?: string } {
  if (MaxResults !== undefined) inRange('MaxResults', MaxResults, 5, 1_000);
  const start = NextToken === undefined ? 0 : Number(/^page-(\d+)$/.exec(NextToken)?.[1] ?? Number.NaN);
  if (Number.isNaN(start)) throw new AwsFault('InvalidNextToken', 'The token is not valid');
  const end = start + Math.min(MaxResults ?? 1_000, cloud.pageSizeMax);
  return { entries: all.slice(start, end), ...(end < all.length ? { NextToken: `page-${end}` } : {}) };
}

type Operation = (cloud: FakeCloud, input: never) => object;

export const ec2Operations: Readonly<Record<string, Operation>> = {
  DescribeInstances: (cloud, input: Page) => {
    const { entries, ...more } = page(cloud, [...cloud.instanceById.values()], input);
    return { Reservations: entries.map((instance) => ({ Instances: [instance] })), ...more };
  },
  DescribeNetworkInterfaces: (cloud, input: Page) => {
    const { entries, ...more } = page(cloud, [...cloud.interfaceById.values()], input);
    return { NetworkInterfaces: entries, ...more };
  },
  DescribeTrafficMirrorSessions: (cloud, input: Page) => {
    const { entries, ...more } = page(cloud, cloud.sessions.listed(), input);
    return { TrafficMirrorSessions: entries, ...more };
  },
  DescribeTrafficMirrorFilters: (cloud, input: DescribeTrafficMirrorFiltersRequest & Page) => {
    const ids = input.TrafficMirrorFilterIds;
    if (ids !== undefined) return { TrafficMirrorFilters: ids.map((id) => cloud.filters.get(id, 'TrafficMirrorFilterId')) };
    const { entries, ...more } = page(cloud, cloud.filters.listed(), input);
    return { TrafficMirrorFilters: entries, ...more };
  },
  DescribeTrafficMirrorTargets: (cloud, input: DescribeTrafficMirrorTargetsRequest & Page) => {
    const ids = input.TrafficMirrorTargetIds;
    if (ids !== undefined) return { TrafficMirrorTargets: ids.map((id) => cloud.targets.get(id, 'TrafficMirrorTargetId')) };
    const { entries, ...more } = page(cloud, cloud.targets.listed(), input);
    return { TrafficMirrorTargets: entries, ...more };
  },
  DescribeVpcPeeringConnections: (cloud, input: DescribeVpcPeeringConnectionsRequest & Page) => {
    const { entries, ...more } = page(cloud, cloud.peerings, input);
    return { VpcPeeringConnections: entries.map(([one, other]) => ({ RequesterVpcInfo: { VpcId: one }, AccepterVpcInfo: { VpcId: other } })), ...more };
  },
  DescribeVpcEndpoints: (cloud, { VpcEndpointIds = [] }: DescribeVpcEndpointsRequest) => ({
    VpcEndpoints: VpcEndpointIds.map((id) => {
      const found = cloud.endpoints.find(({ VpcEndpointId }) => VpcEndpointId === id);
      if (found === undefined) throw new AwsFault('InvalidVpcEndpointId.NotFound', `The Vpc Endpoint Id '${id}' does not exist`);
      return found;
    }),
  }),

  CreateTrafficMirrorFilter: (cloud, input: CreateTrafficMirrorFilterRequest) =>
    cloud.once(input, () => {
      const filter: TrafficMirrorFilter = {
        TrafficMirrorFilterId: cloud.id('tmf'),
        IngressFilterRules: [],
        EgressFilterRules: [],
        NetworkServices: [],
        ...(input.Description === undefined ? {} : { Description: input.Description }),
        Tags: tagsFor(input.TagSpecifications, 'traffic-mirror-filter'),
      };
      cloud.filters.add(filter.TrafficMirrorFilterId ?? '', filter);
      return { TrafficMirrorFilter: filter };
    }),
  CreateTrafficMirrorFilterRule: (cloud, input: CreateTrafficMirrorFilterRuleRequest) =>
    cloud.once(input, () => {
      const filter = cloud.filters.get(input.TrafficMirrorFilterId, 'TrafficMirrorFilterId');
      const { ClientToken: _, TagSpecifications, DryRun: __, ...fields } = input;
      const rule: TrafficMirrorFilterRule = { TrafficMirrorFilterRuleId: cloud.id('tmfr'), ...fields };
      placeRule(cloud, filter, rule, null);
      tagsFor(TagSpecifications, 'traffic-mirror-filter-rule');
      return { TrafficMirrorFilterRule: rule };
    }),
  ModifyTrafficMirrorFilterRule: (cloud, input: ModifyTrafficMirrorFilterRuleRequest) => {
    const { filter, rule } = cloud.ruleById(input.TrafficMirrorFilterRuleId);
    const { RemoveFields = [], DryRun: _, ...fields } = input;
    const changed: TrafficMirrorFilterRule = { ...rule, ...fields };
    if (RemoveFields.includes('source-port-range')) delete changed.SourcePortRange;
    if (RemoveFields.includes('destination-port-range')) delete changed.DestinationPortRange;
    placeRule(cloud, filter, changed, rule);
    return { TrafficMirrorFilterRule: changed };
  },
  DeleteTrafficMirrorFilterRule: (cloud, input: DeleteTrafficMirrorFilterRuleRequest) => {
    const { filter, rule } = cloud.ruleById(input.TrafficMirrorFilterRuleId);
    removeRule(filter, rule);
    return { TrafficMirrorFilterRuleId: rule.TrafficMirrorFilterRuleId };
  },
  ModifyTrafficMirrorFilterNetworkServices: (cloud, input: ModifyTrafficMirrorFilterNetworkServicesRequest) => {
    const filter = cloud.filters.get(input.TrafficMirrorFilterId, 'TrafficMirrorFilterId');
    const services = new Set([...(filter.NetworkServices ?? []), ...(input.AddNetworkServices ?? [])]);
    for (const service of input.RemoveNetworkServices ?? []) services.delete(service);
    filter.NetworkServices = [...services];
    return { TrafficMirrorFilter: filter };
  },
  DeleteTrafficMirrorFilter: (cloud, { TrafficMirrorFilterId: id }: DeleteTrafficMirrorFilterRequest) => {
    const used = [...cloud.sessions.all(), ...cloud.sessions.listed()].some((session) => session.TrafficMirrorFilterId === id);
    if (used) throw new AwsFault('TrafficMirrorFilterInUse', `The filter ${id} is in use`);
    cloud.filters.delete(id, 'TrafficMirrorFilterId');
    return { TrafficMirrorFilterId: id };
  },

  CreateTrafficMirrorTarget: (cloud, input: CreateTrafficMirrorTargetRequest) =>
    cloud.once(input, () => {
      const { NetworkInterfaceId, NetworkLoadBalancerArn, GatewayLoadBalancerEndpointId } = input;
      const known =
        cloud.interfaceById.has(NetworkInterfaceId) ||
        cloud.loadBalancers.some((balancer) => balancer.LoadBalancerArn === NetworkLoadBalancerArn) ||
        cloud.endpoints.some((endpoint) => endpoint.VpcEndpointId === GatewayLoadBalancerEndpointId);
      if (!known) throw new AwsFault('InvalidParameterValue', 'There is no such target');
      const Type = NetworkInterfaceId !== undefined ? 'network-interface' : NetworkLoadBalancerArn !== undefined ? 'network-load-balancer' : 'gateway-load-balancer-endpoint';
      const resource = { NetworkInterfaceId, NetworkLoadBalancerArn, GatewayLoadBalancerEndpointId };
      const target: TrafficMirrorTarget = {
        TrafficMirrorTargetId: cloud.id('tmt'),
        ...(JSON.parse(JSON.stringify(resource)) as typeof resource),
        Type,
        OwnerId: cloud.account,
        Tags: tagsFor(input.TagSpecifications, 'traffic-mirror-target'),
      };
      cloud.targets.add(target.TrafficMirrorTargetId ?? '', target);
      return { TrafficMirrorTarget: target };
    }),
  DeleteTrafficMirrorTarget: (cloud, { TrafficMirrorTargetId: id }: DeleteTrafficMirrorTargetRequest) => {
    const used = [...cloud.sessions.all(), ...cloud.sessions.listed()].some((session) => session.TrafficMirrorTargetId === id);
    if (used) throw new AwsFault('TrafficMirrorTargetInUseException', `The target ${id} is in use`);
    cloud.targets.delete(id, 'TrafficMirrorTargetId');
    return { TrafficMirrorTargetId: id };
  },

  CreateTrafficMirrorSession: (cloud, input: CreateTrafficMirrorSessionRequest) =>
    cloud.once(input, () => {
      const { ClientToken: _, TagSpecifications, DryRun: __, ...fields } = input;
      const session: TrafficMirrorSession = { TrafficMirrorSessionId: cloud.id('tms'), ...fields, OwnerId: cloud.account };
      cloud.checkSession(session, null);
      if (cloud.targets.get(session.TrafficMirrorTargetId, 'TrafficMirrorTargetId').Type !== 'network-interface') session.PacketLength ??= 8_500;
      session.VirtualNetworkId ??= 4_711;
      session.Tags = tagsFor(TagSpecifications, 'traffic-mirror-session');
      cloud.sessions.add(session.TrafficMirrorSessionId ?? '', session);
      return { TrafficMirrorSession: session };
    }),
  ModifyTrafficMirrorSession: (cloud, input: ModifyTrafficMirrorSessionRequest) => {
    const session = cloud.sessions.get(input.TrafficMirrorSessionId, 'TrafficMirrorSessionId');
    const { RemoveFields = [], DryRun: _, ...fields } = input;
    const changed: TrafficMirrorSession = { ...session, ...fields };
    if (RemoveFields.includes('packet-length')) delete changed.PacketLength;
    cloud.checkSession(changed, session);
    delete session.PacketLength;
    Object.assign(session, changed);
    return { TrafficMirrorSession: session };
  },
  DeleteTrafficMirrorSession: (cloud, { TrafficMirrorSessionId: id }: DeleteTrafficMirrorSessionRequest) => {
    cloud.sessions.delete(id, 'TrafficMirrorSessionId');
    return { TrafficMirrorSessionId: id };
  },
};

/** Puts a rule in the place of `before`, or adds it, if AWS would. */
function placeRule(cloud: FakeCloud, filter: TrafficMirrorFilter, rule: TrafficMirrorFilterRule, before: TrafficMirrorFilterRule | null): void {
  inRange('RuleNumber', rule.RuleNumber, 1, 32_766);
  inRange('Protocol', rule.Protocol, 0, 255);
  for (const range of [rule.SourcePortRange, rule.DestinationPortRange]) {
    if (range === undefined) continue;
    inRange('FromPort', range.FromPort, 0, 65_535);
    inRange('ToPort', range.ToPort, range.FromPort ?? 0, 65_535);
  }
  const networks = [rule.SourceCidrBlock, rule.DestinationCidrBlock].map((text) => canonicalCidr(text ?? ''));
  const [source, destination] = networks;
  if (source === null || destination === null || source?.includes(':') !== destination?.includes(':')) {
    throw new AwsFault('InvalidParameterValue', 'The source and the destination CIDR block must be of one family');
  }
  if (!['ingress', 'egress'].includes(rule.TrafficDirection ?? '') || !['accept', 'reject'].includes(rule.RuleAction ?? '')) throw new AwsFault('InvalidParameterValue', 'direction or action');
  const others = cloud.rulesOf(filter).filter((other) => other !== before);
  if (others.length >= 10) throw new AwsFault('TrafficMirrorFilterRuleLimitExceeded', 'The maximum number of Traffic Mirror filter rules has been exceeded.');
  if (others.some((other) => other.TrafficDirection === rule.TrafficDirection && other.RuleNumber === rule.RuleNumber)) {
    throw new AwsFault('TrafficMirrorFilterRuleAlreadyExists', `There is a rule ${rule.RuleNumber}`);
  }
  if (before !== null) removeRule(filter, before);
  (rule.TrafficDirection === 'ingress' ? filter.IngressFilterRules : filter.EgressFilterRules)?.push(rule);
}

function removeRule(filter: TrafficMirrorFilter, rule: TrafficMirrorFilterRule): void {
  filter.IngressFilterRules = (filter.IngressFilterRules ?? []).filter((other) => other !== rule);
  filter.EgressFilterRules = (filter.EgressFilterRules ?? []).filter((other) => other !== rule);
}
