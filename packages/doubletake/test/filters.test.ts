/** Filters and sampling from the configuration file to the target and the ledger. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { samplePoint } from '../src/policy/sample.ts';
import { conversation } from './support/conversation.ts';
import { recordingTarget, startMirror, stopAll } from './support/mirror.ts';

const folder = mkdtempSync(join(tmpdir(), 'doubletake-filters-'));
afterEach(stopAll);
afterAll(() => rmSync(folder, { recursive: true }));

/** Starts a mirror with this policy and sends the requests, each on a connection of its own. */
async function mirrored(policy: unknown, requests: readonly string[], replayed: number) {
  const target = await recordingTarget();
  const file = join(folder, `${target.port}.yaml`);
  const sources = [{ vxlan: { listen: '127.0.0.1:0' } }];
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ sources, policy, targets: [{ name: 'target', url: target.url }] }));
  const mirror = await startMirror([file]);
  for (const [index, client] of requests.entries()) {
    await mirror.send(
      conversation({ client: `10.0.2.5:${40_000 + index}` }, [{ client }, { server: 'HTTP/1.1 204 No Content\r\n\r\n' }]),
    );
  }
  await target.received(replayed);
  const { ledger, code, stdout } = await mirror.stop();
  expect(code).toBe(0);
  return { ledger, stdout, lines: target.requests.map(({ head }) => head.split(' HTTP/', 1)[0]) };
}

function get(path: string, ...fields: string[]): string {
  return `${[`GET ${path} HTTP/1.1`, 'Host: shop.example', ...fields].join('\r\n')}\r\n\r\n`;
}

test('each rule counts what it keeps back, under its name, for the source and for the target', async () => {
  const policy = {
    trustedProxies: ['10.0.0.0/8'],
    filters: [
      { name: 'no health checks', exclude: { preset: 'health-checks' } },
      { name: 'not the office v1.0', exclude: { client: '192.0.2.0/24' } },
      { name: 'only the API', include: { path: '/api/**' } },
    ],
  };
  const { ledger, stdout, lines } = await mirrored(
    policy,
    [
      get('/healthz'),
      get('/api/a', 'User-Agent: kube-probe/1.30'),
      get('/api/b', 'X-Forwarded-For: 192.0.2.7'),
      get('/api/c', 'X-Forwarded-For: 192.0.2.7, 198.51.100.1'),
      get('/shop'),
      'DELETE /api/d HTTP/1.1\r\nHost: shop.example\r\n\r\n',
      get('/api'),
    ],
    2,
  );
  expect(lines.toSorted()).toEqual(['GET /api', 'GET /api/c']);
  const outcomes = {
    replayed: 2,
    filtered: { 'no health checks': 2, 'not the office v1.0': 1, no_include_matched: 1 },
    blocked: { method: 1 },
  };
  expect(ledger).toMatchObject({ captured: 7, outcomes, targets: { target: { captured: 7, outcomes } } });
  expect(stdout).toMatch(/no health checks +2\n/);
});

test('a sample by cookie takes whole sessions, the same as anywhere else', async () => {
  const sessions = Array.from({ length: 12 }, (_, index) => `session-${index}`);
  const chosen = sessions.filter((session) => samplePoint('2026-11', session) < 0.5);
  expect(chosen.length).toBeGreaterThan(0);
  const { ledger, lines } = await mirrored(
    { sample: { percentage: '50%', by: 'cookie', cookie: 'sid', salt: '2026-11' } },
    [...sessions, ...sessions].map((session) => get(`/${session}`, `Cookie: theme=dark; sid=${session}`)),
    2 * chosen.length,
  );
  expect(lines.toSorted()).toEqual([...chosen, ...chosen].map((session) => `GET /${session}`).toSorted());
  expect(ledger).toMatchObject({
    captured: 24,
    outcomes: { replayed: 2 * chosen.length, sampled_out: 24 - 2 * chosen.length },
    sampling: { headerAbsent: 0 },
  });
});
