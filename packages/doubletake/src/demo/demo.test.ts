import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ConfigDocument } from '../config/document.ts';
import { buildConfig } from '../config/load.ts';
import { hasDesktop } from './browser.ts';
import { demoConfiguration } from './configuration.ts';
import { runDemo } from './demo.ts';
import { freePort } from './free-port.ts';
import { listen } from './listen.ts';

const anywhere = { dashboard: { host: '127.0.0.1', port: 0 }, open: false, run: null };

async function refuses(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const connected = await once(socket, 'connect').catch(() => null);
  socket.destroy();
  return connected === null;
}

describe('the demo', () => {
  test('fits a terminal, and stops and removes all that it made when told to', async () => {
    const stop = new AbortController();
    const frames: string[] = [];
    let text = '';
    const write = (more: string): void => {
      text += more;
      if (more.includes('\u001b[?2026h') && frames.push(more) === 5) stop.abort();
    };
    const end = await runDemo({ ...anywhere, signal: stop.signal, seconds: null, out: { write, isTTY: true, columns: 50 } });
    const lines = frames.flatMap((frame) => stripVTControlCharacters(frame).split('\n'));
    expect(Math.max(...lines.map((line) => line.replace('\r', '').length))).toBeLessThan(50);
    expect(text.lastIndexOf('\u001b[?25h')).toBeGreaterThan(text.lastIndexOf('\u001b[?25l'));
    expect(end).toMatchObject({ exitCode: 0, ledger: { captured: end.production, inFlight: 0 } });
    expect(end.production).toBeGreaterThan(20);

    const plain = stripVTControlCharacters(text);
    const ports = [...plain.matchAll(/(?:relay |production |next version |127\.0\.0\.1):(\d+)/g)].map(([, port]) => Number(port));
    expect(ports).toHaveLength(4);
    expect(await Promise.all(ports.map(refuses))).toEqual([true, true, true, true]);
    const [, configuration = ''] = /configuration +(\S+)/.exec(plain) ?? [];
    expect([configuration.endsWith('mirror.yaml'), existsSync(configuration)]).toEqual([true, false]);
  });

  test('a mirror that cannot start ends it with what the mirror said, and leaves nothing behind', async () => {
    const { signal } = new AbortController();
    let text = '';
    const demo = runDemo({ ...anywhere, dashboard: { host: '192.0.2.1', port: 9 }, signal, seconds: 1, out: { write: (more) => (text += more) } });
    await expect(demo).rejects.toMatchObject({ code: 'DT_DEMO_MIRROR', message: expect.stringContaining('192.0.2.1') as string });
    expect(text).toBe('');
  });
});

describe('its configuration', () => {
  const environment = { DOUBLETAKE_KEY: 'a key that is long enough' };

  test('is a configuration, whatever the folder is called', () => {
    const run = 'C:\\a "run" of ${HOME} $$ é';
    const text = demoConfiguration({ target: new URL('http://127.0.0.1:5000'), run, rules: `${run}.yaml`, dashboard: '[::1]:9090' });
    const config = buildConfig(new ConfigDocument('mirror.yaml', text, environment), []);
    expect(config).toMatchObject({ run, compare: { rulesFile: `${run}.yaml` }, dashboard: { listen: { host: '::1', port: 9090 } }, targets: [{ name: 'next', url: 'http://127.0.0.1:5000/' }] });
    expect(config.policy.sanitize?.presets).toEqual(['auth', 'pii', 'payment']);
  });
});

describe('a port', () => {
  test('is the next one when it is taken', async () => {
    const server = createServer();
    const { port } = await listen(server, 0, '127.0.0.1');
    expect(await freePort({ host: '127.0.0.1', port })).not.toBe(port);
    await new Promise((resolve) => server.close(resolve));
    expect(await freePort({ host: '127.0.0.1', port })).toBe(port);
  });

  test('0 is left to the system', async () => {
    expect(await freePort({ host: '127.0.0.1', port: 0 })).toBe(0);
  });
});

describe('a browser', () => {
  test.each([
    ['linux', {}, false],
    ['linux', { DISPLAY: ':0' }, true],
    ['linux', { WAYLAND_DISPLAY: 'wayland-0' }, true],
    ['linux', { DISPLAY: '' }, false],
    ['darwin', {}, true],
    ['darwin', { SSH_CONNECTION: '10.0.0.1 22' }, false],
    ['win32', {}, true],
  ] as const)('on %s with %o can be opened: %s', (platform, environment, expected) => {
    expect(hasDesktop(environment, platform)).toBe(expected);
  });
});
