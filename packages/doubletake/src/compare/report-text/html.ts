/**
 * The report as one HTML page that needs nothing else: no script, no font, no picture, no request. Its content security
 * policy allows its own style alone, so that not even a mistake in the escaping could load or run anything.
 */
import { createHash } from 'node:crypto';
import type { RunReport } from '../report.ts';
import { clusterSection } from './html-clusters.ts';
import { endpointSection } from './html-endpoints.ts';
import { style } from './html-style.ts';
import { percent } from './figures.ts';
import { Markup, markup, nothing } from './markup.ts';
import { comparedText, excludedText, meaning, neededText, periodText, policyText, ruleText } from './wording.ts';

const styleHash = createHash('sha256').update(style).digest('base64');
const contentPolicy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'`;

/** An HTML document, UTF-8. */
export function htmlReport(report: RunReport): string {
  const { verdict, pairs } = report;
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentPolicy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${verdict}: doubletake report, ${pairs} pairs</title>
<style>${new Markup(style)}</style>
</head>
<body>
<main>
${verdictSection(report)}
${endpointSection(report)}
${clusterSection(report.clusters)}
${restSection(report)}
</main>
<footer class="quiet">
<p>An interval holds with ${percent(report.policy.confidence)} confidence, however often it is looked at. In the small plots the bar across is what the policy allows. Under a latency stand production's and the candidate's.</p>
</footer>
</body>
</html>
`.text;
}

function verdictSection(report: RunReport): Markup {
  const { verdict, reasons, policy } = report;
  const needed = neededText(report);
  const period = periodText(report);
  return markup`<header class="verdict ${verdict}">
<h1>${verdict}</h1>
<p>${meaning(verdict)} ${needed}</p>
${reasons.length === 0 ? nothing : markup`<ul>${reasons.map((reason) => markup`<li>${reason}</li>`)}</ul>`}
<p class="quiet">${comparedText(report)}${period === '' ? '' : `; ${period}`}</p>
<p class="quiet">SAFE means: ${policyText(policy)}.</p>
</header>`;
}

function restSection({ rules, excluded, warnings }: RunReport): Markup {
  const left = excludedText(excluded);
  return markup`${warnings.length === 0 ? nothing : markup`<h2>Warnings</h2>\n${list(warnings)}\n`}${
    rules.length === 0 ? nothing : markup`<h2>Rules</h2>\n${list(rules.map((rule) => `${rule.name}: ${ruleText(rule)}`))}\n`
  }${left === '' ? nothing : markup`<h2>Left out of the comparison</h2>\n<p>${left}</p>\n`}`;
}

function list(lines: readonly string[]): Markup {
  return markup`<ul>${lines.map((line) => markup`<li>${line}</li>`)}</ul>`;
}
