import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { jwt } from './support/canaries.ts';
import { pcapFile } from './support/capture-files.ts';
import { runCliHere } from './support/cli-here.ts';
import { conversation, type ConversationPacket, type Turn } from './support/conversation.ts';
import { recordingTarget, runCli, startMirror, stopAll } from './support/mirror.ts';
import { listen } from './support/replay-servers.ts';
import { exchanges, get, post } from './support/requests.ts';

const folder = mkdtempSync(join(tmpdir(), 'doubletake-sanitizing-'));
const key = 'a key of the tests, long enough';

afterEach(stopAll);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function configFile(name: string, url: string, sanitize: object): string {
  const file = join(folder, `${name}.json`);
  const policy = { methods: 'all', sanitize };
  writeFileSync(file, JSON.stringify({ sources: [{ vxlan: { listen: '127.0.0.1:0' } }], policy, targets: [{ name: 'target', url }] }));
  return file;
}

test('what is personal does not reach the target, and what cannot be read is blocked and counted', async () => {
  const target = await recordingTarget();
  const mirror = await startMirror([configFile('blocked', target.url, { key })]);
  await mirror.send(
    conversation({}, [
      { client: 'GET /x?mail=anna%40shop.example HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer s3cret-token\r\n\r\n' },
      { server: 'HTTP/1.1 204 No Content\r\n\r\n' },
      { client: 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n{"a":' },
      { server: 'HTTP/1.1 204 No Content\r\n\r\n' },
    ]),
  );
  await mirror.ledgerWhen('both requests ended', ({ captured, inFlight }) => captured === 2 && inFlight === 0);
  const [request] = await target.received(1);
  const { ledger, code } = await mirror.stop();
  expect(request?.head).toMatch(/^GET \/x\?mail=u[0-9a-f]{16}@example\.test HTTP/);
  expect(request?.head).not.toMatch(/anna|s3cret|10\.0\.2\.5/);
  expect(ledger.outcomes).toMatchObject({ replayed: 1, blocked: { unsanitizable: 1 } });
  expect(code).toBe(0);
});

interface User {
  email: string;
  password: string;
  /** Production's session, as its cookie has it. */
  session: string;
}

const users: readonly User[] = [
  { email: 'anna.schmidt@shop.example', password: 'hünter & 2=3', session: '4f9d2c7ab1e04e6c8d7f' },
  { email: 'ben@mail.shop.example', password: 'correct horse', session: '0a1b2c3d4e5f60718293' },
];

/** What production saw of a user: sign-up, log-ins in two forms, and then the user's name in every place. */
function flowOf({ email, password, session }: User, index: number): { first: ConversationPacket[]; later: ConversationPacket[] } {
  const token = jwt({ sub: String(index), email, scope: 'orders' }, index);
  const known = `Cookie: theme=dark; session=${session}\r\nAuthorization: Bearer ${token}\r\n`;
  const json = 'Content-Type: application/json\r\n';
  const form = 'Content-Type: application/x-www-form-urlencoded\r\n';
  const loggedIn = `HTTP/1.1 200 OK\r\nSet-Cookie: session=${session}; Path=/\r\nContent-Length: 2\r\n\r\n{}`;
  const turns: Turn[] = [
    { client: post('/signup', JSON.stringify({ email, password, plan: 'basic' }), json) },
    { server: loggedIn },
    { client: post('/login', `user=${encodeURIComponent(email)}&password=${encodeURIComponent(password).replaceAll('%20', '+')}`, form) },
    { server: loggedIn },
    { client: post('/login', JSON.stringify({ user: email.toUpperCase(), password }), json) },
    { server: loggedIn },
  ];
  const later = [
    get(`/users/${encodeURIComponent(email)}/orders`, known),
    get(`/orders?owner=${email}&page=2`, known),
    get('/account', `${known}Referer: https://shop.example/users?owner=${encodeURIComponent(email)}&page=2\r\n`),
    post('/orders', JSON.stringify({ items: [{ sku: 'A-1', for: { owner: email } }] }), known + json),
  ];
  return {
    first: conversation({ client: `10.0.3.${index}:40000` }, turns),
    later: exchanges(`10.0.3.${index}:40001`, later),
  };
}

/** The environment under test: knows users by the address that they signed up with, and trusts tokens of the test key. */
class ShopApp {
  readonly #passwords = new Map<string, string>();
  /** Who was seen with a session that production gave. */
  readonly sessions = new Map<string, Set<string>>();
  readonly refusals: string[] = [];

  answer({ method, url = '', headers }: IncomingMessage, body: string): number {
    const status = this.#accepts(`${method} ${new URL(url, 'http://shop').pathname}`, url, headers, body) ? 200 : 401;
    if (status === 401) this.refusals.push(`${method} ${url} ${body}`);
    return status;
  }

  #accepts(route: string, url: string, headers: IncomingMessage['headers'], body: string): boolean {
    const isJson = headers['content-type'] === 'application/json';
    const fields = isJson ? (JSON.parse(body) as Record<string, unknown>) : Object.fromEntries(new URLSearchParams(body));
    if (route === 'POST /signup') {
      this.#passwords.set(String(fields['email']), String(fields['password']));
      return true;
    }
    if (route === 'POST /login') return this.#passwords.get(String(fields['user'])) === fields['password'];
    const user = tokenUser(headers.authorization ?? '');
    if (user === null || !this.#passwords.has(user)) return false;
    const session = /session=(\w+)/.exec(headers.cookie ?? '')?.[1] ?? '';
    this.sessions.set(session, (this.sessions.get(session) ?? new Set()).add(user));
    const named = [decodeURIComponent(url), decodeURIComponent(headers.referer ?? ''), body].join(' ');
    return named.includes(user);
  }
}

/** The address in a token that was signed with the test key; null for any other. */
function tokenUser(authorization: string): string | null {
  const [head = '', claims = '', signature] = authorization.replace('Bearer ', '').split('.');
  if (createHmac('sha256', 'the test key').update(`${head}.${claims}`).digest('base64url') !== signature) return null;
  return (JSON.parse(Buffer.from(claims, 'base64url').toString()) as { email: string }).email;
}

test('a user stays one: sign-up, log-in, tokens and later requests agree at the target', async () => {
  const app = new ShopApp();
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => response.writeHead(app.answer(request, body)).end());
  });
  await using closing = new AsyncDisposableStack();
  const port = await listen(server);
  closing.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  const mirror = await startMirror([configFile('session', `http://127.0.0.1:${port}`, { key, jwtKey: 'the test key' })]);
  const flows = users.map(flowOf);
  await mirror.send(flows.flatMap(({ first }) => first));
  await mirror.ledgerWhen('both have logged in', ({ captured, inFlight }) => captured === 6 && inFlight === 0);
  await mirror.send(flows.flatMap(({ later }) => later));
  await mirror.ledgerWhen('all requests ended', ({ captured, inFlight }) => captured === 14 && inFlight === 0);
  const { ledger } = await mirror.stop();
  expect(app.refusals).toEqual([]);
  expect(ledger.outcomes).toMatchObject({ replayed: 14 });
  // Each session of production is one session, of one user, under another name.
  expect([...app.sessions.values()].map((names) => names.size)).toEqual([1, 1]);
  expect([...app.sessions.keys()]).not.toEqual(expect.arrayContaining([users[0]?.session]));
  expect(new Set([...app.sessions.values()].flatMap((names) => [...names])).size).toBe(2);
});

test('`config leaks` says what is left, without values', async () => {
  const file = join(folder, 'capture.pcap');
  const request = post('/orders', JSON.stringify({ f17: 'Anna Schmidt', mail: 'anna@shop.example' }), 'Content-Type: application/json\r\n');
  writeFileSync(file, pcapFile([...exchanges('10.0.2.5:41000', [request, post('/orders', '{"a":', 'Content-Type: application/json\r\n')])]));
  const { code, stdout } = await runCli(['config', 'leaks', file]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/2 requests: 1 looked through, the others are not replayed \(blocked\.unsanitizable 1\)/);
  expect(stdout).toMatch(/POST \/orders\n {4}request {3}json:\$\.f17 {2}name of a person +1 x +1 value\n/);
  expect(stdout).not.toMatch(/Anna|Schmidt|anna@/);
  const json = await runCliHere(['config', 'leaks', '--json', '--config', configFile('leaks', 'http://127.0.0.1:1', { key, rules: [{ name: 'r', json: '$.f17', action: 'remove' }] }), file]);
  expect(JSON.parse(json.stdout)).toMatchObject({ requests: { seen: 2, examined: 1 }, findings: [] });
  expect(await runCliHere(['config', 'leaks'])).toMatchObject({ code: 2 });
  expect(await runCliHere(['config', 'leaks', configFile('none', 'http://127.0.0.1:1', { key })])).toMatchObject({ code: 2, stderr: expect.stringContaining('DT_CAPTURE_NOT_RECOGNISED') });
});
