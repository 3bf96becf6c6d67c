/** The differences, each of which unfolds to its smallest example. */
import type { ClusterReport } from '../report.ts';
import { moment, plural } from './figures.ts';
import { type Markup, markup, nothing } from './markup.ts';
import { shortened } from './shortened.ts';
import { kindText, remarks, shareText } from './wording.ts';

/** Clusters whose example is shown; the page stays under a few megabytes. */
const clustersShownMax = 200;
/** Those that are unfolded from the start. */
const openMax = 3;
const textLengthMax = 16_384;

export function clusterSection(clusters: readonly ClusterReport[]): Markup {
  if (clusters.length === 0) return nothing;
  const shown = clusters.slice(0, clustersShownMax);
  const left = clusters.length - shown.length;
  return markup`<h2>Differences, the riskiest first</h2>
${shown.map((cluster, index) => section(cluster, index < openMax))}${
    left > 0 ? markup`<p class="quiet">… and ${plural(left, 'more difference')}: --format json has them all.</p>` : nothing
  }`;
}

function section(cluster: ClusterReport, open: boolean): Markup {
  const { endpoint, path, cause, risk, firstSeen, example } = cluster;
  const [, ...others] = remarks(cluster);
  return markup`<details${open ? markup` open` : nothing}>
<summary><span class="chip ${risk}">${risk}</span> <h3><code>${endpoint}</code> <code>${path}</code></h3>
<span class="quiet">${[cause, ...others].join('; ')}. ${shareText(cluster)}</span></summary>
<div class="example">
<p class="quiet">${kindText(cluster)}; first seen ${moment(firstSeen)} UTC; example ${example.id}</p>
<div class="sides">
${side('Production', example.from, example.baseline)}
${side('Candidate', example.to, example.candidate)}
</div>
${block('Request', example.request.trimEnd())}
${block('Send it again', example.curl)}
</div>
</details>
`;
}

function side(name: string, value: string | null, body: string | null): Markup {
  return markup`<div>${block(`${name}: the value`, value ?? 'nothing')}${body === null ? nothing : block(`${name}: the answer`, body)}</div>`;
}

/** A block that scrolls can be reached with the keyboard. */
function block(title: string, text: string): Markup {
  return markup`<h4>${title}</h4><pre tabindex="0">${shortened(text, textLengthMax)}</pre>`;
}
