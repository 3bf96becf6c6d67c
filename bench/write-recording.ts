/** Recordings for the benches that replay one. */
import { ExchangeParser } from '../packages/doubletake/src/recording/formats/exchange-parser.ts';
import { connectionOf } from '../packages/doubletake/src/recording/formats/traffic.ts';
import { RecordingWriter } from '../packages/doubletake/src/recording/recording-writer.ts';

export const perConnection = 100;

interface Recorded {
  requests: number;
  /** Microseconds from one request to the next. */
  apartUs: number;
  requestOf: (index: number) => string;
  answerOf: (index: number) => Buffer;
}

/** Writes them on 100 connections at once, each of which has 100 requests before another takes its place. */
export function writeRecording(directory: string, { requests, apartUs, requestOf, answerOf }: Recorded): void {
  const writer = new RecordingWriter({ directory });
  const parser = new ExchangeParser();
  for (let index = 0; index < requests; index++) {
    const startUs = 1_790_000_000_000_000 + Math.round(index * apartUs);
    const connection = connectionOf(String((index % perConnection) + perConnection * Math.floor(index / perConnection ** 2)));
    const timed = (bytes: Buffer, atUs: number) => ({ pieces: [bytes], missing: 0, startUs: atUs, endUs: atUs });
    const exchange = parser.parse(connection, 0, timed(Buffer.from(requestOf(index), 'latin1'), startUs), timed(answerOf(index), startUs + 500));
    if (typeof exchange === 'string') throw new Error(exchange);
    writer.append(exchange);
  }
  writer.close();
}
