import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { folderWith, missing } from '../../test/support/proxies.ts';
import { systemdUnit, type UnitOptions } from './systemd.ts';

const program = ['/usr/bin/node', '/opt/doubletake/node_modules/doubletake/bin/doubletake.js'];
const units: { name: string; options: UnitOptions }[] = [
  { name: 'doubletake', options: { command: 'mirror', commandLine: [...program, 'mirror', '/etc/doubletake/mirror.yaml'], captures: false } },
  {
    name: 'doubletake-tap',
    options: { command: 'tap', commandLine: [...program, 'tap', '--interface', 'any', '--to', 'mirror.internal:4789', '--vni', '7', '--port', '80'], captures: true },
  },
];

describe.each(units)('$name', ({ name, options }) => {
  test('the unit', async () => {
    await expect(systemdUnit(options)).toMatchFileSnapshot(`../../../../deploy/systemd/${name}.service`);
  });

  test('systemd has nothing against it, and calls it well protected', (context) => {
    context.skip(missing('systemd-analyze') !== null, missing('systemd-analyze') ?? '');
    // What it runs need not be installed here.
    const text = systemdUnit({ ...options, commandLine: ['/bin/true', ...options.commandLine.slice(1)] });
    const folder = folderWith({ [`${name}.service`]: text });
    const analyze = (...args: string[]): string => execFileSync('systemd-analyze', [...args, join(folder, `${name}.service`)], { encoding: 'utf8', stdio: 'pipe' });
    expect(analyze('verify', '--man=no')).toBe('');
    // From 0 (shut off) to 10. It fails when the unit is above the threshold, which is in tenths: 2.0.
    analyze('security', '--offline=true', '--no-pager', '--threshold=20');
  });
});

test('rights are those that the command needs', () => {
  const rights = (captures: boolean): string[] =>
    systemdUnit({ command: 'mirror', commandLine: program, captures })
      .split('\n')
      .filter((line) => /^(?:AmbientCapabilities|CapabilityBoundingSet|RestrictAddressFamilies)=/.test(line));
  expect(rights(false)).toEqual(['AmbientCapabilities=', 'CapabilityBoundingSet=', 'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK']);
  expect(rights(true)).toEqual([
    'AmbientCapabilities=CAP_NET_RAW',
    'CapabilityBoundingSet=CAP_NET_RAW',
    'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK AF_PACKET',
  ]);
});

test('only a mirror reads its configuration again on reload', () => {
  expect(systemdUnit({ command: 'mirror', commandLine: program, captures: false })).toContain('\nExecReload=/bin/kill -HUP $MAINPID\n');
  expect(systemdUnit({ command: 'tap', commandLine: program, captures: true })).not.toContain('ExecReload');
});
