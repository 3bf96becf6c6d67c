/**
 * The demo: a pretend shop in production, its next version beside it, people who shop in production, and a real
 * `doubletake mirror` that replays to the next version what it sees.
 *
 *   shoppers -> relay -> production
 *                 '- VXLAN -> doubletake mirror -> next version
 *
 * Everything runs on 127.0.0.1 and is stopped in the order of the data flow, so that nothing is cut off on its way.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { total, type LedgerReport } from '../ledger/report.ts';
import { startMirror, type MirrorEnd } from './mirror-process.ts';
import { startMirroringRelay } from './mirroring-relay.ts';
import { Scoreboard } from './scoreboard.ts';
import { startShop } from './shop.ts';
import { runShoppers } from './shoppers.ts';
import { createView, painter, type Output } from './view.ts';

export interface DemoOptions {
  /** Ends the demo early, in good order: Ctrl-C. */
  signal: AbortSignal;
  seconds: number;
  out: Output;
}

/** How long the last requests may take from production to the next version. */
const settleMsMax = 3_000;

/** Runs the demo to its end; rejects when a part of it cannot be started. Stops all that it started in any case. */
export async function runDemo({ signal, seconds, out }: DemoOptions): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const board = new Scoreboard();
  const production = await startShop('production', (answered) => board.record('production', answered));
  stack.defer(() => production.close());
  const next = await startShop('next', (answered) => board.record('next', answered));
  stack.defer(() => next.close());
  const mirror = await startMirror(new URL(`http://127.0.0.1:${next.port}`));
  stack.defer(async () => void (await mirror.stop()));
  const relay = await startMirroringRelay({
    production: { host: '127.0.0.1', port: production.port },
    mirrorTo: mirror.vxlan,
  });
  stack.defer(() => relay.close());

  out.write(
    `\n  ${painter(out)('bold', 'A shop, its next version, and a mirror between them')}\n\n` +
      `  shoppers ─▶ relay :${relay.port} ─▶ production :${production.port}\n` +
      `                └─ packets, copied as VXLAN ─▶ doubletake mirror :${mirror.vxlan.port} ─▶ next version :${next.port}\n`,
  );
  const startMs = performance.now();
  const elapsedSeconds = (): number => (performance.now() - startMs) / 1000;
  const view = createView(out, seconds);
  // Not AbortSignal.timeout: nothing but the signals themselves would hold it, and a collected one never comes.
  const closing = new AbortController();
  const close = (): void => closing.abort();
  const closingTime = setTimeout(close, seconds * 1000);
  signal.addEventListener('abort', close);
  const timer = setInterval(() => view.update(board, elapsedSeconds()), view.updateMs);
  try {
    await runShoppers({ host: relay.host, port: relay.port }, closing.signal);
    await relay.close();
    await settle(board);
  } finally {
    clearInterval(timer);
    clearTimeout(closingTime);
    signal.removeEventListener('abort', close);
    view.end(board, elapsedSeconds());
  }
  const end = await mirror.stop();
  out.write(`\n${end.printed.trimEnd()}\n\n${summary(board, end).map((line) => `  ${line}\n`).join('')}\n`);
}

/** Waits for the requests that are still on their way, but not for ever. */
async function settle(board: Scoreboard): Promise<void> {
  const deadlineMs = performance.now() + settleMsMax;
  while (board.waiting > 0 && performance.now() < deadlineMs) await delay(20);
}

/** What happened, in plain words. */
function summary(board: Scoreboard, { ledger, exitCode, log }: MirrorEnd): string[] {
  const lines = [`Production answered ${count(board.production, 'request')}, and never waited for the mirror.`];
  if (ledger) lines.push(...fate(ledger, board.production));
  if (exitCode !== 0) lines.push(`The mirror did not end well (exit code ${exitCode}): ${log.trimEnd()}`);
  const differences = [...board.differences].toSorted(([, a], [, b]) => b - a);
  if (differences.length === 0) {
    lines.push('The next version answered each of them with the same status as production.');
  } else {
    lines.push('This is what doubletake is for: the next version answers differently.');
    for (const [difference, times] of differences.slice(0, 5)) lines.push(`  ${difference} (${count(times, 'time')})`);
  }
  return lines;
}

function fate({ captured, outcomes, inFlight }: LedgerReport, answered: number): string[] {
  const of = (name: string): number => total(outcomes[name] ?? 0);
  const [replayed, blocked] = [of('replayed'), of('blocked')];
  const others = total(outcomes) - replayed - blocked + inFlight;
  const lines = [
    `The mirror saw ${captured}: ${replayed} replayed to the next version, ${blocked} blocked`,
    '(POST /orders: unsafe methods are not replayed by default).',
  ];
  const lost = answered - replayed - blocked;
  if (lost === 0 && others === 0) lines.push(`Nothing was lost: ${replayed} + ${blocked} = ${answered}.`);
  else lines.push(`Not replayed for other reasons: ${others}. Never seen: ${answered - captured}.`);
  return lines;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
