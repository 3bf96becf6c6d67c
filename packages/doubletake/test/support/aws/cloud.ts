/**
 * A region of an account, as far as mirroring is concerned: its state, its quotas, and how late its parts hear of changes.
 * Every error is one that AWS documents.
 */
import type { Instance, NetworkInterface, Tag, TrafficMirrorFilter, TrafficMirrorFilterRule, TrafficMirrorSession, TrafficMirrorTarget, VpcEndpoint } from '@aws-sdk/client-ec2';
import type { Task } from '@aws-sdk/client-ecs';
import type { Listener, LoadBalancer, TargetGroup, TargetHealthDescription } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Message } from '@aws-sdk/client-sqs';
import { sourcesPerTarget } from '../../../src/aws-rules/limits.ts';
import { unmirrorable } from '../../../src/aws/mirrorable-types.ts';

export class AwsFault extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** A resource, and from and until which call its account lists it. */
interface Kept<T> {
  value: T;
  from: number;
  until: number;
}

class Shelf<T> {
  readonly #kept = new Map<string, Kept<T>>();
  readonly #cloud: FakeCloud;
  /** Those that there really are, by what they belong to. */
  readonly #groups = new Map<string | undefined, Set<T>>();
  readonly #groupOf: (value: T) => string | undefined;
  size = 0;

  constructor(cloud: FakeCloud, groupOf: (value: T) => string | undefined) {
    this.#cloud = cloud;
    this.#groupOf = groupOf;
  }

  add(id: string, value: T): void {
    this.#kept.set(id, { value, from: this.#cloud.calls + this.#cloud.lag, until: Infinity });
    const group = this.#groups.get(this.#groupOf(value)) ?? new Set();
    this.#groups.set(this.#groupOf(value), group.add(value));
    this.size++;
  }

  of(group: string | undefined): ReadonlySet<T> {
    return this.#groups.get(group) ?? new Set();
  }

  /** What is listed, which may still hold what was deleted a moment ago. */
  listed(): T[] {
    return [...this.#kept.values()].filter(({ from, until }) => from <= this.#cloud.calls && this.#cloud.calls < until).map(({ value }) => value);
  }

  /** What there really is. */
  all(): T[] {
    return [...this.#kept.values()].filter(({ until }) => until === Infinity).map(({ value }) => value);
  }

  /** Throws where it is not there, or not known yet. */
  get(id: string | undefined, what: string): T {
    const kept = this.#kept.get(id ?? '');
    if (kept === undefined || kept.until !== Infinity || kept.from > this.#cloud.calls) throw new AwsFault(`Invalid${what}.NotFound`, `${what} ${id} was not found`);
    return kept.value;
  }

  delete(id: string | undefined, what: string): void {
    this.get(id, what);
    const kept = this.#kept.get(id ?? '');
    if (kept === undefined) return;
    kept.until = this.#cloud.calls + this.#cloud.lag;
    this.#groups.get(this.#groupOf(kept.value))?.delete(kept.value);
    this.size--;
  }
}

export class FakeCloud {
  readonly account: string;
  readonly region: string;
  calls = 0;
  /** For so many calls a change is not seen everywhere. */
  lag = 0;
  pageSizeMax = 1_000;
  readonly instanceById = new Map<string | undefined, Instance>();
  readonly interfaceById = new Map<string | undefined, NetworkInterface>();
  endpoints: VpcEndpoint[] = [];
  peerings: [string, string][] = [];
  loadBalancers: LoadBalancer[] = [];
  listeners: Listener[] = [];
  targetGroups: TargetGroup[] = [];
  targetHealth = new Map<string, TargetHealthDescription[]>();
  crossZone = true;
  tasks = new Map<string, Task[]>();
  /** Instances behind container instances' ARNs. */
  hosts = new Map<string, string>();
  /** Sums by `InstanceId MetricName`. */
  metrics = new Map<string, number>();
  messages: Message[] = [];
  readonly filters = new Shelf<TrafficMirrorFilter>(this, () => undefined);
  readonly targets = new Shelf<TrafficMirrorTarget>(this, () => undefined);
  readonly sessions = new Shelf<TrafficMirrorSession>(this, ({ NetworkInterfaceId }) => NetworkInterfaceId);
  readonly #tokens = new Map<string, { parameters: string; answer: object }>();
  #ids = 0;

  constructor(account: string, region: string) {
    this.account = account;
    this.region = region;
  }

  id(prefix: string): string {
    return `${prefix}-${(++this.#ids).toString(16).padStart(17, '0')}`;
  }

  /** Does `make` once for each client token. Like AWS, it remembers also what was deleted since. */
  once<T extends object>(input: { ClientToken?: string | undefined }, make: () => T): T {
    const { ClientToken: token = '', ...rest } = input;
    const parameters = JSON.stringify(rest);
    const before = this.#tokens.get(token);
    if (before !== undefined) {
      if (before.parameters !== parameters) throw new AwsFault('IdempotentParameterMismatch', 'The client token was used with other parameters');
      return before.answer as T;
    }
    const answer = make();
    this.#tokens.set(token, { parameters, answer });
    return answer;
  }

  rulesOf(filter: TrafficMirrorFilter): TrafficMirrorFilterRule[] {
    return [...(filter.IngressFilterRules ?? []), ...(filter.EgressFilterRules ?? [])];
  }

  ruleById(id: string | undefined): { filter: TrafficMirrorFilter; rule: TrafficMirrorFilterRule } {
    for (const filter of this.filters.all()) {
      const rule = this.rulesOf(filter).find((candidate) => candidate.TrafficMirrorFilterRuleId === id);
      if (rule !== undefined) return { filter, rule };
    }
    throw new AwsFault('InvalidTrafficMirrorFilterRuleId.NotFound', `rule ${id}`);
  }

  /** Whether AWS would take such a session; `self` is the one that is modified. */
  checkSession(session: TrafficMirrorSession, self: TrafficMirrorSession | null): void {
    const link = this.interfaceById.get(session.NetworkInterfaceId);
    if (link === undefined) throw new AwsFault('InvalidNetworkInterfaceID.NotFound', `The networkInterface ID '${session.NetworkInterfaceId}' does not exist`);
    const target = this.targets.get(session.TrafficMirrorTargetId, 'TrafficMirrorTargetId');
    this.filters.get(session.TrafficMirrorFilterId, 'TrafficMirrorFilterId');
    inRange('SessionNumber', session.SessionNumber, 1, 32_766);
    inRange('VirtualNetworkId', session.VirtualNetworkId, 1, 16_777_215);
    inRange('PacketLength', session.PacketLength ?? 100, 1, target.Type === 'network-interface' ? 65_535 : 8_500);
    const instance = this.instanceById.get(link.Attachment?.InstanceId);
    if (link.InterfaceType !== 'interface' || (instance !== undefined && unmirrorable(instance.InstanceType ?? '') !== null)) {
      throw new AwsFault('InvalidParameterValue', `${link.NetworkInterfaceId} must be attached to a supported instance`);
    }
    const onLink = [...this.sessions.of(link.NetworkInterfaceId)].filter((other) => other !== self);
    if (onLink.length >= 3) throw new AwsFault('TrafficMirrorSessionsPerInterfaceLimitExceeded', 'The allowed number of Traffic Mirror sessions for the specified network interface has been exceeded.');
    if (onLink.some(({ SessionNumber }) => SessionNumber === session.SessionNumber)) {
      throw new AwsFault('InvalidParameterValue', `Session number ${session.SessionNumber} is already being used on ${link.NetworkInterfaceId}`);
    }
    if (self === null && this.sessions.size >= 10_000) throw new AwsFault('TrafficMirrorSessionLimitExceeded', 'The maximum number of Traffic Mirror sessions has been exceeded.');
    if (target.Type === 'network-interface') this.#checkSources(target, session);
  }

  #checkSources(target: TrafficMirrorTarget, session: TrafficMirrorSession): void {
    const link = this.interfaceById.get(target.NetworkInterfaceId);
    const type = this.instanceById.get(link?.Attachment?.InstanceId)?.InstanceType;
    const sources = new Set(this.sessions.all().filter(({ TrafficMirrorTargetId }) => TrafficMirrorTargetId === target.TrafficMirrorTargetId).map((other) => other.NetworkInterfaceId));
    sources.add(session.NetworkInterfaceId);
    if (sources.size > sourcesPerTarget(type ?? null)) {
      throw new AwsFault('TrafficMirrorSourcesPerTargetLimitExceeded', 'The maximum number of Traffic Mirror sources for the specified Traffic Mirror target has been exceeded.');
    }
  }
}

export function inRange(name: string, value: number | undefined, min: number, max: number): void {
  if (value === undefined || !Number.isInteger(value) || value < min || value > max) {
    throw new AwsFault('InvalidParameterValue', `Value (${value}) for parameter ${name} is invalid. Valid values are ${min}-${max}.`);
  }
}

export function tagsFor(specifications: readonly { ResourceType?: string | undefined; Tags?: Tag[] | undefined }[] | undefined, type: string): Tag[] {
  return (specifications ?? []).flatMap(({ ResourceType, Tags = [] }) => {
    if (ResourceType !== type) throw new AwsFault('InvalidParameterValue', `'${ResourceType}' is not a valid taggable resource type for this operation.`);
    return Tags;
  });
}
