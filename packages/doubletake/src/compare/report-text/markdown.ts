/**
 * The report as a comment on a pull request: the verdict and why, then the endpoints that need a look; the rest folds
 * away. GitHub takes comments of 65,536 characters; what has no room is counted instead.
 */
import type { ClusterReport, EndpointReport, RunReport, Verdict } from '../report.ts';
import { count, percentEstimate, plural, ratio } from './figures.ts';
import { blockOf, codeOf, folded, prose } from './markdown-text.ts';
import { shortened } from './shortened.ts';
import {
  byUrgency,
  comparedText,
  confusionText,
  excludedText,
  kindText,
  meaning,
  modelText,
  neededText,
  noiseText,
  periodText,
  policyText,
  remarks,
  ruleText,
  shareText,
  valuesText,
} from './wording.ts';

const lengthMax = 60_000;
/** Of it for the endpoints, so that the differences have room. */
const endpointsLengthMax = 20_000;
/** Up to where differences go: what stands below them has at most the rest. */
const differencesLengthMax = 40_000;
const reasonsShownMax = 20;
const exampleLengthMax = 1_500;
const curlLengthMax = 2_000;

const signs: Readonly<Record<Verdict, string>> = { SAFE: '✅', REGRESSION: '❌', INSUFFICIENT: '⏳' };

/** GitHub-flavoured Markdown, at most 60,000 characters, with a line end at the end. */
export function markdownReport(report: RunReport): string {
  const page = new Page();
  page.add(head(report));
  endpointTables(page, report.endpoints);
  differences(page, report.clusters);
  page.add(models(report));
  page.add(noise(report));
  page.add(foot(report));
  return page.text;
}

/** Gathers blocks as long as there is room. */
class Page {
  text = '';

  /** Whether the block found room up to `limit`. */
  add(block: string, limit = lengthMax): boolean {
    if (block === '') return true;
    const separated = this.text === '' ? `${block}\n` : `\n${block}\n`;
    if (this.text.length + separated.length > limit) return false;
    this.text += separated;
    return true;
  }
}

function head(report: RunReport): string {
  const { verdict, reasons } = report;
  const [compared, period, needed] = [comparedText(report), periodText(report), neededText(report)];
  const shown = reasons.slice(0, reasonsShownMax).map((reason) => `- ${prose(shortened(reason, 300))}`);
  return [
    `## ${signs[verdict]} ${verdict}`,
    '',
    `${meaning(verdict)} ${prose(compared[0]?.toUpperCase() ?? '')}${prose(compared.slice(1))}${period === '' ? '' : ` (${period})`}.${needed === '' ? '' : ` ${needed}`}`,
    ...(shown.length > 0 ? ['', ...shown] : []),
    ...(reasons.length > shown.length ? [`- and ${plural(reasons.length - shown.length, 'more reason')}`] : []),
  ].join('\n');
}

/** Those that are not SAFE in sight, the others folded away. */
function endpointTables(page: Page, endpoints: readonly EndpointReport[]): void {
  const ordered = byUrgency(endpoints);
  const open = ordered.filter(({ verdict }) => verdict !== 'SAFE');
  const safe = ordered.filter(({ verdict }) => verdict === 'SAFE');
  page.add(table(open, endpointsLengthMax));
  if (safe.length > 0) page.add(folded(`${plural(safe.length, 'endpoint')} SAFE`, table(safe, endpointsLengthMax - page.text.length)));
}

function table(endpoints: readonly EndpointReport[], room: number): string {
  if (endpoints.length === 0) return '';
  const lines = ['| endpoint | pairs | differ | latency p50 | p90 | p99 | verdict |', '|---|--:|--:|--:|--:|--:|---|'];
  let length = 0;
  for (const [index, endpoint] of endpoints.entries()) {
    const line = row(endpoint);
    length += line.length + 1;
    if (length > room) return [...lines, '', `… and ${plural(endpoints.length - index, 'more endpoint')}.`].join('\n');
    lines.push(line);
  }
  return lines.join('\n');
}

function row({ endpoint, pairs, mismatches, mismatch, latencyRatio, verdict }: EndpointReport): string {
  const [p50, p90, p99] = [latencyRatio.p50, latencyRatio.p90, latencyRatio.p99].map((estimate) =>
    estimate === null ? '–' : ratio(estimate.value),
  );
  const differ = mismatch === null ? `${count(mismatches)} of ${count(pairs)}` : percentEstimate(mismatch).replaceAll('<', '&lt;');
  return `| ${codeOf(shortened(endpoint, 200), 'cell')} | ${count(pairs)} | ${differ} | ${p50} | ${p90} | ${p99} | ${verdict} |`;
}

function differences(page: Page, clusters: readonly ClusterReport[]): void {
  if (clusters.length === 0) return;
  page.add('### Differences, the riskiest first');
  for (const [index, cluster] of clusters.entries()) {
    if (page.add(difference(cluster), differencesLengthMax)) continue;
    page.add(`… and ${plural(clusters.length - index, 'more difference')}: \`doubletake report RUN --format html\` shows them.`);
    return;
  }
}

function difference(cluster: ClusterReport): string {
  const { endpoint, path, cause, example } = cluster;
  const summary = `${cluster.risk} risk, ${plural(cluster.count, 'pair')}:`;
  const bodies = (['baseline', 'candidate'] as const).flatMap((side) => {
    const body = example[side];
    const name = side === 'baseline' ? 'Production answered' : 'The candidate answered';
    return body === null ? [] : [`${name}:`, blockOf(shortened(body, exampleLengthMax))];
  });
  return folded(
    summary,
    [
      `${prose(cause)}: ${codeOf(kindText(cluster))}. ${prose(remarks(cluster).join(', '))}; ${prose(shareText(cluster))}.`,
      `For instance ${valuesText(cluster, (value) => codeOf(shortened(value, 256)))}`,
      ...bodies,
      ...(example.curl.length <= curlLengthMax ? [blockOf(example.curl, 'sh')] : []),
    ].join('\n\n'),
    shortened(endpoint, 200),
    shortened(path, 200),
  );
}

function models({ models: all = [] }: RunReport): string {
  if (all.length === 0) return '';
  const lines = all.slice(0, 10).map((model) => {
    const confused = shortened(confusionText(model), 300);
    return `- ${codeOf(shortened(model.endpoint, 200))} ${codeOf(shortened(model.path, 200))}: ${prose(shortened(modelText(model), 500))}${confused === '' ? '' : ` (${prose(confused)})`}`;
  });
  return ['### Models', '', ...lines, ...moreItems(all.length - lines.length)].join('\n');
}

function noise({ noise: all = [] }: RunReport): string {
  if (all.length === 0) return '';
  const lines = all.slice(0, 20).map((place) => `- ${codeOf(shortened(place.endpoint, 100))} ${codeOf(shortened(place.path, 100))}: ${prose(shortened(noiseText(place), 300))}`);
  return folded(`Noise: ${plural(all.length, 'place')} held to the format alone`, [...lines, ...moreItems(all.length - lines.length)].join('\n'));
}

function moreItems(left: number): string[] {
  return left > 0 ? [`- and ${count(left)} more`] : [];
}

function foot({ rules, excluded, warnings, policy }: RunReport): string {
  const left = excludedText(excluded);
  return [
    ...warnings.slice(0, 5).map((warning) => `> ⚠️ ${prose(shortened(warning, 300))}\n`),
    ...rules.slice(0, 10).map((rule) => `- rule ${codeOf(shortened(rule.name, 100))} ${ruleText(rule)}`),
    ...(left === '' ? [] : [`\nLeft out of the comparison: ${prose(shortened(left, 300))}.`]),
    `\n<sub>SAFE means: ${prose(policyText(policy))}.</sub>`,
  ].join('\n').trim();
}
