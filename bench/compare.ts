/**
 * `npx node bench/compare.ts`: processor time that comparing two answers takes, by what sets them apart. One thread,
 * nothing else; each line is the lower quartile of many batches, for what shares the processor only adds to it.
 */
import { gzipSync } from 'node:zlib';
import type { Answer } from '../packages/doubletake/src/compare/pair.ts';
import { compareAnswers } from '../packages/doubletake/src/compare/diff/compare-answers.ts';
import { addressed, order, type Order, orders } from './compare-documents.ts';

interface Case {
  name: string;
  baseline: Answer;
  candidate: Answer;
  /** What it must not cost more than, µs; null where nothing is promised. */
  limitUs: number | null;
}

const BATCH_US = 2_000;
const BATCHES = 400;

function answer(body: string | Buffer, more: readonly (readonly [string, string])[] = []): Answer {
  const bytes = Buffer.from(body);
  return {
    status: 200,
    failure: null,
    headers: [
      ['Date', 'Sat, 21 Nov 2026 10:00:00 GMT'],
      ['Content-Type', 'application/json; charset=utf-8'],
      ['Content-Length', String(bytes.length)],
      ['Connection', 'keep-alive'],
      ['Cache-Control', 'private, max-age=60'],
      ['Vary', 'Accept, Accept-Encoding'],
      ['ETag', '"33a64df551425fcc55e4d42a148795d9f25f89d4"'],
      ['X-Request-Id', '0f8fad5b-d9cb-469f-a165-70867728950e'],
      ...more,
    ],
    body: bytes,
    bodyBytes: bytes.length,
    bodySha256: null,
    firstByteMs: 5,
    totalMs: 6,
  };
}

const gzip = [['Content-Encoding', 'gzip']] as const;
const small = addressed(17);
const smallText = JSON.stringify(small);
const large = orders(0, 22);
const largeText = JSON.stringify(large);
const everyOrderDiffers = JSON.stringify({
  ...large,
  orders: large.orders.map((each, index) => ({
    ...each,
    updatedAt: `2026-11-21T10:00:${index + 10}.123Z`,
    total: each.total + 0.01,
  })),
});

function withoutKey(each: Order): Omit<Order, 'id' | 'uuid'> {
  const { id, uuid: _, ...rest } = each;
  return { ...rest, total: id };
}

const cases: Case[] = [
  { name: '1 KB, the same bytes', baseline: answer(smallText), candidate: answer(smallText), limitUs: 25 },
  {
    name: '1 KB, other order of names',
    baseline: answer(smallText),
    candidate: answer(JSON.stringify(Object.fromEntries(Object.entries(small).toReversed()))),
    limitUs: 25,
  },
  {
    name: '1 KB, other whitespace',
    baseline: answer(smallText),
    candidate: answer(JSON.stringify(small, null, 1)),
    limitUs: 25,
  },
  {
    name: '1 KB, one field differs',
    baseline: answer(smallText),
    candidate: answer(JSON.stringify({ ...small, requestId: 'f47ac10b-58cc-4372-a567-0e02b2c3d479' })),
    limitUs: 25,
  },
  {
    name: '1 KB gzip, one field differs',
    baseline: answer(gzipSync(smallText), gzip),
    candidate: answer(gzipSync(JSON.stringify({ ...small, requestId: 'x' })), gzip),
    limitUs: null,
  },
  {
    name: '10 KB, one field differs',
    baseline: answer(largeText),
    candidate: answer(JSON.stringify({ ...large, page: 2 })),
    limitUs: 120,
  },
  { name: '10 KB, 44 fields differ', baseline: answer(largeText), candidate: answer(everyOrderDiffers), limitUs: 120 },
  {
    name: '10 KB, an order is missing',
    baseline: answer(largeText),
    candidate: answer(JSON.stringify({ ...large, orders: large.orders.toSpliced(7, 1) })),
    limitUs: 120,
  },
  {
    name: '10 KB, no keys, one is new',
    baseline: answer(JSON.stringify(large.orders.map(withoutKey))),
    candidate: answer(JSON.stringify([order(99), ...large.orders].map(withoutKey))),
    limitUs: 120,
  },
];

function costUs({ baseline, candidate }: Case): number {
  const options = {};
  const compare = (times: number): number => {
    const start = process.cpuUsage();
    for (let i = 0; i < times; i++) compareAnswers(baseline, candidate, options);
    const { user, system } = process.cpuUsage(start);
    return user + system;
  };
  compare(2_000);
  const perBatch = Math.max(1, Math.round(BATCH_US / (compare(200) / 200)));
  const batches = Array.from({ length: BATCHES }, () => compare(perBatch) / perBatch);
  return batches.toSorted((a, b) => a - b)[BATCHES / 4];
}

const row = (cells: readonly string[], remark: string): void => {
  const [name, ...numbers] = cells;
  console.log(`${name.padEnd(32)}${numbers.map((cell) => cell.padStart(9)).join('')}  ${remark}`);
};

console.log(`node ${process.version}\n`);
row(['case', 'bytes', 'µs', 'at most'], '');
for (const each of cases) {
  const us = costUs(each);
  const { differences } = compareAnswers(each.baseline, each.candidate, {});
  const tooMuch = each.limitUs !== null && us > each.limitUs ? ', too much' : '';
  row(
    [each.name, String(each.baseline.bodyBytes), us.toFixed(1), String(each.limitUs ?? '')],
    `${differences.length} differences${tooMuch}`,
  );
}
