import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { conversation } from './support/conversation.ts';
import { eventually, recordingTarget, startMirror, stopAll } from './support/mirror.ts';

afterEach(stopAll);

const flags = ['--vxlan', '127.0.0.1:0', '--health', '127.0.0.1:0'];

interface Answer {
  status: number;
  body: unknown;
}

async function get(address: string | undefined, path: string, method = 'GET'): Promise<Answer> {
  const response = await fetch(`http://${address}${path}`, { method });
  const text = await response.text();
  return { status: response.status, body: text === '' ? '' : JSON.parse(text) };
}

describe('--health', () => {
  test('while packets can flow, /healthz is 200, and any TCP connection is accepted', async () => {
    const target = await recordingTarget();
    const mirror = await startMirror([...flags, '--target', target.url]);
    const address = mirror.ready['health'];
    expect(await get(address, '/healthz')).toEqual({ status: 200, body: { status: 'ok' } });
    expect(await get(address, '/healthz?from=balancer')).toMatchObject({ status: 200 });
    expect(await get(address, '/healthz', 'HEAD')).toEqual({ status: 200, body: '' });
    expect(await get(address, '/healthz', 'POST')).toMatchObject({ status: 405 });
    expect(await get(address, '/other')).toMatchObject({ status: 404 });

    const [host, port] = [address?.split(':')[0], Number(address?.split(':')[1])];
    await new Promise<void>((resolve, reject) => {
      const socket = connect({ host, port }, () => {
        socket.destroy();
        resolve();
      }).on('error', reject);
    });

    // A check that connects and leaves must not have disturbed anything.
    await mirror.send(conversation({}, [{ client: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' }]));
    await target.received(1);
    expect(await get(address, '/healthz')).toMatchObject({ status: 200 });
  });

  test('while it drains it is 503 with the reason, and what was under way still comes to its outcome', async () => {
    const held: Socket[] = [];
    const target = await recordingTarget((socket) => held.push(socket));
    const mirror = await startMirror([...flags, '--target', target.url]);
    await mirror.send(conversation({}, [{ client: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' }]));
    await target.received(1);
    expect(await get(mirror.ready['health'], '/healthz')).toMatchObject({ status: 200 });

    mirror.child.kill('SIGTERM');
    let answer = await get(mirror.ready['health'], '/healthz');
    // oxlint-disable-next-line no-await-in-loop -- asks again until the signal has arrived
    while (answer.status === 200) answer = await get(mirror.ready['health'], '/healthz');
    expect(answer).toEqual({ status: 503, body: { status: 'failing', reason: 'draining' } });

    held[0]?.write('HTTP/1.1 204 No Content\r\n\r\n');
    await eventually('the end', () => mirror.child.exitCode);
    const { code, ledger } = await mirror.stop();
    expect(code).toBe(0);
    expect(ledger).toMatchObject({ captured: 1, outcomes: { replayed: 1 }, inFlight: 0 });
  });
});
