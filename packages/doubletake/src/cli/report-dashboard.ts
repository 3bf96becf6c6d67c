/** `doubletake report RUN --dashboard`: the page on a run that has ended, until stopped. */
import { dashboardSchema } from '../config/dashboard-schema.ts';
import type { RunReport } from '../compare/report.ts';
import { hostPortText } from '../host-port.ts';
import { RunReader } from '../store/run-reader.ts';

/** Why contents of a run are not shown. */
const hiddenText = 'Contents are hidden, since the run was not made safe when it was written: --show-unsanitized shows them as they came.';

export interface RunDashboardOptions {
  listen: string;
  showUnsanitized: boolean;
}

/** Serves the page until SIGINT or SIGTERM; resolves with what the run came to. */
export async function serveRun(run: string, { listen, showUnsanitized }: RunDashboardOptions): Promise<RunReport> {
  const reader = await RunReader.open(run);
  try {
    const [report, facts] = [await reader.report(), await reader.facts()];
    const queries = reader.queries();
    try {
      const [{ ChangeLog }, { startDashboard }, { finishedBackend }] = await Promise.all([
        import('../server/changes.ts'),
        import('../server/dashboard.ts'),
        import('../server/finished-backend.ts'),
      ]);
      const warning = (text: string): void => void process.stderr.write(`doubletake: warning: ${text}\n`);
      const dashboard = await startDashboard(
        { config: dashboardSchema.parse({ listen }), changes: new ChangeLog(warning), warning, metrics: null },
        finishedBackend({ report, facts, queries }, facts.sanitized || showUnsanitized ? null : hiddenText),
      );
      if (dashboard.token !== null) process.stderr.write(`doubletake: the dashboard's operator token: ${dashboard.token}\n`);
      process.stderr.write(`doubletake: the dashboard is at ${dashboard.address}\nready dashboard=${hostPortText(dashboard)}\n`);
      await stopped();
      await dashboard.close();
    } finally {
      await queries.close();
    }
    return report;
  } finally {
    reader.close();
  }
}

function stopped(): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      process.off('SIGINT', stop).off('SIGTERM', stop);
      resolve();
    };
    process.on('SIGINT', stop).on('SIGTERM', stop);
  });
}
