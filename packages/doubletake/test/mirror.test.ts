import { afterEach, describe, expect, test } from 'vitest';
import { conversation } from './support/conversation.ts';
import { recordingTarget, startMirror, stopAll } from './support/mirror.ts';

afterEach(stopAll);

describe('doubletake mirror', () => {
  test('a request in VXLAN packets arrives at the target and in the ledger', async () => {
    const target = await recordingTarget();
    const mirror = await startMirror(['--vxlan', '127.0.0.1:0', '--target', target.url]);
    await mirror.send(
      conversation({}, [
        { client: 'GET /users/7?a=b HTTP/1.1\r\nhost: shop.example\r\nX-Odd:  two  \r\nX-Odd: more\r\n\r\n' },
        { server: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' },
      ]),
    );
    const [request] = await target.received(1);
    const { ledger, code, stdout } = await mirror.stop();
    expect(request?.head.replace(/X-Doubletake-Id: \S+/, 'X-Doubletake-Id: ID')).toBe(
      [
        'GET /users/7?a=b HTTP/1.1',
        `host: 127.0.0.1:${target.port}`,
        'X-Odd:  two  ',
        'X-Odd: more',
        'X-Forwarded-For: 10.0.2.5',
        'X-Forwarded-Port: 80',
        'X-Forwarded-Proto: http',
        'X-Forwarded-Host: shop.example',
        'X-Doubletake-Id: ID',
        'X-Doubletake-Mirrored-From: 10.0.1.2:80',
      ].join('\r\n'),
    );
    expect(code).toBe(0);
    expect(ledger).toMatchObject({
      captured: 1,
      outcomes: { replayed: 1 },
      inFlight: 0,
      packets: { malformed: { bad_tunnel: 0 }, kernelDrops: 0 },
      production: { responses: { '2xx': 1 }, orphans: 0 },
      fidelity: { whole: 1, no_response: 0 },
      targets: { target: { outcomes: { replayed: 1 }, responses: { '2xx': 1 } } },
    });
    expect(stdout).toMatch(/captured +1\n/);
    expect(stdout).toContain('the sums add up');
  });
});
