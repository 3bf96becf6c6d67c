/** Exchanges made by the HTTP stage itself from raw requests, for tests of what comes after it. */
import { ExchangeAssembler } from '../../src/http/assembler.ts';
import type { Conversation } from '../../src/http/conversation.ts';
import type { Exchange } from '../../src/http/exchange.ts';
import { Connection } from '../../src/tcp/connection.ts';
import { Recorder } from './http-script.ts';

/** The exchanges of one connection from 10.0.2.5:41234 to 10.0.1.2:80 on which these bytes were sent. */
export function exchangesOf(bytes: string | Buffer): Exchange[] {
  const recorder = new Recorder();
  const assembler = new ExchangeAssembler(recorder);
  const addresses = Int32Array.of(0, 0, 0xffff, 0x0a00_0205, 0, 0, 0xffff, 0x0a00_0102);
  const connection = new Connection<Conversation>(1, 0, 0, addresses, [41_234, 80], 0);
  connection.state = assembler.open(connection);
  const data = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes, 'latin1');
  assembler.data(connection, 0, data, 0, data.length, 1, 1_000, 5_000, true);
  assembler.close(connection, 'fin', 2);
  return recorder.exchanges;
}

/** The only exchange of these bytes. */
export function exchangeOf(bytes: string | Buffer): Exchange {
  const [exchange, ...more] = exchangesOf(bytes);
  if (exchange === undefined || more.length > 0) throw new Error('expected exactly one request');
  return exchange;
}
