import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ConfigDocument } from '../src/config/document.ts';
import { buildConfig } from '../src/config/load.ts';
import { readRulesFile } from '../src/config/rules-file.ts';
import { ReplayPolicy } from '../src/policy/policy.ts';
import { freePath } from './support/config-file.ts';

const folder = new URL('../../../docs/', import.meta.url);
const pages = readdirSync(folder).filter((name) => name.endsWith('.md'));

/** What an example need not say. */
const usual: Readonly<Record<string, string>> = {
  sources: 'sources: [{ vxlan: {} }]\n',
  targets: 'targets: [{ name: a, url: "http://test.internal" }]\n',
};

const all = pages.flatMap((page) => {
  const text = readFileSync(new URL(page, folder), 'utf8');
  return Array.from(text.matchAll(/^```yaml\n([^]*?)^```$/gm), ([, example = ''], index) => ({ page, index, example }));
});

const isRulesFile = ({ example }: { example: string }): boolean => example.startsWith('# rules.yaml\n');
const examples = all.filter((each) => !isRulesFile(each));

describe('configurations in the documentation', () => {
  test('there are some', () => {
    expect(examples.length).toBeGreaterThan(5);
  });

  test.each(examples)('example $index of $page is valid', ({ page, example }) => {
    // A setting of a target alone stands in one.
    const whole = /^(?:ramp|breaker|limits):/m.test(example)
      ? `targets:\n  - name: a\n    url: "http://test.internal"\n${example.replaceAll(/^(?=.)/gm, '    ')}`
      : example;
    const rest = Object.entries(usual).flatMap(([key, text]) => (new RegExp(`^${key}:`, 'm').test(whole) ? [] : [text]));
    const environment = { DOUBLETAKE_KEY: 'a key that is long enough', TEST_TOKEN: 'token', TEST_PASSWORD: 'password' };
    const { policy } = buildConfig(new ConfigDocument(page, whole + rest.join(''), environment), []);
    expect(new ReplayPolicy(policy)).toBeInstanceOf(ReplayPolicy);
  });

  test.each(all.filter(isRulesFile))('the rules file in $page is valid', ({ example }) => {
    const { rules, accepted } = readRulesFile(fileWith(example), new Set());
    expect(rules.length).toBeGreaterThan(0);
    expect(accepted.length).toBeGreaterThan(0);
  });
});

function fileWith(text: string): string {
  const file = freePath('.yaml');
  writeFileSync(file, text);
  return file;
}
