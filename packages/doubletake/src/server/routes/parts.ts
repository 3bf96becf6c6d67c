/** What routes have in common. */
import type { DashboardBackend, RunActions, RunData } from '../api/backend.ts';
import type { Changed } from '../api/control.ts';
import { Refusal } from '../refusal.ts';
import type { Services } from './route.ts';

/** What was compared and stored. Throws a `Refusal` where there is nothing. */
export function dataOf({ data }: DashboardBackend): RunData {
  if (data !== null) return data;
  throw new Refusal(409, 'DT_NOT_AVAILABLE', 'nothing is kept that could be shown: compare with --run DIR, or `run` in the configuration');
}

/** What can be done. Throws a `Refusal` for a run that has ended. */
export function actionsOf({ actions }: DashboardBackend): RunActions {
  if (actions !== null) return actions;
  throw new Refusal(409, 'DT_NOT_AVAILABLE', 'this run has ended: it can be looked at, and nothing in it can be changed');
}

/** Does what changes something, logs it, and shows it to everybody. */
export async function changing({ changes, observer }: Services, who: string, text: string, change: () => Promise<void>): Promise<Changed> {
  const startMs = performance.now();
  await change();
  const tookMs = Math.round((performance.now() - startMs) * 10) / 10;
  const logged = changes.add(who, text);
  observer.refresh();
  return { change: logged, tookMs };
}
