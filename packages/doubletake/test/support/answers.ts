/** Answers made in memory. */
import type { Answer } from '../../src/compare/pair.ts';

export interface AnswerParts {
  status?: number;
  headers?: readonly (readonly [name: string, value: string])[];
  body?: string | Buffer;
  failure?: Answer['failure'];
}

export function answer({ status = 200, headers = [], body = '', failure = null }: AnswerParts): Answer {
  const bytes = Buffer.from(body);
  return {
    status: failure === null ? status : 0,
    failure,
    headers,
    body: bytes,
    bodyBytes: bytes.length,
    bodySha256: null,
    firstByteMs: 5,
    totalMs: 6,
  };
}

export function typedAnswer(type: string, body: string | Buffer, more: AnswerParts['headers'] = []): Answer {
  return answer({ headers: [['Content-Type', type], ...more], body });
}

export function jsonAnswer(body: string | Buffer): Answer {
  return typedAnswer('application/json', body);
}
