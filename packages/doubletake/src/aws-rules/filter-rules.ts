/**
 * The rules of a traffic mirror filter from what should be mirrored: connections to some ports of the servers, from some
 * networks, and the answers to them. Requests reach a server's interface inbound with its port as the destination,
 * answers leave it outbound with its port as the source.
 */
import { tcp } from './limits.ts';

export interface PortRange {
  from: number;
  to: number;
}

/** What is mirrored of each interface. */
export interface FilterModel {
  /** Ports of the servers; empty is every TCP port. */
  ports: readonly PortRange[];
  /** Networks of the clients, in CIDR notation. */
  clients: readonly string[];
  /** Networks of the servers. */
  servers: readonly string[];
  /** Mirror also what the servers answer. */
  responses: boolean;
}

export interface FilterRule {
  direction: 'ingress' | 'egress';
  /** From 1, its own count in each direction; the lowest that matches decides. */
  number: number;
  protocol: number;
  sourcePorts: PortRange | null;
  destinationPorts: PortRange | null;
  sourceCidr: string;
  destinationCidr: string;
}

/**
 * The rules for `model`, in a fixed order. May be more than a filter holds (`quotas.rulesPerFilter`). Networks are
 * paired within their family, since a packet has but one.
 */
export function filterRules(model: FilterModel): FilterRule[] {
  const ports = model.ports.length === 0 ? [null] : mergedRanges(model.ports);
  const pairs = families.flatMap((family) => {
    const servers = model.servers.filter(family);
    return model.clients.filter(family).flatMap((client) => servers.map((server) => ({ client, server })));
  });
  const rules: FilterRule[] = [];
  let number = 0;
  for (const { client, server } of pairs) {
    for (const range of ports) {
      number++;
      const common = { number, protocol: tcp };
      rules.push({ ...common, direction: 'ingress', sourcePorts: null, destinationPorts: range, sourceCidr: client, destinationCidr: server });
      if (model.responses) {
        rules.push({ ...common, direction: 'egress', sourcePorts: range, destinationPorts: null, sourceCidr: server, destinationCidr: client });
      }
    }
  }
  return rules;
}

/** In ascending order, with ranges that touch or overlap made one: each range costs a rule. */
export function mergedRanges(ranges: readonly PortRange[]): PortRange[] {
  const merged: PortRange[] = [];
  for (const { from, to } of ranges.toSorted((left, right) => left.from - right.from)) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last.to + 1) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return merged;
}

/** The same rule in words: `tcp from 0.0.0.0/0 to 10.0.0.0/8 port 80`. */
export function ruleText({ direction, sourceCidr, sourcePorts, destinationCidr, destinationPorts }: FilterRule): string {
  const end = (cidr: string, ports: PortRange | null): string => (ports === null ? cidr : `${cidr} port ${rangeText(ports)}`);
  return `${direction} tcp from ${end(sourceCidr, sourcePorts)} to ${end(destinationCidr, destinationPorts)}`;
}

export function rangeText({ from, to }: PortRange): string {
  return from === to ? String(from) : `${from}-${to}`;
}

const families: readonly ((cidr: string) => boolean)[] = [(cidr) => !cidr.includes(':'), (cidr) => cidr.includes(':')];
