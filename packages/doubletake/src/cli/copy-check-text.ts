/** What trying a copying proxy came to, for people: a line for each kind of request, then the share and the order. */
import type { CopyCheckReport, ProbeResult } from '../engine/copy-check.ts';
import { visible } from '../visible.ts';

const words: Readonly<Record<ProbeResult['outcome'], string>> = {
  ok: 'ok',
  changed: 'CHANGED',
  lost: 'LOST',
  twice: 'TWICE',
  unanswered: 'UNANSWERED',
  unknown: 'not seen',
};

const advice: Partial<Record<ProbeResult['outcome'], string>> = {
  lost: 'no copy came',
  twice: 'more than one copy came of one request',
  unanswered: 'the proxy did not answer, so nothing can be said',
  unknown: 'no copy came, which the share that is copied may explain; --percentage says what is expected',
};

/** Where what is said begins. */
const column = 11;

export function copyCheckText(report: CopyCheckReport, percentage: number): string {
  const { probes, share, inOrder, others, listening } = report;
  const arrived = probes.filter(({ outcome }) => outcome === 'ok' || outcome === 'changed' || outcome === 'twice');
  const common = (arrived[0]?.remarks ?? []).filter((remark) => arrived.every(({ remarks }) => remarks.includes(remark)));
  const lines = probes.flatMap(({ name, outcome, changes, remarks }) => {
    const own = remarks.filter((remark) => !common.includes(remark)).map((remark) => `(${remark})`);
    const details = [advice[outcome], ...changes, ...own].filter((text) => text !== undefined);
    return [words[outcome].padEnd(column) + name, ...details.map((text) => ' '.repeat(column) + text)];
  });
  const summary: string[] = [];
  if (common.length > 0) summary.push(`Of every copy: ${common.join('; ')}.`);
  if (share.sent > 0) {
    const part = ((100 * share.copies) / share.sent).toFixed(1);
    summary.push(`${share.copies} of ${share.sent} requests were copied: ${part} %, ${share.plausible ? 'as' : 'NOT as'} expected of ${percentage} %`);
    if (share.copies > 1) summary.push(inOrder ? 'Copies came in the order of their requests.' : 'Copies came in another order than their requests.');
  }
  if (others > 0) summary.push(`${others} other requests came to ${listening}: other traffic is copied there too, or marks get lost.`);
  const verdict = report.ok ? 'The proxy copies as it should.' : 'The proxy does not copy as it should.';
  return `${[...lines, '', ...summary, ...(summary.length > 0 ? [''] : []), verdict].map(visible).join('\n')}\n`;
}
