/** Runs the engine in this process over files, from its start to its end: quicker than a process of its own. */
import { buildConfig } from '../../src/config/load.ts';
import { Engine } from '../../src/engine/engine.ts';
import { imbalances, type LedgerReport } from '../../src/ledger/report.ts';

export interface EngineRun {
  ledger: LedgerReport;
  warnings: string[];
}

/** `config` is what a configuration file says; its sources must end by themselves. The ledger adds up, or this throws. */
export async function runEngineToEnd(config: object): Promise<EngineRun> {
  const warnings: string[] = [];
  const ended = Promise.withResolvers<void>();
  const overrides = Object.entries(config).map(([key, value]) => ({ flag: key, path: [key], value: value as unknown }));
  const engine = new Engine(buildConfig(null, overrides), {
    warning: (text) => warnings.push(text),
    notice: () => {},
    ramped: () => {},
    exhausted: () => ended.resolve(),
    failed: (error) => ended.reject(error),
    degraded: (error) => ended.reject(error),
  });
  await engine.start();
  let failure: unknown = null;
  await ended.promise.catch((error: unknown) => {
    failure = error;
  });
  const ledger = await engine.stop(10_000);
  if (failure !== null) throw failure;
  const problems = imbalances(ledger);
  if (problems.length > 0) throw new Error(`the ledger does not add up: ${problems.join('; ')}`);
  return { ledger, warnings };
}
