import { describe, expect, test } from 'vitest';
import { dashboardListenDefault, dashboardSchema } from './dashboard-schema.ts';
import { ConfigDocument } from './document.ts';
import { explain } from './explain.ts';
import { buildConfig } from './load.ts';

const token = 'a-token-of-16-ch';

describe('where the dashboard listens', () => {
  test.each([
    [undefined, '127.0.0.1', 9090],
    [dashboardListenDefault, '127.0.0.1', 9090],
    [8000, '127.0.0.1', 8000],
    ['8000', '127.0.0.1', 8000],
    ['0.0.0.0:8000', '0.0.0.0', 8000],
    ['[::]:8000', '::', 8000],
  ])('%s is %s, port %i', (listen, host, port) => {
    expect(dashboardSchema.parse(listen === undefined ? {} : { listen }).listen).toEqual({ host, port });
  });
});

test.each([
  [{ operatorToken: token, readerToken: `${token}2` }],
  [{ operatorTokenFile: 'a', readerTokenFile: 'b' }],
  [{ hosts: ['mirror.example.net', 'mirror', 'a-b.example.'] }],
])('%o can be used', (config) => {
  expect(dashboardSchema.safeParse(config).success).toBe(true);
});

test.each([
  [{ operatorToken: 'short' }, 'operatorToken', 'expected at least 16 characters'],
  [{ operatorToken: 'a token with spaces' }, 'operatorToken', 'expected letters, digits and signs of ASCII, without spaces'],
  [{ operatorToken: token, operatorTokenFile: 'a' }, 'operatorTokenFile', 'expected operatorToken or operatorTokenFile, not both'],
  [{ readerToken: token, readerTokenFile: 'a' }, 'readerTokenFile', 'expected readerToken or readerTokenFile, not both'],
  [{ operatorToken: token, readerToken: token }, 'readerToken', 'expected another token than the operator\'s'],
  [{ hosts: ['http://mirror.example.net'] }, 'hosts.0', 'expected the name of a host, without a port, such as mirror.example.net'],
  [{ hosts: ['mirror.example.net:9090'] }, 'hosts.0', 'expected the name of a host, without a port, such as mirror.example.net'],
])('%o is refused', (config, path, message) => {
  const issues = dashboardSchema.safeParse(config).error?.issues.map((issue) => [issue.path.join('.'), issue.message]);
  expect(issues).toEqual([[path, message]]);
});

test('in plain words, a token in a file is told with its line', () => {
  const text = 'sources: [vxlan: {}]\ntargets: [{ name: t, url: "http://a" }]\ndashboard:\n  operatorToken: a-token-of-16-ch\n  readerTokenFile: token\n';
  const document = new ConfigDocument('mirror.yaml', text, {});
  const words = explain(buildConfig(document, []), document);
  expect(words).toMatch(/lets operators change things +\(line 4\)\n/);
  expect(words).toMatch(/lets readers see everything +\(line 5\)\n/);
});
