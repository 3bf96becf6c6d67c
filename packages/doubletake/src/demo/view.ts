/**
 * Shows what the demo has come to while it runs: on a terminal a few lines that are redrawn in place, in a pipe a line now
 * and then and whenever there is news.
 *
 * A redraw is a single write that overwrites line by line, so nothing flickers; lines are cut to the terminal's width,
 * so none of them wraps and the count of lines to go back stays right.
 */
import { styleText } from 'node:util';
import type { ClusterReport, RunReport } from '../compare/report.ts';
import { foundIn } from './found.ts';

/** Where the demo writes: `process.stdout`, or anything else that takes text. */
export interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

/** What there is to show. */
export interface Progress {
  elapsedSeconds: number;
  /** Requests that production has answered, and that the next version has. */
  production: number;
  next: number;
  /** The last report of the comparison; null while there is none. */
  report: RunReport | null;
}

export interface View {
  readonly updateMs: number;
  update(progress: Progress): void;
  /** Shows the last state and leaves the terminal as it was. */
  end(progress: Progress): void;
}

type Colour = 'green' | 'red' | 'yellow' | 'cyan' | 'dim' | 'bold';
export type Paint = (colour: Colour, text: string) => string;

const unpainted: Paint = (_, text) => text;
const verdictColour = { SAFE: 'green', REGRESSION: 'red', INSUFFICIENT: 'yellow' } as const;

/** Of differences that were not made on purpose; there should be none. */
const othersShownMax = 5;

/** In a pipe, when nothing new has come. */
const plainEverySeconds = 5;

/** The view that fits `out`. */
export function createView(out: Output): View {
  return out.isTTY === true ? new LiveLines(out) : new PlainLines(out);
}

/** Colours for a terminal, unless NO_COLOR (https://no-color.org) is set; nothing for a pipe. */
export function painter(out: Output): Paint {
  const coloured = out.isTTY === true && !process.env['NO_COLOR'];
  return coloured ? (colour, text) => styleText(colour, text, { validateStream: false }) : unpainted;
}

class LiveLines implements View {
  readonly updateMs = 200;
  readonly #out: Output;
  readonly #paint: Paint;
  #linesShown = 0;
  /** A second ago or so, for the rate. */
  #before: Progress | null = null;
  #rate = 0;
  #ended = false;

  constructor(out: Output) {
    this.#out = out;
    this.#paint = painter(out);
  }

  update(progress: Progress): void {
    const width = (this.#out.columns ?? 80) - 1;
    const before = (this.#before ??= progress);
    const seconds = progress.elapsedSeconds - before.elapsedSeconds;
    if (seconds >= 1) {
      this.#rate = (progress.production - before.production) / seconds;
      this.#before = progress;
    }
    const lines = [
      '',
      cut(`  ${clock(progress)}   ${totals(progress)}   ${this.#rate.toFixed(0)} requests/s`, width),
      '',
      this.#verdict(progress, width),
      ...this.#causes(progress, width),
      ...(this.#ended ? [] : ['', this.#paint('dim', cut('  Ctrl-C ends it with the report', width))]),
    ];
    const up = this.#linesShown > 0 ? `\u001b[${this.#linesShown}A` : '\u001b[?25l';
    // Mode 2026 makes a terminal that knows it show the frame as a whole; the others ignore it.
    const body = lines.map((line) => `\r${line}\u001b[K\n`).join('');
    this.#out.write(`\u001b[?2026h${up}${body}\u001b[J\u001b[?2026l`);
    this.#linesShown = lines.length;
  }

  end(progress: Progress): void {
    this.#ended = true;
    this.update(progress);
    this.#out.write('\u001b[?25h');
  }

  #verdict({ report }: Progress, width: number): string {
    if (report === null) return this.#paint('dim', cut('  comparing …  the first look is after ten seconds', width));
    const { verdict } = report;
    return `  ${this.#paint('bold', this.#paint(verdictColour[verdict], verdict))}${this.#paint('dim', cut(`   ${compared(report)}`, width - verdict.length - 2))}`;
  }

  #causes({ report }: Progress, width: number): string[] {
    return causes(report).map(({ sign, text }) => {
      const colour = sign === '✗' ? 'red' : sign === '?' ? 'yellow' : 'dim';
      return `    ${this.#paint(colour, sign)} ${cut(text, width - 6)}`;
    });
  }
}

class PlainLines implements View {
  readonly updateMs = 500;
  readonly #out: Output;
  #shownAtSeconds = -plainEverySeconds;
  #told = '';

  constructor(out: Output) {
    this.#out = out;
  }

  update(progress: Progress): void {
    const { report, elapsedSeconds } = progress;
    const causeLines = causes(report).map(({ sign, text }) => `         ${sign} ${text}\n`).join('');
    // Shares change all the time, and are no news.
    const told = `${report?.verdict} ${causes(report).map(({ place }) => place).join()}`;
    const news = report !== null && told !== this.#told;
    if (!news && elapsedSeconds - this.#shownAtSeconds < plainEverySeconds) return;
    this.#shownAtSeconds = elapsedSeconds;
    const verdict = report === null ? 'comparing …' : `${report.verdict}, ${compared(report)}`;
    this.#out.write(`  ${clock(progress)}  ${totals(progress)}   ${verdict}\n${news ? causeLines : ''}`);
    if (news) this.#told = told;
  }

  end(progress: Progress): void {
    this.update(progress);
  }
}

interface Cause {
  /** A fault that was made, another difference, or noise. */
  sign: '✗' | '?' | '·';
  /** Empty for noise. */
  place: string;
  text: string;
}

function causes(report: RunReport | null): Cause[] {
  const { planted, others } = foundIn(report);
  const clusters = [
    ...planted.flatMap(({ cluster }) => (cluster === null ? [] : [{ sign: '✗' as const, cluster }])),
    ...others.slice(0, othersShownMax).map((cluster) => ({ sign: '?' as const, cluster })),
  ];
  const lines = clusters.map(({ sign, cluster }): Cause => {
    const place = `${cluster.endpoint} ${cluster.path}`;
    return { sign, place, text: `${place}: ${how(cluster)}, ${share(cluster.share)}` };
  });
  if (report?.noise === undefined || report.noise.length === 0) return lines;
  return [...lines, { sign: '·', place: '', text: `taken for noise: ${noisePaths(report)}` }];
}

function noisePaths({ noise = [] }: RunReport): string {
  return [...new Set(noise.map(({ path, of }) => `${path}${of === 'value' ? '' : ` (${of})`}`))].join(', ');
}

function how({ transition, cause, example: { from, to } }: ClusterReport): string {
  return transition ?? `${cause}, such as ${from} -> ${to}`;
}

function share(of: number): string {
  return `${of < 0.095 ? (of * 100).toFixed(1) : Math.round(of * 100)} % of the answers`;
}

function compared({ pairs, mismatches }: RunReport): string {
  return `${pairs} answers compared, ${mismatches} differ beyond noise`;
}

function totals({ production, next }: Progress): string {
  return `production answered ${production}   next version ${next}`;
}

function clock({ elapsedSeconds }: Progress): string {
  return `${Math.floor(elapsedSeconds / 60)}:${String(Math.floor(elapsedSeconds % 60)).padStart(2, '0')}`;
}

function cut(text: string, length: number): string {
  if (length <= 0) return '';
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
