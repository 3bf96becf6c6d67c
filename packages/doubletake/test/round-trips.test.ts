/**
 * A capture gives a target the same requests directly and by way of other formats: to the byte by way of a recording;
 * by way of .gor and HAR but for what these formats lose, as docs/replay.md says.
 */
import { writeFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { contentOf } from '../src/policy/message-edit.ts';
import { separator } from '../src/recording/formats/gor-format.ts';
import { freePath } from './support/config-file.ts';
import { type EngineRun, runEngineToEnd } from './support/engine-run.ts';
import { exchangeOf } from './support/exchanges.ts';
import { type RecordingTarget, recordingTarget, runCli, stopAll } from './support/mirror.ts';
import { type OddTraffic, oddTraffic } from './support/odd-traffic.ts';

afterEach(stopAll);

/** Large, but few: each run starts engines, which takes longer than what they do. */
const traffic = oddTraffic(60);
const runs = { numRuns: 1, endOnFailure: true } as const;
const timeoutMs = 60_000;

interface Arrived extends EngineRun {
  /** The bytes that came, by connection; the ids that the replay gives are none of the capture's. */
  byConnection: Record<string, string[]>;
}

function byConnection({ requests }: RecordingTarget): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const { bytes, head } of requests) {
    const trip = /^X-Trip: (\d+)\./m.exec(head)?.[1] ?? 'none';
    (found[trip] ??= []).push(bytes.toString('latin1').replace(/^(X-Doubletake-Id: ).*\r$/m, '$1ID\r'));
  }
  return found;
}

async function replayed(source: object, policy: object, more: object = {}): Promise<Arrived> {
  const target = await recordingTarget();
  const targets = [{ name: 'target', url: target.url, host: 'original' }];
  const run = await runEngineToEnd({ sources: [source], policy: { methods: 'all', ...policy }, targets, ...more });
  await target.stop();
  return { ...run, byConnection: byConnection(target) };
}

/** Without what every replayed request says of where it comes from. */
const ownFields = /^X-(?:Forwarded-(?:For|Port|Proto|Host)|Doubletake-(?:Id|Mirrored-From)): .*\r\n/gm;

function asCaptured({ connections }: OddTraffic): Record<string, string[]> {
  return Object.fromEntries(connections.map((requests, number) => [number, requests.map(({ sent }) => sent.toString('latin1'))]));
}

function mapped<From, To>(of: Record<string, From>, map: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(of).map(([key, value]) => [key, map(value)]));
}

function withoutOwnFields(arrived: Record<string, string[]>): Record<string, string[]> {
  return mapped(arrived, (texts) => texts.map((text) => text.replace(ownFields, '')));
}

describe('from a recording a target gets the bytes that it gets from the capture, in order:', () => {
  test('as they came', async () => {
    await fc.assert(
      fc.asyncProperty(traffic, async (made) => {
        const [pcap, directory] = [freePath('.pcap'), freePath('.recording')];
        writeFileSync(pcap, made.pcap);
        const direct = await replayed({ files: { paths: [pcap] } }, {});
        expect(withoutOwnFields(direct.byConnection)).toEqual(asCaptured(made));
        const mirrored = await replayed({ pcap: { file: pcap } }, {}, { record: { directory } });
        expect(mirrored.byConnection).toEqual(direct.byConnection);
        const again = await replayed({ files: { paths: [directory] } }, {});
        expect(again.warnings).toEqual([]);
        expect(again.byConnection).toEqual(direct.byConnection);
      }),
      runs,
    );
  }, timeoutMs);

  test('sanitized', async () => {
    await fc.assert(
      fc.asyncProperty(traffic, async (made) => {
        const [pcap, directory] = [freePath('.pcap'), freePath('.recording')];
        writeFileSync(pcap, made.pcap);
        const sanitize = { key: 'a key of the tests, long enough' };
        const direct = await replayed({ files: { paths: [pcap] } }, { sanitize }, { record: { directory } });
        expect(direct.ledger.outcomes['replayed']).toBeGreaterThan(made.connections.length);
        // What is recorded is safe already.
        const again = await replayed({ files: { paths: [directory] } }, {});
        expect(again.warnings).toEqual([]);
        expect(again.byConnection).toEqual(direct.byConnection);
      }),
      runs,
    );
  }, timeoutMs);
});

/** What a request means, apart from how it is framed. */
interface Meaning {
  line: string;
  fields: string[];
  body: string;
}

function meaningOf(text: string): Meaning {
  const { head, body } = exchangeOf(text).request;
  const fields = Array.from({ length: head.count }, (_, field) => `${head.name(field)}: ${head.value(field)}`);
  return {
    line: `${head.method} ${head.target} ${head.version}`,
    fields: fields.filter((field) => !/^(?:content-length|transfer-encoding):/i.test(field)),
    body: contentOf(body, head)?.bytes.toString('latin1') ?? 'cannot be read',
  };
}

/** What .gor can hold (docs/replay.md, Converting). */
function isInGor(text: string): boolean {
  return !`\n${text}\n`.includes(separator.toString('latin1'));
}

/** What HAR keeps of a request (docs/replay.md, Converting), besides its framing; null where it cannot hold it at all. */
function inHar({ line, fields, body }: Meaning): Meaning | null {
  const [method = '', target = '', version = ''] = line.split(' ');
  if (target === '*' || target.includes('#')) return null;
  const url = target.replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
  // The last field of a request of HTTP/1.0 is what the target hears of its connection.
  return { line: `${method} ${url} HTTP/1.1`, fields: version === 'HTTP/1.0' ? fields.slice(0, -1) : fields, body };
}

describe('by way of another format a target gets all but what the format loses:', () => {
  /** The last line says what was written and what was not. */
  async function converted(made: OddTraffic, extension: string): Promise<{ file: string; told: string | undefined }> {
    const [pcap, file] = [freePath('.pcap'), freePath(extension)];
    writeFileSync(pcap, made.pcap);
    const { code, stderr } = await runCli(['convert', pcap, file]);
    expect(code).toBe(0);
    return { file, told: stderr.trimEnd().split('\n').at(-1) };
  }

  const toldOf = (written: number, all: number): string => `doubletake: ${written} requests written, ${all - written} left out`;

  test('.gor, which has no connections', async () => {
    await fc.assert(
      fc.asyncProperty(traffic, async (made) => {
        const { file, told } = await converted(made, '.gor.gz');
        const sent = Object.values(asCaptured(made)).flat();
        const held = sent.filter(isInGor);
        expect(told).toBe(toldOf(held.length, sent.length));
        const { byConnection: arrived } = await replayed({ files: { paths: [file] } }, {});
        expect(Object.values(withoutOwnFields(arrived)).flat().toSorted()).toEqual(held.toSorted());
      }),
      runs,
    );
  }, timeoutMs);

  test('HAR, which has what messages mean', async () => {
    await fc.assert(
      fc.asyncProperty(traffic, async (made) => {
        const { file, told } = await converted(made, '.har');
        const held = mapped(asCaptured(made), (texts) => texts.flatMap((text) => inHar(meaningOf(text)) ?? []));
        expect(told).toBe(toldOf(Object.values(held).flat().length, made.connections.flat().length));
        const { byConnection: arrived } = await replayed({ files: { paths: [file] } }, {});
        expect({ ...mapped(held, () => []), ...mapped(withoutOwnFields(arrived), (texts) => texts.map(meaningOf)) }).toEqual(held);
      }),
      runs,
    );
  }, timeoutMs);
});
