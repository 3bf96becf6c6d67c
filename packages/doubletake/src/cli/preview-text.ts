/** A previewed request as text: the decision with the place of the rule, then the bytes before and after. */
import type { ConfigDocument, Path } from '../config/document.ts';
import type { MirrorConfig } from '../config/schema.ts';
import type { RequestPreview } from '../engine/preview.ts';

export function previewText(preview: RequestPreview, config: MirrorConfig, document: ConfigDocument): string {
  const { method, target, before, after } = preview;
  const afters = after.map(({ bytes }) => linesOf(bytes));
  const old = linesOf(before);
  const sections = [
    `${printable(method)} ${printable(target)}: ${decisionText(preview, config, document)}`,
    section('before', before.length, old, '-', new Set(afters.flat())),
    ...after.map(({ target: name, bytes }, index) =>
      section(`after, to ${name}`, bytes.length, afters[index] ?? [], '+', new Set(old)),
    ),
  ];
  return document.hide(sections.join('\n'));
}

function decisionText(preview: RequestPreview, { policy }: MirrorConfig, document: ConfigDocument): string {
  const where = (path: Path): string =>
    document.has(path) ? `${path.join('.')}, line ${document.place(path).line}` : `${path.join('.')}, by default`;
  if (preview.decision !== 'replay') {
    const rule = ruleOf(preview.decision, policy);
    return `never replayed: ${preview.decision}${rule === null ? '' : ` (${where(rule)})`}\n`;
  }
  const { percentage } = policy.sample;
  const rule = where(['policy', 'sample', 'percentage']);
  switch (preview.sample) {
    case 'chance':
      return `replayed with a probability of ${percentage} % (${rule})\n`;
    case 'in':
      return percentage === 100 ? 'replayed\n' : `replayed: it is in the sample of ${percentage} % (${rule})\n`;
    case 'out':
      return `not replayed: it is not in the sample of ${percentage} % (${rule})\n`;
  }
}

/** The setting that an outcome comes from; null for guards that always hold. */
function ruleOf(decision: string, { filters }: MirrorConfig['policy']): Path | null {
  if (decision === 'blocked.method') return ['policy', 'methods'];
  if (!decision.startsWith('filtered.')) return null;
  const index = filters.findIndex(({ name }) => decision === `filtered.${name}`);
  return index < 0 ? ['policy', 'filters'] : ['policy', 'filters', index];
}

/** Lines that are not on the other side are marked. */
function section(title: string, bytes: number, lines: readonly string[], mark: string, others: ReadonlySet<string>): string {
  const marked = lines.map((line) => `  ${others.size > 0 && !others.has(line) ? mark : ' '} ${line}\n`);
  return `${title} (${bytes} bytes)\n${marked.join('')}`;
}

const bodyShownBytesMax = 4_096;

/** Head and body as lines that a terminal can show. */
function linesOf(bytes: Buffer): string[] {
  const headEnd = bytes.indexOf('\r\n\r\n');
  const bodyStart = headEnd < 0 ? bytes.length : headEnd + 4;
  const head = bytes.toString('latin1', 0, bodyStart).trimEnd().split('\r\n').map(printable);
  const body = bytes.subarray(bodyStart);
  if (body.length === 0) return head;
  const shown = body.toString('utf8', 0, bodyShownBytesMax).split('\n').map(printable);
  const rest = body.length - bodyShownBytesMax;
  return [...head, '', ...shown, ...(rest > 0 ? [`… ${rest} bytes more`] : [])];
}

/** Control characters are escaped: a request must not steer the terminal on which it is shown. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (character) => `\\x${(character.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`);
}
