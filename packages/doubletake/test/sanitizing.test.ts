import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { conversation } from './support/conversation.ts';
import { recordingTarget, startMirror, stopAll } from './support/mirror.ts';

const folder = mkdtempSync(join(tmpdir(), 'doubletake-sanitizing-'));

afterEach(async () => {
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
});

test('what is personal does not reach the target, and what cannot be read is blocked and counted', async () => {
  const target = await recordingTarget();
  const config = join(folder, 'config.json');
  writeFileSync(
    config,
    JSON.stringify({
      sources: [{ vxlan: { listen: '127.0.0.1:0' } }],
      policy: { methods: 'all', sanitize: { key: 'a key of the tests, long enough' } },
      targets: [{ name: 'target', url: target.url }],
    }),
  );
  const mirror = await startMirror([config]);
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
