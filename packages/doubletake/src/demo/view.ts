/**
 * Shows the scoreboard: on a terminal as a table redrawn in place, in a pipe as plain lines.
 *
 * A redraw is a single write that overwrites line by line, so nothing flickers; lines are cut to the terminal's width,
 * so none of them wraps and the count of lines to go back stays right. In a pipe only some requests are shown, for their
 * number has no bound.
 */
import { styleText } from 'node:util';
import type { Row, Scoreboard } from './scoreboard.ts';
import type { Answered } from './shop.ts';

/** Where the demo writes: `process.stdout`, or anything else that takes text. */
export interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
  rows?: number;
}

export interface View {
  /** Shows what is new. */
  update(board: Scoreboard, elapsedSeconds: number): void;
  /** Shows the last state and leaves the terminal as it was. */
  end(board: Scoreboard, elapsedSeconds: number): void;
}

type Colour = 'green' | 'red' | 'yellow' | 'dim' | 'bold';
type Paint = (colour: Colour, text: string) => string;

const unpainted: Paint = (_, text) => text;

const tableRowsMax = 16;
/** Lines of the live table besides its rows. */
const frameLines = 5;
/** Plain lines for requests in one update, which comes once a second. */
const plainRowsMax = 8;
const columns = { time: 8, method: 7, path: 30, answer: 16 };

/** The view that fits `out`, for a demo of `seconds`. */
export function createView(out: Output, seconds: number): View & { updateMs: number } {
  return out.isTTY === true ? new LiveTable(out, seconds) : new PlainLines(out, seconds);
}

/** Colours for a terminal, unless NO_COLOR (https://no-color.org) is set; nothing for a pipe. */
export function painter(out: Output): Paint {
  const coloured = out.isTTY === true && !process.env['NO_COLOR'];
  return coloured ? (colour, text) => styleText(colour, text, { validateStream: false }) : unpainted;
}

class LiveTable implements View {
  readonly updateMs = 100;
  readonly #out: Output;
  readonly #seconds: number;
  readonly #paint: Paint;
  #linesShown = 0;

  constructor(out: Output, seconds: number) {
    this.#out = out;
    this.#seconds = seconds;
    this.#paint = painter(out);
  }

  update(board: Scoreboard, elapsedSeconds: number): void {
    const width = (this.#out.columns ?? 80) - 1;
    const height = Math.max(3, Math.min(tableRowsMax, (this.#out.rows ?? 24) - frameLines - 1));
    const rows = board.rows().slice(-height);
    const lines = [
      '',
      this.#paint('bold', cut(header(), width)),
      ...Array.from({ length: height }, (_, at) => {
        const row = rows[at];
        return row ? rowText(row, width, this.#paint) : '';
      }),
      '',
      cut(totals(board, elapsedSeconds, this.#seconds), width),
    ];
    const up = this.#linesShown > 0 ? `\u001b[${this.#linesShown}A` : '\u001b[?25l';
    // Mode 2026 makes a terminal that knows it show the frame as a whole; the others ignore it.
    const body = lines.map((line) => `\r${line}\u001b[K\n`).join('');
    this.#out.write(`\u001b[?2026h${up}${body}\u001b[J\u001b[?2026l`);
    this.#linesShown = lines.length;
  }

  end(board: Scoreboard, elapsedSeconds: number): void {
    this.update(board, elapsedSeconds);
    this.#out.write('\u001b[?25h');
  }
}

class PlainLines implements View {
  readonly updateMs = 1_000;
  readonly #out: Output;
  readonly #seconds: number;
  #shownTo = 0;
  #headed = false;

  constructor(out: Output, seconds: number) {
    this.#out = out;
    this.#seconds = seconds;
  }

  update(board: Scoreboard, elapsedSeconds: number): void {
    const settled = board.rows().filter((row) => row.index >= this.#shownTo && isSettled(row));
    const shown = settled.slice(0, plainRowsMax);
    if (this.#headed && settled.length === 0) return;
    const lines = [
      ...(this.#headed ? [] : ['', header()]),
      ...shown.map((row) => rowText(row, 100, unpainted)),
      ...(settled.length > shown.length ? [`  … and ${settled.length - shown.length} more`] : []),
      totals(board, elapsedSeconds, this.#seconds),
    ];
    this.#headed = true;
    this.#shownTo = Math.max(this.#shownTo, ...settled.map(({ index }) => index + 1));
    this.#out.write(lines.map((line) => `${line.trimEnd()}\n`).join(''));
  }

  end(board: Scoreboard, elapsedSeconds: number): void {
    this.update(board, elapsedSeconds);
  }
}

function isSettled(row: Row): boolean {
  return row.production !== undefined && (row.unsafe || row.next !== undefined);
}

function header(): string {
  const { time, method, path, answer } = columns;
  return `  ${'time'.padEnd(time)}  ${'method'.padEnd(method)}${'path'.padEnd(path)}  ${'production'.padEnd(answer)}next version`;
}

function rowText(row: Row, width: number, paint: Paint): string {
  const { time, method, path, answer } = columns;
  const left =
    `  ${new Date(row.timeMs).toTimeString().slice(0, time)}  ${row.method.padEnd(method)}` +
    `${cut(row.path, path).padEnd(path)}  ${answerText(row.production).padEnd(answer)}`;
  const [colour, verdict] = verdictOn(row);
  return `${cut(left, width)}${paint(colour, cut(verdict, width - left.length))}`;
}

function verdictOn({ production, next, unsafe }: Row): [Colour, string] {
  if (!next) return unsafe ? ['yellow', 'blocked: not a safe method'] : ['dim', '…'];
  if (!production) return ['dim', answerText(next)];
  const same = production.status === next.status;
  return same ? ['green', `${answerText(next)}  ✓`] : ['red', `${answerText(next)}  ✗ differs`];
}

function answerText(answered: Answered | undefined): string {
  return answered ? `${answered.status} ${`${answered.durationMs.toFixed(0)} ms`.padStart(7)}` : '…';
}

function totals(board: Scoreboard, elapsedSeconds: number, seconds: number): string {
  const different = [...board.differences.values()].reduce((sum, count) => sum + count, 0);
  return (
    `  production ${board.production}   next version ${board.next}   blocked ${board.unsafe}   ` +
    `on the way ${board.waiting}   different ${different}   ${Math.min(seconds, elapsedSeconds).toFixed(0)} of ${seconds} s`
  );
}

function cut(text: string, length: number): string {
  if (length <= 0) return '';
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
