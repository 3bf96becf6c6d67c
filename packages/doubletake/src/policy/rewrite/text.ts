/**
 * A text with gaps, ready to be filled for each request, and how what comes out is made harmless for the place where it
 * goes: what a client sent must not end a line or move a border. Strings are latin1, a character for a byte; what the
 * user wrote goes out as UTF-8.
 */
import { type Groups, parseTemplate, type TemplatePart } from '../../config/template.ts';
import { bytesOf } from '../sanitize/json.ts';
import type { Variables } from './variables.ts';

/** The groups of a match, the whole match first. */
export type MatchedGroups = readonly (string | null)[];

const noGroups: MatchedGroups = [];
const asIs = (text: string): string => text;

export class Text {
  readonly #parts: readonly TemplatePart[];

  /** `groups` is given where the text replaces a match. Throws `TemplateError`. */
  constructor(text: string, groups: Groups | null = null) {
    this.#parts = parseTemplate(text, groups).map((part) =>
      part.kind === 'text' ? { kind: 'text', text: bytesOf(part.text) } : part,
    );
  }

  /** `encode` is for what stands in no encoding yet: variables, but for the path and the query. */
  fill(variables: Variables, groups = noGroups, encode = asIs): string {
    const [only] = this.#parts;
    if (this.#parts.length === 1 && only.kind === 'text') return only.text;
    let out = '';
    for (const part of this.#parts) {
      if (part.kind === 'text') out += part.text;
      else if (part.kind === 'group') out += groups[part.group] ?? '';
      else if (part.kind === 'header') out += encode(variables.header(part.name));
      else if (part.name === 'path' || part.name === 'query') out += variables.get(part.name);
      else out += encode(variables.get(part.name));
    }
    return out;
  }
}

/** As the value of a field (RFC 9110 section 5.5): without control characters, and no blanks around it. */
export function asFieldValue(text: string): string {
  return text.replace(/[^\t -~\x80-\xff]/g, '').replace(/^[ \t]+|[ \t]+$/g, '');
}

/** As a host and port: without what can stand in neither (RFC 3986 section 3.2). */
export function asHost(text: string): string {
  return text.replace(/[^\w.~!$&'()*+,;=:[\]%-]/g, '');
}

/** As data in a path segment or a query: all but what RFC 3986 leaves unreserved, and a few that hurt nowhere. */
export function percentEncoded(text: string): string {
  return text.replace(/[^\w.~:@,!*'()-]/g, percent);
}

/** As a path: without what ends one, or the request line. */
export function asPath(text: string): string {
  return text.replace(/[^!-~\x80-\xff]|[?#]/g, percent);
}

/** Bytes beyond ASCII percent-encoded. */
export function withoutRawBytes(text: string): string {
  return text.replace(/[\x80-\xff]/g, percent);
}

function percent(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
