/**
 * The messages that stand in what doubletake writes, each as head and body, wherever they are: in the blocks of a recording
 * (read by docs/recording-format.md alone), in .gor, HAR and curl scripts, in Parquet files and in the tables of a run.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { openDatabase } from '../../src/store/database.ts';
import { tables } from '../../src/store/schema.ts';

/** Every file of a folder, one behind the other. */
export function filesOf(folder: string): Buffer[] {
  return readdirSync(folder).map((name) => readFileSync(join(folder, name)));
}

export interface StoredRecord {
  /** The record as it stands in its block. */
  bytes: Buffer;
  messages: Buffer[];
}

/** Records of a recording, and the hashes of connections in its indexes. */
export function recordsOf(folder: string): { records: StoredRecord[]; hashes: number[] } {
  const found: { records: StoredRecord[]; hashes: number[] } = { records: [], hashes: [] };
  for (const file of filesOf(folder)) {
    for (let at = 64; file.toString('latin1', at, at + 4) === 'DTBK'; at += 48 + file.readUInt32LE(at + 8)) {
      const raw = zstdDecompressSync(file.subarray(at + 48, at + 48 + file.readUInt32LE(at + 8)));
      if (file[at + 4] === 1) found.records.push(...recordsIn(raw));
      else found.hashes.push(...hashesIn(raw));
    }
  }
  return found;
}

function* recordsIn(raw: Buffer): Generator<StoredRecord> {
  for (let at = 0; at < raw.length; at += raw.readUInt32LE(at)) {
    const bytes = raw.subarray(at, at + raw.readUInt32LE(at));
    const lengthOf = (place: number): number => bytes.readUInt32LE(place + 16) + bytes.readUInt32LE(place + 20);
    const answer = 144 + lengthOf(72);
    yield { bytes, messages: [bytes.subarray(144, answer), bytes.subarray(answer, answer + lengthOf(108))] };
  }
}

function* hashesIn(raw: Buffer): Generator<number> {
  for (let at = 0; at < raw.length; ) {
    const end = at + 40 + 4 * raw.readUInt32LE(at + 36);
    for (at += 40; at < end; at += 4) yield raw.readUInt32LE(at);
  }
}

export function messagesInGor(file: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  const separator = Buffer.from('\n🐵🙈🙉\n');
  for (let at = 0, end = file.indexOf(separator); end >= 0; at = end + separator.length, end = file.indexOf(separator, at)) {
    messages.push(file.subarray(file.indexOf('\n', at) + 1, end));
  }
  return messages;
}

interface HarMessage {
  headers: { name: string; value: string }[];
  postData?: { text: string; _encoding?: string };
  content?: { text?: string; encoding?: string };
}

/** With all that an entry says of them beside head and body: the query, the cookies, where it leads. */
export function messagesInHar(file: Buffer): Buffer[] {
  const har = JSON.parse(file.toString()) as { log: { entries: { request: HarMessage; response: HarMessage }[] } };
  return har.log.entries.flatMap(({ request, response }) =>
    [request, response].map(({ headers, postData, content, ...rest }) => {
      const { text = '' } = postData ?? content ?? {};
      const { _encoding: coding = content?.encoding } = postData ?? {};
      // No body has a transfer coding here, and those of answers have no content coding.
      const undone = postData === undefined ? /^(?:content-encoding|transfer-encoding)$/i : /^transfer-encoding$/i;
      const fields = headers.filter(({ name }) => !undone.test(name));
      return message([JSON.stringify(rest), ...fields.map(({ name, value }) => `${name}: ${value}`)], Buffer.from(text, coding === 'base64' ? 'base64' : 'utf8'));
    }),
  );
}

/** A command for each; what is piped into it stands in it as base64. */
export function messagesInScript(file: Buffer): Buffer[] {
  return file
    .toString('latin1')
    .split(/^# (?=\d{4}-)/m)
    .slice(1)
    .map((command) => {
      const piped = /^printf %s '([^']*)' \| base64 -d/m.exec(command)?.[1];
      const fields = Array.from(command.matchAll(/--header '((?:[^']|'\\'')*)'/g), ([, field = '']) => field);
      return message([command, ...fields], Buffer.from(piped ?? '', 'base64'));
    });
}

type Cell = string | number | bigint | boolean | Date | Uint8Array | null;
type Row = Record<string, Cell>;

/** Rows of a Parquet file or of a table. */
async function rowsOf(database: string, from: string): Promise<Row[]> {
  const opened = await openDatabase(database, database === ':memory:' ? 'READ_WRITE' : 'READ_ONLY');
  const rows = (await opened.connection.runAndReadAll(`SELECT * FROM ${from}`)).getRowObjectsJS() as Row[];
  opened.close();
  return rows;
}

export async function messagesInParquet(file: string): Promise<Buffer[]> {
  const rows = await rowsOf(':memory:', `'${file}'`);
  return rows.flatMap(({ request_headers: asked, request_body: sent, response_headers: told, response_body: answered, ...rest }) => {
    const fields = (list: Cell): string[] =>
      (JSON.parse(String(list ?? '[]')) as [string, string][]).filter(([name]) => !/^transfer-encoding$/i.test(name)).map((field) => field.join(': '));
    return [message([textOf(rest), ...fields(asked)], sent), message(['', ...fields(told)], answered)];
  });
}

export interface StoredRun {
  /** Requests and answers that are kept as examples. */
  messages: Buffer[];
  /** By pair: what is told of it in the tables, without times and sizes. */
  pairs: Map<string, string>;
  /** Every row of every table. */
  rows: string[];
}

export async function readRun(file: string): Promise<StoredRun> {
  const found: StoredRun = { messages: [], pairs: new Map(), rows: [] };
  for (const table of Object.keys(tables)) {
    // oxlint-disable-next-line no-await-in-loop -- a database has one connection
    for (const row of await rowsOf(file, table)) {
      found.rows.push(textOf(row));
      const pair = String(row['pair'] ?? '');
      const { endpoint, session, host, target, path, place, baseline, candidate } = row;
      if (pair !== '') found.pairs.set(pair, `${found.pairs.get(pair) ?? ''}\n${textOf({ endpoint, session, host, target, path, place, baseline, candidate })}`);
      if (table !== 'examples') continue;
      const head = (of: Cell): string[] => String(of ?? '').split('\n').filter((field) => !/^transfer-encoding:/i.test(field));
      found.messages.push(bytesOf(row['request']), message(head(row['baseline_head']), row['baseline_body']), message(head(row['candidate_head']), row['candidate_body']));
    }
  }
  return found;
}

function message(head: readonly string[], body: Cell): Buffer {
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), bytesOf(body)]);
}

function bytesOf(value: Cell): Buffer {
  return value instanceof Uint8Array ? Buffer.from(value) : Buffer.alloc(0);
}

function textOf(row: Row): string {
  return Object.values(row)
    .map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value ?? '')))
    .join('\n');
}
