/** What the dashboard asks of a mirror that runs. */
import type { DashboardBackend, LiveState } from '../server/api/backend.ts';
import { DoubletakeError } from '../errors.ts';
import type { Engine } from './engine.ts';

const hiddenText = 'contents are not shown, since nothing is sanitized: configure policy.sanitize, or set dashboard.showUnsanitized';

export function liveBackend(engine: Engine): DashboardBackend {
  return {
    mode: 'live',
    startedAtMs: Date.now(),
    live: liveState(engine),
    data: null,
    actions: {
      halt: () => engine.halt(),
      resume: () => engine.resume(),
      setPercentage: (target, percentage) => engine.setPercentage(target, percentage),
      addRule: unavailable,
      removeRule: unavailable,
      accept: unavailable,
      unaccept: unavailable,
      replayAgain: unavailable,
    },
  };
}

function liveState(engine: Engine): LiveState {
  return {
    ledger: () => engine.report(),
    comparison: () => engine.comparison,
    problem: () => engine.problem(),
    latencies: () => engine.latencies(),
    shares: () => engine.shares(),
    config: () => engine.config,
    hidden() {
      const { policy, dashboard } = engine.config;
      return policy.sanitize !== undefined || dashboard?.showUnsanitized === true ? null : hiddenText;
    },
  };
}

function unavailable(): Promise<never> {
  return Promise.reject(new DoubletakeError('DT_NOT_AVAILABLE', 'this is not kept, so that it cannot be changed'));
}
