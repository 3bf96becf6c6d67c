/** What a dashboard may show of what is in requests and answers. */
import type { MirrorConfig } from '../config/schema.ts';

type Shown = Pick<MirrorConfig, 'policy'> & { dashboard?: { showUnsanitized: boolean } | undefined };

/** Null when there is no dashboard; else why contents are hidden, and what shows them: null when they are shown. */
export function showing(config: Shown): { hidden: string | null } | null {
  const { policy, dashboard } = config;
  if (dashboard === undefined) return null;
  return { hidden: policy.sanitize !== undefined || dashboard.showUnsanitized ? null : hiddenReason };
}

export const hiddenReason =
  'Contents are hidden, since nothing makes them safe: set policy.sanitize, or dashboard.showUnsanitized to show them as they came.';
