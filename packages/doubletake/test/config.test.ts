import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { configurationReference } from './support/configuration-reference.ts';
import { runCliHere } from './support/cli-here.ts';
import { conversation } from './support/conversation.ts';
import { eventually, recordingTarget, runCli, startMirror, stopAll } from './support/mirror.ts';

const folder = mkdtempSync(join(tmpdir(), 'doubletake-config-'));
let files = 0;

function fileWith(text: string, name = `${files++}.yaml`): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

afterEach(stopAll);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const usual = `sources:
  - vxlan: { listen: "127.0.0.1:0", vni: [7], ports: [80] }
policy:
  methods: [GET, POST]
  sample: { percentage: 100% }
targets:
  - name: candidate
    url: "http://127.0.0.1:\${TEST_TARGET_PORT}"
    limits: { responseTimeout: 3s }
`;

describe('doubletake mirror CONFIG.yaml', () => {
  test('a mirror does what the file says, and a flag beside it overrides it', async () => {
    const target = await recordingTarget();
    process.env['TEST_TARGET_PORT'] = String(target.port);
    const mirror = await startMirror([fileWith(usual), '--methods', 'POST']);
    const requests = ['GET /no', 'POST /yes'].map((line) => `${line} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`);
    const packets = requests.map((client, index) => conversation({ client: `10.0.2.5:${4_000 + index}` }, [{ client }]));
    await mirror.send(packets.flat(), 8);
    await mirror.send(packets.flat(), 7);
    await target.received(1);
    const { ledger, code } = await mirror.stop();
    expect({ code, heads: target.requests.map(({ head }) => head.split('\r\n')[0]) }).toEqual({ code: 0, heads: ['POST /yes HTTP/1.1'] });
    expect(ledger).toMatchObject({
      captured: 2,
      outcomes: { replayed: 1, blocked: { method: 1 } },
      targets: { candidate: { outcomes: { replayed: 1 } } },
    });
    expect(ledger.packets.ignored['vni_not_allowed']).toBeGreaterThan(0);
  });

  test('a file with a mistake ends it before anything starts, with its place and exit code 2', async () => {
    const file = fileWith('sources: []\ntargets:\n  - { name: a, url: "http://x" }\n');
    const { code, stdout, stderr } = await runCli(['mirror', file]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe(`doubletake: ${file}:1:1: sources: no source of traffic: give --vxlan [HOST:]PORT, --geneve [HOST:]PORT, --interface IF, --http-sink [HOST:]PORT, --proxy [HOST:]PORT=URL or --pcap FILE\n`);
  });

  test('sampling by header with a flag alone takes the header that the file names, if it does', async () => {
    const file = fileWith('sources: [{ vxlan: { listen: 0 } }]\ntargets: [{ name: a, url: "http://127.0.0.1:1" }]\n');
    expect(await runCli(['mirror', file, '--percentage-by', 'header'])).toMatchObject({
      code: 2,
      stderr: 'doubletake: --percentage-by header: name the header with --percentage-by-header NAME\n',
    });
  });
});

describe.skipIf(process.platform === 'win32')('SIGHUP reads the file again', () => {
  const content = (url: string, policy: string, more = ''): string =>
    `sources: [{ vxlan: { listen: "127.0.0.1:0" } }]\npolicy: ${policy}\ntargets: [{ name: t, url: "${url}" }]\n${more}`;

  test('under load the new policy holds from then on and nothing is lost; a broken file changes nothing', async () => {
    const target = await recordingTarget();
    const filters = (path: string): string => `{ filters: [{ name: private, exclude: { path: "${path}" } }], methods: all }`;
    const file = fileWith(content(target.url, filters('/a/**')));
    const mirror = await startMirror([file]);
    let sent = 0;
    const send = async (count: number): Promise<void> => {
      for (let end = sent + count; sent < end; sent++) {
        const requests = ['/a/1', '/b/1'].map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\nX-Number: ${sent}\r\n\r\n`);
        await mirror.send(conversation({ client: `10.0.3.1:${10_000 + sent}` }, [{ client: requests.join('') }]));
      }
    };
    const reload = async (text: string, answer: string): Promise<void> => {
      const told = mirror.stderr().length;
      writeFileSync(file, text);
      mirror.child.kill('SIGHUP');
      await eventually(answer, () => (mirror.stderr().slice(told).includes(answer) ? true : null));
    };
    const paths = (): string[] => target.requests.map(({ head }) => head.split(' ')[1] ?? '');

    await send(50);
    await Promise.all([send(50), reload(content(target.url, filters('/b/**'), 'workers: 2\n'), 'reloaded')]);
    expect(mirror.stderr()).toContain('workers has changed, which takes a restart');
    await mirror.ledgerWhen('the first requests', ({ captured, inFlight }) => captured === 200 && inFlight === 0);
    const before = paths().length;
    await send(10);
    await mirror.ledgerWhen('the next requests', ({ captured, inFlight }) => captured === 220 && inFlight === 0);
    expect(paths().slice(before)).toEqual(Array.from({ length: 10 }, () => '/a/1'));

    await reload(content(target.url, '{ methodz: all }'), 'was not reloaded');
    expect(mirror.stderr()).toContain('unknown setting \\"methodz\\" (did you mean methods?)');
    await reload(content(target.url, '{ filters: [{ name: new, exclude: { path: "/b/**" } }] }'), 'reloaded');
    await send(10);
    await mirror.ledgerWhen('the last requests', ({ captured, inFlight }) => captured === 240 && inFlight === 0);
    const { ledger, code } = await mirror.stop();
    expect(code).toBe(0);
    expect(ledger).toMatchObject({ captured: 240, outcomes: { replayed: 120, filtered: { private: 110, new: 10 } }, packets: { kernelDrops: 0 } });
    expect(paths()).toHaveLength(120);
  });
});

describe('doubletake config check', () => {
  test('every mistake is a line with its place, what was found and what was expected', async () => {
    process.env['TEST_SECRET'] = 'hunter2-the-secret';
    const file = fileWith(`sources:
  - vxlna: { listen: "127.0.0.1:0" }
  - vxlan: { listen: "\${TEST_SECRET}", vni: 12, mergeTunnels: maybe }
policy:
  methods: saef
  smaple: {}
  sample: { percentage: 101, by: heder }
targets:
  - nam: candidate
    url: ftp://x
    limits: { inFlight: many, responseTimeout: 3, queueBytes: 1M }
  - { name: a, url: "http://x", limits: }
workers: 0
`);
    const { code, stdout, stderr } = await runCli(['config', 'check', file]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.replaceAll(`doubletake: ${file}:`, '').trimEnd().split('\n')).toEqual([
      '2:5: sources[0].vxlna: unknown setting "vxlna" (did you mean vxlan?)',
      '3:22: sources[1].vxlan.listen: found a value from the environment, expected [HOST:]PORT with a port from 0 to 65535, such as 4789, 127.0.0.1:4789 or [::1]:4789',
      '3:45: sources[1].vxlan.vni: found 12, expected a list',
      '3:63: sources[1].vxlan.mergeTunnels: found "maybe", expected true or false',
      '5:12: policy.methods: found "saef", expected safe or all, or a list (did you mean safe?)',
      '6:3: policy.smaple: unknown setting "smaple" (did you mean sample?)',
      '7:25: policy.sample.percentage: found 101, expected a number from 0 to 100',
      '7:34: policy.sample.by: found "heder", expected request, connection, remote-address, header, cookie, query, path-segment or jwt-claim (did you mean header?)',
      '9:5: targets[0].name: is missing, expected a text',
      '9:5: targets[0].nam: unknown setting "nam" (did you mean name?)',
      '10:10: targets[0].url: a target is an http:// or https:// URL',
      '11:25: targets[0].limits.inFlight: found "many", expected a whole number from 1 to 65535',
      '11:48: targets[0].limits.responseTimeout: found 3, expected a duration up to 24h, such as 20s or 2m',
      '11:63: targets[0].limits.queueBytes: found "1M", expected a size from 1B to 1024GiB, such as 512KiB or 64MiB',
      '12:41: targets[1].limits: found nothing, expected a mapping',
      '13:10: workers: found 0, expected a whole number from 1 to 256',
    ]);
  });

  test('more than twenty mistakes are counted', async () => {
    const unknown = Array.from({ length: 30 }, (_, index) => `unknown${index}: 1`).join('\n');
    const { stderr } = await runCliHere(['config', 'check', fileWith(`${unknown}\n`)]);
    expect(stderr.trimEnd().split('\n')).toHaveLength(21);
    expect(stderr).toContain('doubletake: … and 12 more problems\n');
  });

  test('a valid file is told in plain words with the lines it comes from, without values of the environment', async () => {
    process.env['TEST_TARGET_PORT'] = '54321';
    const { code, stdout, stderr } = await runCliHere(['config', 'check', fileWith(usual)]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const told = stdout.replaceAll(/ {2,}/g, ' ').split('\n');
    expect(told).toEqual(
      expect.arrayContaining([
        ' VXLAN packets on UDP 127.0.0.1:0 (line 2)',
        ' only the network identifiers (VNI) 7 (line 2)',
        ' GET, POST; a request with any other method is never replayed (line 4)',
        ' all of these (line 5)',
        ' candidate: http://127.0.0.1:${TEST_TARGET_PORT} (line 8)',
        ' gives up a request after 3000 ms (line 9)',
        ' at most 256 requests in flight (default)',
        ' 1 worker thread (default)',
      ]),
    );
    expect(stdout).not.toContain('54321');
  });

  test('a file that is not there', async () => {
    const { code, stderr } = await runCliHere(['config', 'check', join(folder, 'none.yaml')]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^doubletake: \S+none\.yaml: cannot be read: .*no such file.* \[DT_CONFIG_FILE\]\n$/);
  });
});

describe('doubletake config check --request', () => {
  const check = async (policy: string, request: string): Promise<{ code: number | null; stdout: string; stderr: string }> => {
    const file = fileWith(`sources: [{ vxlan: {} }]\n${policy}targets: [{ name: t, url: "http://test.internal:8080" }]\n`);
    return runCliHere(['config', 'check', file, '--request', fileWith(request, `${files++}.http`)]);
  };

  test('shows the bytes before and after for each target, also of a request written in an editor', async () => {
    const { code, stdout } = await check('', 'GET /x HTTP/1.1\nHost: shop.example\nX-Odd: \x1b[31m\n\n');
    expect(code).toBe(0);
    expect(stdout).toBe(`GET /x: replayed
  1. GET may be replayed (policy.methods, by default)
  2. every such request is taken (policy.sample.percentage, by default)
  3. goes out as it came: nothing is sanitized
  4. goes to t

before (53 bytes)
    GET /x HTTP/1.1
  - Host: shop.example
    X-Odd: \\x1b[31m

after, to t (237 bytes)
    GET /x HTTP/1.1
  + Host: test.internal:8080
    X-Odd: \\x1b[31m
  + X-Forwarded-For: 192.0.2.1
  + X-Forwarded-Port: 80
  + X-Forwarded-Proto: http
  + X-Forwarded-Host: shop.example
  + X-Doubletake-Id: preview
  + X-Doubletake-Mirrored-From: 198.51.100.1:80
`);
  });

  test.each([
    ['', 'POST /pay HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok', 'POST /pay: never replayed: blocked.method (policy.methods, by default)\n'],
    [
      'policy:\n  methods: [HEAD]\n',
      'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
      'GET /: never replayed: blocked.method (policy.methods, line 3)\n',
    ],
    [
      'policy: { filters: [{ name: rest, include: { path: /api/** } }] }\n',
      'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
      'GET /: never replayed: filtered.no_include_matched (policy.filters, line 2)\n',
    ],
    [
      'policy:\n  filters:\n  - { name: no.bots, exclude: { preset: bots } }\n',
      'GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: Googlebot/2.1\r\n\r\n',
      'GET /: never replayed: filtered.no.bots (policy.filters[0], line 4)\n',
    ],
    [
      'policy: { sample: { percentage: 5 } }\n',
      'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
      'GET /: replayed with a probability of 5 % (policy.sample.percentage, line 2)\n',
    ],
    [
      'policy: { sample: { percentage: 99.999, by: header, header: X-User } }\n',
      'GET / HTTP/1.1\r\nHost: a\r\nX-User: 7\r\n\r\n',
      'GET /: replayed: it is in the sample of 99.999 % (policy.sample.percentage, line 2)\n',
    ],
    [
      'policy: { sample: { percentage: 0.001, by: header, header: X-User } }\n',
      'GET / HTTP/1.1\r\nHost: a\r\nX-User: 7\r\n\r\n',
      'GET /: not replayed: it is not in the sample of 0.001 % (policy.sample.percentage, line 2)\n',
    ],
    ['', 'GET / HTTP/1.1\r\nHost: a\r\nX-Doubletake-Id: 1\r\n\r\n', 'GET /: never replayed: blocked.loop\n'],
    ['', 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\ncut', 'PUT /: never replayed: incomplete.closed\n'],
  ])('%s decides on a request', async (policy, request, decision) => {
    const { code, stdout } = await check(policy, request);
    expect({ code, decision: stdout.slice(0, decision.length) }).toEqual({ code: 0, decision });
  });

  test('what is no request is said to be none', async () => {
    expect(await check('', 'hello')).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('no whole request') as string });
  });
});

test('config schema prints a JSON Schema', async () => {
  const { code, stdout } = await runCliHere(['config', 'schema']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ type: 'object', required: ['sources'], additionalProperties: false });
});

test('the example in docs/configuration.md is valid', async () => {
  const example = /```yaml\n(.*?)```/s.exec(configurationReference())?.[1] ?? '';
  expect(await runCliHere(['config', 'check', fileWith(example)])).toMatchObject({ code: 0, stderr: '' });
});

test('docs/configuration.md is made from the schema', async () => {
  await expect(configurationReference()).toMatchFileSnapshot('../../../docs/configuration.md');
});
