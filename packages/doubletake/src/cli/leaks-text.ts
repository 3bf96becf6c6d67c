/** The report of `config leaks` for people. */
import type { LeakFinding, LeakReport } from '../engine/leaks.ts';
import { visibleLines } from '../visible.ts';

/** `means`: the policy, in words. */
export function leaksText({ requests, responses, findings }: LeakReport, file: string, means: string): string {
  const not = Object.entries(requests.notReplayed).map(([outcome, count]) => `${outcome} ${number(count)}`);
  const lines = [
    `${file} under ${means}`,
    '',
    `${plural(requests.seen, 'request')}: ${number(requests.examined)} looked through${not.length > 0 ? `, the others are not replayed (${not.join(', ')})` : ''}`,
    `${plural(responses.examined + responses.unreadable, 'response')}: ${number(responses.examined)} looked through${responses.unreadable > 0 ? `, ${number(responses.unreadable)} with a body that cannot be read` : ''}`,
    '',
  ];
  if (findings.length === 0) return visibleLines([...lines, 'Nothing is left in them that looks like personal data.', ''].join('\n'));
  lines.push('What still looks like personal data, by place (values are never shown):', '');
  const widths = [0, 1].map((column) => Math.max(...findings.map((finding) => cells(finding)[column]?.length ?? 0)));
  for (const [endpoint, group] of grouped(findings)) {
    lines.push(`  ${endpoint}`, ...group.map((finding) => `    ${row(cells(finding), widths)}`), '');
  }
  lines.push(advice(findings), '');
  return visibleLines(lines.join('\n'));
}

function cells({ message, field, kind, count, values }: LeakFinding): string[] {
  return [`${message.padEnd(8)}  ${field}`, kind, `${number(count)} x`, plural(values, 'value')];
}

function row([place = '', kind = '', count = '', values = '']: readonly string[], [first = 0, second = 0]: readonly number[]): string {
  return `${place.padEnd(first)}  ${kind.padEnd(second)}  ${count.padStart(9)}  ${values.padStart(12)}`;
}

/** By endpoint, in the order in which the first of each comes. */
function grouped(findings: readonly LeakFinding[]): Map<string, LeakFinding[]> {
  return Map.groupBy(findings, ({ endpoint }) => endpoint);
}

function advice(findings: readonly LeakFinding[]): string {
  const example = findings.map(ruleFor).find((rule) => rule !== null);
  return [
    'What is somebody\'s data needs a rule in policy.sanitize.rules; what is not can stay.',
    ...(example === undefined ? [] : [`For instance: ${example}`]),
  ].join('\n');
}

/** The rule that would take care of a finding; null where only a person can say what it would be. */
function ruleFor({ field }: LeakFinding): string | null {
  const [, place, name = ''] = /^(header|cookie|query|form|json):([^ {}]+)$/.exec(field) ?? [];
  if (place === undefined) return null;
  return `- { name: what it is, ${place}: ${JSON.stringify(name)}, action: pseudonym }`;
}

function plural(count: number, thing: string): string {
  return `${number(count)} ${thing}${count === 1 ? '' : 's'}`;
}

function number(count: number): string {
  return count.toLocaleString('en');
}
