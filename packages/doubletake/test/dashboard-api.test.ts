import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { clusterDetail, clusterList } from '../src/server/api/clusters.ts';
import { changed, changeList, control } from '../src/server/api/control.ts';
import { endpointList } from '../src/server/api/endpoints.ts';
import { history, historyPoint, overview } from '../src/server/api/overview.ts';
import { replayAgainAnswer, requestDetail, requestList } from '../src/server/api/requests.ts';
import { ruleList, rulePreview } from '../src/server/api/rules.ts';
import { session } from '../src/server/api/session.ts';
import { traffic } from '../src/server/api/traffic.ts';
import { problem } from '../src/server/api/values.ts';
import type { LedgerReport } from '../src/ledger/report.ts';
import { plainBackend, shownPair } from './support/dashboard-backend.ts';
import { type AskOptions, startTested } from './support/dashboard-server.ts';
import { bucketsOf, ledgerOf } from './support/ledgers.ts';
import { eventually } from './support/mirror.ts';
import { rawClient } from './support/raw-client.ts';
import { regressionReport } from './support/run-reports.ts';

const put = (json: unknown): AskOptions => ({ method: 'PUT', json });
const post = (json: unknown): AskOptions => ({ method: 'POST', json });
const gone: AskOptions = { method: 'DELETE' };
const rule = { name: 'prices', path: '$.price', ignore: true };

describe('routes of the API', () => {
  test.each<[string, AskOptions, z.ZodType, number]>([
    ['/api/session', {}, session, 200],
    ['/api/session', post({ token: 'any' }), session, 200],
    ['/api/session', gone, session, 200],
    ['/api/overview', {}, overview, 200],
    ['/api/history', {}, history, 200],
    ['/api/history?seconds=86400', {}, history, 200],
    ['/api/endpoints', {}, endpointList, 200],
    ['/api/clusters', {}, clusterList, 200],
    ['/api/clusters/c1', {}, clusterDetail, 200],
    ['/api/clusters/c1/accepted', put({ note: 'agreed' }), changed, 200],
    ['/api/clusters/c1/accepted', put({}), changed, 200],
    ['/api/clusters/c1/accepted', gone, changed, 200],
    ['/api/requests?method=GET&limit=5', {}, requestList, 200],
    [`/api/requests/${shownPair.id}`, {}, requestDetail, 200],
    [`/api/requests/${shownPair.id}/replay`, post({ target: 'candidate' }), replayAgainAnswer, 200],
    ['/api/rules', {}, ruleList, 200],
    ['/api/rules', post(rule), changed, 201],
    ['/api/rules/preview', post(rule), rulePreview, 200],
    ['/api/rules/prices', gone, changed, 200],
    ['/api/traffic', {}, traffic, 200],
    ['/api/control', {}, control, 200],
    ['/api/control/replay', post({ replay: 'stopped' }), changed, 200],
    ['/api/control/targets/candidate', post({ percentage: null }), changed, 200],
    ['/api/changes', {}, changeList, 200],
  ])('%s %o answers as its schema says', async (path, options, schema, status) => {
    const { ask } = await startTested();
    const answer = await ask(path, options);
    expect(answer).toMatchObject({ status, headers: { 'cache-control': 'no-store', 'content-type': 'application/json; charset=utf-8' } });
    // Nothing is in it that its schema does not know.
    expect(schema.parse(answer.json)).toEqual(answer.json);
  });

  test.each<[string, AskOptions, number, string]>([
    ['/api/nothing', {}, 404, 'DT_NOT_FOUND'],
    ['/api', {}, 404, 'DT_NOT_FOUND'],
    ['/api/overview', post({}), 404, 'DT_NOT_FOUND'],
    ['/api/clusters/none', {}, 404, 'DT_NOT_FOUND'],
    ['/api/clusters/none/har', {}, 404, 'DT_NOT_FOUND'],
    ['/api/requests/none', {}, 404, 'DT_NOT_FOUND'],
    ['/api/control/targets/nobody', post({ percentage: 5 }), 404, 'DT_NOT_FOUND'],
    ['/api/control/targets/__proto__', post({ percentage: 5 }), 404, 'DT_NOT_FOUND'],
    ['/metrics', {}, 404, 'DT_NOT_FOUND'],
    ['/api/history?seconds=0', {}, 400, 'DT_BAD_REQUEST'],
    ['/api/history?seconds=1&seconds=2', {}, 400, 'DT_BAD_REQUEST'],
    ['/api/history?until=2', {}, 400, 'DT_BAD_REQUEST'],
    ['/api/clusters?risk=none', {}, 400, 'DT_BAD_REQUEST'],
    ['/api/requests?limit=501', {}, 400, 'DT_BAD_REQUEST'],
    ['/api/control/replay', post({ replay: 'paused' }), 400, 'DT_BAD_REQUEST'],
    ['/api/control/replay', { method: 'POST' }, 400, 'DT_BAD_REQUEST'],
    ['/api/control/targets/candidate', post({ percentage: 101 }), 400, 'DT_BAD_REQUEST'],
    ['/api/rules', post({ ...rule, more: 1 }), 400, 'DT_BAD_REQUEST'],
    ['/%zz', {}, 400, 'DT_BAD_REQUEST'],
    ['/api/session', { method: 'POST', headers: { 'content-type': 'application/json', 'content-length': '0' } }, 400, 'DT_BAD_REQUEST'],
    ['/api/control/replay', { method: 'POST', headers: { 'content-type': 'text/plain' }, json: { replay: 'stopped' } }, 415, 'DT_UNSUPPORTED_TYPE'],
    ['/api/rules', post({ ...rule, path: 'x'.repeat(70_000) }), 413, 'DT_TOO_LARGE'],
  ])('%s %o is refused', async (path, options, status, code) => {
    const { ask, backend } = await startTested();
    const answer = await ask(path, options);
    expect({ status: answer.status, json: problem.parse(answer.json) }).toMatchObject({ status, json: { code } });
    expect(backend.done).toEqual([]);
  });

  test('are described by a valid OpenAPI 3.1 document, each of whose paths is there', async () => {
    const { ask } = await startTested();
    const { json } = await ask('/api/openapi.json');
    expect(await new Validator().validate(structuredClone(json) as Record<string, unknown>)).toMatchObject({ valid: true });
    const { paths } = json as { paths: Record<string, Record<string, object>> };
    const described = Object.entries(paths).flatMap(([path, operations]) => Object.keys(operations).map((method) => ({ method: method.toUpperCase(), path })));
    expect(described.length).toBeGreaterThan(25);
    const nothing = described.filter(({ path }) => path !== '/api/events').map(async ({ method, path }) => {
      const answer = await ask(path.replaceAll(/\{\w+\}/g, 'x'), { method });
      return answer.text.includes('there is nothing here') ? `${method} ${path}` : null;
    });
    expect((await Promise.all(nothing)).filter((path) => path !== null)).toEqual([]);
  });

  test('a head is asked for without a body', async () => {
    const { ask } = await startTested();
    expect(await ask('/api/overview', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
    expect(await ask('/api/events', { method: 'HEAD' })).toMatchObject({ status: 404 });
  });
});

describe('what is shown', () => {
  test('rates and latencies are of the last seconds, from counts that grow', async () => {
    const { ask, backend } = await startTested();
    const { state } = backend;
    state.ledger = ledgerOf({
      counts: { 'sources vxlan:0.0.0.0:4789 captured': 500, 'sources vxlan:0.0.0.0:4789 outcomes replayed': 500, 'targets candidate outcomes replayed': 500, 'targets candidate responses 5xx': 125 },
    });
    state.latencies = { production: bucketsOf(10, 10, 10), targets: { candidate: bucketsOf(40, 40) } };
    const shown = await eventually('the news', async () => {
      const now = overview.parse((await ask('/api/overview')).json);
      return now.rates.captured > 0 ? now : null;
    });
    expect(shown.production.latencyMs.p50).toBeCloseTo(10, -1);
    expect(shown.targets).toMatchObject([{ name: 'candidate', role: 'candidate', errorShare: 0.25, state: 'warning' }]);
    const drawn = await eventually('a point', async () => {
      const { points } = history.parse((await ask('/api/history?seconds=60')).json);
      return points.find(({ captured }) => captured > 0) ?? null;
    });
    expect(drawn).toMatchObject({ candidateErrors: 0.25, productionErrors: null });
  });

  test('clusters are searched in what is shown of them alone', async () => {
    const { ask, backend } = await startTested();
    const found = async (query: string): Promise<string[]> => {
      const { json } = await ask(`/api/clusters?${query}`);
      return clusterList.parse(json).clusters.map(({ id }) => id);
    };
    const [first] = backend.state.comparison?.clusters ?? [];
    expect(await found('q=BERN')).toContain(first?.id);
    expect(await found(`endpoint=${encodeURIComponent(first?.endpoint ?? '')}`)).toContain(first?.id);
    expect(await found('endpoint=nothing')).toEqual([]);
    expect(new Set(await found('risk=high'))).toEqual(new Set(backend.state.comparison?.clusters.filter(({ risk }) => risk === 'high').map(({ id }) => id)));
    backend.state.hidden = 'nothing is sanitized';
    expect(await found('q=bern')).toEqual([]);
    expect((await ask('/api/clusters')).text).not.toContain('Bern');
  });

  test('large tables are made once for a comparison, and compressed for who takes that', async () => {
    const { at, ask, backend } = await startTested();
    const { endpoints } = regressionReport();
    const report = { ...regressionReport(), endpoints: Array.from({ length: 500 }, (_, index) => ({ ...endpoints[0], endpoint: `GET /things${index}` })) };
    backend.state.comparison = report;
    const plain = await ask('/api/endpoints');
    expect(plain.headers['content-encoding']).toBeUndefined();
    const packed = await fetch(`http://${at}/api/endpoints`, { headers: { 'accept-encoding': 'gzip' } });
    expect(packed.headers.get('content-encoding')).toBe('gzip');
    expect(packed.headers.get('vary')).toBe('accept-encoding');
    expect(await packed.text()).toBe(plain.text);
    report.endpoints = [];
    expect((await ask('/api/endpoints')).text).toBe(plain.text);
    backend.state.comparison = { ...report };
    expect((await ask('/api/endpoints')).json).toEqual({ endpoints: [] });
  });

  test('a HAR file holds both answers', async () => {
    const { ask } = await startTested();
    const { headers, json } = await ask('/api/clusters/c1/har');
    expect(headers['content-disposition']).toBe('attachment; filename="c1.har"');
    expect(json).toMatchObject({
      log: {
        version: '1.2',
        entries: [
          { comment: 'the baseline\'s answer', request: { method: 'GET', url: 'http://shop.test/users/4711?fields=all' }, response: { status: 200 }, timings: { wait: 4, receive: 1 } },
          { comment: 'the candidate\'s answer', response: { status: 500, statusText: 'Internal Server Error', content: { text: '{}' } } },
        ],
      },
    });
  });

  test('health and metrics are for other programs', async () => {
    const { ask, backend } = await startTested({}, { metrics: async () => ({ type: 'text/plain; version=0.0.4', text: 'up 1\n' }) });
    expect(await ask('/healthz')).toMatchObject({ status: 200, json: { status: 'ok' } });
    backend.state.problem = 'draining';
    expect(await ask('/healthz')).toMatchObject({ status: 503, json: { status: 'failing', reason: 'draining' } });
    expect(await ask('/metrics')).toMatchObject({ status: 200, text: 'up 1\n', headers: { 'content-type': 'text/plain; version=0.0.4' } });
  });

  test('of a run that has ended nothing can be changed; where nothing is compared, lists are empty', async () => {
    const { ask } = await startTested({}, { backend: plainBackend({ mode: 'finished', actions: null }) });
    expect((await ask('/api/session')).json).toMatchObject({ mode: 'finished' });
    expect(await ask('/api/control/replay', post({ replay: 'stopped' }))).toMatchObject({ status: 409, json: { code: 'DT_NOT_AVAILABLE' } });
    const other = await startTested({}, { backend: plainBackend({ data: null }) });
    other.backend.state.comparison = null;
    expect(await other.ask('/api/endpoints')).toMatchObject({ status: 200, json: { endpoints: [] } });
    expect(await other.ask('/api/clusters')).toMatchObject({ status: 200, json: { clusters: [] } });
    expect(await other.ask('/api/requests')).toMatchObject({ status: 409, json: { code: 'DT_NOT_AVAILABLE' } });
  });
});

describe('changes', () => {
  test('each is done, logged with who and when, listed, and told to every page', async () => {
    const { ask, at, backend, changes, log } = await startTested();
    const page = await rawClient(at);
    page.send(`GET /api/events HTTP/1.1\r\nHost: ${at}\r\n\r\n`);
    await page.until('the first event', (text) => text.includes('event: overview'));
    expect(await ask('/api/control/replay', post({ replay: 'stopped' }))).toMatchObject({ status: 200 });
    expect(await ask('/api/control/targets/candidate', post({ percentage: 5 }))).toMatchObject({ status: 200 });
    expect(await ask('/api/rules', post(rule))).toMatchObject({ status: 201 });
    expect(backend.done).toEqual(['halt', 'setPercentage candidate 5', `addRule ${JSON.stringify(rule)}`]);
    changes.note('ramp', 'target candidate: went well; it gets 50 % now');
    expect(await ask('/api/rules/a%2Fb%20c', gone)).toMatchObject({ status: 200 });
    expect(backend.done.at(-1)).toBe('removeRule a/b c');
    const texts = changeList.parse((await ask('/api/changes')).json).changes.map(({ who, text }) => `${who}: ${text}`);
    expect(texts).toEqual([
      'operator 127.0.0.1: rule a/b c is removed',
      'ramp: target candidate: went well; it gets 50 % now',
      'operator 127.0.0.1: rule prices for $.price is added',
      'operator 127.0.0.1: target candidate: gets 5 %, set by hand',
      'operator 127.0.0.1: all replay is stopped by hand; requests are captured and end as blocked.kill_switch',
    ]);
    expect(log).toContain('target candidate: gets 5 %, set by hand (operator 127.0.0.1)');
    await page.until('all changes', (text) => text.split('event: change\n').length === 6);
  });

  test('one that fails is answered with why, and not logged as done; how it failed inside stays here', async () => {
    const backend = plainBackend();
    if (backend.actions !== null) backend.actions.halt = () => Promise.reject(new Error('secret place in the code'));
    const { ask, changes, log } = await startTested({}, { backend });
    const answer = await ask('/api/control/replay', post({ replay: 'stopped' }));
    expect(answer).toMatchObject({ status: 500, json: { error: 'this failed inside doubletake; its log says how', code: 'DT_INTERNAL' } });
    expect(answer.text).not.toContain('secret');
    expect(log.join()).toContain('secret place in the code');
    expect(changes.list()).toEqual([]);
  });

  test('a note cannot steer the terminal on which the log is read', async () => {
    const { ask, log } = await startTested();
    await ask('/api/clusters/c1/accepted', put({ note: 'fine\u001b[2J\r\nforged' }));
    expect(log.at(-1)).toBe('difference c1 is accepted: fine\\x1b[2J\\x0d\\x0aforged (operator 127.0.0.1)');
  });

  test('the last thousand are kept', async () => {
    const { ask, changes } = await startTested();
    for (let index = 0; index < 1_010; index++) changes.note('ramp', `change ${index}`);
    const { changes: listed } = changeList.parse((await ask('/api/changes')).json);
    expect([listed.length, listed[0]?.text, listed.at(-1)?.text]).toEqual([1_000, 'change 1009', 'change 10']);
  });
});

describe('live events', () => {
  test('a page that connects again, also after a restart, hears at once how things stand', async () => {
    const first = await startTested({}, { newsEveryMs: 60_000 });
    const connect = async (): Promise<string> => {
      const page = await rawClient(first.at);
      page.send(`GET /api/events HTTP/1.1\r\nHost: ${first.at}\r\n\r\n`);
      const text = await page.until('an overview', (received) => /event: overview\ndata: .*\n\n/.test(received));
      page.socket.destroy();
      return text;
    };
    await connect();
    expect(eventsIn(await connect(), 'overview')).toMatchObject([{ replay: 'running' }]);
    const waiting = await rawClient(first.at);
    waiting.send(`GET /api/events HTTP/1.1\r\nHost: ${first.at}\r\n\r\n`);
    await waiting.until('an overview', (text) => text.includes('event: overview\n'));
    await first.close();
    await waiting.closed();
    const backend = plainBackend();
    backend.state.ledger = { ...ledgerOf(), replay: 'stopped' };
    await startTested({ listen: first.at }, { backend, newsEveryMs: 60_000 });
    expect(eventsIn(await connect(), 'overview')).toMatchObject([{ replay: 'stopped' }]);
  });

  test('a backend that fails is told once, and events go on when it has recovered', async () => {
    const backend = plainBackend();
    const ledger = (): LedgerReport => backend.state.ledger;
    const { at, log } = await startTested({}, { backend });
    const page = await rawClient(at);
    page.send(`GET /api/events HTTP/1.1\r\nHost: ${at}\r\n\r\n`);
    await page.until('a point', (text) => text.includes('event: point\n'));
    let failures = 0;
    backend.live.ledger = () => {
      failures++;
      throw new Error('no ledger');
    };
    await eventually('failures', async () => (failures > 3 ? true : null));
    backend.live.ledger = ledger;
    const before = page.received().length;
    await page.until('events again', (text) => text.slice(before).includes('event: point\n'));
    expect(log.filter((line) => line.includes('no ledger'))).toHaveLength(1);
  });

  test('a page that connects hears how things stand, and then what happens', async () => {
    const { at, backend } = await startTested();
    const page = await rawClient(at);
    page.send(`GET /api/events HTTP/1.1\r\nHost: ${at}\r\n\r\n`);
    const text = await page.until('points', (received) => received.split('event: point\n').length > 3);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).toMatch(/content-type: text\/event-stream\r\n/);
    expect(text).toMatch(/\r\nretry: 2000\n\n/);
    const [first] = eventsIn(text, 'overview');
    expect(overview.parse(first)).toEqual(first);
    const [point] = eventsIn(text, 'point');
    expect(historyPoint.parse(point)).toEqual(point);
    expect(eventsIn(text, 'report')).toEqual([]);
    const comparison = regressionReport();
    backend.state.comparison = { ...comparison, verdict: 'SAFE', pairs: comparison.pairs + 1 };
    const later = await page.until('news of the comparison', (received) => received.includes('event: report\n'));
    expect(eventsIn(later, 'report')).toEqual([{ verdict: 'SAFE', pairs: comparison.pairs + 1 }]);
  });
});

/** Data of the events of one name. */
function eventsIn(text: string, name: string): unknown[] {
  return [...text.matchAll(new RegExp(`event: ${name}\ndata: (.*)\n\n`, 'g'))].map(([, data = '']) => JSON.parse(data) as unknown);
}
