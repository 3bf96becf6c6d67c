/** A previewed request as text: the decision with the place of the rule, then the bytes before and after. */
import type { ConfigDocument, Path } from '../config/document.ts';
import { pathText } from '../config/issues.ts';
import type { MirrorConfig } from '../config/schema.ts';
import type { RequestPreview } from '../engine/preview.ts';
import { visible } from '../visible.ts';

/** Each step that the request goes through, then its bytes wherever a step changed them. */
export function previewText(preview: RequestPreview, config: MirrorConfig, document: ConfigDocument): string {
  const { method, target, before, sanitized, targets } = preview;
  const stages = [
    { title: 'before', bytes: before },
    ...(sanitized === null ? [] : [{ title: 'sanitized', bytes: sanitized }]),
    ...targets.flatMap(({ name, decision, bytes }) => (decision === 'replay' ? [{ title: `after, to ${name}`, bytes }] : [])),
  ];
  const lines = stages.map(({ bytes }) => linesOf(bytes));
  // What a stage made is marked against the stage before; every target goes on from what was sanitized.
  const base = sanitized === null ? 0 : 1;
  const sections = stages.map(({ title, bytes }, index) => {
    const own = lines[index] ?? [];
    if (index === 0) return section(title, bytes.length, own, '-', new Set(lines.slice(1).flat()));
    return section(title, bytes.length, own, '+', new Set(lines[index === base ? 0 : base]));
  });
  const steps = stepsOf(preview, config, document);
  const numbered = steps.length < 2 ? [] : steps.map((step, index) => `  ${index + 1}. ${step}\n`);
  return document.hide([`${visible(method)} ${visible(target)}: ${summaryOf(preview, config, document)}\n${numbered.join('')}`, ...sections].join('\n'));
}

function summaryOf(preview: RequestPreview, config: MirrorConfig, document: ConfigDocument): string {
  const { decision, sample, targets } = preview;
  if (decision !== 'replay') return stepsOf(preview, config, document).at(-1) ?? decision;
  if (config.targets.length === 0) return sample === 'out' ? 'not recorded: it is not in the sample' : 'recorded; there is no target to replay it to';
  if (sample !== 'out' && targets.every((target) => target.decision !== 'replay')) return 'not replayed: no target takes it';
  const { percentage } = config.policy.sample;
  const rule = placeIn(document)(['policy', 'sample', 'percentage']);
  switch (sample) {
    case 'chance':
      return `replayed with a probability of ${percentage} % (${rule})`;
    case 'in':
      return percentage === 100 ? 'replayed' : `replayed: it is in the sample of ${percentage} % (${rule})`;
    case 'out':
      return `not replayed: it is not in the sample of ${percentage} % (${rule})`;
  }
}

/** Says where a setting stands in the file. */
function placeIn(document: ConfigDocument): (path: Path) => string {
  return (path) => `${pathText(path)}, ${document.has(path) ? `line ${document.place(path).line}` : 'by default'}`;
}

function stepsOf(preview: RequestPreview, config: MirrorConfig, document: ConfigDocument): string[] {
  const { policy } = config;
  const where = placeIn(document);
  const { decision, method, targets } = preview;
  if (decision !== 'replay' && decision !== 'blocked.unsanitizable') {
    const rule = ruleOf(decision, policy.filters, ['policy']);
    return [`never replayed: ${decision}${rule === null ? '' : ` (${where(rule)})`}`];
  }
  const steps: string[] = [];
  if (policy.filters.length > 0) steps.push(`passes the filters (${where(['policy', 'filters'])})`);
  steps.push(`${visible(method)} may be replayed (${where(['policy', 'methods'])})`, sampleText(preview, config, where));
  if (decision === 'blocked.unsanitizable') return [...steps, `never replayed: ${decision}: its body cannot be read (${where(['policy', 'sanitize'])})`];
  if (preview.sample === 'out') return steps;
  steps.push(policy.sanitize === undefined ? 'goes out as it came: nothing is sanitized' : `is sanitized (${where(['policy', 'sanitize'])})`);
  for (const [index, target] of targets.entries()) {
    const path: Path = ['targets', index];
    const { percentage, ramp, filters, rewrite } = config.targets[index];
    if (target.decision !== 'replay') {
      const rule = ruleOf(target.decision, filters, path) ?? [...path, 'rewrite'];
      steps.push(`does not go to ${target.name}: ${target.decision} (${where(rule)})`);
      continue;
    }
    const share =
      ramp === undefined
        ? percentage === 100 ? '' : ` with ${percentage} % of what the policy lets through (${where([...path, 'percentage'])})`
        : ` as its ramp lets it (${where([...path, 'ramp'])})`;
    const rewritten = rewrite.length === 0 ? '' : `, rewritten (${where([...path, 'rewrite'])})`;
    steps.push(`goes to ${target.name}${share}${rewritten}`);
  }
  return steps;
}

function sampleText({ sample }: RequestPreview, { policy }: MirrorConfig, where: (path: Path) => string): string {
  const { percentage } = policy.sample;
  const rule = where(['policy', 'sample', 'percentage']);
  switch (sample) {
    case 'chance':
      return `is in the sample with a probability of ${percentage} % (${rule})`;
    case 'in':
      return percentage === 100 ? `every such request is taken (${rule})` : `is in the sample of ${percentage} % (${rule})`;
    case 'out':
      return `is not in the sample of ${percentage} % (${rule})`;
  }
}

/** The setting below `place` that an outcome comes from; null for guards that always hold. */
function ruleOf(decision: string, filters: readonly { name: string }[], place: Path): Path | null {
  if (decision === 'blocked.method') return ['policy', 'methods'];
  if (!decision.startsWith('filtered.')) return null;
  const index = filters.findIndex(({ name }) => decision === `filtered.${name}`);
  return index < 0 ? [...place, 'filters'] : [...place, 'filters', index];
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
  const head = bytes.toString('latin1', 0, bodyStart).trimEnd().split('\r\n').map(visible);
  const body = bytes.subarray(bodyStart);
  if (body.length === 0) return head;
  const shown = body.toString('utf8', 0, bodyShownBytesMax).split('\n').map(visible);
  const rest = body.length - bodyShownBytesMax;
  return [...head, '', ...shown, ...(rest > 0 ? [`… ${rest} bytes more`] : [])];
}
