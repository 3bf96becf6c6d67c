import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { configJsonSchema } from './json-schema.ts';
import { buildConfig, type Override, readConfigFile } from './load.ts';
import { ConfigError } from './problem.ts';
import type { MirrorConfig } from './schema.ts';

const folder = mkdtempSync(join(tmpdir(), 'doubletake-load-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const targets = 'targets: [{ name: a, url: "http://x" }]\n';
const complete = `sources: [{ vxlan: {} }]\n${targets}`;

function load(text: string, environment: Record<string, string> = {}, overrides: Override[] = []): MirrorConfig {
  const file = join(folder, 'c.yaml');
  writeFileSync(file, text);
  return buildConfig(readConfigFile(file, environment), overrides);
}

/** The lines of what is wrong, without the file's name. */
function problems(text: string, environment: Record<string, string> = {}, overrides: Override[] = []): string[] {
  try {
    load(text, environment, overrides);
  } catch (error) {
    if (error instanceof ConfigError) return error.lines.map((line) => line.replace(/^.*c\.yaml:/, ''));
    throw error;
  }
  return [];
}

describe('values', () => {
  test('what is not said has its default', () => {
    expect(load(complete)).toMatchObject({
      sources: [{ vxlan: { listen: { host: '0.0.0.0', port: 4789 }, vni: [], ports: [], mergeTunnels: false } }],
      policy: { methods: 'safe', sample: { percentage: 100, by: 'request', salt: 'doubletake' } },
      targets: [
        {
          name: 'a',
          host: 'target',
          ordering: 'connection',
          limits: { inFlight: 256, queueBytes: 67_108_864, connectTimeoutMs: 5_000, responseTimeoutMs: 30_000 },
        },
      ],
      workers: 1,
      drainMs: 10_000,
    });
  });

  test.each([
    ['4789', '0.0.0.0', 4789],
    ['"[::1]:80"', '::1', 80],
    ['localhost:0', 'localhost', 0],
  ])('health: %s', (text, host, port) => {
    expect(load(`${complete}health: ${text}\n`).health).toEqual({ host, port });
  });

  test.each([
    ['500ms', 500],
    ['1.5s', 1_500],
    ['2m', 120_000],
    ['24h', 86_400_000],
  ])('drain: %s', (text, ms) => {
    expect(load(`${complete}drain: ${text}\n`).drainMs).toBe(ms);
  });

  test.each(['0s', '25h', '10', '10 s', '-1s', 's'])('drain: %s is no duration', (text) => {
    expect(problems(`${complete}drain: ${text}\n`)).toEqual([expect.stringMatching(/^3:8: drain: found .*, expected a duration/)]);
  });

  test.each([
    ['1B', 1],
    ['512KiB', 524_288],
    ['1.5MiB', 1_572_864],
    ['2 GB', 2_000_000_000],
  ])('queueBytes: %s', (text, bytes) => {
    const config = load(`sources: [{ vxlan: {} }]\ntargets: [{ name: a, url: "http://x", limits: { queueBytes: ${text} } }]\n`);
    expect(config.targets[0]?.limits.queueBytes).toBe(bytes);
  });

  test.each([
    ['0.001', 0.001],
    ['"0.5%"', 0.5],
    ['10 %', 10],
    ['1e-3', 0.001],
  ])('percentage: %s', (text, percentage) => {
    expect(load(`${complete}policy: { sample: { percentage: ${text} } }\n`).policy.sample.percentage).toBe(percentage);
  });

  test('JSON is read as well, with tabs', () => {
    const json = JSON.stringify({ sources: [{ pcap: { file: '-' } }], targets: [{ name: 'a', url: 'http://x' }] }, null, '\t');
    expect(load(json).sources).toMatchObject([{ pcap: { file: '-' } }]);
  });

  test('an anchor stands for what it names', () => {
    const text = `sources:\n  - vxlan: { listen: 1, ports: &p [80, 81] }\n  - vxlan: { listen: 2, ports: *p }\n${targets}`;
    expect(load(text).sources).toMatchObject([{ vxlan: { ports: [80, 81] } }, { vxlan: { ports: [80, 81] } }]);
  });
});

describe('environment', () => {
  test('variables stand anywhere in a text, and make numbers where numbers are wanted', () => {
    const text = `sources: [{ vxlan: { listen: "127.0.0.1:\${PORT}", mergeTunnels: "\${MERGE}" } }]\n${targets}workers: \${WORKERS}\nledger: "$$x-$y-\${PORT}"\n`;
    expect(load(text, { PORT: '4789', WORKERS: '2', MERGE: 'true' })).toMatchObject({
      sources: [{ vxlan: { listen: { host: '127.0.0.1', port: 4789 }, mergeTunnels: true } }],
      workers: 2,
      ledger: '$x-$y-4789',
    });
  });

  test('one that is not set, and one without a name, are errors at their place', () => {
    expect(problems(`${complete}ledger: "a-\${NONE}-\${}"\n`)).toEqual([
      '3:12: the environment variable NONE is not set',
      '3:20: expected ${NAME} with the name of an environment variable; a dollar itself is $$',
    ]);
  });

  test('a value is never shown, and not expanded again', () => {
    const secret = 'hunter2 ${OTHER}';
    expect(problems(`${complete}workers: "\${S}"\ndrain: "\${S}"\n`, { S: secret })).toEqual([
      '3:10: workers: found a value from the environment, expected a whole number from 1 to 256',
      '4:8: drain: found a value from the environment, expected a duration up to 24h, such as 20s or 2m',
    ]);
  });

  test('a value is not shown by a message that quotes it either', () => {
    const text = `${complete}policy: { filters: [{ name: f, exclude: { path: { regex: "\${S}" } } }] }\n`;
    const lines = problems(text, { S: 'hunter2(' });
    expect(lines).toEqual([expect.stringMatching(/^3:\d+: policy\.filters\[0\]\.exclude\.path\.regex: found a value from/)]);
    expect(lines.join('')).not.toContain('hunter2');
  });
});

describe('mistakes', () => {
  test.each<[string, string[]]>([
    ['', ['1:1: sources: no source of traffic: give --vxlan [HOST:]PORT, --geneve [HOST:]PORT, --interface IF, --http-sink [HOST:]PORT, --proxy [HOST:]PORT=URL or --pcap FILE', '1:1: targets: no target: give --target URL, the test environment to replay to, or --record DIR']],
    ['- a', ['1:1: found a list, expected a mapping']],
    ['a: 1\na: 2', ['2:1: Map keys must be unique']],
    ['a: !secret x', ['1:4: Unresolved tag: !secret']],
    ['a: [1', ['1:6: Flow sequence in block collection must be sufficiently indented and end with a ]']],
    ['--- a\n--- b', ['2:1: Source contains multiple documents; please use YAML.parseAllDocuments()']],
    [`sources: [{ vxlan: {}, pcap: { file: a } }]\n${targets}`, ['1:11: sources[0]: found a mapping, expected exactly one kind of source: vxlan, geneve, interface, pcap, files, httpSink or proxy']],
    [`sources: [{ vxlan: {} }, { vxlan: {} }]\n${targets}`, ['1:26: sources[1]: the same source is given twice']],
    [
      'sources: [{ vxlan: {} }]\ntargets:\n  - { name: a, url: "http://x" }\n  - { name: a, url: "http://y" }\n',
      ['4:13: targets[1].name: two targets have the same name'],
    ],
    [`${complete}policy: { methods: [GET, "P T"] }\n`, ['3:26: policy.methods[1]: found "P T", expected an HTTP method']],
    [`${complete}policy: { methods: [] }\n`, ['3:11: policy.methods: found an empty list, expected at least 1 in the list']],
    [`${complete}policy: { sample: { by: header } }\n`, ['3:11: policy.sample.header: is missing, expected the header to sample by']],
    [`${complete}policy: { sample: { header: X } }\n`, ['3:29: policy.sample.header: a header goes with by: header, not with by: request']],
    [`${complete}recording: { directory: x }\n`, ['3:1: recording: unknown setting "recording" (did you mean record?)']],
    [`${complete}ledgre: x\n`, ['3:1: ledgre: unknown setting "ledgre" (did you mean ledger?)']],
  ])('%j', (text, lines) => {
    expect(problems(text)).toEqual(lines);
  });

  test('aliases that unfold without end are refused', () => {
    const levels = Array.from({ length: 12 }, (_, level) => `l${level + 1}: &l${level + 1} [${`*l${level},`.repeat(10)}]`);
    expect(problems(`l0: &l0 [x]\n${levels.join('\n')}\n`)).toEqual([expect.stringContaining('Excessive alias count') as string]);
  });
});

describe('flags over the file', () => {
  const text = `sources: [{ vxlan: {} }, { pcap: { file: f, ports: [1] } }]\ntargets: [{ name: a, url: "http://x" }, { name: b, url: "http://y", host: original }]\n`;

  test('a flag sets one value, or the same value everywhere, or takes one away', () => {
    const config = load(`${text}policy: { sample: { by: header, header: X } }\n`, {}, [
      { flag: '--port', path: ['sources', '*', '*', 'ports'], value: [80] },
      { flag: '--timeout', path: ['targets', '*', 'limits', 'responseTimeout'], value: '7ms' },
      { flag: '--percentage-by', path: ['policy', 'sample', 'by'], value: 'request' },
      { flag: '--percentage-by', path: ['policy', 'sample', 'header'], value: undefined },
    ]);
    expect(config.sources).toMatchObject([{ vxlan: { ports: [80] } }, { pcap: { ports: [80] } }]);
    expect(config.targets.map(({ limits, host }) => [limits.responseTimeoutMs, host])).toEqual([[7, 'target'], [7, 'original']]);
    expect(config.policy.sample).toMatchObject({ by: 'request' });
  });

  test('what is wrong with a flag names the flag and no place in the file', () => {
    expect(problems(text, {}, [{ flag: '--workers', path: ['workers'], value: 'x' }])).toEqual([
      '--workers: workers: found "x", expected a whole number from 1 to 256',
    ]);
  });
});

test('every setting has a description', () => {
  const missing: string[] = [];
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inside] of Object.entries(value)) {
      if (key === 'properties' && typeof inside === 'object' && inside !== null) {
        for (const [name, field] of Object.entries(inside)) {
          if (typeof field !== 'object' || field === null || !('description' in field)) missing.push(`${path}.${name}`);
        }
      }
      visit(inside, `${path}.${key}`);
    }
  };
  visit(configJsonSchema(), '');
  expect(missing).toEqual([]);
});
