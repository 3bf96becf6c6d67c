/** The real server with the built page, in this process, over plain data. */
import { type DashboardConfig, dashboardSchema } from '../../../doubletake/src/config/dashboard-schema.ts';
import { ChangeLog } from '../../../doubletake/src/server/changes.ts';
import { type DashboardServer, startDashboard } from '../../../doubletake/src/server/dashboard.ts';
import { type PlainBackend, plainBackend } from '../../../doubletake/test/support/dashboard-backend.ts';

export interface ShownData extends DashboardServer {
  backend: PlainBackend;
}

/** News come more often than they do in earnest. */
export async function showData(backend = plainBackend(), config: Partial<Record<keyof DashboardConfig, unknown>> = {}): Promise<ShownData> {
  const server = await startDashboard(
    {
      config: dashboardSchema.parse({ listen: '127.0.0.1:0', ...config }),
      changes: new ChangeLog(() => {}),
      warning: () => {},
      metrics: null,
      newsEveryMs: 300,
    },
    backend,
  );
  return { ...server, backend };
}
