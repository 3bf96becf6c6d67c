import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { RunReport } from '../src/compare/report.ts';
import { runFolder } from '../src/engine/run-folder.ts';
import { configFile, freePath } from './support/config-file.ts';
import { conversation } from './support/conversation.ts';
import { eventually, recordingTarget, runCli, type RunningMirror, startMirror, stopAll } from './support/mirror.ts';

afterEach(stopAll);

let clients = 0;

/** A request and production's answer, on a connection of its own. */
function exchange(path: string, answer: string, more = ''): { frame: Buffer }[] {
  const client = `10.${2 + (clients >> 16)}.${(clients >> 8) & 255}.${clients++ & 255}:4000`;
  return conversation({ client }, [{ client: `GET ${path} HTTP/1.1\r\nHost: shop.example\r\n${more}\r\n` }, { server: answer }]);
}

function json(body: unknown, status = '200 OK'): string {
  const text = JSON.stringify(body);
  return `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

interface Compared {
  mirror: RunningMirror;
  run: string;
  /** Stops the mirror and reads the report. */
  report: () => Promise<{ code: number | null; report: RunReport }>;
}

async function compare(url: string, more: object = {}): Promise<Compared> {
  const run = freePath('.run');
  const file = configFile({
    sources: [{ vxlan: { listen: '127.0.0.1:0' } }],
    run,
    targets: [{ name: 'candidate', url, breaker: false }],
    ...more,
  });
  const mirror = await startMirror([file]);
  return {
    mirror,
    run,
    report: async () => {
      const stopped = await mirror.stop();
      expect(stopped.code).toBe(0);
      const { code, stdout } = await runCli(['report', run, '--format', 'json']);
      return { code, report: JSON.parse(stdout) as RunReport };
    },
  };
}

describe('mirror --run', () => {
  test('a field that is another type, and another status, are found; what is the same is not', async () => {
    const target = await recordingTarget((socket, { head }) => {
      const [, path = ''] = head.split(' ');
      const id = Number(path.split('/').at(-1));
      if (path.startsWith('/broken')) socket.write(json({ error: 'oops' }, '500 Internal Server Error'));
      else if (path.startsWith('/users')) socket.write(json({ id: String(id), name: `u${id}` }));
      else socket.write(json({ id, items: [1, 2, 3] }));
    });
    const { mirror, report } = await compare(target.url);
    for (let id = 0; id < 150; id++) {
      await mirror.send([
        ...exchange(`/users/${id}`, json({ id, name: `u${id}` })),
        ...exchange(`/orders/${id}`, json({ id, items: [1, 2, 3] })),
        ...exchange(`/broken/${id}`, json({ fine: true })),
      ]);
    }
    await mirror.ledgerWhen('all have ended', ({ captured, inFlight }) => captured === 450 && inFlight === 0);
    const { code, report: found } = await report();
    expect({ code, verdict: found.verdict, pairs: found.pairs, excluded: found.excluded }).toEqual({
      code: 1,
      verdict: 'REGRESSION',
      pairs: 450,
      excluded: {},
    });
    const verdicts = Object.fromEntries(found.endpoints.map(({ endpoint, verdict, mismatches }) => [endpoint, [verdict, mismatches]]));
    expect(verdicts).toMatchObject({ 'GET /users/{id}': ['REGRESSION', 150], 'GET /broken/{id}': ['REGRESSION', 150], 'GET /orders/{id}': [expect.any(String), 0] });
    expect(found.clusters.map(({ endpoint, path, kind }) => `${endpoint} ${path} ${kind}`)).toEqual(
      expect.arrayContaining(['GET /users/{id} $.id type', 'GET /broken/{id} status status']),
    );
  });

  test('answers that were not seen whole, or not at all, are left out and counted', async () => {
    const target = await recordingTarget();
    const { mirror, report } = await compare(target.url);
    const answered = exchange('/a', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    const cut = exchange('/b', 'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok');
    const silent = conversation({ client: '10.8.8.8:4000' }, [{ client: 'GET /c HTTP/1.1\r\nHost: a\r\n\r\n' }]);
    await mirror.send([...answered, ...cut, ...silent]);
    await mirror.ledgerWhen('all have ended', ({ captured, inFlight }) => captured === 3 && inFlight === 0);
    const { code, report: found } = await report();
    expect({ code, verdict: found.verdict, pairs: found.pairs, excluded: found.excluded }).toEqual({
      code: 3,
      verdict: 'INSUFFICIENT',
      pairs: 1,
      excluded: { incomplete: 1, no_baseline: 1 },
    });
  });

  test('personal data of neither side is in the run, and the same pseudonym is no difference', async () => {
    const target = await recordingTarget((socket, { head }) => {
      const mail = decodeURIComponent(/mail=([^& ]*)/.exec(head)?.[1] ?? '');
      // One value is an echo of what came, the other lies in the candidate's own data as it does in production's.
      socket.write(json({ mail, friend: 'bob@canary.example', total: 5 }));
    });
    const { mirror, run, report } = await compare(target.url, {
      policy: { sanitize: { key: 'a key of the tests, long enough' } },
    });
    for (let index = 0; index < 20; index++) {
      const mail = `anna${index}@canary.example`;
      await mirror.send(exchange(`/me?mail=${encodeURIComponent(mail)}`, json({ mail, friend: 'bob@canary.example', total: index === 7 ? 6 : 5 })));
    }
    await mirror.ledgerWhen('all have ended', ({ captured, inFlight }) => captured === 20 && inFlight === 0);
    const { report: found } = await report();
    expect(found).toMatchObject({ pairs: 20, mismatches: 1 });
    expect(found.clusters.map(({ path }) => path)).toEqual(['$.total']);
    const text = readFileSync(join(run, 'report.json'), 'latin1');
    expect(text).toContain('example.test');
    expect(text).not.toContain('canary.example');
  });

  test('a target that runs production\'s version can be the baseline, and another the reference', async () => {
    let serial = 0;
    const old = (): Promise<Awaited<ReturnType<typeof recordingTarget>>> => recordingTarget((socket) => socket.write(json({ trace: serial++, total: 1 })));
    const [baseline, reference] = [await old(), await old()];
    const candidate = await recordingTarget((socket) => socket.write(json({ trace: serial++, total: 2 })));
    const { mirror, report } = await compare(candidate.url, {
      compare: { baseline: 'old', reference: 'second' },
      targets: [
        { name: 'old', url: baseline.url },
        { name: 'second', url: reference.url },
        { name: 'new', url: candidate.url },
      ],
    });
    for (let id = 0; id < 200; id++) await mirror.send(exchange(`/x/${id}`, json({ ignored: true })));
    await mirror.ledgerWhen('all have ended', ({ captured, inFlight }) => captured === 200 && inFlight === 0);
    const { report: found } = await report();
    expect(found.verdict).toBe('REGRESSION');
    expect(found.clusters.filter(({ significant }) => significant).map(({ path }) => path)).toEqual(['$.total']);
  });
});

test('a mirror that is started again writes another run, and a folder of runs leads to the newest', async () => {
  const target = await recordingTarget();
  const runs = freePath('.runs');
  const file = configFile({ sources: [{ vxlan: { listen: '127.0.0.1:0' } }], targets: [{ name: 'candidate', url: target.url }], run: `${runs}/{{time}}` });
  const first = await startMirror([file]);
  const [name] = readdirSync(runs);
  expect(name).toMatch(/^\d{8}T\d{6}Z$/);
  expect(await runCli(['report', runs])).toMatchObject({ code: 2, stderr: expect.stringContaining(`the newest of the runs in it is ${join(runs, name)} [DT_RUN_NOT_FOUND]`) });
  await first.stop();
  await eventually('the next second', () => (runFolder('{{time}}', new Date()) === name ? null : true));
  await (await startMirror([file])).stop();
  expect(readdirSync(runs)).toHaveLength(2);
});

test('without comparison nothing of it is loaded, and no run is written', async () => {
  const target = await recordingTarget();
  const mirror = await startMirror(['--vxlan', '127.0.0.1:0', '--target', target.url]);
  await mirror.send(exchange('/a', json({})));
  await target.received(1);
  const maps = existsSync('/proc/self/maps') ? readFileSync(`/proc/${mirror.child.pid}/maps`, 'utf8') : '';
  expect(maps).not.toContain('duckdb');
  expect((await mirror.stop()).stdout).not.toMatch(/REGRESSION|SAFE|INSUFFICIENT/);
});

test.each([
  [{ compare: { baseline: 'nobody' } }, /compare\.baseline: there is no target nobody; there is candidate/],
  [{ compare: { baseline: 'candidate' } }, /compare: no target is left to be the candidate/],
])('%j is refused', async (more, expected) => {
  const file = configFile({ sources: [{ vxlan: {} }], targets: [{ name: 'candidate', url: 'http://127.0.0.1:1' }], ...more });
  const { code, stderr } = await runCli(['mirror', file]);
  expect(code).toBe(2);
  expect(stderr).toMatch(expected);
});
