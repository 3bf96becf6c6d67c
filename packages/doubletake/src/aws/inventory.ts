/** What there is in one region of one account, as far as mirroring is concerned: what `read-inventory.ts` reads and the rest decides by. */
import type { FilterRule } from '../aws-rules/filter-rules.ts';
import type { Tags } from '../aws-rules/ownership.ts';

/** What of traffic mirroring there is, whoever made it. */
export interface Mirrors {
  account: string;
  region: string;
  sessions: readonly MirrorSession[];
  filters: readonly MirrorFilter[];
  targets: readonly MirrorTarget[];
}

/** And what can be mirrored, and where to. */
export interface Inventory extends Mirrors {
  interfaces: readonly NetworkInterface[];
  /** By id. */
  instances: ReadonlyMap<string, Instance>;
  /** Whose interfaces the services of ECS use, by `ecsServiceKey`. */
  ecsServices: ReadonlyMap<string, EcsService>;
  /** Pairs of VPCs with an active peering connection. */
  peerings: readonly (readonly [string, string])[];
  destination: Destination;
  health: TargetHealth;
}

export interface NetworkInterface {
  id: string;
  /** `interface`, or another kind such as `network_load_balancer`, `branch` or `trunk`. */
  type: string;
  /** `in-use` where it is attached to something. */
  status: string;
  vpc: string;
  subnet: string;
  /** Null where it is attached to none, or to one that AWS manages. */
  instance: string | null;
  /** Its number among the interfaces of its instance; the first has 0 on card 0. */
  primary: boolean;
  /** Null where its subnet has IPv6 alone. */
  ipv4: string | null;
  /** Who made it for the account, such as `amazon-rds`; null where the account did. */
  managedBy: string | null;
  tags: Tags;
}

export interface Instance {
  id: string;
  type: string;
  /** `pending`, `running`, `stopping`, `stopped`, `shutting-down` or `terminated`. */
  state: string;
  tags: Tags;
}

export interface EcsService {
  /** Of tasks with a network of their own. */
  interfaces: ReadonlySet<string>;
  /** On which the other tasks run. */
  instances: ReadonlySet<string>;
}

export function ecsServiceKey({ cluster, service }: { cluster: string; service: string }): string {
  return `${cluster} ${service}`;
}

export interface MirrorSession {
  id: string;
  interface: string;
  target: string;
  filter: string;
  number: number;
  vni: number;
  /** Null where AWS says none. */
  packetLength: number | null;
  tags: Tags;
}

export interface MirrorFilter {
  id: string;
  rules: readonly ExistingRule[];
  networkServices: readonly string[];
  tags: Tags;
}

export interface ExistingRule extends FilterRule {
  id: string;
  action: string;
}

export interface MirrorTarget {
  id: string;
  /** The network interface's or endpoint's id, or the load balancer's ARN. */
  resource: string;
  kind: ResourceKind;
  tags: Tags;
}

export type ResourceKind = 'network-interface' | 'network-load-balancer' | 'gateway-load-balancer-endpoint';

/** Where mirrored packets go, as AWS knows it. */
export interface Destination {
  kind: ResourceKind;
  resource: string;
  /** The traffic mirror target that the configuration names; null where it names the resource. */
  mirrorTarget: string | null;
  /** Null where another account has it, so that it cannot be seen. */
  vpc: string | null;
  /** Of a network interface's instance; null of others, and where it cannot be seen. */
  instanceType: string | null;
}

/** Whether mirrored packets find somebody behind the target. */
export interface TargetHealth {
  /** Mirrors behind a load balancer; null where that cannot be seen. */
  healthy: number | null;
  all: number | null;
  /** What these mirrors are: ids of instances, or addresses. */
  mirrors: ReadonlySet<string>;
  /** What is wrong with it, or may be. */
  findings: readonly string[];
}

/** To a load balancer packets are cut at 8500 bytes. */
export function isBalanced({ kind }: Destination): boolean {
  return kind !== 'network-interface';
}
