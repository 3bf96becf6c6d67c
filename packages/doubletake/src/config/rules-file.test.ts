import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { changedText, type RulesChange, ruleText } from './rules-edit.ts';
import { changeRulesFile, readRulesFile } from './rules-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'doubletake-rules-'));
let files = 0;
const none: ReadonlySet<string> = new Set();

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileWith(text: string | null): string {
  const file = join(folder, `rules-${files++}.yaml`);
  if (text !== null) writeFileSync(file, text);
  return file;
}

const prices = { name: 'prices', endpoint: 'GET /cart/{id}', path: '$.items[*].price', tolerance: { relative: '0.1%' } };
const written = '# ours\nrules:\n  # keep this\n  - name: a # why\n    path: "$.a"\n    ignore: true\naccepted:\n# end\n';

describe('the rules file', () => {
  test('is read as the configuration is, and need not be there', () => {
    expect(readRulesFile(fileWith(null), none)).toEqual({ rules: [], accepted: [] });
    expect(readRulesFile(fileWith(''), none)).toEqual({ rules: [], accepted: [] });
    expect(readRulesFile(fileWith('rules:\n  - { name: x, path: "$..${y}", tolerance: { relative: 5% } }\naccepted: [{ cluster: c1 }]'), none)).toEqual({
      rules: [{ name: 'x', path: '$..${y}', tolerance: { relative: 0.05 } }],
      accepted: [{ cluster: 'c1', text: '', note: '' }],
    });
  });

  test.each([
    ['a key that is not known', 'rule: []', /:1:1: .*rule/],
    ['a rule with two effects', 'rules:\n  - { name: x, path: y, ignore: true, unordered: true }', /:2:5: .*expected exactly one of/],
    ['a name that the configuration has', 'rules:\n  - { name: taken, path: y, ignore: true }', /:2:\d+: the configuration has a rule taken, too/],
    ['what is no YAML', 'rules: [', /:\d+:\d+: /],
    ['a list', '- a', /expected a mapping/],
  ])('%s is told with its place', (_, text, expected) => {
    expect(() => readRulesFile(fileWith(text), new Set(['taken']))).toThrow(expected);
  });

  test('a change leaves everything else as it is', async () => {
    const file = fileWith(written);
    await changeRulesFile(file, none, { type: 'addRule', rule: prices });
    await changeRulesFile(file, none, { type: 'accept', accepted: { cluster: 'c1', text: 'GET /x $.y: "it is" # gone', note: '' } });
    const both = await changeRulesFile(file, none, { type: 'accept', accepted: { cluster: 'c1', text: 'again', note: 'fine' } });
    expect(both).toEqual({
      rules: [{ name: 'a', path: '$.a', ignore: true }, { ...prices, tolerance: { relative: 0.001 } }],
      accepted: [{ cluster: 'c1', text: 'again', note: 'fine' }],
    });
    await changeRulesFile(file, none, { type: 'removeRule', name: 'prices' });
    expect(readFileSync(file, 'utf8')).toBe(
      '# ours\nrules:\n  # keep this\n  - name: a # why\n    path: "$.a"\n    ignore: true\naccepted:\n  - { cluster: c1, text: again, note: fine }\n  # end\n',
    );
    expect(await changeRulesFile(file, none, { type: 'unaccept', cluster: 'c1' })).toMatchObject({ accepted: [] });
    expect(readdirSync(folder).filter((name) => /part|lock/.test(name))).toEqual([]);
  });

  test.each<[string, string, RulesChange, string]>([
    ['a name that is there', written, { type: 'addRule', rule: { name: 'a', path: 'x', ignore: true } }, 'DT_CONFIG'],
    ['a name of the configuration', written, { type: 'addRule', rule: { name: 'taken', path: 'x', ignore: true } }, 'DT_CONFIG'],
    ['a rule without effect', written, { type: 'addRule', rule: { name: 'b', path: 'x' } }, 'DT_CONFIG'],
    ['a rule that is not there', written, { type: 'removeRule', name: 'z' }, 'DT_NOT_FOUND'],
    ['a cluster that was not accepted', written, { type: 'unaccept', cluster: 'z' }, 'DT_NOT_FOUND'],
    ['a file with a mistake', 'rules: 5', { type: 'addRule', rule: prices }, 'DT_RULES_FILE'],
    ['a file that is a list', '- 1', { type: 'addRule', rule: prices }, 'DT_RULES_FILE'],
    ['a file that is no YAML', 'rules: [', { type: 'addRule', rule: prices }, 'DT_RULES_FILE'],
  ])('%s changes nothing', async (_, text, change, code) => {
    const file = fileWith(text);
    const done = changeRulesFile(file, new Set(['taken']), change);
    await expect(done).rejects.toMatchObject({ code });
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(existsSync(`${file}.lock`)).toBe(false);
  });

  test('changes at the same time are all made', async () => {
    const file = fileWith(null);
    await Promise.all(Array.from({ length: 20 }, (_, index) => changeRulesFile(file, none, { type: 'addRule', rule: { name: `r${index}`, path: 'x', ignore: true } })));
    expect(readRulesFile(file, none).rules).toHaveLength(20);
  });

  test('a lock that was left behind is broken, one that is held is waited for and told', async () => {
    const file = fileWith(written);
    writeFileSync(`${file}.lock`, '');
    utimesSync(`${file}.lock`, 1, 1);
    await changeRulesFile(file, none, { type: 'addRule', rule: prices });
    writeFileSync(`${file}.lock`, '');
    await expect(changeRulesFile(file, none, { type: 'removeRule', name: 'prices' })).rejects.toMatchObject({ code: 'DT_RULES_FILE', message: expect.stringContaining('.lock') });
    expect(existsSync(`${file}.lock`)).toBe(true);
  });

  test('a link stays a link, and the file keeps its mode', async () => {
    const file = fileWith(written);
    const link = fileWith(null);
    symlinkSync(file, link);
    const { mode } = statSync(file);
    await changeRulesFile(link, none, { type: 'addRule', rule: prices });
    expect(readRulesFile(file, none).rules).toHaveLength(2);
    expect(statSync(file).mode).toBe(mode);
    await expect(changeRulesFile(join(folder, 'no', 'where.yaml'), none, { type: 'addRule', rule: prices })).rejects.toMatchObject({ code: 'DT_RULES_FILE' });
  });

  test('whatever is in a rule is read back as it was', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(text, text, fc.option(text, { nil: undefined }), (name, path, endpoint) => {
        const rule = { name, path, ...(endpoint === undefined ? {} : { endpoint }), ignore: true };
        expect(parse(ruleText(rule))).toEqual({ rules: [rule] });
        const before = { rules: [{ name: 'first', path: 'x', ignore: true }] };
        expect(parse(changedText(JSON.stringify(before), { type: 'addRule', rule }))).toEqual({ rules: [...before.rules, rule] });
      }),
    );
  });
});
