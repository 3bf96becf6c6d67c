/**
 * The report as one HTML page that needs nothing else: no script, no font, no picture, no request. Its content security
 * policy allows its own style alone, so that not even a mistake in the escaping could load or run anything.
 */
import { createHash } from 'node:crypto';
import type { ModelReport, RunReport } from '../report.ts';
import { clusterSection } from './html-clusters.ts';
import { endpointSection } from './html-endpoints.ts';
import { style } from './html-style.ts';
import { count, percent, plural } from './figures.ts';
import { joined, Markup, markup, nothing } from './markup.ts';
import {
  comparedText,
  confusionText,
  excludedText,
  meaning,
  modelText,
  neededText,
  noiseText,
  periodText,
  policyText,
  ruleText,
} from './wording.ts';

const itemsShownMax = 200;

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
<title>${verdict}: doubletake report, ${plural(pairs, 'pair')}</title>
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

function restSection({ models = [], noise = [], rules, excluded, warnings }: RunReport): Markup {
  const left = excludedText(excluded);
  return joined([
    listSection('Warnings', warnings.map((warning) => markup`${warning}`)),
    listSection('Models', models.map(modelItem)),
    listSection('Noise, held to its format alone', noise.map((place) => item(place, noiseText(place)))),
    listSection('Rules', rules.map((rule) => markup`${rule.name}: ${ruleText(rule)}`)),
    listSection('Left out of the comparison', left === '' ? [] : [markup`${left}`]),
  ]);
}

function modelItem(model: ModelReport): Markup {
  const confused = confusionText(model);
  return markup`${item(model, modelText(model))}${confused === '' ? nothing : markup`<div class="quiet">${confused}</div>`}`;
}

function item({ endpoint, path }: { endpoint: string; path: string }, text: string): Markup {
  return markup`<code>${endpoint}</code> <code>${path}</code>: ${text}`;
}

function listSection(title: string, items: readonly Markup[]): Markup {
  if (items.length === 0) return nothing;
  const shown = items.slice(0, itemsShownMax);
  const left = items.length - shown.length;
  const more = left > 0 ? markup`<li>… and ${count(left)} more: --format json has them all.</li>` : nothing;
  return markup`<h2>${title}</h2>\n<ul>${shown.map((content) => markup`<li>${content}</li>`)}${more}</ul>\n`;
}
