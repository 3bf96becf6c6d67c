/**
 * Programs that record in a process of their own, for tests that kill them or change what the system lets them do:
 *
 *     node recording-program.ts endless DIR      writes blocks until it is killed, and prints the number of each
 *     node recording-program.ts full DIR         in a small file system: fills it, makes room, goes on
 *     node recording-program.ts refused DIR      takes away its own right to write, gives it back, goes on
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type RecordBlock, RecordBlockBuilder } from '../../src/recording/record-block.ts';
import type { RecordedExchange } from '../../src/recording/recorded-exchange.ts';
import { Recorder } from '../../src/recording/recorder.ts';
import { openRecording } from '../../src/recording/recording.ts';

export const exchangesPerBlock = 5;

/** What the programs that end by themselves print. */
export interface FaultResult {
  /** By block: it was written. */
  written: boolean[];
  warnings: string[];
  notices: string[];
  /** Times of the requests that were read back. */
  readBack: number[];
  readWarnings: string[];
}

/** Block number `block`: the times of its requests are their numbers. */
function blockOf(block: number, bodyBytes: number): RecordBlock {
  const builder = new RecordBlockBuilder();
  for (let index = 0; index < exchangesPerBlock; index++) builder.add(exchangeOf(block * exchangesPerBlock + index, bodyBytes));
  return builder.take();
}

function exchangeOf(number: number, bodyBytes: number): RecordedExchange {
  const client = { address: '10.0.0.1', port: 4_000 };
  const server = { address: '10.0.1.2', port: 80 };
  // Compression cannot make it small.
  const body = randomBytes(bodyBytes);
  return {
    connection: { key: 'one', label: '10.0.0.1:4000>10.0.1.2:80', client, server, tunnel: 0, vlan: 0 },
    index: number,
    request: { head: Buffer.from('GET / HTTP/1.1\r\n\r\n'), body, bodyBytes, framing: 'length', startUs: number, endUs: number, outcome: 'complete' },
    response: null,
    fidelity: 1,
    probability: 1,
  };
}

const programs: Record<string, (directory: string) => Promise<void> | void> = {
  endless(directory) {
    const recorder = open(directory, { warnings: [], notices: [] }, 200_000);
    for (let block = 0; ; block++) {
      recorder.write(blockOf(block, block % 3 === 0 ? 20_000 : 500), Date.now());
      writeSync(1, `${block}\n`);
    }
  },

  async full(directory) {
    const told = { warnings: [], notices: [] };
    const ballast = join(directory, 'ballast');
    writeFileSync(ballast, Buffer.alloc(400_000));
    const recorder = open(directory, told, 1_000_000_000);
    const written: boolean[] = [];
    for (let block = 0; block < 50; block++) {
      if (block === 40) rmSync(ballast);
      // A second and more between two blocks, so that each may be tried.
      written.push(recorder.write(blockOf(block, 4_000), block * 2_000) !== null);
      if (block === 39 && written.every(Boolean)) throw new Error('the file system is not full');
    }
    await tell(recorder, directory, { ...told, written });
  },

  async refused(directory) {
    const told = { warnings: [], notices: [] };
    const recorder = open(directory, told, 1);
    const written: boolean[] = [];
    for (let block = 0; block < 9; block++) {
      if (block === 3) chmodSync(directory, 0o500);
      if (block === 6) chmodSync(directory, 0o700);
      written.push(recorder.write(blockOf(block, 100), block * 2_000) !== null);
    }
    await tell(recorder, directory, { ...told, written });
  },
};

function open(directory: string, told: { warnings: string[]; notices: string[] }, rotateBytes: number): Recorder {
  const options = { directory, key: null, rotateBytes, rotateMs: Infinity, retain: { ageMs: null, bytes: null } };
  const recorder = new Recorder(options, { warning: (text) => told.warnings.push(text), notice: (text) => told.notices.push(text) });
  recorder.open();
  return recorder;
}

async function tell(recorder: Recorder, directory: string, found: Omit<FaultResult, 'readBack' | 'readWarnings'>): Promise<void> {
  recorder.close();
  const recording = await openRecording([directory]);
  const readBack: number[] = [];
  for await (const { request } of recording) readBack.push(request.startUs);
  const result: FaultResult = { ...found, readBack, readWarnings: [...recording.warnings] };
  process.stdout.write(JSON.stringify(result));
}

const [, file = '', program = '', directory = ''] = process.argv;
if (import.meta.url === pathToFileURL(file).href) await programs[program]?.(directory);
