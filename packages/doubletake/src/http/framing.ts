/**
 * How the body of a message is delimited: RFC 9112 section 6.3 as one decision, first match wins. Where a sender said
 * something that two servers may read differently, the decision carries an `ambiguity`, and follows what most servers
 * do, so that counting can go on; where none of them could, it is not `sure`, and the reader looks for the next start.
 */
import type { Ambiguity, Framing } from './exchange.ts';
import type { FramingFields } from './framing-fields.ts';

/** Overwritten by each decision. */
export class FramingDecision {
  framing: Framing = 'none';
  /** Body bytes when the framing is `length`. */
  length = 0;
  ambiguity: Ambiguity | null = null;
  /** Whether the end of the message is known. */
  sure = true;

  set(framing: Framing, length: number, ambiguity: Ambiguity | null, sure = true): void {
    this.framing = framing;
    this.length = length;
    this.ambiguity = ambiguity;
    this.sure = sure;
  }
}

/** A request is framed by its own head alone. `beforeHttp11`: its version knows no transfer codings. */
export function decideRequestFraming(fields: FramingFields, beforeHttp11: boolean, decision: FramingDecision): void {
  const { codings, length } = fields;
  const ambiguity = ambiguityOf(fields, beforeHttp11);
  if (fields.chunked > 0) decision.set('chunked', 0, ambiguity);
  else if (codings > 0 && length < 0) decision.set('none', 0, ambiguity, false);
  else if (length >= 0) decision.set('length', length, ambiguity);
  else decision.set('none', 0, ambiguity, ambiguity === null);
}

/** `requestMethod` is empty when the request was not seen. */
export function decideResponseFraming(
  fields: FramingFields,
  beforeHttp11: boolean,
  status: number,
  requestMethod: string,
  decision: FramingDecision,
): void {
  const { codings, length } = fields;
  const ambiguity = ambiguityOf(fields, beforeHttp11);
  if (status < 200 || status === 204 || status === 304 || requestMethod === 'HEAD') decision.set('none', 0, null);
  else if (requestMethod === 'CONNECT' && status < 300) decision.set('none', 0, null);
  else if (fields.chunkedLast) decision.set('chunked', 0, ambiguity);
  else if (codings > 0) decision.set('close', 0, fields.chunked > 0 ? ambiguity : null);
  else if (length >= 0) decision.set('length', length, ambiguity);
  else decision.set('close', 0, ambiguity);
}

function ambiguityOf(fields: FramingFields, beforeHttp11: boolean): Ambiguity | null {
  const hasLength = fields.length >= 0 || fields.lengthInvalid;
  if (fields.codings > 0 || fields.codingInvalid) {
    if (hasLength) return 'length_and_chunked';
    const sound = fields.chunkedLast && fields.chunked === 1 && !fields.codingInvalid && !beforeHttp11;
    return sound ? null : 'invalid_transfer_coding';
  }
  if (fields.lengthInvalid) return 'invalid_length';
  return fields.lengthConflict ? 'conflicting_lengths' : null;
}
