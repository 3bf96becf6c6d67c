import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { clusterDetail, clusterList, type ClusterRow } from '../src/server/api/clusters.ts';
import { changeList } from '../src/server/api/control.ts';
import { endpointList, type EndpointRow } from '../src/server/api/endpoints.ts';
import { replayAgainAnswer, requestDetail, requestList, type RequestRow } from '../src/server/api/requests.ts';
import { ruleList, rulePreview } from '../src/server/api/rules.ts';
import { configFile, type ConfiguredMirror, freePath, startConfigured } from './support/config-file.ts';
import { conversation, type ConversationPacket } from './support/conversation.ts';
import { ask, type Answer } from './support/dashboard-server.ts';
import { eventually, recordingTarget, runCli, stopAll } from './support/mirror.ts';

// On a machine that is busy the report takes its time, and is asked for the less often the longer it takes.
vi.setConfig({ testTimeout: 120_000 });

function untilShown<T>(what: string, read: () => Promise<T | null>): Promise<T> {
  return eventually(what, read, 60_000);
}

afterEach(stopAll);

const sanitize = { key: 'a key of the tests, long enough' };
let clients = 0;

/** A request and production's answer, on a connection of its own. */
function exchange(path: string, body: unknown, method = 'GET'): ConversationPacket[] {
  const client = `10.${2 + (clients >> 16)}.${(clients >> 8) & 255}.${clients++ & 255}:4000`;
  return conversation({ client }, [{ client: `${method} ${path} HTTP/1.1\r\nHost: shop.example\r\n\r\n` }, { server: json(body) }]);
}

function json(body: unknown): string {
  const text = JSON.stringify(body);
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

type Target = Awaited<ReturnType<typeof recordingTarget>>;

/** A candidate whose carts cost more and have a note; it says what it was asked for. */
function candidate(): Promise<Target> {
  return recordingTarget((socket, { head }) => {
    const path = head.split(' ')[1] ?? '';
    socket.write(json(path.startsWith('/carts') ? { price: 11, path, note: 'new' } : { fine: true }));
  });
}

interface Compared {
  mirror: ConfiguredMirror;
  target: Target;
  get: (path: string) => Promise<unknown>;
  send: (path: string, json: unknown, method?: string) => Promise<Answer>;
  /** Requests for carts, which differ, and for others, which do not; resolves when they were compared. */
  traffic: (count: number) => Promise<void>;
  endpoint: (name: string) => Promise<EndpointRow | undefined>;
}

async function compare(more: object = {}, ofTarget: object = {}): Promise<Compared> {
  const target = await candidate();
  const mirror = await startConfigured({ run: freePath('.run'), targets: [{ name: 'new', url: target.url, breaker: false, ...ofTarget }], dashboard: { listen: '127.0.0.1:0' }, ...more });
  const at = mirror.ready['dashboard'] ?? '';
  const get = async (path: string): Promise<unknown> => (await ask(at, path)).json;
  const endpoint = async (name: string): Promise<EndpointRow | undefined> =>
    endpointList.parse(await get('/api/endpoints')).endpoints.find((row) => row.endpoint === name);
  let sent = 0;
  return {
    mirror,
    target,
    get,
    endpoint,
    send: (path, body, method = 'POST') => ask(at, path, { method, ...(body === undefined ? {} : { json: body }) }),
    async traffic(count) {
      for (let index = 0; index < count; index++) {
        const path = `/carts/${index}?mail=anna%40canary.example`;
        await mirror.send([...exchange(path, { price: 10, path }), ...exchange(`/others/${index}`, { fine: true })]);
      }
      sent += count;
      await untilShown('all to be compared', async () => {
        const found = requestList.parse(await get(`/api/requests?limit=500&path=/others/`));
        return found.requests.filter(({ compared }) => compared !== null).length >= Math.min(sent, 500) ? true : null;
      });
    },
  };
}

const clustersOf = async ({ get }: Compared): Promise<ClusterRow[]> => clusterList.parse(await get('/api/clusters')).clusters;

async function cluster(compared: Compared, path: string): Promise<ClusterRow> {
  return untilShown(`the difference at ${path}`, async () => (await clustersOf(compared)).find((row) => row.path === path) ?? null);
}

describe('the dashboard of a comparison', () => {
  test('shows differences, and single requests whatever became of them', async () => {
    const compared = await compare({ policy: { sanitize, filters: [{ name: 'health', exclude: { path: '/health' } }] } });
    const { get, mirror } = compared;
    await mirror.send([...exchange('/health?mail=otto@canary.example', {}), ...exchange('/orders/7?mail=otto@canary.example', {}, 'POST')]);
    await compared.traffic(60);

    const price = await cluster(compared, '$.price');
    expect(price).toMatchObject({ endpoint: 'GET /carts/{id}', kind: 'value', from: '10', to: '11', accepted: false });
    const detail = clusterDetail.parse(await get(`/api/clusters/${price.id}`));
    expect(detail.examples[0]).toMatchObject({ hidden: null, baseline: { start: '200', body: { language: 'json' } }, differences: expect.arrayContaining([expect.objectContaining({ path: '$.price', from: '10', to: '11' })]) });
    expect(detail.timeline.reduce((sum, { count }) => sum + count, 0)).toBe(60);
    expect(detail.latencyMs?.candidate.p50).toBeGreaterThan(0);
    expect(JSON.stringify(detail)).not.toContain('canary.example');

    const page = async (query: string): Promise<{ requests: RequestRow[]; next: string | null }> => requestList.parse(await get(`/api/requests?${query}`));
    const leftOut = await untilShown('what was left out', async () => {
      const { requests } = await page('outcome=blocked');
      return requests.length === 1 ? requests : null;
    });
    expect(leftOut).toMatchObject([{ method: 'POST', endpoint: 'POST /orders/{id}', outcome: 'blocked.method', compared: null, production: 200 }]);
    expect(leftOut[0]?.target).toMatch(/^\/orders\/7\?mail=/);
    expect((await page('outcome=filtered')).requests).toHaveLength(1);
    expect((await page('outcome=differs&limit=500')).requests).toHaveLength(60);
    expect((await page('q=canary')).requests).toEqual([]);
    const first = await page('limit=100');
    const second = await page(`limit=100&before=${encodeURIComponent(first.next ?? '')}`);
    expect(new Set([...first.requests, ...second.requests].map(({ id }) => id)).size).toBe(122);
    expect(second.next).toBeNull();

    const [equal] = (await page('outcome=equal&limit=1')).requests;
    expect(requestDetail.parse(await get(`/api/requests/${equal?.id}`))).toMatchObject({
      note: null, replayable: ['new'], request: { compared: 'equal', production: 200, candidate: 200 }, pair: { candidate: { body: { text: '{\n  "fine": true\n}' } } },
    });
    const blocked = requestDetail.parse(await get(`/api/requests/${leftOut[0]?.id}`));
    expect(blocked).toMatchObject({ pair: null, replayable: [], note: expect.stringContaining('blocked.method') });
    expect(JSON.stringify([first, second, blocked])).not.toContain('canary.example');
    expect(await ask(mirror.ready['dashboard'] ?? '', '/api/requests/none')).toMatchObject({ status: 404 });
    expect((await mirror.stop()).code).toBe(0);
  });

  test('without sanitizing shows figures and no contents, unless it is told to', async () => {
    const compared = await compare();
    await compared.traffic(30);
    const { id } = await cluster(compared, '$.price');
    const shown = JSON.stringify([await compared.get(`/api/clusters/${id}`), await compared.get('/api/requests?limit=500'), await compared.get('/api/requests?q=canary')]);
    expect(shown).toContain('policy.sanitize');
    expect(shown).toContain('/carts/1');
    expect(shown).not.toMatch(/canary|price": 1|10\.2\./);
    const left = await compare({ policy: { sanitize } });
    await left.traffic(10);
    expect(JSON.stringify(await left.get('/api/requests?q=mail'))).toContain('/carts/1?mail=');
    const config = JSON.parse(readFileSync(left.mirror.file, 'utf8')) as { policy: object };
    writeFileSync(left.mirror.file, JSON.stringify({ ...config, policy: {} }));
    left.mirror.child.kill('SIGHUP');
    await untilShown('contents to be hidden', async () => (JSON.stringify(await left.get('/api/requests?limit=500')).includes('mail=') ? null : true));
    await left.traffic(10);
    expect(JSON.stringify([await left.get('/api/requests?limit=500'), await left.get('/api/clusters'), await left.get('/api/requests?q=mail')])).not.toMatch(/canary|mail=/);
    const open = await compare({ dashboard: { listen: '127.0.0.1:0', showUnsanitized: true } });
    await open.traffic(30);
    expect(JSON.stringify(await open.get('/api/requests?q=canary.example&limit=500'))).toContain('canary.example');
  });

  test('a rule is tried, saved, and holds at once; so does an accepted difference', async () => {
    const rulesFile = freePath('.yaml');
    writeFileSync(rulesFile, '# by hand\nrules:\n# the end\n');
    const compared = await compare({ compare: { rulesFile, rules: [{ name: 'configured', path: '$.never', ignore: true }] } });
    const { get, send, traffic, endpoint } = compared;
    await traffic(120);
    const rule = { name: 'prices', endpoint: 'GET /carts/{id}', path: '$.price', tolerance: { absolute: 1 } };
    const price = await cluster(compared, '$.price');
    const preview = rulePreview.parse((await send('/api/rules/preview', rule)).json);
    expect(preview).toMatchObject({ pairs: 120, hiddenDifferences: 120, hiddenPairs: 0, remainingPairs: 120, clusters: [{ id: price.id, hiddenShare: 1 }] });
    expect((await send('/api/rules', { ...rule, unordered: true })).status).toBe(409);
    expect((await send('/api/rules', rule)).status).toBe(201);
    expect(readFileSync(rulesFile, 'utf8')).toMatch(/^# by hand\nrules:\n {2}- \{ name: prices.*\n.*# the end\n$/);
    expect(await endpoint('GET /carts/{id}')).toMatchObject({ pairs: 0 });
    expect(await endpoint('GET /others/{id}')).toMatchObject({ pairs: 120 });
    await traffic(120);
    await untilShown('the rule to have hidden something', async () => ruleList.parse(await get('/api/rules')).rules.some(({ name, hidden }) => name === 'prices' && hidden === 120) || null);
    expect((await clustersOf(compared)).map(({ path }) => path)).toEqual(['$.note']);
    expect(ruleList.parse(await get('/api/rules'))).toMatchObject({ rules: [{ name: 'configured', from: 'configuration' }, { name: 'prices', from: 'rules file', text: 'lets $.price of GET /carts/{id} be 1 apart' }], file: rulesFile });

    const note = await cluster(compared, '$.note');
    expect((await send(`/api/clusters/${note.id}/accepted`, { note: 'known' }, 'PUT')).status).toBe(200);
    await traffic(120);
    await untilShown('it to be accepted', async () => (await clustersOf(compared)).some(({ id, accepted, count }) => id === note.id && accepted && count === 120) || null);
    expect(await endpoint('GET /carts/{id}')).toMatchObject({ pairs: 120, mismatches: 0 });
    expect(ruleList.parse(await get('/api/rules')).accepted).toMatchObject([{ cluster: note.id, note: 'known' }]);

    expect((await send('/api/rules/configured', undefined, 'DELETE')).status).toBe(409);
    expect((await send('/api/rules/prices', undefined, 'DELETE')).status).toBe(200);
    expect((await send('/api/rules/prices', undefined, 'DELETE')).status).toBe(404);
    expect((await send(`/api/clusters/${note.id}/accepted`, undefined, 'DELETE')).status).toBe(200);
    await traffic(120);
    await untilShown('both to count again', async () => ((await endpoint('GET /carts/{id}'))?.mismatches === 120 ? true : null));
    expect(changeList.parse(await get('/api/changes')).changes).toHaveLength(4);

    writeFileSync(rulesFile, 'rules: [{ name: by hand, path: "**", ignore: true }]');
    compared.mirror.child.kill('SIGHUP');
    await untilShown('the file to be read', async () => ruleList.parse(await get('/api/rules')).rules.some(({ name }) => name === 'by hand') || null);
    writeFileSync(rulesFile, 'rules: [{ name: by hand, path: "**" }]');
    compared.mirror.child.kill('SIGHUP');
    await untilShown('the mistake to be told', () => Promise.resolve(compared.mirror.stderr().includes('was not reloaded') || null));
    expect(compared.mirror.stderr()).toMatch(/\.yaml:1:\d+: .*expected exactly one of/);
    expect(ruleList.parse(await get('/api/rules')).rules).toHaveLength(2);
  });

  test('without a rules file nothing is saved, and what to do is said', async () => {
    const { send } = await compare();
    const { status, text } = await send('/api/rules', { name: 'x', path: '$.x', ignore: true });
    expect([status, text]).toEqual([409, expect.stringContaining('compare.rulesFile')]);
    const broken = freePath('.yaml');
    writeFileSync(broken, 'rules: 7');
    const target = await recordingTarget();
    const flags = ['mirror', '--vxlan', '127.0.0.1:0', '--target', target.url];
    const refused = { code: 2, stderr: expect.stringContaining(`${broken}:1:8: rules: found 7, expected a list`) };
    expect(await runCli([...flags, configFile({ compare: { rulesFile: broken } })])).toMatchObject(refused);
    const whole = { sources: [{ vxlan: { listen: 4789 } }], targets: [{ name: 't', url: target.url }], compare: { rulesFile: broken } };
    expect(await runCli(['config', 'check', configFile(whole)])).toMatchObject(refused);
  });

  test('a request is sent again by hand, beside what is counted', async () => {
    const compared = await compare({ policy: { sanitize } }, { credentials: { bearer: 'the-own-token' } });
    const { get, send, target, mirror } = compared;
    await compared.traffic(20);
    const price = await cluster(compared, '$.price');
    const [example] = clusterDetail.parse(await get(`/api/clusters/${price.id}`)).examples;
    const before = target.requests.length;
    const again = await send(`/api/requests/${example?.id}/replay`, { target: 'new' });
    const { pair } = replayAgainAnswer.parse(again.json);
    expect(target.requests).toHaveLength(before + 1);
    const head = target.requests.at(-1)?.head ?? '';
    expect(head.split('\r\n')[0]).toBe(`GET ${example?.target} HTTP/1.1`);
    expect(head).toMatch(new RegExp(`X-Doubletake-Id: ${example?.id}\\.hand1\r\n`));
    expect(head).toContain('Authorization: Bearer the-own-token\r\n');
    expect(example?.curl).toContain('Authorization: *');
    expect(JSON.stringify([example, again.text, await get('/api/clusters')])).not.toContain('own-token');
    expect(pair).toMatchObject({ id: example?.id, baseline: example?.baseline, candidate: { start: '200', body: { text: example?.candidate?.body.text } } });
    expect(pair.differences).toEqual(expect.arrayContaining([expect.objectContaining({ path: '$.price', from: '10', to: '11' })]));
    expect(again.text).not.toContain('canary.example');

    expect((await send(`/api/requests/${example?.id}/replay`, { target: 'old' })).status).toBe(409);
    expect((await send('/api/requests/none/replay', { target: 'new' })).status).toBe(404);
    await send('/api/control/targets/new', { percentage: 0 });
    expect((await send(`/api/requests/${example?.id}/replay`, { target: 'new' })).status).toBe(409);
    await send('/api/control/targets/new', { percentage: null });
    await send('/api/control/replay', { replay: 'stopped' });
    expect(await send(`/api/requests/${example?.id}/replay`, { target: 'new' })).toMatchObject({ status: 409, text: expect.stringContaining('stopped') });
    expect(target.requests).toHaveLength(before + 1);
    const { ledger, code } = await mirror.stop();
    expect(code).toBe(0);
    expect(ledger.captured).toBe(40);
  });
});
