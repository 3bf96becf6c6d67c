/** What there should be in a region of an account. */
import { type FilterRule, filterRules } from '../aws-rules/filter-rules.ts';
import { ranges } from '../aws-rules/limits.ts';
import { type AwsConfig, idIn } from '../config/aws-config.ts';
import { type Destination, type Inventory, isBalanced } from './inventory.ts';
import { selectInterfaces, type Verdict } from './selection.ts';

export interface Desired {
  filter: DesiredFilter;
  destination: Destination;
  /** By network interface. */
  sessions: ReadonlyMap<string, DesiredSession>;
}

/** A filter of somebody else's that is used as it is, or one of our own. */
export type DesiredFilter = { existing: string } | { existing: null; rules: readonly FilterRule[]; networkServices: readonly string[] };

export interface DesiredSession {
  number: number;
  vni: number;
  /** Null for whole packets. */
  packetLength: number | null;
  /** What people see of it. */
  description: string;
}

/** What `aws` wants, and why each interface is in or out. */
export function desiredState(aws: AwsConfig, inventory: Inventory): { desired: Desired; verdicts: Verdict[] } {
  const verdicts = selectInterfaces(aws, inventory);
  const existing = idIn(aws.filter.existing, inventory.region);
  const { number, vni, packetLength } = aws.session;
  const sessions = verdicts.flatMap((verdict) => {
    if (verdict.verdict !== 'in') return [];
    const description = `doubletake ${aws.name}: ${verdict.instance ?? verdict.interface}`;
    return [[verdict.interface, { number, vni, packetLength, description }] as const];
  });
  const { networkServices } = aws.filter;
  return {
    desired: {
      filter: existing === null ? { existing, rules: filterRules(aws.filter), networkServices } : { existing },
      destination: inventory.destination,
      sessions: new Map(sessions),
    },
    verdicts,
  };
}

/** Whether a session mirrors as much of each packet as is wanted: AWS says nothing, or the most there is, for whole ones. */
export function isPacketLength(actual: number | null, desired: number | null, destination: Destination): boolean {
  if (desired !== null) return actual === desired;
  const whole = isBalanced(destination) ? ranges.packetLengthThroughBalancer.max : ranges.packetLength.max;
  return actual === null || actual >= whole;
}
