import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { expose, sampleName } from '../src/server/metrics/exposition.ts';
import { conversation } from './support/conversation.ts';
import { parseExposition, type ParsedFamily } from './support/exposition-parser.ts';
import { exampleFamilies } from './support/metrics-example.ts';
import { metricsReference } from './support/metrics-reference.ts';
import { eventually, recordingTarget, startMirror, stopAll } from './support/mirror.ts';
import { exportRequest } from './support/otlp-schema.ts';

const deploy = fileURLToPath(new URL('../../../deploy/', import.meta.url));
const promtoolIsThere = spawnSync('promtool', ['--version']).status === 0;
const folder = mkdtempSync(join(tmpdir(), 'doubletake-metrics-'));

afterEach(stopAll);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs promtool (Debian: package prometheus; scripts/install-test-packages.sh). */
function promtool(args: readonly string[], input = ''): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8', cwd: join(deploy, 'prometheus') });
  return { status, output: stdout + stderr };
}

test('docs/metrics.md is made from the metrics', async () => {
  await expect(metricsReference()).toMatchFileSnapshot('../../../docs/metrics.md');
});

describe('a mirror that runs', () => {
  const value = (families: readonly ParsedFamily[], name: string, labels: Record<string, string> = {}): number | undefined =>
    families.flatMap(({ samples }) => samples).find((sample) => sample.name === name && Object.entries(labels).every(([label, at]) => sample.labels[label] === at))?.value;
  const requests = conversation({}, [
    { client: 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n' },
    { server: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' },
    { client: 'POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n' },
    { server: 'HTTP/1.1 204 No Content\r\n\r\n' },
  ]);

  test('shows what it does beside its health, in both formats', async () => {
    const target = await recordingTarget();
    const mirror = await startMirror(['--vxlan', '127.0.0.1:0', '--health', '127.0.0.1:0', '--target', `next=${target.url}`]);
    const url = `http://${mirror.ready['health']}/metrics`;
    await mirror.send(requests);
    const ledger = await mirror.ledgerWhen('two answers', ({ outcomes, production }) => production.responses['2xx'] === 2 && outcomes['replayed'] === 1);

    const plain = await fetch(url);
    expect(plain.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const families = parseExposition(await plain.text(), 'text');
    expect(value(families, 'doubletake_requests_captured_total')).toBe(2);
    expect(value(families, 'doubletake_requests_ended_total', { outcome: 'blocked', reason: 'method' })).toBe(1);
    expect(value(families, 'doubletake_packets_received_total')).toBe(ledger.packets.received);
    expect(value(families, 'doubletake_target_responses_total', { target: 'next', class: '2xx' })).toBe(1);
    expect(value(families, 'doubletake_target_latency_seconds_count', { target: 'next' })).toBe(1);
    expect(value(families, 'doubletake_production_latency_seconds_count')).toBe(2);
    expect(value(families, 'doubletake_healthy')).toBe(1);
    expect(value(families, 'doubletake_ledger_imbalances')).toBe(0);
    expect(value(families, 'process_resident_memory_bytes')).toBeGreaterThan(1e7);

    const open = await fetch(url, { headers: { accept: 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5' } });
    expect(open.headers.get('content-type')).toContain('application/openmetrics-text');
    expect(value(parseExposition(await open.text(), 'openmetrics'), 'doubletake_requests_captured_total')).toBe(2);

    const head = await fetch(url, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect((await fetch(url, { method: 'POST' })).status).toBe(405);
  });

  test('sends the same to a collector, the last numbers when it stops', async () => {
    const bodies: string[] = [];
    const collector = createServer((request, response) => {
      void text(request).then((body) => {
        bodies.push(`${request.url} ${String(request.headers['x-key'])} ${body}`);
        response.end('{}');
      });
    }).listen(0, '127.0.0.1');
    await once(collector, 'listening');
    const target = await recordingTarget();
    const config = join(folder, 'mirror.yaml');
    const { port } = collector.address() as AddressInfo;
    writeFileSync(
      config,
      `sources: [{ vxlan: { listen: "127.0.0.1:0" } }]
targets: [{ name: next, url: "${target.url}" }]
metrics: { otlp: { endpoint: "http://127.0.0.1:${port}", headers: { X-Key: k }, every: 20ms } }
`,
    );
    const mirror = await startMirror([config]);
    await eventually('an export', () => bodies[0] ?? null);
    await mirror.send(requests);
    await mirror.ledgerWhen('two requests', ({ captured }) => captured === 2);
    await mirror.stop();
    collector.closeAllConnections();
    collector.close();
    const [, path, key, body = ''] = /^(\S+) (\S+) (.*)$/.exec(bodies.at(-1) ?? '') ?? [];
    expect([path, key]).toEqual(['/v1/metrics', 'k']);
    const { resource, scopeMetrics } = exportRequest.parse(JSON.parse(body)).resourceMetrics[0] ?? {};
    expect(resource?.attributes.map(({ key: name }) => name)).toEqual(['service.name', 'service.version', 'service.instance.id', 'host.name']);
    const metrics = scopeMetrics?.[0]?.metrics ?? [];
    const captured = metrics.find(({ name }) => name === 'doubletake_requests_captured');
    expect(captured).toMatchObject({ sum: { dataPoints: [{ asDouble: 2 }] } });
  });
});

/** Every metric that an expression names, with the labels that it asks for: those of its selector, and of `by` and `on`. */
function uses(expression: string): { metric: string; labels: string[] }[] {
  const grouped = [...expression.matchAll(/\b(?:by|on) \(([^)]*)\)/g)].flatMap(([, names = '']) => names.split(',').map((name) => name.trim()));
  return [...expression.matchAll(/\b((?:doubletake|process)_\w+)(?:\{([^}]*)\})?/g)].map(([, metric = '', selector = '']) => ({
    metric,
    labels: [...[...selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label), ...grouped],
  }));
}

/** Labels of every series that there is, with those that Prometheus gives. */
const labelsOf = new Map<string, string[]>(
  exampleFamilies().flatMap((family) => {
    const labels = ['instance', 'job', ...Object.keys(family.samples[0]?.labels ?? {})];
    const name = sampleName(family);
    return family.type === 'histogram' ? [[`${name}_bucket`, [...labels, 'le']], [`${name}_sum`, labels], [`${name}_count`, labels]] : [[name, labels]];
  }),
);

/** What is wrong with an expression: metrics that there are not, labels that they do not have. */
function unknownIn(expression: string): string[] {
  return uses(expression).flatMap(({ metric, labels }) => {
    const known = labelsOf.get(metric);
    return known === undefined ? [metric] : labels.filter((label) => !known.includes(label)).map((label) => `${metric}{${label}}`);
  });
}

interface Panel {
  id: number;
  type: string;
  title: string;
  gridPos: { h: number; w: number; x: number; y: number };
  targets?: { refId: string; expr: string }[];
}

describe('deploy/grafana/doubletake.json', () => {
  const dashboard = JSON.parse(readFileSync(join(deploy, 'grafana/doubletake.json'), 'utf8')) as {
    uid: string;
    schemaVersion: number;
    panels: Panel[];
    templating: { list: { name: string; type: string; query: unknown }[] };
    annotations: { list: { expr: string }[] };
  };
  const expressions = [
    ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ...dashboard.annotations.list.map(({ expr }) => expr),
  ];

  test('every expression names metrics and labels that there are', () => {
    expect(expressions.length).toBeGreaterThan(20);
    expect(expressions.flatMap(unknownIn)).toEqual([]);
    const queries = dashboard.templating.list.flatMap(({ query }) => (typeof query === 'string' ? [] : [String(Reflect.get(Object(query), 'query'))]));
    for (const query of queries) {
      const [, metric = '', label = ''] = /^label_values\((\w+)(?:\{.*\})?, (\w+)\)$/.exec(query) ?? [];
      expect(labelsOf.get(metric)).toContain(label);
    }
  });

  test('panels have their own numbers and places, and use the variables that there are', () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const variables = new Set(['__rate_interval', '__all', ...dashboard.templating.list.map(({ name }) => name)]);
    const used = [...JSON.stringify(dashboard).matchAll(/\$\{?(\w+)\}?/g)].map(([, name = '']) => name);
    expect(used.filter((name) => !variables.has(name))).toEqual([]);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`));
    expect(new Set(cells).size).toBe(cells.length);
    expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
    expect(panels.filter(({ type, targets = [] }) => type !== 'row' && targets.length === 0)).toEqual([]);
  });

  test.skipIf(!promtoolIsThere)('every expression is PromQL (needs promtool)', () => {
    const rules = expressions.map((expr, index) => ({ record: `panel:${index}`, expr: expr.replaceAll('$__rate_interval', '5m') }));
    const file = join(folder, 'panels.yaml');
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'panels', rules }] }));
    expect(promtool(['check', 'rules', file])).toMatchObject({ status: 0 });
  });
});

describe('deploy/prometheus', () => {
  const read = (name: string): { groups: { rules: { alert: string; expr: string }[] }[] } => parse(readFileSync(join(deploy, 'prometheus', name), 'utf8'));
  const rules = read('alerts.yaml').groups.flatMap((group) => group.rules);

  test('every alert names metrics and labels that there are, and is tested', () => {
    expect(rules.flatMap(({ expr }) => unknownIn(expr))).toEqual([]);
    const tests = readFileSync(join(deploy, 'prometheus/alerts.test.yaml'), 'utf8');
    expect(rules.filter(({ alert }) => !tests.includes(`alertname: ${alert}\n`))).toEqual([]);
  });

  test.skipIf(!promtoolIsThere)('alerts come when they should and not before (needs promtool)', () => {
    expect(promtool(['test', 'rules', 'alerts.test.yaml'])).toMatchObject({ status: 0 });
    expect(promtool(['check', 'config', 'prometheus.yaml'])).toMatchObject({ status: 0 });
  });

  test.skipIf(!promtoolIsThere)('names and types are as Prometheus wants them (needs promtool)', () => {
    expect(promtool(['check', 'metrics'], expose(exampleFamilies(), undefined).text)).toEqual({ status: 0, output: '' });
  });
});
