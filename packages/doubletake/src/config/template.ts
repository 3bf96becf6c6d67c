/**
 * Texts with gaps that each request fills: `{{host}}`, `{{header:Name}}`, and in replacements of a regular expression
 * its groups, `$1` or `${name}`, where `$$` is a dollar.
 */
import { token } from '../token.ts';
import { suggestion } from './suggestion.ts';

export const templateVariables = ['host', 'client', 'server', 'method', 'path', 'query', 'id'] as const;
export type TemplateVariable = (typeof templateVariables)[number];

export type TemplatePart =
  | { kind: 'text'; text: string }
  | { kind: 'variable'; name: TemplateVariable }
  /** A header by its lower-case name. */
  | { kind: 'header'; name: string }
  | { kind: 'group'; group: number };

/** The groups of a regular expression: how many, and the numbers of those that have names. */
export interface Groups {
  count: number;
  names: Readonly<Record<string, number>>;
}

/** A text with a gap that nothing fills, with the reason in plain words. */
export class TemplateError extends Error {}

const gap = /\{\{(.*?)(\}\}|$)/gs;
const reference = /\$(?:(\$)|(\d{1,2})|\{([^}]*)\})/g;

/** Throws `TemplateError`. Without `groups` a dollar is itself. */
export function parseTemplate(text: string, groups: Groups | null = null): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let copied = 0;
  for (const match of text.matchAll(gap)) {
    parts.push(...parseGroups(text.slice(copied, match.index), groups), parseGap(match[1].trim(), match[2] !== ''));
    copied = match.index + match[0].length;
  }
  return [...parts, ...parseGroups(text.slice(copied), groups)];
}

function parseGap(name: string, closed: boolean): TemplatePart {
  if (!closed) throw new TemplateError('"{{" has no "}}"');
  const variable = templateVariables.find((known) => known === name);
  if (variable !== undefined) return { kind: 'variable', name: variable };
  const [, header] = /^header:(.*)$/.exec(name) ?? [];
  if (header !== undefined && token.test(header)) return { kind: 'header', name: header.toLowerCase() };
  const known = `${templateVariables.join(', ')} and header:NAME`;
  throw new TemplateError(`there is no variable {{${name}}}${suggestion(name, templateVariables) || ` (known: ${known})`}`);
}

function parseGroups(text: string, groups: Groups | null): TemplatePart[] {
  if (groups === null) return text === '' ? [] : [{ kind: 'text', text }];
  const parts: TemplatePart[] = [];
  let literal = '';
  let copied = 0;
  for (const match of text.matchAll(reference)) {
    literal += text.slice(copied, match.index);
    copied = match.index + match[0].length;
    const [, dollar, digits, name] = match;
    if (dollar !== undefined) {
      literal += '$';
      continue;
    }
    if (literal !== '') parts.push({ kind: 'text', text: literal });
    // Of two digits the second is a text when there are not that many groups.
    const short = digits !== undefined && Number(digits) > groups.count ? digits.slice(0, 1) : digits;
    parts.push({ kind: 'group', group: groupOf(short, name, groups) });
    literal = (digits ?? '').slice((short ?? '').length);
  }
  literal += text.slice(copied);
  return literal === '' ? parts : [...parts, { kind: 'text', text: literal }];
}

function groupOf(digits: string | undefined, name: string | undefined, { count, names }: Groups): number {
  if (digits !== undefined) {
    if (Number(digits) <= count) return Number(digits);
    throw new TemplateError(`the regular expression has no group ${digits}: it has ${count}`);
  }
  if (name !== undefined && Object.hasOwn(names, name)) return names[name];
  throw new TemplateError(`the regular expression has no group named ${name}`);
}
