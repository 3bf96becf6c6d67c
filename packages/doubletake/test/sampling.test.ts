/** That a sample is the same everywhere: in other processes, in worker threads, in any order of the traffic. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { policySchema } from '../src/config/policy-schema.ts';
import type { LedgerReport } from '../src/ledger/report.ts';
import { ReplayPolicy } from '../src/policy/policy.ts';
import { samplePoint } from '../src/policy/sample.ts';
import { pcapFile } from './support/capture-files.ts';
import { type ConversationPacket, conversation } from './support/conversation.ts';
import { recordingTarget, runCli, startMirror, stopAll } from './support/mirror.ts';

const folder = mkdtempSync(join(tmpdir(), 'doubletake-sampling-'));
afterEach(stopAll);
afterAll(() => rmSync(folder, { recursive: true }));

const keys = 1_000_000;

/** Prints a hash of the points of a million users; runs in a process and in a worker thread. */
const pointsScript = `
  const { createHash } = require('node:crypto');
  import(${JSON.stringify(new URL('../src/policy/sample.ts', import.meta.url).href)}).then(({ samplePoint }) => {
    const points = Float64Array.from({ length: ${keys} }, (_, index) => samplePoint('2026-11', 'user-' + index));
    process.stdout.write(createHash('sha256').update(points).digest('hex'));
  });`;

async function textOf(stream: AsyncIterable<Buffer | string>): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

test('two processes and a worker thread have the points of this one, whatever the order', async () => {
  const points = new Float64Array(keys);
  for (let index = keys - 1; index >= 0; index--) points[index] = samplePoint('2026-11', `user-${index}`);
  const expected = createHash('sha256').update(points).digest('hex');
  const processes = [1, 2].map(() => spawn(process.execPath, ['-e', pointsScript], { stdio: ['ignore', 'pipe', 'inherit'] }));
  const worker = new Worker(pointsScript, { eval: true, stdout: true });
  const ends = [...processes, worker].map((started) => once(started, 'exit'));
  const printed = await Promise.all([...processes.map(({ stdout }) => textOf(stdout)), textOf(worker.stdout)]);
  await Promise.all(ends);
  expect(printed).toEqual([expected, expected, expected]);
});

/** Requests of one minute, each on a connection of its own, a millisecond apart. */
function requests(targets: readonly string[], fields: (index: number) => string, minute = 0): ConversationPacket[] {
  const startUs = 1_767_225_600_000_000 + minute * 60_000_000;
  return targets.flatMap((target, index) =>
    conversation({ client: `10.0.2.${minute}:${20_000 + index}`, startUs: startUs + index * 1_000, stepUs: 10 }, [
      { client: `GET ${target} HTTP/1.1\r\nHost: shop.example\r\n${fields(index)}\r\n` },
      { server: 'HTTP/1.1 204 No Content\r\n\r\n' },
    ]),
  );
}

/** Writes a configuration of `mirror`; JSON is YAML. */
function configuration(name: string, content: unknown): string {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, JSON.stringify(content));
  return file;
}

test('a capture file in one process and a live mirror of two workers replay the same users', async () => {
  const users = Array.from({ length: 60 }, (_, index) => `user-${index}`);
  const chosen = users.filter((user) => samplePoint('2026-11', user) < 0.4);
  const paths = users.map((user) => `/${user}`);
  const policy = { sample: { percentage: 40, by: 'header', header: 'X-User', salt: '2026-11' } };
  const [file, live] = [await recordingTarget(), await recordingTarget()];
  const capture = join(folder, 'users.pcap');
  writeFileSync(capture, pcapFile(requests(paths, (index) => `X-User: ${users[index]}\r\n`)));
  const fromFile = configuration('file', {
    sources: [{ pcap: { file: capture } }],
    policy,
    targets: [{ name: 'target', url: file.url }],
  });
  const fromNetwork = configuration('live', {
    sources: [{ vxlan: { listen: '127.0.0.1:0' } }],
    workers: 2,
    policy,
    targets: [{ name: 'target', url: live.url }],
  });

  expect(await runCli(['mirror', fromFile])).toMatchObject({ code: 0 });
  const mirror = await startMirror([fromNetwork]);
  await mirror.send(requests(paths.toReversed(), (index) => `X-User: ${users[users.length - 1 - index]}\r\n`));
  await live.received(chosen.length);
  const { ledger } = await mirror.stop();

  const replayed = (target: typeof file): string[] =>
    target.requests.map(({ head }) => /^GET \/(\S+)/.exec(head)?.[1] ?? head).toSorted();
  expect(replayed(file)).toEqual(chosen.toSorted());
  expect(replayed(live)).toEqual(chosen.toSorted());
  expect(ledger).toMatchObject({ outcomes: { replayed: chosen.length, sampled_out: users.length - chosen.length } });
});

test('rare endpoints are replayed although hardly anything is', async () => {
  const target = await recordingTarget();
  const capture = join(folder, 'rare.pcap');
  const ledgerFile = join(folder, 'ledger.json');
  const paths = [...Array.from({ length: 50 }, (_, index) => `/users/${index}`), '/report'];
  writeFileSync(capture, pcapFile([...requests(paths, () => ''), ...requests(paths, () => '', 1)]));
  const file = configuration('rare', {
    sources: [{ pcap: { file: capture } }],
    policy: { sample: { percentage: 0, atLeastPerMinute: 3 } },
    targets: [{ name: 'target', url: target.url }],
    ledger: ledgerFile,
  });

  expect(await runCli(['mirror', file])).toMatchObject({ code: 0 });
  const lines = target.requests.map(({ head }) => head.split(' ')[1]);
  const minute = ['/users/0', '/users/1', '/users/2', '/report'];
  expect(lines.toSorted()).toEqual([...minute, ...minute].toSorted());
  const ledger = JSON.parse(readFileSync(ledgerFile, 'utf8')) as LedgerReport;
  expect(ledger).toMatchObject({ captured: 102, outcomes: { replayed: 8, sampled_out: 94 } });
});

test('the example in docs/sampling.md is a policy', () => {
  const text = readFileSync(new URL('../../../docs/sampling.md', import.meta.url), 'utf8');
  const example = /```yaml\n([^]*?)```/.exec(text)?.[1] ?? '';
  const { policy } = z.strictObject({ policy: policySchema }).parse(parse(example));
  expect(policy.sample).toMatchObject({ by: 'cookie', atLeastPerMinute: 20 });
  expect(new ReplayPolicy(policy)).toBeInstanceOf(ReplayPolicy);
});
