import { writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type LedgerReport, type TargetReport, total } from '../src/ledger/report.ts';
import { type CapturePacket, pcapFile } from './support/capture-files.ts';
import { configFile, freePath, startConfigured } from './support/config-file.ts';
import { conversation } from './support/conversation.ts';
import { eventually, type RecordingTarget, recordingTarget, runCli, type RunningMirror, startMirror, stopAll } from './support/mirror.ts';

afterEach(stopAll);

let clients = 0;

/** Requests, each on a connection of its own. */
function packets(...texts: string[]): CapturePacket[] {
  return texts.flatMap((client) =>
    conversation({ client: `10.${clients >> 16}.${(clients >> 8) & 255}.${clients++ & 255}:4000` }, [{ client }]),
  );
}

const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: shop.example\r\n${more}\r\n`;
const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => get(`/${index}`, `X-User: u${index}\r\n`));
const firstLines = (requests: { head: string }[]): string[] => requests.map(({ head }) => head.split('\r\n')[0] ?? '').toSorted();

describe('several targets', () => {
  test('each gets its share, its filters and its form of the same requests, and has its own tally', async () => {
    const [all, some, api] = [await recordingTarget(), await recordingTarget(), await recordingTarget()];
    const mirror = await startConfigured({
      policy: { sample: { percentage: 100, by: 'header', header: 'X-User' } },
      targets: [
        { name: 'all', url: all.url },
        { name: 'some', url: some.url, percentage: 25 },
        {
          name: 'api',
          url: api.url,
          filters: [{ name: 'api only', include: { path: '/api/**' } }],
          rewrite: [{ name: 'moved', path: { prefix: '/api', replace: '/v2' }, headers: { set: { 'X-Env': 'test' } } }],
          credentials: { bearer: 'of-the-test' },
        },
      ],
    });
    await mirror.send(packets(...numbered(100), get('/api/users', 'Authorization: Bearer of-production\r\n')));
    const ledger = await mirror.ledgerWhen('all have ended', ({ captured, inFlight }) => captured === 101 && inFlight === 0);
    expect(all.requests).toHaveLength(101);
    expect(some.requests.length).toBeGreaterThan(8);
    expect(some.requests.length).toBeLessThan(45);
    expect(firstLines(api.requests)).toEqual(['GET /v2/users HTTP/1.1']);
    expect(api.requests[0]?.head).toMatch(/^X-Env: test$/m);
    expect(api.requests[0]?.head).toMatch(/^Authorization: Bearer of-the-test$/m);
    expect(api.requests[0]?.head).not.toContain('of-production');
    expect(ledger).toMatchObject({
      outcomes: { replayed: 101 },
      targets: {
        all: { captured: 101, outcomes: { replayed: 101 } },
        some: { captured: 101, outcomes: { replayed: some.requests.length, sampled_out: 101 - some.requests.length }, percentage: 25 },
        api: { captured: 101, outcomes: { replayed: 1, filtered: { no_include_matched: 100 } } },
      },
    });
    expect((await mirror.stop()).code).toBe(0);
  });

  test('a session that is multiplied is several sessions, with people of their own', async () => {
    const target = await recordingTarget();
    const mirror = await startConfigured({
      policy: { methods: 'all', sanitize: { key: 'a key of the tests, long enough' } },
      targets: [{ name: 't', url: target.url, multiply: 3, idempotencyKey: 'always' }],
    });
    await mirror.send(
      conversation({}, [
        { client: get('/first', 'X-Mail: anna@shop.example\r\n') },
        { server: 'HTTP/1.1 204 No Content\r\n\r\n' },
        { client: 'POST /second HTTP/1.1\r\nHost: a\r\nX-Mail: anna@shop.example\r\nContent-Length: 0\r\n\r\n' },
      ]),
    );
    await target.received(6);
    const { ledger, code } = await mirror.stop();
    const header = (name: string, path: string): string[] =>
      target.requests.flatMap(({ head }) => (head.includes(path) ? [new RegExp(`^${name}: (.*)$`, 'm').exec(head)?.[1] ?? ''] : []));
    const people = header('X-Mail', '/first');
    expect(new Set(people).size).toBe(3);
    expect(header('X-Mail', '/second').toSorted()).toEqual(people.toSorted());
    expect(new Set([...header('X-Doubletake-Id', '/first'), ...header('X-Doubletake-Id', '/second')]).size).toBe(6);
    expect(new Set(header('Idempotency-Key', '/second')).size).toBe(3);
    expect(code).toBe(0);
    expect(ledger).toMatchObject({ captured: 2, outcomes: { replayed: 2 }, targets: { t: { captured: 6, outcomes: { replayed: 6 } } } });
  });
});

describe('a target is spared', () => {
  test('more requests a second than it may get are dropped and counted', async () => {
    const target = await recordingTarget();
    const mirror = await startConfigured({
      workers: 2,
      targets: [{ name: 't', url: target.url, limits: { requestsPerSecond: 0.001, burst: 7 } }],
    });
    await mirror.send(packets(...numbered(40)));
    await mirror.ledgerWhen('all have ended', ({ captured, inFlight }) => captured === 40 && inFlight === 0);
    const { ledger, code } = await mirror.stop();
    expect(code).toBe(0);
    expect(target.requests).toHaveLength(7);
    expect(ledger.outcomes).toMatchObject({ replayed: 7, dropped: { rate_limited: 33 } });
  });

  test('a capture file is read no faster than its target may get requests, and nothing of it is dropped', async () => {
    const target = await recordingTarget();
    const capture = freePath('.pcap');
    writeFileSync(capture, pcapFile(packets(...numbered(40))));
    const limits = { requestsPerSecond: 200, burst: 3 };
    // The other source keeps it running when the file is at its end.
    const sources = [{ pcap: { file: capture } }, { vxlan: { listen: '127.0.0.1:0' } }];
    const mirror = await startMirror([configFile({ sources, targets: [{ name: 't', url: target.url, limits }] })]);
    await target.received(40);
    const { ledger, code } = await mirror.stop();
    expect(code).toBe(0);
    expect(ledger.outcomes).toMatchObject({ replayed: 40, dropped: { rate_limited: 0 } });
  });

  test('while it fails the circuit breaker holds requests back; when it recovers, they go on', async () => {
    let failing = true;
    const target = await recordingTarget((socket) =>
      socket.write(`HTTP/1.1 ${failing ? '503 Service Unavailable' : '200 OK'}\r\nContent-Length: 0\r\n\r\n`),
    );
    const mirror = await startConfigured({
      targets: [{ name: 't', url: target.url, breaker: { requestsMin: 10, openFor: '100ms', openForMax: '200ms', probes: 2 } }],
    });
    let sent = 0;
    const sendAndWait = async (...texts: string[]): Promise<LedgerReport> => {
      sent += texts.length;
      await mirror.send(packets(...texts));
      return mirror.ledgerWhen('all have ended', ({ captured, inFlight }) => captured === sent && inFlight === 0);
    };
    const sendUntil = async (what: string, condition: (circuit: TargetReport['circuit'], ledger: LedgerReport) => boolean): Promise<void> => {
      for (let round = 0; ; round++) {
        // More at once than are tried of a target that failed, however long a round takes.
        const ledger = await sendAndWait(...numbered(5));
        if (condition(ledger.targets['t'].circuit, ledger)) return;
        if (round > 500) throw new Error(`waited for ${what}`);
      }
    };
    await sendUntil('the circuit to open', ({ opened }) => opened > 0);
    await sendUntil('a request to be held back', (_circuit, { outcomes }) => total(outcomes['dropped'] ?? 0) > 0);
    failing = false;
    await sendUntil('the circuit to close', ({ closed, openNow }) => closed > 0 && openNow === 0);
    const closed = await mirror.ledgerNow();
    const after = await sendAndWait(...numbered(5));
    expect(Number(after.outcomes['replayed'])).toBe(Number(closed.outcomes['replayed']) + 5);
    const { ledger, stderr, code } = await mirror.stop();
    expect(code).toBe(0);
    expect(ledger.outcomes).toMatchObject({ dropped: { circuit_open: expect.toSatisfy((count: number) => count > 0) as number } });
    expect(ledger.targets['t']?.circuit.opened).toBeGreaterThan(0);
    expect(stderr).toMatch(/target t: the circuit breaker opens: \d+ of \d+ requests failed/);
    expect(stderr).toMatch(/target t: the circuit breaker closes/);
  });

  describe('a capture file', () => {
    /** Puts up with little, so that little is lost before the circuit breaker opens. */
    const wary = {
      limits: { inFlight: 2, queueRequests: 20 },
      breaker: { errorRate: 20, requestsMin: 5, window: '1s', openFor: '100ms', openForMax: '200ms', probes: 2 },
    };
    /** Replays 300 requests of a file to a target that goes away behind the 30th; returns when the circuit breaker is open. */
    const untilOpen = async (): Promise<{ mirror: RunningMirror; port: number }> => {
      const target: RecordingTarget = await recordingTarget((socket) => {
        if (target.requests.length === 30) void target.stop();
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      });
      const capture = freePath('.pcap');
      writeFileSync(capture, pcapFile(packets(...numbered(300))));
      // The other source keeps it running when the file is at its end.
      const sources = [{ pcap: { file: capture } }, { vxlan: { listen: '127.0.0.1:0' } }];
      const mirror = await startMirror([configFile({ sources, targets: [{ name: 't', url: target.url, ...wary }] })]);
      await eventually('the circuit to open', () => (mirror.stderr().includes('the circuit breaker opens') ? true : null));
      return { mirror, port: target.port };
    };
    const failed = ({ outcomes }: LedgerReport): number => total(outcomes['failed'] ?? 0);

    test('waits while its target is away, and goes on when it is back', async () => {
      const { mirror, port } = await untilOpen();
      const again = await recordingTarget(undefined, port);
      const ledger = await mirror.ledgerWhen('all have ended', ({ captured, inFlight }) => captured === 300 && inFlight === 0);
      expect(ledger.outcomes).toMatchObject({ dropped: { circuit_open: 0, queue_full: 0 }, replayed: 300 - failed(ledger) });
      // What was under way or waited when it went away, and tries.
      expect(failed(ledger)).toBeLessThan(60);
      expect(again.requests.length).toBeGreaterThan(200);
      const { code, stderr } = await mirror.stop();
      expect(code).toBe(0);
      expect(stderr).toMatch(/target t: the circuit breaker closes/);
    });

    test('can be stopped while its target is away', async () => {
      const { mirror } = await untilOpen();
      const { code, ledger } = await mirror.stop('SIGINT');
      expect(code).toBe(0);
      expect(ledger.captured).toBeLessThan(300);
      expect(Number(ledger.outcomes['replayed']) + failed(ledger) + total(ledger.outcomes['dropped'] ?? 0)).toBe(ledger.captured);
    });
  });

  test('a ramp gives it more while it does well and less when it does not', async () => {
    let failing = false;
    const target = await recordingTarget((socket) =>
      socket.write(`HTTP/1.1 ${failing ? '500 Oops' : '200 OK'}\r\nContent-Length: 0\r\n\r\n`),
    );
    const mirror = await startConfigured({
      targets: [
        {
          name: 't',
          url: target.url,
          ramp: {
            steps: [{ percentage: 50, for: '1s' }, { percentage: 100 }],
            goOn: { errorRate: 1 },
            fallBack: { errorRate: 10 },
            requestsMin: 5,
            window: '2s',
          },
        },
      ],
    });
    const sendUntil = async (percentage: number): Promise<void> => {
      for (let round = 0; ; round++) {
        // More than a step is judged by, however long a round takes.
        await mirror.send(packets(...numbered(20)));
        const { targets } = await mirror.ledgerNow();
        if (targets['t']?.percentage === percentage) return;
        if (round > 1_000) throw new Error(`the ramp never came to ${percentage} %`);
      }
    };
    await sendUntil(50);
    await sendUntil(100);
    failing = true;
    await sendUntil(50);
    const { code, stderr } = await mirror.stop();
    expect(code).toBe(0);
    expect(stderr).toMatch(/target t: .*it gets 100 % now/);
    expect(stderr).toMatch(/target t: .*it gets 50 % now/);
  });
});

describe('production is never a target', () => {
  test('a server that is listed is refused at start', async () => {
    const target = await recordingTarget();
    const config = { sources: [{ vxlan: { listen: '127.0.0.1:0' } }], targets: [{ name: 't', url: target.url }] };
    const listed = [['127.0.0.0/8'], [`127.0.0.1:${target.port}`], ['localhost']];
    for (const production of listed) {
      const { code, stderr } = await runCli(['mirror', configFile({ ...config, guards: { production } })]);
      expect({ code, production, stderr }).toEqual({ code: 2, production, stderr: expect.stringMatching(/\[DT_TARGET_PRODUCTION\]\n$/) as string });
    }
    expect(target.connections).toBe(0);
    await (await startMirror([configFile({ ...config, guards: { production: ['127.0.0.1:1'] } })])).stop();
  });

  test('a server that answers in the mirrored traffic is refused from then on, in every worker', async () => {
    const target = await recordingTarget();
    const mirror = await startConfigured({ workers: 2, targets: [{ name: 't', url: target.url }] });
    await mirror.send(packets(...numbered(8)));
    await target.received(8);
    // The mirror session shows the target itself: it is production after all.
    await mirror.send(conversation({ client: '10.9.9.9:5000', server: `127.0.0.1:${target.port}` }, [{ client: get('/seen') }]));
    await mirror.ledgerWhen('that request has ended', ({ captured, inFlight }) => captured === 9 && inFlight === 0);
    const known = target.requests.length;
    await mirror.send(packets(...numbered(30)));
    await mirror.ledgerWhen('all have ended', ({ captured, inFlight }) => captured === 39 && inFlight === 0);
    const { ledger, stderr, code } = await mirror.stop();
    expect(target.requests.length).toBe(known);
    expect(ledger.outcomes['blocked']).toMatchObject({ production: expect.toSatisfy((count: number) => count >= 30) as number });
    expect({ code, told: /target t .* is a server that answers for production/.test(stderr) }).toEqual({ code: 0, told: true });
  });

  test('our own replayed requests that come round teach nothing', async () => {
    const target = await recordingTarget();
    const mirror = await startConfigured({ targets: [{ name: 't', url: target.url }] });
    const looped = get('/loop', 'X-Doubletake-Id: abc-1\r\n');
    await mirror.send(conversation({ client: '10.9.9.9:5000', server: `127.0.0.1:${target.port}` }, [{ client: looped }]));
    await mirror.send(packets(...numbered(3)));
    await target.received(3);
    expect((await mirror.stop()).ledger.outcomes).toMatchObject({ replayed: 3, blocked: { loop: 1, production: 0 } });
  });

  test('where the test environment has production\'s addresses, learning can be turned off', async () => {
    const target = await recordingTarget();
    const mirror = await startConfigured({ guards: { learnProduction: false }, targets: [{ name: 't', url: target.url }] });
    await mirror.send(conversation({ client: '10.9.9.9:5000', server: `127.0.0.1:${target.port}` }, [{ client: get('/seen') }]));
    await target.received(1);
    expect((await mirror.stop()).ledger.outcomes).toMatchObject({ replayed: 1 });
  });
});

describe('SIGHUP takes up other targets', () => {
  test('requests under way at one that goes are finished, a new one gets what comes, and the sums add up', async () => {
    const waiting: Socket[] = [];
    const old = await recordingTarget((socket) => waiting.push(socket));
    const young = await recordingTarget();
    const mirror = await startConfigured({ targets: [{ name: 'old', url: old.url }] });
    await mirror.send(packets(...numbered(10)));
    await mirror.ledgerWhen('ten requests to be under way', ({ targets }) => targets['old']?.inFlight === 10);
    configFile(
      {
        sources: [{ vxlan: { listen: '127.0.0.1:0' } }],
        control: mirror.control,
        policy: { filters: [{ name: 'new rule', exclude: { path: '/out' } }] },
        targets: [{ name: 'young', url: young.url }],
      },
      mirror.file,
    );
    mirror.child.kill('SIGHUP');
    await eventually('the reload', () => (mirror.stderr().includes('reloaded') ? true : null));
    for (const socket of waiting) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    await mirror.ledgerWhen('what was under way to end', ({ targets }) => targets['old']?.inFlight === 0);
    await mirror.send(packets(get('/out'), ...numbered(5)));
    await young.received(5);
    const { ledger, code, stderr } = await mirror.stop();
    expect({ code, old: old.requests.length }).toEqual({ code: 0, old: 10 });
    expect(stderr).toContain('reloaded');
    expect(ledger).toMatchObject({
      captured: 16,
      outcomes: { replayed: 15, filtered: { 'new rule': 1 } },
      targets: { old: { captured: 10, outcomes: { replayed: 10 } }, young: { captured: 6, outcomes: { replayed: 5 } } },
    });
  });

  test('a target that cannot be reached changes nothing', async () => {
    const target = await recordingTarget();
    const mirror = await startConfigured({ targets: [{ name: 't', url: target.url }] });
    const closed = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => closed.once('listening', resolve));
    const address = closed.address();
    const port = typeof address === 'object' ? address?.port : 0;
    await new Promise((resolve) => closed.close(resolve));
    configFile({ sources: [{ vxlan: {} }], targets: [{ name: 'gone', url: `http://127.0.0.1:${port}` }] }, mirror.file);
    mirror.child.kill('SIGHUP');
    while (!mirror.stderr().includes('was not reloaded')) await mirror.ledgerNow();
    await mirror.send(packets(...numbered(3)));
    await target.received(3);
    const { ledger, code } = await mirror.stop();
    expect({ code, targets: Object.keys(ledger.targets) }).toEqual({ code: 0, targets: ['t'] });
  });
});
