/** One change of what AWS has: one call. Ids are null for what an earlier step of the same plan makes. */
import type { FilterRule } from '../aws-rules/filter-rules.ts';
import type { ResourceKind } from './inventory.ts';

export type Step = { reason: string } & (
  | { action: 'create-filter' }
  | { action: 'create-rule'; filter: string | null; rule: FilterRule }
  | { action: 'modify-rule'; id: string; rule: FilterRule }
  | { action: 'delete-rule'; id: string }
  | { action: 'modify-network-services'; filter: string | null; add: readonly string[]; remove: readonly string[] }
  | { action: 'create-target'; kind: ResourceKind; resource: string }
  | {
      action: 'create-session';
      interface: string;
      filter: string | null;
      target: string | null;
      number: number;
      vni: number;
      packetLength: number | null;
      description: string;
    }
  | { action: 'modify-session'; id: string; interface: string; changes: SessionChanges }
  | { action: 'delete-session'; id: string; interface: string }
  | { action: 'delete-target'; id: string }
  | { action: 'delete-filter'; id: string }
);

/** What is not there stays as it is. */
export interface SessionChanges {
  /** Null for the filter, or the target, that the plan makes. */
  filter?: string | null;
  target?: string | null;
  number?: number;
  vni?: number;
  /** Null for whole packets. */
  packetLength?: number | null;
}

export type Action = Step['action'];

/**
 * The order in which steps are done. What sessions need comes first; sessions go before others come, so that a quota is
 * never exceeded on the way; last goes what no session uses any more.
 */
export const phases: readonly { actions: readonly Action[]; atOnce: boolean }[] = [
  { actions: ['create-filter', 'create-target'], atOnce: false },
  { actions: ['modify-rule'], atOnce: false },
  { actions: ['delete-rule'], atOnce: false },
  { actions: ['create-rule', 'modify-network-services'], atOnce: false },
  { actions: ['delete-session', 'modify-session'], atOnce: true },
  { actions: ['create-session'], atOnce: true },
  { actions: ['delete-target', 'delete-filter'], atOnce: false },
];

/** What AWS calls it, behind `ec2:` in a policy. */
export const operations: Readonly<Record<Action, string>> = {
  'create-filter': 'CreateTrafficMirrorFilter',
  'create-rule': 'CreateTrafficMirrorFilterRule',
  'modify-rule': 'ModifyTrafficMirrorFilterRule',
  'delete-rule': 'DeleteTrafficMirrorFilterRule',
  'modify-network-services': 'ModifyTrafficMirrorFilterNetworkServices',
  'create-target': 'CreateTrafficMirrorTarget',
  'create-session': 'CreateTrafficMirrorSession',
  'modify-session': 'ModifyTrafficMirrorSession',
  'delete-session': 'DeleteTrafficMirrorSession',
  'delete-target': 'DeleteTrafficMirrorTarget',
  'delete-filter': 'DeleteTrafficMirrorFilter',
};
