import { expect, test } from 'vitest';
import { ledgerOf } from '../../test/support/ledgers.ts';
import type { LedgerReport } from '../ledger/report.ts';
import { replayView } from './replay-text.ts';

function ledger(captured: number, replayed: number, dropped: number): LedgerReport {
  const counts = { 'sources files captured': captured, 'sources files outcomes replayed': replayed, 'sources files outcomes dropped queue_full': dropped };
  return ledgerOf({ sources: ['files'], counts });
}

test('a line and a log both show what has come by now, the line with the rate since the one before', () => {
  const [before, now] = [ledger(100, 90, 3), ledger(300, 250, 7)];
  const view = replayView(0);
  expect(view.line(before, now, 2)).toBe('80/s  replayed 250  lost 7');
  expect(view.fields(before, now)).toMatchObject({ captured: 300, replayed: 250, lost: 7 });
});
