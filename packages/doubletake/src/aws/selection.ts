/**
 * Which network interfaces are mirrored, and why the others are not: what the configuration selects, less what AWS
 * cannot mirror, less what it does not allow.
 */
import { quotas, sourcesPerTarget } from '../aws-rules/limits.ts';
import { isOwnedBy, ownerTag } from '../aws-rules/ownership.ts';
import type { AwsConfig } from '../config/aws-config.ts';
import type { Selector } from '../config/aws-schema.ts';
import { ecsServiceKey, type Instance, type Inventory, type MirrorSession, type NetworkInterface } from './inventory.ts';
import { unmirrorable } from './mirrorable-types.ts';
import { fitsWildcard } from './wildcard.ts';

/** What is decided about one interface. */
export interface Verdict {
  interface: string;
  instance: string | null;
  /** The instance's tag `Name`, or the interface's. */
  name: string | null;
  /** `unselected`: the configuration does not mean it. `out`: it does, but. */
  verdict: 'in' | 'out' | 'unselected';
  reason: string;
}

/** A verdict for every interface of the inventory, in the order of their ids. */
export function selectInterfaces(aws: AwsConfig, inventory: Inventory): Verdict[] {
  const selection = new Selection(aws, inventory);
  const ordered = inventory.interfaces.toSorted((left, right) => (left.id < right.id ? -1 : 1));
  return withinQuotas(ordered.map((link) => selection.verdict(link)), aws, inventory);
}

class Selection {
  readonly #aws: AwsConfig;
  readonly #inventory: Inventory;
  readonly #targets: ReadonlySet<string>;
  /** VPCs from which packets reach the target; null where nothing is known of it. */
  readonly #reachable: ReadonlySet<string> | null;
  readonly #foreign: ReadonlyMap<string, readonly MirrorSession[]>;

  constructor(aws: AwsConfig, inventory: Inventory) {
    this.#aws = aws;
    this.#inventory = inventory;
    const { destination, targets } = inventory;
    this.#targets = new Set([destination, ...targets].flatMap(({ kind, resource }) => (kind === 'network-interface' ? [resource] : [])));
    this.#reachable = reachableVpcs(aws, inventory);
    this.#foreign = Map.groupBy(
      inventory.sessions.filter(({ tags }) => !isOwnedBy(tags, aws.name)),
      (session) => session.interface,
    );
  }

  verdict(link: NetworkInterface): Verdict {
    const instance = link.instance === null ? undefined : this.#inventory.instances.get(link.instance);
    const known = { interface: link.id, instance: link.instance, name: instance?.tags['Name'] ?? link.tags['Name'] ?? null };
    const index = this.#aws.sources.findIndex((selector) => this.#fits(selector, link, instance));
    if (index < 0) return { ...known, verdict: 'unselected', reason: 'no entry of aws.sources means it' };
    const excludedBy = this.#aws.exclude.findIndex((selector) => this.#fits(selector, link, instance));
    if (excludedBy >= 0) return { ...known, verdict: 'out', reason: `aws.exclude[${excludedBy}] means it` };
    const reason = this.#obstacle(link, instance);
    if (reason !== null) return { ...known, verdict: 'out', reason };
    return { ...known, verdict: 'in', reason: `aws.sources[${index}] means it` };
  }

  /** Everything that the selector says is true. */
  #fits(selector: Selector, link: NetworkInterface, instance: Instance | undefined): boolean {
    const { tags, autoScalingGroups, vpcs, subnets, instances, interfaces, ecsServices } = selector;
    const group = instance?.tags['aws:autoscaling:groupName'];
    return (
      (interfaces === undefined || interfaces.includes(link.id)) &&
      (instances === undefined || (link.instance !== null && instances.includes(link.instance))) &&
      (vpcs === undefined || vpcs.includes(link.vpc)) &&
      (subnets === undefined || subnets.includes(link.subnet)) &&
      (autoScalingGroups === undefined || (group !== undefined && autoScalingGroups.some((name) => fitsWildcard(group, name)))) &&
      (tags === undefined || Object.entries(tags).every(([key, values]) => hasTag(key, values, link, instance))) &&
      (ecsServices === undefined || ecsServices.some((service) => this.#runs(ecsServiceKey(service), link)))
    );
  }

  #runs(service: string, link: NetworkInterface): boolean {
    const tasks = this.#inventory.ecsServices.get(service);
    return tasks !== undefined && (tasks.interfaces.has(link.id) || (link.instance !== null && tasks.instances.has(link.instance)));
  }

  /** What keeps a selected interface from being mirrored; null when nothing does. */
  #obstacle(link: NetworkInterface, instance: Instance | undefined): string | null {
    const { interfaces, instanceTypes, session } = this.#aws;
    if (instance !== undefined && Object.hasOwn(instance.tags, ownerTag)) return `its instance has the tag ${ownerTag}: it is a mirror itself`;
    const { mirrors } = this.#inventory.health;
    if (mirrors.has(link.instance ?? '') || mirrors.has(link.ipv4 ?? '')) return 'it is behind the load balancer of the target: it is a mirror itself';
    if (interfaces === 'primary' && !link.primary) return 'it is not the first interface of its instance (aws.interfaces: primary)';
    if (link.type !== 'interface') return `AWS mirrors interfaces of type interface alone, and its type is ${link.type}`;
    if (link.managedBy !== null && !/^amazon-(?:rds|elasticache)$/.test(link.managedBy)) {
      return `it is managed by ${link.managedBy}, and of managed interfaces AWS mirrors those of RDS and ElastiCache alone`;
    }
    if (link.status !== 'in-use') return `it is attached to nothing (${link.status}), and a session would cost all the same`;
    if (link.instance !== null) {
      if (instance === undefined) return 'its instance is not listed';
      if (instance.state !== 'running' && instance.state !== 'pending') return `its instance is ${instance.state}, and a session would cost all the same`;
      const refused = instanceTypes === 'listed' ? unmirrorable(instance.type) : null;
      if (refused !== null) return refused;
    }
    if (link.ipv4 === null) return 'it has no IPv4 address, and AWS does not mirror subnets of IPv6 alone';
    if (this.#targets.has(link.id)) return 'it is a traffic mirror target, which cannot be a source';
    if (this.#reachable !== null && !this.#reachable.has(link.vpc)) {
      return `its ${link.vpc} is neither that of the target nor peered with it (name it in aws.target.vpcs if a transit gateway joins them)`;
    }
    const foreign = this.#foreign.get(link.id) ?? [];
    if (foreign.length >= quotas.sessionsPerInterface) return `it has ${foreign.length} sessions of others, and no more are allowed`;
    const taken = foreign.find(({ number }) => number === session.number);
    return taken === undefined ? null : `session number ${session.number} on it is taken by ${taken.id}, which is not ours (choose another aws.session.number)`;
  }
}

function hasTag(key: string, values: readonly string[], link: NetworkInterface, instance: Instance | undefined): boolean {
  return [instance?.tags, link.tags].some((tags) => {
    const value = tags !== undefined && Object.hasOwn(tags, key) ? tags[key] : undefined;
    return value !== undefined && values.some((pattern) => fitsWildcard(value, pattern));
  });
}

function reachableVpcs({ target }: AwsConfig, { destination, peerings }: Inventory): Set<string> | null {
  // Of a target that another account shares nothing is known.
  if (destination.vpc === null) return null;
  const { vpc } = destination;
  const peered = peerings.flatMap(([one, other]) => (one === vpc ? [other] : other === vpc ? [one] : []));
  return new Set([vpc, ...peered, ...target.vpcs]);
}

/** Leaves out what is beyond a quota: those stay that have a session of ours already, then the first by id. */
function withinQuotas(verdicts: readonly Verdict[], aws: AwsConfig, inventory: Inventory): Verdict[] {
  const { destination, sessions, targets } = inventory;
  const foreign = sessions.filter(({ tags }) => !isOwnedBy(tags, aws.name));
  const ours = new Set(sessions.filter(({ tags }) => isOwnedBy(tags, aws.name)).map((session) => session.interface));
  const rooms = [{ room: quotas.sessionsPerAccount - foreign.length, of: `an account has at most ${quotas.sessionsPerAccount} sessions` }];
  if (destination.kind === 'network-interface') {
    const same = new Set(targets.filter(({ resource }) => resource === destination.resource).map(({ id }) => id));
    const others = new Set(foreign.filter(({ target }) => same.has(target)).map((session) => session.interface));
    const most = sourcesPerTarget(destination.instanceType);
    const type = destination.instanceType ?? 'an unknown type';
    rooms.push({ room: most - others.size, of: `an interface of ${type} takes at most ${most} sources (a network load balancer takes any number)` });
  }
  const { room, of } = rooms.reduce((least, next) => (next.room < least.room ? next : least));
  const selected = verdicts.filter(({ verdict }) => verdict === 'in');
  if (selected.length <= room) return [...verdicts];
  const kept = new Set(
    selected
      .toSorted((left, right) => Number(ours.has(right.interface)) - Number(ours.has(left.interface)))
      .slice(0, Math.max(0, room))
      .map((verdict) => verdict.interface),
  );
  return verdicts.map((verdict) => (verdict.verdict !== 'in' || kept.has(verdict.interface) ? verdict : { ...verdict, verdict: 'out', reason: `there is no room: ${of}` }));
}
