/** The table of endpoints. On a phone each row is a card; the roles keep it a table for those who hear it. */
import type { EndpointReport, Estimate, RunReport, VerdictPolicy } from '../report.ts';
import { count, increase, intervalText, milliseconds, percent, plural, ratio } from './figures.ts';
import { joined, type Markup, markup, nothing } from './markup.ts';
import { byUrgency } from './wording.ts';

const endpointsShownMax = 1_000;
const quantiles = ['p50', 'p90', 'p99'] as const;
const plotWidth = 120;

export function endpointSection({ endpoints, policy }: RunReport): Markup {
  if (endpoints.length === 0) return nothing;
  const shown = byUrgency(endpoints).slice(0, endpointsShownMax);
  const left = endpoints.length - shown.length;
  const titles = ['Endpoint', 'Verdict', 'Pairs', 'Differ', 'Latency p50', 'p90', 'p99', 'Errors'];
  return markup`<h2>Endpoints</h2>
<table role="table">
<thead role="rowgroup"><tr role="row">${titles.map((title, column) => markup`<th role="columnheader" scope="col"${column > 1 ? numberClass : nothing}>${title}</th>`)}</tr></thead>
<tbody role="rowgroup">
${shown.map((endpoint) => row(endpoint, policy))}</tbody>
</table>
${left > 0 ? markup`<p class="quiet">… and ${plural(left, 'more endpoint')}: --format json has them all.</p>` : nothing}`;
}

const numberClass = markup` class="number"`;

function row(endpoint: EndpointReport, policy: VerdictPolicy): Markup {
  const { verdict, reason, pairs, mismatches, mismatch, latencyRatio, latencyMs, errors } = endpoint;
  const differ =
    mismatch === null
      ? cell('Differ', markup`${count(mismatches)} of ${count(pairs)}`)
      : cell('Differ', figure(percent, mismatch, policy.maxMismatch), interval(percent, mismatch), plot(mismatch, policy.maxMismatch));
  const latency = quantiles.map((name) => {
    const [ratios, before, after] = [latencyRatio[name], latencyMs.baseline[name], latencyMs.candidate[name]];
    return cell(
      `Latency ${name}`,
      ratios === null ? none : figure(ratio, ratios, policy.maxLatencyRatio),
      ratios === null ? nothing : interval(ratio, ratios),
      before === null && after === null ? nothing : aside(`${milliseconds(before)} → ${milliseconds(after)}`),
    );
  });
  const failing =
    errors.increase === null
      ? cell('Errors', none)
      : cell('Errors', figure(increase, errors.increase, policy.maxErrorIncrease), interval(increase, errors.increase));
  return markup`<tr role="row">
<th role="rowheader" scope="row"><code>${endpoint.endpoint}</code><div class="quiet">${reason}</div></th>
<td role="cell"><span class="chip ${verdict}">${verdict}</span></td>
${cell('Pairs', markup`${count(pairs)}`)}
${differ}
${joined(latency, '\n')}
${failing}
</tr>
`;
}

const none = markup`–`;

function cell(label: string, ...lines: readonly Markup[]): Markup {
  return markup`<td role="cell" class="number" data-label="${label}"><div>${lines}</div></td>`;
}

/** Marked where it is shown, not only estimated, to be beyond what is allowed. */
function figure(format: (value: number) => string, { value, low }: Estimate, limit: number): Markup {
  return low > limit ? markup`<span class="over">${format(value)}</span>` : markup`${format(value)}`;
}

function interval(format: (value: number) => string, estimate: Estimate): Markup {
  return aside(intervalText(estimate, format));
}

function aside(text: string): Markup {
  return markup`<div class="quiet">${text}</div>`;
}

/** The interval and the estimate from nothing to twice the limit, or as far as they go; the bar across is the limit. */
function plot({ value, low, high }: Estimate, limit: number): Markup {
  const end = Math.max(2 * limit, Math.min(1, high) * 1.05) || 1;
  const place = (amount: number): string => {
    const share = Math.min(1, Math.max(0, amount / end));
    return (4 + (Number.isNaN(share) ? 1 : share) * (plotWidth - 8)).toFixed(1);
  };
  return markup`<svg aria-hidden="true" width="${plotWidth}" height="12" viewBox="0 0 ${plotWidth} 12"><path class="track" d="M4 6H${plotWidth - 4}"/><path class="range" stroke-width="5" d="M${place(low)} 6H${place(high)}"/><path class="limit" stroke-width="2" d="M${place(limit)} 0V12"/><circle class="value" r="3" cx="${place(value)}" cy="6"/></svg>`;
}
