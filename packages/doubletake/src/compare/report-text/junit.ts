/**
 * The report as JUnit XML, for what shows test results: the run is a test, and so is each endpoint. REGRESSION fails,
 * INSUFFICIENT is skipped. Keeps to the schema of Ant's junitreport, https://github.com/windyroad/JUnit-Schema, which is
 * the strictest, and to that of Jenkins (xunit-plugin, junit-10.xsd).
 */
import { visible } from '../../visible.ts';
import type { ClusterReport, EndpointReport, RunReport, Verdict } from '../report.ts';
import { ratioEstimate, percentEstimate } from './figures.ts';
import { joined, type Markup, markup, nothing } from './markup.ts';
import { shortened } from './shortened.ts';
import { byUrgency, comparedText, kindText, meaning, neededText, remarks, shareText } from './wording.ts';

const clustersNamedMax = 10;

/** An XML document, UTF-8, with a line end at the end. */
export function junitReport(report: RunReport): string {
  const clusters = Map.groupBy(report.clusters, ({ endpoint }) => endpoint);
  const run = testCase('verdict', 'doubletake', report.verdict, meaning(report.verdict), [
    comparedText(report),
    neededText(report),
    ...report.reasons,
  ]);
  const endpoints = byUrgency(report.endpoints).map((endpoint) =>
    testCase(endpoint.endpoint, 'doubletake.endpoint', endpoint.verdict, endpoint.reason, [
      ...measures(endpoint),
      ...named(clusters.get(endpoint.endpoint) ?? []),
    ]),
  );
  const verdicts = report.endpoints.map(({ verdict }) => verdict);
  const suites = [
    suite(0, 'run', report, [report.verdict], run, report.warnings),
    suite(1, 'endpoints', report, verdicts, joined(endpoints), []),
  ];
  return markup`<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites}</testsuites>\n`.text;
}

function suite(id: number, name: string, report: RunReport, verdicts: readonly Verdict[], cases: Markup, warnings: readonly string[]): Markup {
  const of = (verdict: Verdict): number => verdicts.filter((other) => other === verdict).length;
  // The schema wants a time without a zone: UTC. A run that saw nothing has none.
  const timestamp = (report.from ?? '1970-01-01T00:00:00').slice(0, 19);
  const seconds = report.from === null || report.to === null ? 0 : (Date.parse(report.to) - Date.parse(report.from)) / 1_000;
  const time = (id === 0 && seconds > 0 ? seconds : 0).toFixed(3);
  return markup`  <testsuite id="${id}" name="${name}" package="doubletake" hostname="localhost" timestamp="${timestamp}" tests="${verdicts.length}" failures="${of('REGRESSION')}" errors="0" skipped="${of('INSUFFICIENT')}" time="${time}">
    <properties/>
${cases}    <system-out></system-out>
    <system-err>${warnings.join('\n')}</system-err>
  </testsuite>
`;
}

function testCase(name: string, classname: string, verdict: Verdict, message: string, details: readonly string[]): Markup {
  const text = details.filter((detail) => detail !== '').map(visible).join('\n');
  // A name is a token: blanks at its ends or in a row are none.
  const token = shortened(visible(name).replace(/\s+/g, ' ').trim(), 1_000);
  return markup`    <testcase name="${token}" classname="${classname}" time="0">${outcome(verdict, visible(message), text)}</testcase>\n`;
}

function outcome(verdict: Verdict, message: string, text: string): Markup {
  switch (verdict) {
    case 'SAFE':
      return nothing;
    case 'REGRESSION':
      return markup`<failure message="${message}" type="REGRESSION">${text}</failure>`;
    case 'INSUFFICIENT':
      return markup`<skipped message="${message}"/>`;
  }
}

function measures({ mismatch, latencyRatio }: EndpointReport): string[] {
  return [
    ...(mismatch === null ? [] : [`differ: ${percentEstimate(mismatch)}`]),
    ...(['p50', 'p90', 'p99'] as const).flatMap((name) => {
      const estimate = latencyRatio[name];
      return estimate === null ? [] : [`latency ${name}: ${ratioEstimate(estimate)} production's`];
    }),
  ];
}

function named(clusters: readonly ClusterReport[]): string[] {
  const shown = clusters
    .slice(0, clustersNamedMax)
    .map((cluster) => `${cluster.path}: ${cluster.cause} (${kindText(cluster)}; ${[...remarks(cluster), shareText(cluster)].join(', ')})`);
  const left = clusters.length - shown.length;
  return left > 0 ? [...shown, `and ${left} more`] : shown;
}
