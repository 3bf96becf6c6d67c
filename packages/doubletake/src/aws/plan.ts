/**
 * The steps from what there is to what there should be. What can be modified is, so that mirroring goes on meanwhile;
 * nothing that is not tagged as ours is touched; where there is no difference there is no step.
 */
import { type FilterRule, ruleText } from '../aws-rules/filter-rules.ts';
import { quotas } from '../aws-rules/limits.ts';
import { isOwnedBy } from '../aws-rules/ownership.ts';
import type { Desired, DesiredSession } from './desired.ts';
import { isPacketLength } from './desired.ts';
import type { Destination, MirrorFilter, Mirrors, MirrorSession, MirrorTarget } from './inventory.ts';
import type { SessionChanges, Step } from './step.ts';

export interface Plan {
  steps: Step[];
  /** Sessions of ours that stay as they are. */
  unchanged: number;
  /** What is to be known besides, such as what cannot be removed. */
  notes: string[];
  /** What makes it impossible; then there are no steps. */
  problems: string[];
}

/** What `name` has to do in a region of an account. */
export function planChanges(name: string, desired: Desired, mirrors: Mirrors, goneReason: (interfaceId: string) => string): Plan {
  const ours = owned(name, mirrors);
  const steps: Step[] = [];
  const filter = planFilter(desired, ours.filters, ours.sessions, steps);
  const target = planTarget(desired.destination, mirrors.targets, name, steps);
  const uses = { filter, target };
  const wanted = new Map(desired.sessions);
  let unchanged = 0;
  // The oldest id first, so that each run keeps the same one of several.
  for (const session of ours.sessions.toSorted(byId)) {
    const want = wanted.get(session.interface);
    if (want === undefined) {
      const again = desired.sessions.has(session.interface);
      const reason = again ? 'there is another session of ours on the interface' : goneReason(session.interface);
      steps.push({ action: 'delete-session', id: session.id, interface: session.interface, reason });
      continue;
    }
    wanted.delete(session.interface);
    const changes = sessionChanges(session, want, uses, desired.destination);
    if (changes === null) unchanged++;
    else steps.push({ action: 'modify-session', id: session.id, interface: session.interface, ...changes });
  }
  for (const [link, { number, vni, packetLength, description }] of wanted) {
    steps.push({ action: 'create-session', interface: link, ...uses, number, vni, packetLength, description, reason: 'it has no session of ours' });
  }
  const notes = planLeftovers(name, mirrors, uses, 'it is not used any more', steps);
  const problems = quotaProblems(steps, mirrors);
  return { steps: problems.length > 0 ? [] : steps, unchanged, notes, problems };
}

/** Removes all that `name` has. */
export function planRemoval(name: string, mirrors: Mirrors): Plan {
  const reason = 'all that is ours is removed';
  const steps = owned(name, mirrors).sessions.toSorted(byId).map((session): Step => ({ action: 'delete-session', id: session.id, interface: session.interface, reason }));
  const notes = planLeftovers(name, mirrors, { filter: null, target: null }, reason, steps);
  return { steps, unchanged: 0, notes, problems: [] };
}

function owned(name: string, { sessions, filters }: Mirrors): { sessions: MirrorSession[]; filters: MirrorFilter[] } {
  const isOurs = ({ tags }: { tags: MirrorSession['tags'] }): boolean => isOwnedBy(tags, name);
  return { sessions: sessions.filter(isOurs), filters: filters.filter(isOurs) };
}

/** The filter's id, null for one that is made. */
function planFilter({ filter }: Desired, ours: readonly MirrorFilter[], sessions: readonly MirrorSession[], steps: Step[]): string | null {
  if (filter.existing !== null) return filter.existing;
  const users = (id: string): number => sessions.filter((session) => session.filter === id).length;
  // A crash, or a slow AWS, may have left two; the one that is used stays.
  const [kept] = ours.toSorted((left, right) => users(right.id) - users(left.id) || byId(left, right));
  if (kept === undefined) steps.push({ action: 'create-filter', reason: 'there is none of ours' });
  const id = kept?.id ?? null;
  planRules(id, filter.rules, kept?.rules ?? [], steps);
  const services = kept?.networkServices ?? [];
  const add = filter.networkServices.filter((service) => !services.includes(service));
  const remove = services.filter((service) => !filter.networkServices.includes(service));
  if (add.length + remove.length > 0) steps.push({ action: 'modify-network-services', filter: id, add, remove, reason: 'the configuration names others' });
  return id;
}

/** Rules are told apart by direction and number. */
function planRules(filter: string | null, rules: readonly FilterRule[], existing: MirrorFilter['rules'], steps: Step[]): void {
  const key = ({ direction, number }: FilterRule): string => `${direction} ${number}`;
  const wanted = new Map(rules.map((rule) => [key(rule), rule]));
  for (const { id, action, ...rule } of existing) {
    const want = wanted.get(key(rule));
    wanted.delete(key(rule));
    if (want === undefined) steps.push({ action: 'delete-rule', id, reason: `no rule ${key(rule)} is wanted` });
    else if (action !== 'accept' || ruleText(want) !== ruleText(rule) || want.protocol !== rule.protocol) {
      steps.push({ action: 'modify-rule', id, rule: want, reason: `it was ${action} ${ruleText(rule)}` });
    }
  }
  for (const rule of wanted.values()) steps.push({ action: 'create-rule', filter, rule, reason: 'it is missing' });
}

/** The target's id, null for one that is made. */
function planTarget({ kind, resource, mirrorTarget }: Destination, targets: readonly MirrorTarget[], name: string, steps: Step[]): string | null {
  if (mirrorTarget !== null) return mirrorTarget;
  const same = targets.filter((target) => target.resource === resource);
  const [kept] = same.toSorted((left, right) => Number(isOwnedBy(right.tags, name)) - Number(isOwnedBy(left.tags, name)) || byId(left, right));
  if (kept === undefined) steps.push({ action: 'create-target', kind, resource, reason: 'there is none for it' });
  return kept?.id ?? null;
}

function sessionChanges(
  session: MirrorSession,
  want: DesiredSession,
  uses: { filter: string | null; target: string | null },
  destination: Destination,
): { changes: SessionChanges; reason: string } | null {
  const changes: SessionChanges = {};
  const reasons: string[] = [];
  const differ = (what: string, was: number | string, is: number | string): void => void reasons.push(`${what} was ${was}, and is ${is}`);
  if (session.filter !== uses.filter) {
    changes.filter = uses.filter;
    differ('its filter', session.filter, uses.filter ?? 'the new one');
  }
  if (session.target !== uses.target) {
    changes.target = uses.target;
    differ('its target', session.target, uses.target ?? 'the new one');
  }
  if (session.number !== want.number) {
    changes.number = want.number;
    differ('its number', session.number, want.number);
  }
  if (session.vni !== want.vni) {
    changes.vni = want.vni;
    differ('its VNI', session.vni, want.vni);
  }
  if (!isPacketLength(session.packetLength, want.packetLength, destination)) {
    changes.packetLength = want.packetLength;
    differ('its packet length', session.packetLength ?? 'that of whole packets', want.packetLength ?? 'that of whole packets');
  }
  return reasons.length === 0 ? null : { changes, reason: reasons.join('; ') };
}

/** Removes the filters and targets of ours that are not used any more, but for those that sessions of others use. */
function planLeftovers(name: string, mirrors: Mirrors, uses: { filter: string | null; target: string | null }, reason: string, steps: Step[]): string[] {
  const notes: string[] = [];
  const foreign = mirrors.sessions.filter(({ tags }) => !isOwnedBy(tags, name));
  const leave = (kind: 'filter' | 'target', { id, tags }: { id: string; tags: MirrorSession['tags'] }): void => {
    if (!isOwnedBy(tags, name) || id === uses[kind]) return;
    const user = foreign.find((session) => session[kind] === id);
    if (user === undefined) steps.push({ action: `delete-${kind}`, id, reason });
    else notes.push(`the ${kind} ${id} is ours, but stays: ${user.id}, which is not ours, uses it`);
  };
  for (const target of mirrors.targets.toSorted(byId)) leave('target', target);
  for (const filter of mirrors.filters.toSorted(byId)) leave('filter', filter);
  return notes;
}

function quotaProblems(steps: readonly Step[], { filters, targets }: Mirrors): string[] {
  const makes = (action: Step['action']): boolean => steps.some((step) => step.action === action);
  const full = (what: string, most: number): string => `the account has ${most} ${what}, which is all that AWS allows`;
  return [
    ...(makes('create-filter') && filters.length >= quotas.filtersPerAccount ? [full('traffic mirror filters', quotas.filtersPerAccount)] : []),
    ...(makes('create-target') && targets.length >= quotas.targetsPerAccount ? [full('traffic mirror targets', quotas.targetsPerAccount)] : []),
  ];
}

function byId(left: { id: string }, right: { id: string }): number {
  return left.id < right.id ? -1 : left.id > right.id ? 1 : 0;
}
