import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clusterReport, emptyReport, endpointReport, regressionReport, reportWith, safeReport } from '../../../test/support/run-reports.ts';
import { junitProblems, parseXml } from '../../../test/support/junit-schema.ts';
import type { RunReport } from '../report.ts';
import { htmlReport } from './html.ts';
import { jsonReport } from './json.ts';
import { junitReport } from './junit.ts';
import { markdownReport } from './markdown.ts';
import { terminalReport } from './terminal.ts';

const plain = (report: RunReport): string => terminalReport(report, { width: 120, color: false });
const narrow = (report: RunReport): string => terminalReport(report, { width: 60, color: false });

/** Texts that traffic may hold, of which some know the formats. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.constantFrom(
        '<script>alert(1)</script>', '</code></pre></details>', '"><img src=x onerror=alert(1)>', '<!--', ']]>', '&lt;', '&',
        '`', '``', '```\n', '|', '\\', '\\|', '\n\n# head\n', '\n---\n', '**b**', '[l](http://x)', '@octocat', '#12', 'www.x.com',
        '\u001b[31m', '\u001b]0;title\u0007', '\u202e', '\u2028', '\r\n', '\t', ' ', '\ud800', '\u0000', '\uffff', '😀', '漢字', 'x',
      ),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

describe('a report in every format', () => {
  test.each<[string, string, (report: RunReport) => string, () => RunReport]>([
    ['terminal', 'regression.txt', plain, regressionReport],
    ['narrow terminal', 'regression-narrow.txt', narrow, regressionReport],
    ['coloured terminal', 'regression-color.txt', (report) => terminalReport(report, { width: 120, color: true }), regressionReport],
    ['terminal, SAFE', 'safe.txt', plain, safeReport],
    ['terminal, nothing seen', 'empty.txt', plain, emptyReport],
    ['HTML', 'regression.html', htmlReport, regressionReport],
    ['Markdown', 'regression.md', markdownReport, regressionReport],
    ['Markdown, nothing seen', 'empty.md', markdownReport, emptyReport],
    ['JSON', 'regression.json', jsonReport, regressionReport],
    ['JUnit', 'regression.xml', junitReport, regressionReport],
    ['JUnit, nothing seen', 'empty.xml', junitReport, emptyReport],
  ])('%s is as %s shows', async (_, file, format, report) => {
    await expect(format(report())).toMatchFileSnapshot(`golden/${file}`);
  });

  test('JSON is the whole report', () => {
    expect(JSON.parse(jsonReport(regressionReport()))).toEqual(regressionReport());
  });

  test('what JSON cannot carry is shown as endless', () => {
    const endless = { value: Number.POSITIVE_INFINITY, low: 0.4, high: Number.POSITIVE_INFINITY };
    const endpoint = endpointReport('GET /', 5, 'REGRESSION', { mismatch: endless, latencyRatio: { p50: endless, p90: null, p99: null } });
    const report = JSON.parse(jsonReport({ ...emptyReport(), endpoints: [endpoint] })) as RunReport;
    expect(htmlReport(report)).toContain('0.40× to ∞');
    expect(junitReport(report)).toContain('∞ (0.40× to ∞)');
    expect(plain(report)).toContain('∞ (40 % to ∞)');
    expect(markdownReport(report)).toContain('| ∞ (40 % to ∞) | ∞ |');
  });
});

describe('HTML', () => {
  test('is never anything else for what traffic holds', () => {
    const tags = (page: string): string[] => page.match(/<[^>]*>/g) ?? [];
    const expected = tags(htmlReport(reportWith('x')));
    fc.assert(
      fc.property(hostile, (text) => {
        expect(tags(htmlReport(reportWith(text)))).toEqual(expected);
      }),
    );
  });

  test('asks nobody for anything and runs nothing', () => {
    const page = htmlReport(regressionReport());
    expect(page).toMatch(/<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;sha256-/);
    expect(page).not.toMatch(/<(?:script|link|img|iframe|object|embed|form|base|a)\b|\bsrc=|\bhref=|url\(|@import|\bstyle=|\bon\w+=/i);
  });

  test('stays small with thousands of differences', () => {
    const clusters = Array.from({ length: 10_000 }, (_, index) => clusterReport({ id: `c${index}`, example: { ...clusterReport().example, baseline: 'x'.repeat(100_000) } }));
    const page = htmlReport({ ...regressionReport(), clusters });
    expect(page.length).toBeLessThan(8_000_000);
    expect(page).toContain('… and 9,800 more differences');
  });
});

describe('JUnit', () => {
  test.each([regressionReport, safeReport, emptyReport])('keeps to the schema: %o', (report) => {
    expect(junitProblems(parseXml(junitReport(report())))).toEqual([]);
  });

  test('keeps to it for what traffic holds', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(junitProblems(parseXml(junitReport(reportWith(text))))).toEqual([]);
      }),
    );
  });

  test('the validator sees what is wrong', () => {
    const document = junitReport(regressionReport());
    expect(junitProblems(parseXml(document.replaceAll(/ hostname="[^"]*"/g, '')))).toHaveLength(2);
    expect(junitProblems(parseXml(document.replace('<properties/>', '')))).toHaveLength(1);
    expect(() => parseXml(document.replace('</testsuites>', ''))).toThrow('not one root');
    expect(() => parseXml(document.replace('REGRESSION', 'a & b'))).toThrow('bare &');
    expect(() => parseXml(document.replace('REGRESSION', '\u0001'))).toThrow('does not have');
  });

  test('counts what it lists', () => {
    const [run, endpoints] = parseXml(junitReport(regressionReport())).children;
    expect(run?.attributes).toMatchObject({ tests: '1', failures: '1', skipped: '0' });
    expect(endpoints?.attributes).toMatchObject({ tests: '4', failures: '2', skipped: '1' });
    const outcomes = endpoints?.children.filter((child) => child.name === 'testcase').map((child) => child.children[0]?.name ?? 'passed');
    expect(outcomes).toEqual(['failure', 'failure', 'skipped', 'passed']);
  });
});

describe('terminal', () => {
  test('is never steered by what traffic holds', () => {
    fc.assert(
      fc.property(hostile, fc.integer({ min: 1, max: 200 }), (text, width) => {
        // oxlint-disable-next-line no-control-regex
        expect(terminalReport(reportWith(text), { width, color: false })).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
      }),
    );
  });

  test('fits the width, but for commands, which are not broken', () => {
    for (const width of [40, 60, 99, 100, 101, 200]) {
      for (const report of [regressionReport(), emptyReport(), reportWith('a word and an' + ' endlessly-long-name'.repeat(20).replaceAll(' ', ''))]) {
        const lines = terminalReport(report, { width, color: false }).split('\n').filter((line) => !/^ {5}\S*(?:curl|endlessly|a word)/.test(line));
        expect(lines.filter((line) => line.length > width)).toEqual([]);
      }
    }
  });

  test('says what it leaves out', () => {
    const endpoints = Array.from({ length: 100 }, (_, index) => endpointReport(`GET /${index}`, 100, 'SAFE'));
    const clusters = Array.from({ length: 100 }, () => clusterReport());
    const text = plain({ ...regressionReport(), endpoints, clusters });
    expect(text).toContain('… and 70 more endpoints');
    expect(text).toContain('… and 88 more differences');
  });
});

describe('Markdown', () => {
  test('fits into a comment, and says what it leaves out', () => {
    const endpoints = Array.from({ length: 1_000 }, (_, index) => endpointReport(`GET /${'long/'.repeat(50)}${index}`, 100, 'REGRESSION'));
    const clusters = Array.from({ length: 1_000 }, () => clusterReport({ path: '|'.repeat(512) }));
    const text = markdownReport({ ...regressionReport(), endpoints, clusters, reasons: Array.from({ length: 1_000 }, () => 'because '.repeat(200)) });
    expect(text.length).toBeLessThan(65_536);
    expect(text).toMatch(/… and [\d,]+ more endpoints/);
    expect(text).toMatch(/… and [\d,]+ more differences/);
    expect(text).toContain('SAFE means');
  });
});
