/** What a Content-Type field says (RFC 9110 section 8.3), and what that means for comparing. */

export interface MediaType {
  /** `application/json`, lower case; empty when there is none. */
  type: string;
  /** Names in lower case. */
  parameters: ReadonlyMap<string, string>;
}

/** How a body is compared. `unknown`: nothing says, so its first bytes do. */
export type ContentKind = 'json' | 'json-lines' | 'xml' | 'html' | 'form' | 'text' | 'binary' | 'unknown';

const PARAMETER = /;\s*([^\s=;,]{1,100})\s*=\s*(?:"([^"]*)"|([^\s;,]*))/g;

export function parseMediaType(value: string): MediaType {
  const semicolon = value.indexOf(';');
  const type = (semicolon < 0 ? value : value.slice(0, semicolon)).trim().toLowerCase();
  const parameters = new Map<string, string>();
  if (semicolon >= 0) {
    for (const [, name, quoted, plain] of value.slice(semicolon).matchAll(PARAMETER)) {
      parameters.set(name.toLowerCase(), quoted ?? plain ?? '');
    }
  }
  return { type, parameters };
}

const kinds: Readonly<Record<string, ContentKind>> = {
  '': 'unknown',
  'application/graphql': 'text',
  'application/javascript': 'text',
  'application/json': 'json',
  'application/json-seq': 'json-lines',
  'application/jsonl': 'json-lines',
  'application/jsonlines': 'json-lines',
  'application/ndjson': 'json-lines',
  'application/x-jsonlines': 'json-lines',
  'application/x-ndjson': 'json-lines',
  'application/x-www-form-urlencoded': 'form',
  'application/xml': 'xml',
  'application/yaml': 'text',
  'text/html': 'html',
  'text/json': 'json',
  'text/xml': 'xml',
};

export function kindOf(type: string): ContentKind {
  if (Object.hasOwn(kinds, type)) return kinds[type];
  if (type.endsWith('+json')) return 'json';
  if (type === 'application/xhtml+xml') return 'html';
  if (type.endsWith('+xml')) return 'xml';
  if (type.startsWith('multipart/')) return 'unknown';
  return type.startsWith('text/') ? 'text' : 'binary';
}
