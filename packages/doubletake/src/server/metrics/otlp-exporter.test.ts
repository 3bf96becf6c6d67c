import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { eventually } from '../../../test/support/mirror.ts';
import { exportRequest } from '../../../test/support/otlp-schema.ts';
import { counter } from './family.ts';
import { OtlpExporter } from './otlp-exporter.ts';

const started: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((each) => each.close()));
});

interface Arrived {
  request: IncomingMessage;
  body: string;
  atMs: number;
}

/** A collector that answers the first requests as told, and all others with 200. */
async function collector(...answers: ((response: ServerResponse) => void)[]): Promise<{ url: string; arrived: Arrived[] }> {
  const arrived: Arrived[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      arrived.push({ request, body, atMs: performance.now() });
      const answer = answers.shift();
      if (answer === undefined) response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      else answer(response);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  started.push({
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/metrics`, arrived };
}

function exporter(endpoint: string, everyMs = 10): { told: string[]; exporter: OtlpExporter } {
  const told: string[] = [];
  let count = 0;
  const resource = { attributes: { 'service.name': 'doubletake' }, version: '1' };
  const options = { endpoint, headers: { authorization: 'Bearer secret' }, everyMs, resource, startMs: 1_000 };
  const running = new OtlpExporter(options, () => [counter('a', 'An a.', [{ labels: {}, value: count++ }])], {
    warning: (line) => told.push(line),
    notice: (line) => told.push(`notice: ${line}`),
  });
  started.push(running);
  return { told, exporter: running };
}

/** The value of the one metric. */
function valueOf({ body }: Arrived): unknown {
  const { resourceMetrics } = exportRequest.parse(JSON.parse(body));
  const metric = resourceMetrics[0]?.scopeMetrics[0]?.metrics[0];
  return metric !== undefined && 'sum' in metric ? metric.sum.dataPoints[0]?.asDouble : undefined;
}

test('numbers are posted again and again, and once more at the end', async () => {
  const { url, arrived } = await collector();
  const { exporter: running, told } = exporter(url);
  await eventually('three exports', () => (arrived.length >= 3 ? arrived : null));
  await running.close();
  const values = arrived.map(valueOf);
  expect(values).toEqual(values.map((_, index) => index));
  expect(arrived[0]?.request).toMatchObject({ method: 'POST', url: '/v1/metrics', headers: { 'content-type': 'application/json', authorization: 'Bearer secret' } });
  expect(told).toEqual([]);
  const before = arrived.length;
  await running.close();
  expect(arrived.length).toBe(before);
});

test('the last numbers are sent although their time has not come', async () => {
  const { url, arrived } = await collector();
  await exporter(url, 3_600_000).exporter.close();
  expect(arrived.map(valueOf)).toEqual([0]);
});

test('a failure is told once and without the token, and so is that it is over', async () => {
  const fails = (response: ServerResponse): unknown => response.writeHead(503).end('busy\u0007');
  const { url, arrived } = await collector(fails, fails);
  const { told, exporter: running } = exporter(url);
  await eventually('the end of the trouble', () => told[1] ?? null);
  expect(told).toEqual([
    `metrics cannot be exported to ${url}: it answers 503: busy; it is tried again`,
    `notice: metrics are exported to ${url} again`,
  ]);
  // What failed is made good by what comes next, not sent again.
  expect(arrived.slice(0, 3).map(valueOf)).toEqual([0, 1, 2]);
  await running.close();
});

test('each failure makes the next wait longer', async () => {
  const fails = (response: ServerResponse): unknown => response.writeHead(500).end();
  const { url, arrived } = await collector(...Array.from({ length: 5 }, () => fails));
  exporter(url);
  await eventually('six exports', () => (arrived.length >= 6 ? arrived : null));
  const waits = arrived.slice(1, 6).map(({ atMs }, index) => atMs - (arrived[index]?.atMs ?? 0));
  // 10 ms times 2 ** failures times 0.75 at least; a slow machine only adds.
  for (const [failures, waitMs] of waits.entries()) expect(waitMs).toBeGreaterThan(10 * 2 ** (failures + 1) * 0.75 - 2);
});

test('a collector that says when it wants to be asked again is left alone until then', async () => {
  const { url, arrived } = await collector((response) => response.writeHead(429, { 'retry-after': '1' }).end());
  exporter(url);
  await eventually('two exports', () => (arrived.length >= 2 ? arrived : null));
  expect((arrived[1]?.atMs ?? 0) - (arrived[0]?.atMs ?? 0)).toBeGreaterThan(990);
});

test('a redirect is not followed, since the headers are for this collector alone', async () => {
  const other = await collector();
  const { url } = await collector((response) => response.writeHead(307, { location: other.url }).end());
  const { told } = exporter(url);
  await eventually('the failure', () => told[0] ?? null);
  expect(told[0]).toContain('it answers 307');
  expect(other.arrived).toEqual([]);
});

test('what a collector took only in part is told', async () => {
  const partial = { partialSuccess: { rejectedDataPoints: '3', errorMessage: 'too old' } };
  const { url } = await collector((response) => response.writeHead(200).end(JSON.stringify(partial)));
  const { told } = exporter(url);
  await eventually('what is told', () => told[0] ?? null);
  expect(told).toEqual([`${url} did not take all metrics: 3 points refused: too old`]);
});

test('nobody listens: told, and the end does not wait for it', async () => {
  const { told, exporter: running } = exporter('http://127.0.0.1:1/v1/metrics');
  await eventually('the failure', () => told[0] ?? null);
  await running.close();
  expect(told).toHaveLength(1);
  expect(told[0]).toContain('cannot be exported to http://127.0.0.1:1/v1/metrics');
});

test('a collector that never answers does not hold up the end', async () => {
  const held: ServerResponse[] = [];
  const { url, arrived } = await collector((response) => held.push(response));
  const { exporter: running, told } = exporter(url);
  await eventually('the export', () => arrived[0] ?? null);
  await running.close();
  expect(told).toEqual([]);
  expect(arrived.map(valueOf)).toEqual([0, 1]);
});
