/** Exchanges as `inspect` lists them, for people and as the contract of `inspect --json`, a line each. */
import type { Exchange, Message } from '../http/exchange.ts';
import { fidelityLabels } from '../http/fidelity.ts';
import { visible } from '../visible.ts';

/** Gathers lines, so that a large capture does not cost a system call for each. */
export class LineWriter {
  #lines: string[] = [];

  write(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length >= 256) this.flush();
  }

  flush(): void {
    if (this.#lines.length > 0) process.stdout.write(`${this.#lines.join('\n')}\n`);
    this.#lines = [];
  }
}

/** One line of the contract of `inspect --json`. */
export function exchangeJson({ connection, client, index, request, response, fidelity }: Exchange): string {
  return JSON.stringify({
    connection: connection.label(client),
    index,
    protocol: request.head.version,
    outcome: request.outcome === 'complete' ? responseOutcome(response) : `incomplete:${request.outcome}`,
    request: {
      time: isoTime(request.startUs),
      method: request.head.method,
      target: request.head.target,
      ...common(request),
    },
    response: response && {
      time: isoTime(response.startUs),
      status: response.head.status,
      reason: response.head.reason,
      ...common(response),
    },
    fidelity: fidelityLabels(fidelity),
  });
}

/** A whole request with half a response is an exchange that is not whole; without any response it is. */
function responseOutcome(response: Message | null): string {
  return response === null || response.outcome === 'complete' ? 'complete' : `incomplete:${response.outcome}`;
}

function common({ head, body, ambiguity }: Message): object {
  return {
    headers: Array.from({ length: head.count }, (_, field) => [head.name(field), head.value(field)]),
    body: { bytes: body.bytes, sha256: body.sha256 },
    ...(ambiguity === null ? {} : { ambiguity }),
  };
}

export function exchangeText({ connection, client, request, response }: Exchange): string {
  const outcome = request.outcome === 'complete' ? responseOutcome(response) : `incomplete:${request.outcome}`;
  const answer = response === null ? '  -' : String(response.head.status).padStart(3);
  const size = response === null ? '' : `${response.body.bytes} B`;
  const line = [
    isoTime(request.startUs).slice(11),
    connection.label(client),
    answer,
    size.padStart(10),
    `${request.head.method} ${request.head.target}`,
  ].join('  ');
  return visible(outcome === 'complete' ? line : `${line}  [${outcome}]`);
}

/** Microseconds since the epoch as `2026-01-01T00:00:00.000001Z`. */
export function isoTime(timeUs: number): string {
  const ms = Math.floor(timeUs / 1_000);
  const micros = Math.floor(timeUs - ms * 1_000);
  const valid = Math.abs(ms) <= 8.64e15 ? ms : 0;
  return `${new Date(valid).toISOString().slice(0, -1)}${String(micros).padStart(3, '0')}Z`;
}
