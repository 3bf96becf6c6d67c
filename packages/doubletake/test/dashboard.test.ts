import { afterEach, describe, expect, test } from 'vitest';
import { changeList, control } from '../src/server/api/control.ts';
import { overview, type Overview } from '../src/server/api/overview.ts';
import { traffic } from '../src/server/api/traffic.ts';
import { startConfigured } from './support/config-file.ts';
import { type ConversationPacket, conversation } from './support/conversation.ts';
import { ask, type Answer } from './support/dashboard-server.ts';
import { eventually, recordingTarget, runCli, startMirror, stopAll } from './support/mirror.ts';

afterEach(stopAll);

let clients = 0;

/** A request on a connection of its own, and production's answer to it. */
function exchange(path: string): ConversationPacket[] {
  const client = `10.0.2.${clients++ % 250}:4${String(clients).padStart(3, '0')}`;
  return conversation({ client }, [
    { client: `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n` },
    { server: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' },
  ]);
}

const exchanges = (count: number, path: string): ConversationPacket[] => Array.from({ length: count }, () => exchange(path)).flat();

const post = (at: string | undefined, path: string, json: unknown): Promise<Answer> => ask(at ?? '', path, { method: 'POST', json });

async function overviewWhen(at: string | undefined, what: string, condition: (shown: Overview) => boolean): Promise<Overview> {
  return eventually(what, async () => {
    const shown = overview.parse((await ask(at ?? '', '/api/overview')).json);
    return condition(shown) ? shown : null;
  });
}

describe('mirror --dashboard', () => {
  test('shows what the mirror does, from packets to answers; the kill switch holds in its workers', async () => {
    const target = await recordingTarget();
    const mirror = await startMirror(['--vxlan', '127.0.0.1:0', '--target', target.url, '--dashboard', '127.0.0.1:0', '--workers', '2']);
    const at = mirror.ready['dashboard'];
    await mirror.send(exchanges(40, '/shown'));
    await target.received(40);
    const shown = await overviewWhen(at, 'all of them', ({ flow }) => flow[1]?.total === 40 && flow[1].parts[0]?.count === 40);
    expect(shown).toMatchObject({ mode: 'live', problem: null, replay: 'running', comparison: null, targets: [{ name: 'target', circuit: 'closed' }] });
    expect(shown.flow.map(({ name, adds }) => [name, adds])).toEqual([['packets', true], ['requests', true], ['target target', true]]);
    expect(shown.production.latencyMs.p50).not.toBeNull();
    const { sources } = traffic.parse((await ask(at ?? '', '/api/traffic')).json);
    expect(sources).toMatchObject([{ kind: 'vxlan', captured: 40, connections: 40, outcomes: { replayed: 40 }, production: { responses: { '2xx': 40 } } }]);

    expect((await post(at, '/api/control/replay', { replay: 'stopped' })).status).toBe(200);
    expect(control.parse((await ask(at ?? '', '/api/control')).json)).toMatchObject({ replay: 'stopped', targets: [{ state: 'stopped' }] });
    await mirror.send(exchanges(5, '/stopped'));
    await overviewWhen(at, 'what is blocked', ({ flow }) => flow[1].parts.some(({ count, detail }) => count === 5 && detail?.['kill_switch'] === 5));
    expect(target.requests).toHaveLength(40);
    expect((await post(at, '/api/control/replay', { replay: 'running' })).status).toBe(200);
    expect((await post(at, '/api/control/targets/target', { percentage: 0 })).status).toBe(200);
    await mirror.send(exchanges(5, '/off'));
    await overviewWhen(at, 'what is not wanted', ({ flow }) => flow[1].parts.some(({ name, count }) => name === 'sampled out' && count === 5));
    expect((await mirror.stop()).code).toBe(0);
    expect(target.requests).toHaveLength(40);
  });

  test('what was changed is listed with who did it: through the control socket, by a signal, by the ramp, from the page', async () => {
    const target = await recordingTarget();
    const ramp = { steps: [{ percentage: 50, for: '1s' }, { percentage: 100 }], requestsMin: 1, window: '1s' };
    const mirror = await startConfigured({ targets: [{ name: 't', url: target.url, ramp }], dashboard: { listen: '127.0.0.1:0' } });
    const at = mirror.ready['dashboard'];
    const listed = async (): Promise<string[]> => changeList.parse((await ask(at ?? '', '/api/changes')).json).changes.map(({ who }) => who);
    await eventually('a step of the ramp', async () => {
      await mirror.send(exchanges(5, '/ramp'));
      return (await listed()).includes('ramp') ? true : null;
    });
    await runCli(['control', 'kill', mirror.control]);
    await runCli(['control', 'resume', mirror.control]);
    mirror.child.kill('SIGHUP');
    await eventually('the reload', async () => ((await listed()).includes('signal') ? true : null));
    await post(at, '/api/control/targets/t', { percentage: 40 });
    expect(await listed()).toEqual(['operator 127.0.0.1', 'signal', 'control socket', 'control socket', 'ramp']);
    expect(control.parse((await ask(at ?? '', '/api/control')).json).targets).toMatchObject([
      { name: 't', percentage: 40, percentageBy: 'hand', ramp: { state: 'held', steps: [{ percentage: 50, forMs: 1_000 }, { percentage: 100, forMs: null }] } },
    ]);
    const { stderr } = await mirror.stop();
    expect(stderr).toMatch(/gets 40 %, set by hand \(operator 127\.0\.0\.1\)/);
  });

  test('asked for by others, it prints a token once and asks for it', async () => {
    const target = await recordingTarget();
    const mirror = await startMirror(['--vxlan', '127.0.0.1:0', '--target', target.url, '--dashboard', '0.0.0.0:0', '--quiet']);
    const port = mirror.ready['dashboard']?.split(':').at(-1);
    const at = `127.0.0.1:${port}`;
    const [, token = ''] = /the dashboard's operator token: (\S+)\n/.exec(mirror.stderr()) ?? [];
    expect((await ask(at, '/api/overview')).status).toBe(401);
    expect((await ask(at, '/api/overview', { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
    const { stderr } = await mirror.stop();
    expect(stderr.split(token)).toHaveLength(2);
  });

  test('a port that is taken, and what is no address, end it with one line', async () => {
    const target = await recordingTarget();
    const flags = ['mirror', '--vxlan', '127.0.0.1:0', '--target', target.url];
    expect(await runCli([...flags, '--dashboard', `127.0.0.1:${target.port}`])).toMatchObject({
      code: 2,
      stderr: `doubletake: --dashboard 127.0.0.1:${target.port}: another program listens there; stop it or choose another port [DT_DASHBOARD_PORT_IN_USE]\n`,
    });
    expect(await runCli([...flags, '--dashboard', 'config.yaml'])).toMatchObject({ code: 2, stderr: expect.stringMatching(/^doubletake: --dashboard config\.yaml: expected \[HOST:\]PORT/) as string });
  });
});
