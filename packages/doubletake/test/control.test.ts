import type { Socket } from 'node:net';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { freePath, startConfigured } from './support/config-file.ts';
import { conversation } from './support/conversation.ts';
import { eventually, recordingTarget, runCli, startMirror, stopAll } from './support/mirror.ts';

afterEach(stopAll);

let clients = 0;

/** One request on a connection of its own. */
function request(path: string): { frame: Buffer }[] {
  const client = `10.0.${2 + (clients >> 8)}.${clients++ & 255}:4000`;
  return conversation({ client }, [{ client: `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n` }]);
}

const requests = (count: number, path: string): { frame: Buffer }[] => Array.from({ length: count }, () => request(path)).flat();

describe('doubletake control', () => {
  test('kill stops all replay at once, also what waits and is under way; resume replays what comes from then on', async () => {
    // Answers a few, and leaves the rest waiting.
    const held = new Set<Socket>();
    let answers = 5;
    const target = await recordingTarget((socket) => {
      if (answers-- > 0) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      else held.add(socket.on('close', () => held.delete(socket)));
    });
    const mirror = await startConfigured({ targets: [{ name: 't', url: target.url, limits: { inFlight: 10 } }] });
    await mirror.send(requests(30, '/before'));
    await mirror.ledgerWhen('five are answered and ten under way', ({ inFlight, outcomes }) => inFlight === 25 && outcomes['replayed'] === 5);
    await target.received(15);

    expect(await runCli(['control', 'kill', mirror.control])).toMatchObject({ code: 0, stdout: /^all replay is stopped/ });
    const seen = target.requests.length;
    await eventually('every connection to the target to be closed', () => (held.size === 0 ? true : null));
    await mirror.send(requests(10, '/while'));
    const killed = await mirror.ledgerWhen('all have ended', ({ captured, inFlight }) => captured === 40 && inFlight === 0);
    expect(killed).toMatchObject({ replay: 'stopped', outcomes: { replayed: 5, blocked: { kill_switch: 35 } } });
    expect(target.requests).toHaveLength(seen);

    answers = 100;
    expect(await runCli(['control', 'resume', mirror.control])).toMatchObject({ code: 0 });
    await mirror.send(requests(4, '/after'));
    await target.received(seen + 4);
    const { ledger, code, stderr } = await mirror.stop();
    expect({ code, replay: ledger.replay, replayed: ledger.outcomes['replayed'] }).toEqual({ code: 0, replay: 'running', replayed: 9 });
    expect(target.requests.slice(seen).map(({ head }) => head.split(' ')[1])).toEqual(Array(4).fill('/after'));
    expect(stderr).toMatch(/all replay is stopped by hand/);
    expect(stderr).toMatch(/replay goes on, by hand/);
  });

  test('percentage holds in every worker until it is given back; status prints the ledger', async () => {
    const target = await recordingTarget();
    const mirror = await startConfigured({ workers: 2, targets: [{ name: 't', url: target.url, percentage: 100 }] });
    expect(await runCli(['control', 'percentage', mirror.control, 't', '0'])).toEqual({ code: 0, stdout: 'target t: 0 %\n', stderr: '' });
    await mirror.send(requests(20, '/none'));
    const none = await mirror.ledgerWhen('all have ended', ({ captured, inFlight }) => captured === 20 && inFlight === 0);
    expect(none).toMatchObject({ outcomes: { sampled_out: 20 }, targets: { t: { percentage: 0, outcomes: { sampled_out: 20 } } } });
    await runCli(['control', 'percentage', mirror.control, 't', 'auto']);
    await mirror.send(requests(20, '/all'));
    await target.received(20);
    const { stdout } = await runCli(['control', 'status', mirror.control]);
    expect(stdout).toMatch(/captured +40/);
    const status = JSON.parse((await runCli(['control', 'status', mirror.control, '--json'])).stdout) as object;
    expect(status).toMatchObject({ replay: 'running', targets: { t: { percentage: 100 } } });
  });

  test('only its user may open the socket, which goes with the mirror; one left by a killed mirror is taken over', async () => {
    const target = await recordingTarget();
    const mirror = await startConfigured({ targets: [{ name: 't', url: target.url }] });
    expect(statSync(mirror.control).mode & 0o777).toBe(0o600);
    expect(await runCli(['mirror', '--vxlan', '127.0.0.1:0', '--target', target.url, '--control', mirror.control])).toMatchObject({
      code: 2,
      stderr: `doubletake: --control ${mirror.control}: something is there already; is a mirror running with it? [DT_CONTROL_LISTEN]\n`,
    });
    await expect(mirror.stop('SIGKILL')).rejects.toThrow('left no ledger');
    expect(await runCli(['control', 'status', mirror.control])).toMatchObject({ code: 2, stderr: /the mirror that listened there is gone \[DT_CONTROL\]\n$/ });
    const next = await startMirror(['--vxlan', '127.0.0.1:0', '--target', target.url, '--control', mirror.control]);
    expect(await runCli(['control', 'resume', mirror.control])).toMatchObject({ code: 0 });
    await next.stop();
    expect(statSync(mirror.control, { throwIfNoEntry: false })).toBeUndefined();
  });

  test('a mirror whose socket cannot be had ends, with its health port given back', async () => {
    const target = await recordingTarget();
    const control = `${freePath('')}/none/control.sock`;
    const started = await runCli(['mirror', '--vxlan', '127.0.0.1:0', '--target', target.url, '--health', '127.0.0.1:0', '--control', control]);
    expect(started).toMatchObject({ code: 2, stdout: '', stderr: `doubletake: --control ${control}: there is no folder ${dirname(control)} [DT_CONTROL_LISTEN]\n` });
  });

  test.each([
    [['control', 'kill', 'PATH/none.sock'], /no mirror listens there; start it with --control PATH \[DT_CONTROL\]/],
    [['control', 'percentage', 'SOCKET', 'nobody', '5'], /there is no target nobody; there is t \[DT_CONTROL\]/],
    [['control', 'percentage', 'SOCKET', 't', '500'], /P 500: expected a number from 0 to 100/],
    [['control', 'percentage', 'SOCKET', 't'], /missing required argument/],
  ])('%j is refused with a clear line', async (args, expected) => {
    const target = await recordingTarget();
    const mirror = await startConfigured({ targets: [{ name: 't', url: target.url }] });
    const filled = args.map((text) => text.replace('SOCKET', mirror.control).replace('PATH/none.sock', freePath('.sock')));
    const { code, stdout, stderr } = await runCli(filled);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(expected);
  });
});
