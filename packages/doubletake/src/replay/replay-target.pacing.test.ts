/** Requests that go out at the pace of the capture. Times are only ever compared with what they must not come before. */
import { expect, test } from 'vitest';
import { gist, onRequestHeads, rawServer, replayTarget, request, send, until } from '../../test/support/replay-servers.ts';
import type { TargetOptions } from './target.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const MINUTE_US = 60_000_000;

/** A target at its own pace, and the paths that its server has seen. */
async function pacedTarget(options: Partial<TargetOptions>) {
  const seen: string[] = [];
  const server = await rawServer((socket) =>
    onRequestHeads(socket, (head) => {
      seen.push(head.split(' ')[1] ?? '');
      socket.write(OK);
    }),
  );
  return { target: replayTarget(server.url, { pace: { speed: 1 }, ...options }), seen };
}

test('requests go out as far apart as they were captured, divided by the speed, and in their order', async () => {
  const { target, seen } = await pacedTarget({ pace: { speed: 10 } });
  const lane = {};
  const timesUs = [0, 1_000_000, 1_000_000, 2_000_000, 1_500_000, 3_000_000];
  const results = await Promise.all(timesUs.map((timeUs, index) => send(target, request(`/${index}`, { lane, timeUs: 7e15 + timeUs }))));
  const due = results.map((result) => {
    if (result.outcome !== 'replayed') throw new Error(gist(result));
    expect(result.response.sentAtMs).toBeGreaterThanOrEqual(result.response.queuedAtMs);
    return result.response.queuedAtMs;
  });
  const afterFirst = due.map((ms) => Math.round(ms - (due[0] ?? 0)));
  // Sent within a turn or two, so that only the first may have a due time of its own.
  expect(afterFirst).toEqual([0, 100, 100, 200, 200, 300]);
  expect(seen).toEqual(['/0', '/1', '/2', '/3', '/4', '/5']);
  expect(target).toMatchObject({ queuedRequests: 0, queuedBytes: 0, pacedRequests: 0 });
});

test('one that is due at once goes behind those that are due and have not gone yet', async () => {
  const { target, seen } = await pacedTarget({ connectionsMax: 1 });
  expect(gist(await send(target, request('/0')))).toBe('200');
  const behind = send(target, request('/1', { timeUs: 60_000 }));
  // The timer cannot run while this does.
  const untilMs = performance.now() + 70;
  while (performance.now() < untilMs);
  await Promise.all([behind, send(target, request('/2'))]);
  expect(seen).toEqual(['/0', '/1', '/2']);
});

test('what waits for its time counts in the queue and in its bounds', async () => {
  const { target, seen } = await pacedTarget({ queueRequestsMax: 4, queueBytesMax: 10_000 });
  const results: string[] = [];
  target.send(request('/now'), (result) => results.push(gist(result)));
  await until(() => results.length === 1);
  for (let index = 0; index < 4; index++) {
    expect(target.room).toBe(index <= 2);
    target.send(request('/later', { timeUs: MINUTE_US }), (result) => results.push(gist(result)));
  }
  expect(target).toMatchObject({ queuedRequests: 4, pacedRequests: 4, queuedBytes: 4 * request('/later').length });
  expect(gist(await send(target, request('/beyond', { timeUs: MINUTE_US })))).toBe('dropped queue_full');
  expect(gist(await send(target, request(`/${'x'.repeat(9_990)}`)))).toBe('dropped too_large');
  let roomAgain = false;
  void target.waitForRoom().then(() => (roomAgain = true));
  target.halt({ outcome: 'blocked', guard: 'kill_switch' });
  expect(results.slice(1)).toEqual(Array.from({ length: 4 }, () => 'blocked kill_switch'));
  await until(() => roomAgain);
  target.resume();
  // Time begins anew: nothing is left to wait for.
  expect(gist(await send(target, request('/anew', { timeUs: 2 * MINUTE_US })))).toBe('200');
  expect(seen).toEqual(['/now', '/anew']);
});

test('a close lets go out in time what is due within the drain, and drops the rest', async () => {
  const { target, seen } = await pacedTarget({});
  const results: string[] = [];
  for (const [path, timeUs] of [['/now', 0], ['/soon', 50_000], ['/later', MINUTE_US]] as const) {
    target.send(request(path, { timeUs }), (result) => results.push(`${path} ${gist(result)}`));
  }
  const closed = target.close(1_000);
  await until(() => results.length === 2);
  expect(results).toEqual(['/now 200', '/soon 200']);
  await closed;
  expect(results[2]).toBe('/later dropped shutdown');
  expect(seen).toEqual(['/now', '/soon']);
});

test('a close ends as soon as the last has gone out', async () => {
  const { target } = await pacedTarget({});
  const results = [0, 50_000].map((timeUs) => send(target, request('/', { timeUs })));
  await target.close(600_000);
  expect((await Promise.all(results)).map(gist)).toEqual(['200', '200']);
});

test('an abort drops what waits for its time at once', async () => {
  const { target } = await pacedTarget({});
  const results: string[] = [];
  for (const timeUs of [0, MINUTE_US]) target.send(request('/', { timeUs }), (result) => results.push(gist(result)));
  target.abort();
  expect(results).toEqual(['dropped shutdown', 'dropped shutdown']);
});

test('times that leap by more than an hour hold nothing up', async () => {
  const { target, seen } = await pacedTarget({});
  const hours = [0, 2, 30 * 24, 1, 0];
  const results = await Promise.all(hours.map((hour, index) => send(target, request(`/${index}`, { timeUs: hour * 60 * MINUTE_US }))));
  expect(results.map(gist)).toEqual(hours.map(() => '200'));
  expect(seen.toSorted()).toEqual(['/0', '/1', '/2', '/3', '/4']);
});
