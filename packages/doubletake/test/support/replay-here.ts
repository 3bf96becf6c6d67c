/** `doubletake replay` in this process, from its flags to its ledger: for what needs no program of its own. */
import type { Command } from 'commander';
import { replayCommand, replayConfig } from '../../src/cli/replay.ts';
import type { MirrorConfig } from '../../src/config/schema.ts';
import { ledgerLayout, ledgerNames } from '../../src/engine/ledger-layout.ts';
import { WorkerRun } from '../../src/engine/worker-run.ts';
import { createSharedRow, readRow } from '../../src/ledger/counters.ts';
import { buildReport, imbalances, type LedgerReport } from '../../src/ledger/report.ts';

/** What `doubletake replay` with these arguments would run; rejects with what is wrong. */
export async function replayConfigOf(...args: string[]): Promise<MirrorConfig> {
  const configs: MirrorConfig[] = [];
  const command: Command = replayCommand(async (files, flags) => {
    configs.push(replayConfig(files, flags));
  });
  await command.exitOverride().configureOutput({ outputError: () => {} }).parseAsync(args, { from: 'user' });
  const [config] = configs;
  if (config === undefined) throw new Error('it was not run');
  return config;
}

/** Replays with these arguments, in one worker, to the end. Rejects when the sums of the ledger are wrong. */
export async function replayHere(...args: string[]): Promise<{ ledger: LedgerReport; warnings: string[] }> {
  const config = await replayConfigOf(...args, '--workers', '1');
  const layout = ledgerLayout(ledgerNames(config));
  const shared = createSharedRow(layout);
  const warnings: string[] = [];
  const { promise: exhausted, resolve } = Promise.withResolvers<void>();
  const { targets } = config;
  const run = new WorkerRun(
    {
      index: 0,
      config,
      descriptors: [null],
      sharedPorts: [null],
      copies: null,
      supplies: { authorities: targets.map(() => null), rateLimits: targets.map(() => null), shares: targets.map(() => 1) },
      production: [],
      pairs: null,
      records: null,
      shown: null,
      shared,
      runId: 'here',
    },
    { warning: (text) => warnings.push(text), notice: () => {}, production: () => {}, requests: () => {}, exhausted: resolve },
  );
  try {
    await run.start();
    await exhausted;
  } finally {
    await run.stop(0);
  }
  const ledger = buildReport(layout, [readRow(shared)]);
  const wrong = imbalances(ledger);
  if (wrong.length > 0) throw new Error(wrong.join('; '));
  return { ledger, warnings };
}
