/** What a dashboard may show of what is in requests and answers. */
import type { MirrorConfig } from '../config/schema.ts';

/** Null when there is no dashboard; else why contents are hidden, and what shows them: null when they are shown. */
export function showing({ policy, dashboard }: Pick<MirrorConfig, 'policy' | 'dashboard'>): { hidden: string | null } | null {
  if (dashboard === undefined) return null;
  return { hidden: policy.sanitize !== undefined || dashboard.showUnsanitized ? null : hiddenReason };
}

const hiddenReason =
  'Contents are hidden, since nothing makes them safe: set policy.sanitize, or dashboard.showUnsanitized to show them as they came.';
