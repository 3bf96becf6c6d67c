/** What is wrong with a configuration, a line for each place, and the error that carries these lines. */
import { DoubletakeError } from '../errors.ts';
import { visible } from '../visible.ts';

export interface Problem {
  /** Position in the file, from 1; null for what a flag said. */
  place: { line: number; column: number } | null;
  text: string;
}

/** More problems than this are counted, not shown: they usually have one cause. */
const problemsMax = 20;

/** A configuration that cannot be used; each of `lines` is a problem with its place. */
export class ConfigError extends DoubletakeError<'DT_CONFIG'> {
  readonly lines: readonly string[];

  /** `file` is null when there were only flags. */
  constructor(file: string | null, problems: readonly Problem[]) {
    const ordered = problems.toSorted((left, right) => position(left) - position(right));
    const lines = ordered.slice(0, problemsMax).map((problem) => lineOf(file, problem));
    if (problems.length > problemsMax) lines.push(`… and ${problems.length - problemsMax} more problems`);
    super('DT_CONFIG', lines.join('; '));
    this.lines = lines;
  }
}

function position({ place }: Problem): number {
  return place === null ? -1 : place.line * 1_000_000 + place.column;
}

function lineOf(file: string | null, { place, text }: Problem): string {
  // What stands in a file must not steer the terminal on which it is reported.
  const plain = visible(text);
  return file === null || place === null ? plain : `${file}:${place.line}:${place.column}: ${plain}`;
}
