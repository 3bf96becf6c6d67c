/** Reads the sessions, filters and targets that there are. */
import type {
  DescribeTrafficMirrorFiltersCommandOutput,
  DescribeTrafficMirrorSessionsCommandOutput,
  DescribeTrafficMirrorTargetsCommandOutput,
  TrafficMirrorFilterRule,
  TrafficMirrorPortRange,
} from '@aws-sdk/client-ec2';
import { canonicalCidr } from '../aws-rules/cidr.ts';
import type { PortRange } from '../aws-rules/filter-rules.ts';
import type { Scope } from './clients.ts';
import type { ExistingRule, Mirrors, MirrorFilter, MirrorSession, MirrorTarget } from './inventory.ts';
import { allPages, ec2PageSize } from './pages.ts';
import { readTags } from './read-tags.ts';

/** Sessions, filters and targets, whoever made them. */
export async function readMirrors(scope: Scope): Promise<Mirrors> {
  const [sessions, filters, targets] = await Promise.all([readSessions(scope), readFilters(scope), readTargets(scope)]);
  return { account: scope.account, region: scope.region, sessions, filters, targets };
}

export async function readSessions(scope: Scope): Promise<MirrorSession[]> {
  const found = await allPages(
    (page) =>
      scope.call('ec2', 'DescribeTrafficMirrorSessions', (ec2, options) =>
        ec2.describeTrafficMirrorSessions({ MaxResults: ec2PageSize, ...page }, options),
      ),
    (output: DescribeTrafficMirrorSessionsCommandOutput) => output.TrafficMirrorSessions,
  );
  return found.map((session) => ({
    id: session.TrafficMirrorSessionId ?? '',
    interface: session.NetworkInterfaceId ?? '',
    target: session.TrafficMirrorTargetId ?? '',
    filter: session.TrafficMirrorFilterId ?? '',
    number: session.SessionNumber ?? 0,
    vni: session.VirtualNetworkId ?? 0,
    packetLength: session.PacketLength ?? null,
    tags: readTags(session.Tags),
  }));
}

async function readFilters(scope: Scope): Promise<MirrorFilter[]> {
  const found = await allPages(
    (page) =>
      scope.call('ec2', 'DescribeTrafficMirrorFilters', (ec2, options) =>
        ec2.describeTrafficMirrorFilters({ MaxResults: ec2PageSize, ...page }, options),
      ),
    (output: DescribeTrafficMirrorFiltersCommandOutput) => output.TrafficMirrorFilters,
  );
  return found.map((filter) => ({
    id: filter.TrafficMirrorFilterId ?? '',
    rules: [...(filter.IngressFilterRules ?? []), ...(filter.EgressFilterRules ?? [])].map(ruleIn),
    networkServices: filter.NetworkServices ?? [],
    tags: readTags(filter.Tags),
  }));
}

function ruleIn(rule: TrafficMirrorFilterRule): ExistingRule {
  return {
    id: rule.TrafficMirrorFilterRuleId ?? '',
    action: rule.RuleAction ?? '',
    direction: rule.TrafficDirection === 'egress' ? 'egress' : 'ingress',
    number: rule.RuleNumber ?? 0,
    protocol: rule.Protocol ?? 0,
    sourcePorts: portsIn(rule.SourcePortRange),
    destinationPorts: portsIn(rule.DestinationPortRange),
    sourceCidr: networkIn(rule.SourceCidrBlock),
    destinationCidr: networkIn(rule.DestinationCidrBlock),
  };
}

function portsIn(range: TrafficMirrorPortRange | undefined): PortRange | null {
  return range?.FromPort === undefined || range.ToPort === undefined ? null : { from: range.FromPort, to: range.ToPort };
}

function networkIn(text = ''): string {
  return canonicalCidr(text) ?? text;
}

/** All of the account, or those with these ids, also where another account shares them. */
export async function readTargets(scope: Scope, ids: readonly string[] | null = null): Promise<MirrorTarget[]> {
  const which = ids === null ? { MaxResults: ec2PageSize } : { TrafficMirrorTargetIds: [...ids] };
  const found = await allPages(
    (page) =>
      scope.call('ec2', 'DescribeTrafficMirrorTargets', (ec2, options) =>
        ec2.describeTrafficMirrorTargets({ ...which, ...page }, options),
      ),
    (output: DescribeTrafficMirrorTargetsCommandOutput) => output.TrafficMirrorTargets,
  );
  return found.map((target) => ({
    id: target.TrafficMirrorTargetId ?? '',
    resource: target.NetworkLoadBalancerArn ?? target.GatewayLoadBalancerEndpointId ?? target.NetworkInterfaceId ?? '',
    kind: target.Type ?? 'network-interface',
    tags: readTags(target.Tags),
  }));
}
