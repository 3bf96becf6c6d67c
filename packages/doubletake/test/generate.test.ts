import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { runCliHere } from './support/cli-here.ts';
import { runCli } from './support/mirror.ts';

test('doubletake generate prints the configuration and nothing else', async () => {
  const { code, stdout, stderr } = await runCli(['generate', 'envoy', '--sink', '10.0.0.9:8090', '--percentage', '10']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toBe(readFileSync(new URL('generated/envoy.yaml', import.meta.url), 'utf8'));
});

test.each([
  ['cloudformation/doubletake.yaml', ['cloudformation']],
  ['terraform/main.tf', ['terraform']],
  ['kubernetes/mirror.yaml', ['kubernetes', '--target', 'http://candidate.shop.svc:8080/base', '--port', '80', '--port', '8080']],
  ['systemd/doubletake.service', ['systemd']],
  ['systemd/doubletake-tap.service', ['systemd', '--to', 'mirror.internal', '--port', '80']],
])('deploy/%s is what generate prints', async (file, args) => {
  const { code, stdout, stderr } = await runCliHere(['generate', ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toBe(readFileSync(new URL(`../../../deploy/${file}`, import.meta.url), 'utf8'));
});

test('generate kubernetes --tap adds the taps to the mirror', async () => {
  const target = ['--target', 'http://candidate.shop.svc:8080/base', '--port', '80', '--port', '8080'];
  const { stdout } = await runCli(['generate', 'kubernetes', ...target, '--tap']);
  const [mirror, tap] = ['mirror', 'tap'].map((name) => readFileSync(new URL(`../../../deploy/kubernetes/${name}.yaml`, import.meta.url), 'utf8'));
  expect(stdout).toBe(`${mirror}---\n${tap}`);
});

describe('bad usage is one clear line and exit code 2', () => {
  test.for<[string, string[], string]>([
    ['a kind with a slip', ['ngnix'], "unknown command 'ngnix' (Did you mean nginx?); see doubletake generate --help"],
    ['no sink', ['nginx'], '--sink is missing: where mirror --http-sink listens, such as --sink 10.0.0.9:8090'],
    ['a sink without a port', ['nginx', '--sink', '10.0.0.9'], '--sink 10.0.0.9: expected HOST:PORT, such as 10.0.0.9:8090 or [2001:db8::9]:8090'],
    ['a sink that would end the directive', ['nginx', '--sink', 'a;b:80'], '--sink a;b:80: expected HOST:PORT'],
    ['nothing to copy', ['traefik', '--sink', 'a:80', '--percentage', '0'], '--percentage 0: nothing would be copied'],
    ['a URL that is none', ['nginx', '--verify', 'shop.example', '--listen', '0'], '--verify shop.example: this is an http:// or https:// URL'],
    ['no target', ['kubernetes'], "required option '--target <URL>' not specified; see doubletake generate kubernetes --help"],
    ['a target that is none', ['kubernetes', '--target', 'shop.example'], '--target shop.example: a target is an http:// or https:// URL'],
    ['a target that would end its quotes', ['kubernetes', '--target', 'http://a/"b'], '--target http://a/"b: expected a URL without quotes, dollars and blanks'],
    ['an image with a blank', ['kubernetes', '--target', 'http://a', '--image', 'a b'], '--image a b: expected the name of an image, such as registry.internal/doubletake:1.2.3'],
    ['a namespace in capitals', ['kubernetes', '--target', 'http://a', '--namespace', 'A'], '--namespace A: expected lower case letters, digits and hyphens'],
    ['a path with a blank', ['systemd', '--config', '/etc/a b'], '--config /etc/a b: expected an absolute path without blanks'],
    ['an interface that is none', ['systemd', '--to', 'a', '--interface', 'a;b'], '--interface a;b: expected the name of a network interface'],
    ['a host that would be a specifier', ['systemd', '--to', 'a%i'], '--to a%i: expected a host name or an address'],
    ['nowhere to listen', ['nginx', '--verify', 'http://127.0.0.1:1'], '--verify needs --listen [HOST:]PORT (or --sink)'],
  ])('%s', async ([, args, text]) => {
    const { code, stdout, stderr } = await runCliHere(['generate', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.split('\n')).toHaveLength(2);
    expect(stderr).toContain(`doubletake: ${text}`);
  });
});
