/**
 * From what zod finds wrong to lines for people: what was found and what was expected, at a path. Values that came from
 * the environment are never shown.
 */
import { z } from 'zod';
import type { Path } from './document.ts';
import { suggestion } from './suggestion.ts';

/** One thing that is wrong. `key` is set when it is about a key of the mapping at `path` and not about a value. */
export interface Finding {
  path: Path;
  key: string | null;
  /** `expected …`, or a message that stands for itself. */
  message: string;
}

type Issue = z.core.$ZodIssue;

/** Messages for what the schema itself has none for; for `safeParse`. */
export function schemaMessage(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${kinds[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `expected ${either(issue.values.map(String))}${misspelt(issue.input, issue.values.map(String))}`;
    case 'too_small':
      return `expected at least ${issue.minimum}${entries(issue.origin)}`;
    case 'too_big':
      return `expected at most ${issue.maximum}${entries(issue.origin)}`;
    case 'unrecognized_keys': {
      const known = issue.inst instanceof z.ZodObject ? Object.keys(issue.inst.shape) : [];
      return issue.keys.map((key) => suggestion(key, known) || ` (known here: ${known.join(', ')})`).join('\n');
    }
    case 'invalid_union':
      return '';
    default:
      return undefined;
  }
}

function entries(origin: string): string {
  return { array: ' in the list', string: ' characters' }[origin] ?? '';
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

/** All that is wrong. What is wrong with a mapping as a whole is left out where an unknown key in it is the likely cause. */
export function allFindings(error: z.ZodError): Finding[] {
  const all = error.issues.flatMap((issue) => findings(issue));
  const misspeltIn = new Set(all.flatMap(({ path, key }) => (key === null ? [] : [pathText(path)])));
  return all.filter(({ path, key }) => key !== null || !misspeltIn.has(pathText(path)));
}

/** The findings of an issue: several where a mapping has several unknown keys. */
function findings(issue: Issue, above: Path = []): Finding[] {
  const path = [...above, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    const hints = issue.message.split('\n');
    return issue.keys.map((key, index) => ({ path, key, message: `unknown setting ${JSON.stringify(key)}${hints[index] ?? ''}` }));
  }
  if (issue.code === 'invalid_union' && issue.message === '') return unionFindings(issue.errors, path);
  return [{ path, key: null, message: issue.message }];
}

/** A suggestion at the end of a message. */
const hintPattern = / \(did you mean .*\)$/;

/** Of a choice of shapes, the one that was meant is the one whose outermost kind fits; else all are named. */
function unionFindings(branches: readonly Issue[][], path: Path): Finding[] {
  const meant = branches
    .filter((issues) => issues.every((issue) => issue.path.length > 0 || issue.code === 'unrecognized_keys'))
    .toSorted((left, right) => left.length - right.length)[0];
  if (meant !== undefined) return meant.flatMap((issue) => findings(issue, path));
  const messages = branches.flatMap((issues) => issues.slice(0, 1).map(({ message }) => message.replace(/^expected /, '')));
  const hint = messages.map((message) => hintPattern.exec(message)?.[0] ?? '').join('');
  const expected = new Set(messages.map((message) => message.replace(hintPattern, '')));
  return [{ path, key: null, message: `expected ${[...expected].join(', or ')}${hint}` }];
}

/** The line for a finding, without its place. `secret`: the value came from the environment. */
export function findingText({ path, key, message }: Finding, found: unknown, secret: boolean): string {
  const where = key === null ? pathText(path) : pathText([...path, key]);
  const prefix = where === '' ? '' : `${where}: `;
  if (key !== null || !message.startsWith('expected ')) return `${prefix}${message}`;
  if (found === undefined) return `${prefix}is missing, ${message}`;
  return `${prefix}found ${secret ? 'a value from the environment' : valueText(found)}, ${message}`;
}

/** `targets[0].limits`. */
export function pathText(path: Path): string {
  return path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('').replace(/^\./, '');
}

const shownLengthMax = 60;

function valueText(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > shownLengthMax ? `${text.slice(0, shownLengthMax)}…` : text;
}

function misspelt(value: unknown, known: readonly string[]): string {
  return typeof value === 'string' ? suggestion(value, known) : '';
}

function either(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
