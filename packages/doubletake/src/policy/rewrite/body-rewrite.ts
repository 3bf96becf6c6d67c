/** Changes the JSON in a request's body, also under content codings, which are put on again. */
import { codingsOf, closeBody, openBody } from '../sanitize/content-coding.ts';
import { parameter } from '../sanitize/multipart.ts';
import type { MessageHead } from '../../http/head.ts';
import { JsonRewrite } from './json-rewrite.ts';
import type { JsonEdit } from './options.ts';
import type { RequestDraft } from './request-draft.ts';
import type { Variables } from './variables.ts';

/** Larger bodies, before or after decompression, are not read. */
const bytesMax = 8 << 20;
/** Character sets in which ASCII stands for itself. */
const readableCharset = /^(?:utf-?8|us-ascii|ascii|iso-8859-\d+|latin1|windows-125\d)$/i;

export class BodyRewrite {
  readonly #json: JsonRewrite;

  /** Throws for a path or text that cannot be understood. */
  constructor(edits: readonly JsonEdit[]) {
    this.#json = new JsonRewrite(edits, 2 * bytesMax);
  }

  /** False when the body is JSON that cannot be read; a body that is something else, or empty, stays as it is. */
  apply(draft: RequestDraft, head: MessageHead, variables: Variables): boolean {
    const contentType = head.get('content-type') ?? '';
    if (!isJson(contentType)) return true;
    const { content } = draft;
    if (content === null) return false;
    if (content.length === 0) return true;
    const codings = codingsOf(head.all('content-encoding'));
    if (codings === null || !readableCharset.test(parameter(contentType, 'charset') ?? 'utf-8')) return false;
    const open = content.length > bytesMax ? null : openBody(content, codings, bytesMax);
    if (open === null) return false;
    const source = open.toString('latin1');
    const rewritten = this.#json.apply(source, variables);
    if (rewritten === null) return false;
    if (rewritten !== source) draft.content = closeBody(Buffer.from(rewritten, 'latin1'), codings);
    return true;
  }
}

/** `application/json` and what is built on it (RFC 6839 section 3.1). */
function isJson(contentType: string): boolean {
  const type = contentType.split(';', 1)[0].trim().toLowerCase();
  return type === 'application/json' || type === 'text/json' || type.endsWith('+json');
}
