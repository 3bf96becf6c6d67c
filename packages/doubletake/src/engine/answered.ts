/** An answer as it came, from production or a target, on its way to the form in which it is compared. */
import type { Answer, AnswerFailure } from '../compare/pair.ts';
import type { Message } from '../http/exchange.ts';
import { contentOf, headOf } from '../policy/message-edit.ts';
import type { ReplayResult } from '../replay/target.ts';

/** An answer as it came, with when. */
export interface Answered {
  /** Null when there was no whole answer. */
  message: Message | null;
  failure: AnswerFailure | null;
  firstByteMs: number;
  totalMs: number;
}

/** `message` is the answer in the form in which it is compared. */
export function answerIn(message: Message | null, { failure, firstByteMs, totalMs }: Answered): Answer {
  if (message === null) {
    return { status: 0, failure, headers: [], body: null, bodyBytes: 0, bodySha256: null, firstByteMs, totalMs };
  }
  const { head, body } = message;
  const headers = Array.from({ length: head.count }, (_, index) => [head.name(index), head.value(index)] as const);
  const content = body.bytes === 0 ? Buffer.alloc(0) : (contentOf(body, head)?.bytes ?? null);
  return {
    status: head.status,
    failure,
    headers,
    body: content,
    bodyBytes: content?.length ?? body.bytes,
    bodySha256: body.sha256,
    firstByteMs,
    totalMs,
  };
}

/** Null when the request never came to the target. */
export function answerOf(result: ReplayResult): Answered | null {
  switch (result.outcome) {
    case 'replayed': {
      const { head: bytes, body, bodyBytes, sentAtMs, firstByteAtMs, endAtMs } = result.response;
      const head = headOf('response', bytes)?.head ?? null;
      if (head === null) return { message: null, failure: 'protocol', firstByteMs: 0, totalMs: endAtMs - sentAtMs };
      const message: Message = {
        head,
        body: {
          // The transfer coding is gone.
          framing: bodyBytes === 0 ? 'none' : 'length',
          bytes: bodyBytes,
          sha256: null,
          wire: body === null ? null : [body],
          wireBytes: bodyBytes,
          tooLarge: body === null && bodyBytes > 0,
        },
        startUs: 0,
        endUs: 0,
        startSequence: 0,
        endSequence: 0,
        outcome: 'complete',
        ambiguity: null,
      };
      return { message, failure: null, firstByteMs: firstByteAtMs - sentAtMs, totalMs: endAtMs - sentAtMs };
    }
    case 'failed':
      return { message: null, failure: result.reason, firstByteMs: 0, totalMs: 0 };
    default:
      return null;
  }
}
