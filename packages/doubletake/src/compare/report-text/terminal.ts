/** The report on a terminal: the verdict and why, then the endpoints, then the differences, the worst of each first. */
import { visible, visibleLines } from '../../visible.ts';
import type { ClusterReport, EndpointReport, Estimate, Risk, RunReport, Verdict } from '../report.ts';
import { count, percentEstimate, plural, ratio } from './figures.ts';
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

export interface TerminalOptions {
  /** Columns; below 40 taken as 40. */
  width: number;
  color: boolean;
}

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';

/** ECMA-48 section 8.3.117, select graphic rendition: on and off. */
const codes: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
};
const verdictStyle: Readonly<Record<Verdict, Style>> = { SAFE: 'green', REGRESSION: 'red', INSUFFICIENT: 'yellow' };
const riskStyle: Readonly<Record<Risk, Style>> = { high: 'red', medium: 'yellow', low: 'dim' };

const endpointsShownMax = 30;
const clustersShownMax = 12;
const rulesShownMax = 20;
const noiseShownMax = 10;
const curlLengthMax = 1_000;
/** From here on an endpoint is a row of a table; below it its figures stand in lines of their own. */
const tableWidthMin = 100;

/** Text of several lines, with a line end at the end. */
export function terminalReport(report: RunReport, { width, color }: TerminalOptions): string {
  return new TerminalText(Math.max(40, width), color).write(report);
}

class TerminalText {
  readonly #width: number;
  readonly #color: boolean;

  constructor(width: number, color: boolean) {
    this.#width = width;
    this.#color = color;
  }

  write(report: RunReport): string {
    const sections = [
      this.#head(report),
      this.#endpoints(report),
      this.#clusters(report),
      this.#models(report),
      this.#noise(report),
      this.#rules(report),
      this.#rest(report),
    ];
    return `${sections.filter((lines) => lines.length > 0).map((lines) => lines.join('\n')).join('\n\n')}\n`;
  }

  #head(report: RunReport): string[] {
    const { verdict, reasons } = report;
    const period = periodText(report);
    const needed = neededText(report);
    const [first = '', ...others] = this.#wrapped(`${verdict}  ${meaning(verdict)}`);
    return [
      this.#paint(verdictStyle[verdict], this.#paint('bold', verdict)) + first.slice(verdict.length),
      ...others,
      ...this.#wrapped(`${comparedText(report)}${period === '' ? '' : `; ${period}`}`),
      ...(needed === '' ? [] : this.#wrapped(needed)),
      ...reasons.flatMap((reason) => this.#wrapped(reason, '  - ', '    ')),
      ...this.#wrapped(`SAFE means: ${policyText(report.policy)}.`).map((line) => this.#paint('dim', line)),
    ];
  }

  #endpoints({ endpoints, reasons }: RunReport): string[] {
    if (endpoints.length === 0) return [];
    const shown = byUrgency(endpoints).slice(0, endpointsShownMax);
    const lines = this.#width >= tableWidthMin ? this.#table(shown, reasons) : shown.flatMap((endpoint) => this.#stacked(endpoint, reasons));
    return [this.#paint('bold', 'Endpoints'), ...lines, ...this.#more(endpoints.length - shown.length, 'endpoint')];
  }

  #table(endpoints: readonly EndpointReport[], said: readonly string[]): string[] {
    const cells = endpoints.map((endpoint) => [endpoint.verdict, visible(endpoint.endpoint), ...figuresOf(endpoint)]);
    const head = ['', '', 'pairs', 'differ', 'latency p50', 'p90', 'p99'];
    const widths = head.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)));
    // What the figures leave is the name's.
    const others = widths.reduce((sum, width, column) => (column === 1 ? sum : sum + width + 2), 2);
    widths[1] = Math.min(widths[1] ?? 0, Math.max(20, this.#width - others));
    const line = (row: readonly string[]): string =>
      row
        .map((cell, column) => {
          const text = shortened(cell, widths[column] ?? 0);
          return column < 2 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
        })
        .join('  ');
    return [
      `  ${this.#paint('dim', line(head))}`,
      ...cells.flatMap((row, index) => {
        const endpoint = endpoints[index];
        if (endpoint === undefined) return [];
        const text = line(row);
        const verdictWidth = widths[0] ?? 0;
        const painted = this.#paint(verdictStyle[endpoint.verdict], text.slice(0, verdictWidth)) + text.slice(verdictWidth);
        return [`  ${painted}`, ...this.#reason(endpoint, said, ' '.repeat(verdictWidth + 4))];
      }),
    ];
  }

  #stacked(endpoint: EndpointReport, said: readonly string[]): string[] {
    const [pairs = '', differ = '', p50 = '', p90 = '', p99 = ''] = figuresOf(endpoint);
    return [
      `  ${this.#paint(verdictStyle[endpoint.verdict], endpoint.verdict)}`,
      ...this.#wrapped(endpoint.endpoint, '    ', '      '),
      ...this.#wrapped(`${pairs} pairs, differ: ${differ}`, '    '),
      ...this.#wrapped(`latency p50 ${p50}, p90 ${p90}, p99 ${p99}`, '    '),
      ...this.#reason(endpoint, said, '    '),
    ];
  }

  /** Why an endpoint is not SAFE, where the head has not said so. */
  #reason({ verdict, reason }: EndpointReport, said: readonly string[], indent: string): string[] {
    if (verdict === 'SAFE' || said.some((text) => text.includes(reason))) return [];
    return this.#wrapped(reason, indent).map((line) => this.#paint('dim', line));
  }

  #clusters({ clusters }: RunReport): string[] {
    if (clusters.length === 0) return [];
    const shown = clusters.slice(0, clustersShownMax);
    return [
      this.#paint('bold', 'Differences, the riskiest first'),
      ...shown.flatMap((cluster, index) => [...(index === 0 ? [] : ['']), ...this.#cluster(cluster, index + 1)]),
      ...this.#more(clusters.length - shown.length, 'difference'),
    ];
  }

  #cluster(cluster: ClusterReport, place: number): string[] {
    const { endpoint, path, cause, example, risk } = cluster;
    const number = `${place}.`.padStart(4);
    const indent = '     ';
    const curl = visibleLines(example.curl);
    const [title = '', ...restOfTitle] = this.#wrapped(`${endpoint}  ${path}`, `${number} `, `${indent}  `);
    return [
      this.#paint('bold', title),
      ...restOfTitle.map((line) => this.#paint('bold', line)),
      ...this.#wrapped(cause, indent),
      ...this.#wrapped(`${remarks(cluster).join(', ')}; ${shareText(cluster)}; ${kindText(cluster)}`, indent).map((line) =>
        this.#paint(riskStyle[risk], line),
      ),
      ...this.#wrapped(valuesText(cluster, (value) => shortened(value, 200)), indent, `${indent}  `),
      // A command that is cut would be another one.
      this.#paint('dim', curl.length <= curlLengthMax ? `${indent}${curl}` : `${indent}(the command is long: --format json has it)`),
    ];
  }

  #models({ models = [] }: RunReport): string[] {
    if (models.length === 0) return [];
    const shown = models.slice(0, rulesShownMax);
    const lines = shown.flatMap((model) => {
      const confused = confusionText(model);
      return [
        ...this.#wrapped(`${model.endpoint}  ${model.path}: ${modelText(model)}`, '  ', '    '),
        ...(confused === '' ? [] : this.#wrapped(confused, '    ', '      ')),
      ];
    });
    return [this.#paint('bold', 'Models'), ...lines, ...this.#more(models.length - shown.length, 'value')];
  }

  #noise({ noise = [] }: RunReport): string[] {
    if (noise.length === 0) return [];
    const shown = noise.slice(0, noiseShownMax);
    return [
      this.#paint('bold', 'Noise, held to its format alone'),
      ...shown.flatMap((place) => this.#wrapped(`${place.endpoint}  ${place.path}: ${noiseText(place)}`, '  ', '    ')),
      ...this.#more(noise.length - shown.length, 'place'),
    ];
  }

  #rules({ rules }: RunReport): string[] {
    if (rules.length === 0) return [];
    const shown = rules.slice(0, rulesShownMax);
    return [
      this.#paint('bold', 'Rules'),
      ...shown.flatMap((rule) => this.#wrapped(`${rule.name}: ${ruleText(rule)}`, '  ', '    ')),
      ...this.#more(rules.length - shown.length, 'rule'),
    ];
  }

  #rest({ excluded, warnings }: RunReport): string[] {
    const left = excludedText(excluded);
    return [
      ...(left === '' ? [] : this.#wrapped(`Left out of the comparison: ${left}`)),
      ...warnings.flatMap((warning) => this.#wrapped(`warning: ${warning}`, '', '  ').map((line) => this.#paint('yellow', line))),
    ];
  }

  #more(left: number, thing: string): string[] {
    return left > 0 ? [this.#paint('dim', `  … and ${plural(left, `more ${thing}`)}: --format html and json have more`)] : [];
  }

  /** Makes text visible and breaks it at blanks, and inside a word that has no room; `first` stands before the first line, `indent` before the others. */
  #wrapped(text: string, first = '', indent = first): string[] {
    const lines: string[] = [];
    let line = first;
    let empty = true;
    for (const word of visible(text).split(' ')) {
      let rest = word;
      if (!empty && line.length + 1 + rest.length > this.#width) {
        lines.push(line);
        line = indent;
        empty = true;
      }
      while (line.length + rest.length > this.#width && rest.length > 0 && empty) {
        const room = Math.max(1, this.#width - line.length);
        lines.push(line + rest.slice(0, room));
        rest = rest.slice(room);
        line = indent;
      }
      if (empty) line += rest;
      else line += ` ${rest}`;
      empty = false;
    }
    return [...lines, line];
  }

  #paint(style: Style, text: string): string {
    if (!this.#color || text === '') return text;
    const [on, off] = codes[style];
    return `\u001b[${on}m${text}\u001b[${off}m`;
  }
}

/** Pairs, share that differs, and the three latency ratios. */
function figuresOf({ pairs, mismatches, mismatch, latencyRatio }: EndpointReport): string[] {
  const latency = (estimate: Estimate | null): string => (estimate === null ? '–' : ratio(estimate.value));
  return [
    count(pairs),
    mismatch === null ? `${count(mismatches)} of ${count(pairs)}` : percentEstimate(mismatch),
    latency(latencyRatio.p50),
    latency(latencyRatio.p90),
    latency(latencyRatio.p99),
  ];
}
