import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { runCli } from './support/mirror.ts';

test('doubletake generate prints the configuration and nothing else', async () => {
  const { code, stdout, stderr } = await runCli(['generate', 'envoy', '--sink', '10.0.0.9:8090', '--percentage', '10']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toBe(readFileSync(new URL('generated/envoy.yaml', import.meta.url), 'utf8'));
});

describe('bad usage is one clear line and exit code 2', () => {
  test.concurrent.for<[string, string[], string]>([
    ['a kind with a slip', ['ngnix'], "unknown command 'ngnix' (Did you mean nginx?); see doubletake --help"],
    ['no sink', ['nginx'], '--sink is missing: where mirror --http-sink listens, such as --sink 10.0.0.9:8090'],
    ['a sink without a port', ['nginx', '--sink', '10.0.0.9'], '--sink 10.0.0.9: expected HOST:PORT, such as 10.0.0.9:8090 or [2001:db8::9]:8090'],
    ['a sink that would end the directive', ['nginx', '--sink', 'a;b:80'], '--sink a;b:80: expected HOST:PORT'],
    ['nothing to copy', ['traefik', '--sink', 'a:80', '--percentage', '0'], '--percentage 0: nothing would be copied'],
    ['a URL that is none', ['nginx', '--verify', 'shop.example', '--listen', '0'], '--verify shop.example: this is an http:// or https:// URL'],
    ['nowhere to listen', ['nginx', '--verify', 'http://127.0.0.1:1'], '--verify needs --listen [HOST:]PORT (or --sink)'],
  ])('%s', async ([, args, text]) => {
    const { code, stdout, stderr } = await runCli(['generate', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.split('\n')).toHaveLength(2);
    expect(stderr).toContain(`doubletake: ${text}`);
  });
});
