import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import type { RunReport } from '../src/compare/report.ts';
import { configFile, freePath } from './support/config-file.ts';
import { conversation, type ConversationPacket, type Turn } from './support/conversation.ts';
import { type RecordedRequest, recordingTarget, type RecordingTarget, runCli, type RunningMirror, startMirror, stopAll } from './support/mirror.ts';

afterEach(stopAll);

function json(body: unknown, status = '200 OK', more = ''): string {
  const text = JSON.stringify(body);
  return `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\n${more}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

function ask(method: string, target: string, body: object | null = null, more = ''): Turn {
  const text = body === null ? '' : JSON.stringify(body);
  const framing = body === null ? '' : `Content-Type: application/json\r\nContent-Length: ${text.length}\r\n`;
  return { client: `${method} ${target} HTTP/1.1\r\nHost: shop.example\r\n${more}${framing}\r\n${text}` };
}

/** A shop that counts its orders from a number of its own. */
interface Shop {
  answer(request: string, body: string): string;
}

function shop(first: number): Shop {
  const orders = new Map<number, object>();
  let next = first;
  return {
    answer(request, body) {
      const [method, target] = request.split(' ');
      if (method === 'POST') {
        const id = next++;
        orders.set(id, { id, self: `/orders/${id}`, items: [{ id: 1, ...(JSON.parse(body) as object) }] });
        return json(orders.get(id), '201 Created', `Location: http://shop.example/orders/${id}\r\n`);
      }
      const named = /[/=](\d+)/.exec(target)?.[1] ?? /"order_id":(\d+)/.exec(body)?.[1];
      if (named === undefined) return json({ items: [...orders.values()] });
      const order = orders.get(Number(named));
      return order === undefined ? json({ error: 'no such order' }, '404 Not Found') : json(order);
    },
  };
}

async function shopTarget(first: number, change: (answer: string) => string | Buffer = (answer) => answer): Promise<RecordingTarget> {
  const made = shop(first);
  return recordingTarget((socket, { head, body }) => socket.write(change(made.answer(head.split('\r\n', 1)[0], body.toString()))));
}

/** What production's clients ask, with production's answers. */
function answered(production: Shop, questions: readonly Turn[]): Turn[] {
  return questions.flatMap((question) => {
    const text = 'client' in question ? question.client.toString() : '';
    const [head, body] = text.split('\r\n\r\n');
    return [question, { server: production.answer(head.split('\r\n', 1)[0], body) }];
  });
}

const lines = (requests: readonly RecordedRequest[]): string[] => requests.map(({ head, body }) => `${head.split(' HTTP', 1)[0]} ${body.toString()}`.trim());

let clients = 0;

function connection(turns: Turn[]): ConversationPacket[] {
  return conversation({ client: `10.4.0.${++clients}:4000` }, turns);
}

const config = (targets: object[], compare: object): object => ({
  sources: [{ vxlan: { listen: '127.0.0.1:0' } }],
  policy: { methods: 'all' },
  targets,
  compare: { mapIds: true, noiseShare: 0, ...compare },
});

interface Compared {
  mirror: RunningMirror;
  /** Waits until so many requests have ended, stops the mirror and reads the report. */
  report: (requests: number) => Promise<RunReport>;
}

async function compared(targets: object[], compare: object = {}, more: object = {}): Promise<Compared> {
  const run = freePath('.run');
  const mirror = await startMirror([configFile({ ...config(targets, compare), run, ...more })]);
  return {
    mirror,
    report: async (requests) => {
      await mirror.ledgerWhen('all have ended', ({ captured, inFlight }) => captured === requests && inFlight === 0);
      expect((await mirror.stop()).code).toBe(0);
      return JSON.parse((await runCli(['report', run, '--format', 'json'])).stdout) as RunReport;
    },
  };
}

const found = ({ pairs, mismatches, clusters }: RunReport): object => ({
  pairs,
  mismatches,
  clusters: clusters.map(({ endpoint, path, kind }) => `${endpoint} ${path} ${kind}`).toSorted(),
});

const session = [
  ask('POST', '/orders', { sku: 'x', quantity: 17 }),
  ask('GET', '/orders/17'),
  ask('GET', '/orders?id=17'),
  ask('PUT', '/stock', { order_id: 17, quantity: 17 }),
  ask('GET', '/orders'),
];

const asked = (id: number): string[] => [
  'POST /orders {"sku":"x","quantity":17}',
  `GET /orders/${id}`,
  `GET /orders?id=${id}`,
  `PUT /stock {"order_id":${id},"quantity":17}`,
  'GET /orders',
];

describe('compare.mapIds', () => {
  test('the candidate is asked for its own ids, and answers with them count as production\'s', async () => {
    const target = await shopTarget(901);
    const { mirror, report } = await compared([{ name: 'candidate', url: target.url }]);
    await mirror.send(connection(answered(shop(17), session)));
    await target.received(5);
    const result = await report(5);
    expect(lines(target.requests)).toEqual(asked(901));
    expect(found(result)).toEqual({ pairs: 5, mismatches: 0, clusters: [] });
  });

  test('without it production\'s ids go out', async () => {
    const target = await shopTarget(901);
    const { mirror, report } = await compared([{ name: 'candidate', url: target.url }], { mapIds: false });
    await mirror.send(connection(answered(shop(17), session)));
    await target.received(5);
    const result = await report(5);
    expect(lines(target.requests)).toEqual(asked(17));
    expect(result.mismatches).toBeGreaterThan(0);
  });

  test('what else differs is still found, behind a content coding too', async () => {
    const target = await shopTarget(901, (answer) => {
      const [head, body] = answer.replace('"quantity":17', '"quantity":18').split('\r\n\r\n');
      const coded = gzipSync(body);
      return Buffer.concat([Buffer.from(`${head.replace(/Content-Length: \d+/, `Content-Encoding: gzip\r\nContent-Length: ${coded.length}`)}\r\n\r\n`), coded]);
    });
    const { mirror, report } = await compared([{ name: 'candidate', url: target.url }]);
    await mirror.send(connection(answered(shop(17), session.slice(0, 2))));
    const result = await report(2);
    expect(found(result)).toMatchObject({
      pairs: 2,
      clusters: ['GET', 'POST'].flatMap((method) => {
        const endpoint = method === 'GET' ? 'GET /orders/{id}' : 'POST /orders';
        return [`${endpoint} $.items[*].quantity value`, `${endpoint} header:content-encoding extra`];
      }),
    });
  });

  test('a request waits for the id that the request before it gets, however long the candidate takes', async () => {
    const slow = shop(901);
    const held: (() => void)[] = [];
    const target = await recordingTarget((socket, { head, body }) => {
      const text = slow.answer(head.split('\r\n', 1)[0], body.toString());
      if (held.length === 0) held.push(() => socket.write(text));
      else socket.write(text);
    });
    const { mirror, report } = await compared([{ name: 'candidate', url: target.url }]);
    await mirror.send(connection(answered(shop(17), session)));
    await mirror.ledgerWhen('all are captured', ({ captured }) => captured === 5);
    await target.received(1);
    expect(lines(target.requests)).toEqual(asked(901).slice(0, 1));
    held[0]?.();
    await report(5);
    expect(lines(target.requests)).toEqual(asked(901));
  });

  test('ids are used on another connection with the same session, and on none of another', async () => {
    const target = await shopTarget(901);
    const production = shop(17);
    const { mirror, report } = await compared([{ name: 'candidate', url: target.url }]);
    const as = (sid: string): string => `Cookie: seen=${sid}${sid}; sid=${sid}\r\n`;
    await mirror.send(connection(answered(production, [ask('POST', '/orders', { sku: 'x' }, as('anna'))])));
    await mirror.ledgerWhen('it has been replayed', ({ outcomes }) => outcomes.replayed === 1);
    await mirror.send(connection(answered(production, [ask('GET', '/orders/17', null, as('anna'))])));
    await target.received(2);
    await mirror.send(connection(answered(production, [ask('GET', '/orders/17', null, as('ben'))])));
    await target.received(3);
    const result = await report(3);
    expect(lines(target.requests).slice(1)).toEqual(['GET /orders/901', 'GET /orders/17']);
    expect(result.clusters.map(({ path }) => path)).toEqual(['status']);
  });

  test('a reference has its own ids, and so has a request that is sent twice', async () => {
    const [candidate, reference] = [await shopTarget(901), await shopTarget(501)];
    const { mirror, report } = await compared(
      [{ name: 'new', url: candidate.url }, { name: 'second', url: reference.url }],
      { reference: 'second', noiseShare: '100%' },
    );
    await mirror.send(connection(answered(shop(17), session.slice(0, 2))));
    await Promise.all([candidate.received(3), reference.received(2)]);
    const result = await report(2);
    expect(lines(candidate.requests)).toEqual([...asked(901).slice(0, 2), asked(901)[1]]);
    expect(lines(reference.requests)).toEqual(asked(501).slice(0, 2));
    expect(found(result)).toEqual({ pairs: 2, mismatches: 0, clusters: [] });
  });

  test('ids that are made safe are mapped, and are no differences', async () => {
    // Ids that look like the numbers of payment cards, and so go out as others.
    const [productionsId, candidatesId] = ['4111111111111111', '5500005555555559'];
    const target = await recordingTarget((socket, { head }) => {
      const known = head.startsWith('POST') || head.includes(candidatesId);
      socket.write(known ? json({ id: candidatesId }) : json({}, '404 Not Found'));
    });
    const { mirror, report } = await compared([{ name: 'candidate', url: target.url }], {}, {
      policy: { methods: 'all', sanitize: { key: 'a key of the tests, long enough' } },
    });
    const made = json({ id: productionsId });
    const paths = ['/cards/', '/cards/4012888888881881/'].map((path) => path + productionsId);
    await mirror.send(connection([ask('POST', '/cards', {}), ...paths.flatMap((path) => [{ server: made }, ask('GET', path)]), { server: made }]));
    const result = await report(3);
    const [, one, other] = target.requests.map(({ head }) => head.split(' ')[1]);
    expect(one).toBe(`/cards/${candidatesId}`);
    // What was not made here is a pseudonym.
    expect(other).not.toContain('4012888888881881');
    expect(other).toMatch(new RegExp(`/${candidatesId}$`));
    expect(found(result)).toEqual({ pairs: 3, mismatches: 0, clusters: [] });
  });
});
