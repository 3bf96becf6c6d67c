import { execFile } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { pcapFile } from './support/capture-files.ts';
import { runCliHere } from './support/cli-here.ts';
import { conversation } from './support/conversation.ts';
import { eventually, type Finished, program, recordingTarget, runCli, startMirror, stopAll } from './support/mirror.ts';
import { listen } from './support/replay-servers.ts';

const folder = mkdtempSync(join(tmpdir(), 'doubletake-usage-'));
const fileOf = (name: string): string => join(folder, name);
const source = ['--vxlan', '127.0.0.1:0'];

/** Accepts connections, which is all that the check of a target asks for. */
let listener: Server;
let listenerPort = 0;
let udp: Socket;
let udpPort = 0;
let target: string[] = [];

beforeAll(async () => {
  listener = createServer((socket) => socket.end());
  listenerPort = await listen(listener);
  target = ['--target', `http://127.0.0.1:${listenerPort}`];
  udp = createSocket('udp4');
  await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', () => resolve()));
  udpPort = udp.address().port;

  const capture = pcapFile(
    ['/first', '/second'].flatMap((path, index) =>
      conversation({ client: `10.0.2.5:${40000 + index}`, startUs: 1e15 + index * 1e6 }, [
        { client: `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n` },
        { server: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' },
      ]),
    ),
  );
  writeFileSync(fileOf('cut.pcap'), capture.subarray(0, -30));
  writeFileSync(fileOf('empty.pcap'), '');
  writeFileSync(fileOf('text.txt'), 'GET / HTTP/1.1\r\n\r\n');
  writeFileSync(fileOf('tiny.bin'), 'ab');
});

afterEach(stopAll);

afterAll(() => {
  listener.close();
  udp.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Bad usage: one line that says what is wrong, exit code 2, and nothing on standard output. */
function expectOneLine({ code, stdout, stderr }: Finished, text: string | RegExp): void {
  expect({ code, stdout, lines: stderr.split('\n').length }).toEqual({ code: 2, stdout: '', lines: 2 });
  expect(stderr).toMatch(/^doubletake: \S/);
  if (typeof text === 'string') expect(stderr).toContain(text);
  else expect(stderr).toMatch(text);
}

describe('bad usage is one clear line and exit code 2', () => {
  test.for<[string, () => string[], string | RegExp]>([
    ['a VNI that is no number', () => [...source, ...target, '--vni', 'abc'], '--vni abc: expected a whole number'],
    ['a port out of bounds', () => [...source, ...target, '--port', '0'], '--port 0: expected a whole number from 1 to'],
    ['a percentage above 100', () => [...source, ...target, '--percentage', '101'], '--percentage 101: expected a number'],
    [
      'sampling by a header without its name',
      () => [...source, ...target, '--percentage-by', 'header'],
      '--percentage-by header: name the header with --percentage-by-header NAME',
    ],
    [
      'the name of a header for another kind of sampling',
      () => [...source, ...target, '--percentage-by', 'request', '--percentage-by-header', 'X-User'],
      '--percentage-by-header X-User: goes with --percentage-by header',
    ],
    ['a choice that is none', () => [...source, ...target, '--host', 'mine'], 'Allowed choices are target, original; see'],
    ['methods that are none', () => [...source, ...target, '--methods', 'G ET'], '--methods G ET: expected safe, all, or'],
    ['no source', () => target, 'no source of traffic: give --vxlan [HOST:]PORT, --geneve [HOST:]PORT, --interface IF, --http-sink [HOST:]PORT, --proxy [HOST:]PORT=URL or --pcap FILE'],
    ['no target', () => source, 'no target: give --target URL'],
    ['the same source twice', () => [...source, ...source, ...target], 'the same source is given twice'],
    [
      'two targets of one name',
      () => [...source, '--target', 'a=http://127.0.0.1:1', '--target', 'a=http://127.0.0.1:2'],
      'two targets have the same name',
    ],
    ['a target that is no URL', () => [...source, '--target', 'foo'], '--target foo: a target is an http:// or https:// URL'],
    ['a target without a host', () => [...source, '--target', 'http://'], '--target http://: this is not a valid URL'],
    ['a port that is none', () => ['--vxlan', '127.0.0.1:99999', ...target], '--vxlan 127.0.0.1:99999: expected [HOST:]PORT'],
    ['a ring for what has none', () => ['--pcap', fileOf('cut.pcap'), '--receive', 'ring', ...target], '--receive ring: goes with --vxlan or --geneve'],
    ['an unknown flag', () => [...source, ...target, '--frobnicate'], "unknown option '--frobnicate'; see doubletake mirror --help"],
    ['a flag with a slip', () => [...source, '--targe', 'x'], "unknown option '--targe' (Did you mean --target?)"],
    ['a flag without its value', () => [...source, ...target, '--vni'], "option '--vni <N>' argument missing"],
  ])('mirror: %s', async ([, args, text]) => {
    expectOneLine(await runCliHere(['mirror', ...args()]), text);
  });

  test.concurrent.for<[string, () => string[], string | RegExp]>([
    [
      'a target that refuses connections',
      () => [...source, '--target', 'http://127.0.0.1:1'],
      'cannot reach the target http://127.0.0.1:1: connection refused (127.0.0.1:1) [DT_TARGET_UNREACHABLE]',
    ],
    [
      'a target whose name nobody knows',
      () => [...source, '--target', 'http://no-such-host.invalid'],
      /cannot reach the target http:\/\/no-such-host\.invalid: name (not found|lookup failed)/,
    ],
    [
      'a UDP port in use',
      () => ['--vxlan', `127.0.0.1:${udpPort}`, ...target],
      /cannot listen on UDP 127\.0\.0\.1:\d+: the port is in use .* \[DT_SOURCE_PORT_IN_USE\]/,
    ],
    ['a listening address of another machine', () => ['--vxlan', '192.0.2.77:4789', ...target], 'does not have the address'],
    [
      'a health port in use',
      () => [...source, ...target, '--health', `127.0.0.1:${listenerPort}`],
      /--health 127\.0\.0\.1:\d+: another program listens there; stop it or choose another port \[DT_HEALTH_PORT_IN_USE\]/,
    ],
    [
      'a ledger in no folder',
      () => [...source, ...target, '--ledger', fileOf('none/ledger.json')],
      'cannot write there: there is no such folder [DT_LEDGER_FILE]',
    ],
    ['a ledger that is a folder', () => [...source, ...target, '--ledger', folder], 'cannot write there: it is a folder'],
    ['an interface that is not there', () => ['--interface', 'none7', ...target], 'there is no network interface \'none7\''],
    ['a file that is no capture', () => ['--pcap', fileOf('text.txt'), ...target], 'text.txt: is no capture file: it begins'],
    ['a file too short to be one', () => ['--pcap', fileOf('tiny.bin'), ...target], 'tiny.bin: is no capture file'],
    ['an empty file', () => ['--pcap', fileOf('empty.pcap'), ...target], 'empty.pcap: is empty [DT_CAPTURE_EMPTY]'],
    ['a missing file', () => ['--pcap', fileOf('no.pcap'), ...target], 'no.pcap: cannot be read: there is no such file'],
  ])('mirror: %s', async ([, args, text]) => {
    expectOneLine(await runCli(['mirror', ...args()]), text);
  });

  test.for<[string, () => string[], string]>([
    ['a file that is no capture', () => [fileOf('text.txt')], 'text.txt: is no capture file: it begins with'],
    ['an empty file', () => [fileOf('empty.pcap')], 'empty.pcap: is empty [DT_CAPTURE_EMPTY]'],
    ['a missing file', () => [fileOf('no.pcap')], 'no.pcap: cannot be read: there is no such file [DT_CAPTURE_UNREADABLE]'],
    ['a folder', () => [folder], 'there is no recording in'],
    ['no file', () => [], "missing required argument 'FILE'"],
    ['a flag with a slip', () => [fileOf('cut.pcap'), '--jsno'], "unknown option '--jsno' (Did you mean --json?)"],
  ])('inspect: %s', async ([, args, text]) => {
    expectOneLine(await runCliHere(['inspect', ...args()]), text);
  });

  test('an unknown command suggests the one that was meant', async () => {
    expectOneLine(await runCli(['mirorr']), "unknown command 'mirorr' (Did you mean mirror?)");
  });
});

describe('a truncated capture gives what it holds, with one warning', () => {
  test('inspect', async () => {
    const { code, stdout, stderr } = await runCli(['inspect', fileOf('cut.pcap'), '--json']);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^doubletake: warning: \S+cut\.pcap: ends inside a packet \(at byte \d+, behind packet \d+\)\n$/);
    expect(stdout.match(/"target":"[^"]*"/g)).toEqual(['"target":"/first"', '"target":"/second"']);
  });

  test('mirror, whose warning is a structured log line in a pipe', async () => {
    const recorder = await recordingTarget();
    const { code, stdout, stderr } = await runCli(['mirror', '--pcap', fileOf('cut.pcap'), '--target', recorder.url]);
    expect(code).toBe(0);
    expect(recorder.requests.map(({ head }) => head.split(' ')[1])).toEqual(['/first', '/second']);
    const [ready, warning = '', ...others] = stderr.trimEnd().split('\n');
    expect(ready).toBe(`ready pcap=${fileOf('cut.pcap')}`);
    expect(JSON.parse(warning)).toMatchObject({
      level: 40,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
      msg: expect.stringContaining('ends inside a packet') as string,
    });
    expect(others).toEqual([]);
    expect(stdout).toContain('the sums add up');
  });
});

describe('what a mirror says', () => {
  test('the ready line names every port that was chosen, and --quiet leaves nothing else', async () => {
    const recorder = await recordingTarget();
    const mirror = await startMirror([...source, '--health', '127.0.0.1:0', '--target', recorder.url, '--quiet']);
    await mirror.send(conversation({}, [{ client: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' }]));
    await recorder.received(1);
    const { code, stdout, stderr } = await mirror.stop();
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toMatch(/^ready vxlan=127\.0\.0\.1:[1-9]\d* health=127\.0\.0\.1:[1-9]\d*\n$/);
  });

  test.skipIf(process.platform === 'win32')('SIGUSR2 writes the ledger and the mirror goes on', async () => {
    const recorder = await recordingTarget();
    const mirror = await startMirror([...source, '--target', recorder.url]);
    const packets = conversation({}, [{ client: 'GET /1 HTTP/1.1\r\nHost: a\r\n\r\n' }]);
    await mirror.send(packets);
    await mirror.ledgerWhen('the first request', ({ captured, inFlight }) => captured === 1 && inFlight === 0);
    await mirror.send(conversation({ client: '10.0.2.5:9' }, [{ client: 'GET /2 HTTP/1.1\r\nHost: a\r\n\r\n' }]));
    const between = await mirror.ledgerWhen('the second request', ({ outcomes }) => outcomes['replayed'] === 2);
    const { ledger } = await mirror.stop();
    expect(ledger.captured).toBe(2);
    expect(Object.keys(ledger)).toEqual(Object.keys(between));
  });

  test('SIGINT stops as SIGTERM does', async () => {
    const mirror = await startMirror([...source, ...target]);
    const { code, stdout } = await mirror.stop('SIGINT');
    expect(code).toBe(0);
    expect(stdout).toContain('Every request has exactly one outcome; the sums add up.');
  });

  test('a reader that goes away does not disturb', async () => {
    const mirror = await startMirror([...source, ...target]);
    mirror.child.stdout?.destroy();
    mirror.child.kill('SIGTERM');
    await eventually('the end', () => mirror.child.exitCode);
    expect(mirror.child.exitCode).toBe(0);
  });
});

test('docs/errors.md explains every error code, and no other', () => {
  const root = fileURLToPath(new URL('../', import.meta.url));
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(root, 'src', name), 'utf8'));
  const thrown = sources.flatMap((text) => text.match(/(?<=['"])DT_[A-Z0-9_]+(?=['"])/g) ?? []).filter((code) => code !== 'DT_');
  const documentation = readFileSync(join(root, '../../docs/errors.md'), 'utf8');
  const explained = [...documentation.matchAll(/^\| `(DT_[A-Z0-9_]+)` \|/gm)].map(([, code]) => code ?? '');
  expect(explained).toEqual([...new Set(thrown)].toSorted());
});

describe('doubletake tap', () => {
  const complete = ['--interface', 'lo', '--to', '127.0.0.1', '--vni', '7'];

  test.for<[string, string[], string]>([
    ['without a receiver', ['--interface', 'lo', '--vni', '7'], "required option '--to <HOST[:PORT]>' not specified"],
    ['a receiver with a port that is none', [...complete, '--to', 'a:70000'], '--to a:70000: expected HOST[:PORT]'],
    ['a rate that is none', [...complete, '--rate', 'fast'], '--rate fast: expected packets a second such as 20000'],
    ['no processor time', [...complete, '--cpu', '0'], '--cpu 0: expected a share above 0'],
    ['frames without headers', [...complete, '--truncate', '10'], '--truncate 10: expected a whole number from 100 to 65535'],
    ['a ring that is too small', [...complete, '--ring', '4KiB'], '--ring 4KiB: expected a size from 1MiB to 1GiB'],
    ['a ledger in no folder', [...complete, '--ledger', fileOf('none/tap.json')], '[DT_LEDGER_FILE]'],
  ])('%s is one clear line and exit code 2', async ([, args, text]) => {
    expectOneLine(await runCliHere(['tap', ...args]), text);
  });
});

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;

test.skipIf(!isRoot)('without the privilege to capture, one line says which it is and how to get it', async () => {
  // The program is read before the user is changed: its folder may be closed to others.
  const drop = 'data:text/javascript,process.setgid(65534);process.setuid(65534)';
  const { code, stderr } = await new Promise<{ code: number | null; stderr: string }>((resolve) => {
    const args = ['--import', drop, program, 'tap', '--interface', 'lo', '--to', '127.0.0.1', '--vni', '7'];
    execFile(process.execPath, args, (error, _stdout, text) => resolve({ code: Number(error?.code ?? 0), stderr: text }));
  });
  expect(code).toBe(2);
  expect(stderr).toMatch(/^doubletake: cannot capture on interface lo: permission denied; it needs CAP_NET_RAW: .*setcap.*systemd unit \[DT_SOURCE_PERMISSION\]\n$/);
});
