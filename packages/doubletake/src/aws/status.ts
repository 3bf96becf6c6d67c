/** What the sessions do, and what explains what is missing. */
import { isOwnedBy } from '../aws-rules/ownership.ts';
import type { Inventory, MirrorFilter, MirrorSession } from './inventory.ts';
import type { MirrorMetrics } from './metrics.ts';

export interface SessionStatus {
  session: string;
  interface: string;
  instance: string | null;
  name: string | null;
  /** Null where it was not asked, or AWS has no number yet. */
  metrics: MirrorMetrics | null;
}

export interface Finding {
  /** The instance it is about; null for all. */
  instance: string | null;
  text: string;
}

/** Below this share of skipped bytes nothing is said: a burst now and then. */
const skippedShareMax = 0.001;

/** The sessions of `name`, in the order of their interfaces. */
export function sessionStatuses(
  name: string,
  { sessions, interfaces, instances }: Inventory,
  metrics: ReadonlyMap<string, MirrorMetrics>,
): SessionStatus[] {
  const links = new Map(interfaces.map((link) => [link.id, link]));
  return ownedSessions(name, sessions).map((session) => {
    const link = links.get(session.interface);
    const instance = link?.instance ?? null;
    const tags = instances.get(instance ?? '')?.tags ?? link?.tags;
    return {
      session: session.id,
      interface: session.interface,
      instance,
      name: tags?.['Name'] ?? null,
      metrics: metrics.get(instance ?? '') ?? null,
    };
  });
}

/** Instances behind the sessions of `name`, each once. */
export function mirroredInstances(name: string, { sessions, interfaces }: Inventory): string[] {
  const links = new Map(interfaces.map((link) => [link.id, link.instance]));
  return [...new Set(ownedSessions(name, sessions).flatMap((session) => links.get(session.interface) ?? []))];
}

function ownedSessions(name: string, sessions: readonly MirrorSession[]): MirrorSession[] {
  return sessions.filter(({ tags }) => isOwnedBy(tags, name)).toSorted((left, right) => (left.interface < right.interface ? -1 : 1));
}

/** What is to be known of the sessions of `name`, by instance; all that have the same say it once. */
export function explainGaps(name: string, inventory: Inventory, statuses: readonly SessionStatus[]): Finding[] {
  const findings: Finding[] = [];
  const ours = ownedSessions(name, inventory.sessions);
  const used = new Set(ours.map(({ filter }) => filter));
  for (const filter of inventory.filters) if (used.has(filter.id)) findings.push(...filterFindings(filter));
  const seen = new Set<string>();
  for (const { instance, metrics } of statuses) {
    if (instance === null || metrics === null || seen.has(instance)) continue;
    seen.add(instance);
    const text = metricsFinding(metrics);
    if (text !== null) findings.push({ instance, text });
  }
  const foreign = inventory.sessions.filter(({ tags }) => !isOwnedBy(tags, name));
  for (const session of ours) {
    const before = foreign.find((other) => other.interface === session.interface && other.number < session.number);
    if (before !== undefined) {
      const text = `on ${session.interface} the session ${before.id}, which is not ours, has the lower number ${before.number}: what its filter takes does not come here`;
      findings.push({ instance: null, text });
    }
  }
  return findings;
}

function filterFindings({ id, rules }: MirrorFilter): Finding[] {
  const has = (direction: string): boolean => rules.some((rule) => rule.direction === direction && rule.action === 'accept');
  if (rules.length === 0) return [{ instance: null, text: `the filter ${id} has no rules: nothing is mirrored` }];
  return [
    ...(has('ingress') ? [] : [{ instance: null, text: `the filter ${id} has no inbound rule: no request is mirrored` }]),
    ...(has('egress') ? [] : [{ instance: null, text: `the filter ${id} has no outbound rule: no response is mirrored (aws.filter.responses)` }]),
  ];
}

/** The metrics are of an instance, not of a session, and come five minutes late. */
function metricsFinding({ mirroredIn, mirroredOut, skippedIn, skippedOut }: MirrorMetrics): string | null {
  const numbers = [mirroredIn, mirroredOut, skippedIn, skippedOut];
  if (numbers.every((number) => number === null)) return 'CloudWatch has no number yet: they come five minutes late, and only for instances that are mirrored';
  const mirrored = (mirroredIn ?? 0) + (mirroredOut ?? 0);
  const skipped = (skippedIn ?? 0) + (skippedOut ?? 0);
  if (mirrored + skipped === 0) return 'nothing was mirrored: no traffic fits the filter (ports, networks), or there was none';
  const share = skipped / (mirrored + skipped);
  if (share > skippedShareMax) {
    return (
      `${(share * 100).toFixed(1)} % of what should have been mirrored was skipped, since production's own traffic comes first: ` +
      'mirroring doubles what the instance sends; a larger type, fewer ports or shorter packets leave more room'
    );
  }
  if ((mirroredOut ?? 0) === 0) {
    return 'requests were mirrored, but no responses: the filter has no outbound rule for them, or answers leave by another interface';
  }
  if ((mirroredIn ?? 0) === 0) {
    return 'responses were mirrored, but no requests: they come in by another interface, or on another port than the filter names';
  }
  return null;
}
