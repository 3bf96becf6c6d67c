/** `aws` of a configuration, with what the mirror's part of the file says about the same traffic. */
import type { z } from 'zod';
import { type FilterModel, filterRules } from '../aws-rules/filter-rules.ts';
import { quotas, ranges } from '../aws-rules/limits.ts';
import { type awsSchema, type Selector, watchSettings } from './aws-schema.ts';

type WrittenAws = z.output<typeof awsSchema>;

/** What the rest of the configuration says about the mirrored traffic. */
export interface MirrorSide {
  ports: readonly number[];
  vni: number | null;
  /** Whether responses are wanted; null where nothing is said of it. */
  responses: boolean | null;
}

/** One id for wherever it is, ids by region, or none. */
export type RegionalId = string | Readonly<Record<string, string>> | null;

export function idIn(ids: RegionalId, region: string): string | null {
  return typeof ids === 'object' ? (ids?.[region] ?? null) : ids;
}

export type TargetConfig =
  | { kind: 'mirror-target'; ids: RegionalId }
  /** By its name or its ARN. */
  | { kind: 'network-load-balancer'; name: string }
  | { kind: 'network-interface'; id: string }
  | { kind: 'gateway-load-balancer-endpoint'; id: string };

export interface AwsConfig {
  /** Whose what is made is; the value of the tag. */
  name: string;
  /** Empty for that of the environment. */
  regions: readonly string[];
  accounts: readonly { role: string; externalId?: string | undefined }[];
  sources: readonly Selector[];
  exclude: readonly Selector[];
  interfaces: 'all' | 'primary';
  instanceTypes: 'listed' | 'any';
  filter: FilterModel & { existing: RegionalId; networkServices: readonly string[] };
  target: TargetConfig & { vpcs: readonly string[] };
  session: { number: number; vni: number; packetLength: number | null };
  /** Null where a mirror does not keep them true. */
  watch: WatchConfig | null;
}

export interface WatchConfig {
  everyMs: number;
  queueUrl: string | null;
}

/** What `watch: true` means. */
export function defaultWatch(): WatchConfig {
  return watchConfig({ every: watchSettings.parse({}).every });
}

/** Takes what is wrong, with its path below `aws`. */
type Complain = (path: string[], message: string) => void;

/** Fills in what the mirror's part of the file says, and checks what takes both. */
export function completeAws(written: WrittenAws, side: MirrorSide, problem: Complain): AwsConfig {
  const { filter, target, session, watch, region } = written;
  const regions = region === undefined ? [] : [region].flat();
  const model: FilterModel = {
    ports: filter.ports ?? side.ports.map((port) => ({ from: port, to: port })),
    clients: filter.clients,
    servers: filter.servers,
    responses: filter.responses ?? side.responses ?? true,
  };
  if (filter.mirrorFilter === undefined) checkRules(model, problem);
  checkPlaces(written, regions, problem);
  const balanced = target.networkLoadBalancer !== undefined || target.gatewayLoadBalancerEndpoint !== undefined;
  if (balanced && session.packetLength !== undefined && session.packetLength > ranges.packetLengthThroughBalancer.max) {
    problem(['session', 'packetLength'], `expected at most ${ranges.packetLengthThroughBalancer.max}: the target is a load balancer`);
  }
  return {
    name: written.name,
    regions,
    accounts: written.accounts,
    sources: written.sources,
    exclude: written.exclude,
    interfaces: written.interfaces,
    instanceTypes: written.instanceTypes,
    filter: { ...model, existing: filter.mirrorFilter ?? null, networkServices: filter.networkServices },
    target: { ...targetConfig(target), vpcs: target.vpcs },
    session: { number: session.number, vni: session.vni ?? side.vni ?? 1, packetLength: session.packetLength ?? null },
    watch: watch === false ? null : watch === true ? defaultWatch() : watchConfig(watch),
  };
}

function checkRules(model: FilterModel, problem: Complain): void {
  const rules = filterRules(model).length;
  if (rules === 0) problem(['filter', 'servers'], 'no network of the clients is of the same family (IPv4 or IPv6) as one of the servers');
  if (rules <= quotas.rulesPerFilter) return;
  problem(
    ['filter'],
    `these ports and networks take ${rules} rules, and a filter of AWS has ${quotas.rulesPerFilter}: name fewer, or ranges of ports, or one family of networks (clients: ["0.0.0.0/0"])`,
  );
}

/** Ids and load balancers are a region's and an account's own. */
function checkPlaces({ target, filter, accounts }: WrittenAws, regions: readonly string[], problem: Complain): void {
  if (accounts.length > 1 && target.mirrorTarget === undefined) {
    problem(['target'], 'expected mirrorTarget: several accounts send to one target, which its owner shares with them (AWS Resource Access Manager)');
  }
  if (regions.length < 2) return;
  const { networkLoadBalancer: balancer } = target;
  if (target.networkInterface !== undefined || target.gatewayLoadBalancerEndpoint !== undefined || balancer?.startsWith('arn:') === true) {
    problem(['target'], 'expected what each of the regions has: the name of a network load balancer, or mirrorTarget with an id for each region');
  }
  for (const [path, ids] of [[['target', 'mirrorTarget'], target.mirrorTarget], [['filter', 'mirrorFilter'], filter.mirrorFilter]] as const) {
    if (ids === undefined) continue;
    const missing = regions.filter((region) => typeof ids === 'string' || idIn(ids, region) === null);
    if (missing.length > 0) problem([...path], `expected an id for each region; there is none for ${missing.join(', ')}`);
  }
}

function targetConfig(target: WrittenAws['target']): TargetConfig {
  const { mirrorTarget, networkLoadBalancer: name, networkInterface, gatewayLoadBalancerEndpoint } = target;
  if (name !== undefined) return { kind: 'network-load-balancer', name };
  if (networkInterface !== undefined) return { kind: 'network-interface', id: networkInterface };
  if (gatewayLoadBalancerEndpoint !== undefined) return { kind: 'gateway-load-balancer-endpoint', id: gatewayLoadBalancerEndpoint };
  return { kind: 'mirror-target', ids: mirrorTarget ?? null };
}

function watchConfig({ every, queue }: { every: number; queue?: string | undefined }): WatchConfig {
  return { everyMs: every, queueUrl: queue ?? null };
}
