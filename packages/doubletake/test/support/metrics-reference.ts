/** Makes docs/metrics.md: a table of every metric there is, with its type, its labels and what it says. */
import { sampleName } from '../../src/server/metrics/exposition.ts';
import type { MetricFamily } from '../../src/server/metrics/family.ts';
import { exampleFamilies } from './metrics-example.ts';

const introduction = `# Metrics

<!-- Made from packages/doubletake/src/server/metrics. To make it anew: npx vitest run packages/doubletake/test/metrics.test.ts -u -->

\`doubletake mirror\` shows all its numbers to Prometheus at \`/metrics\`, of \`--health [HOST:]PORT\` and of the dashboard:

\`\`\`
npx doubletake mirror --vxlan 4789 --target http://test.internal --health 8080
curl http://localhost:8080/metrics
\`\`\`

On a dashboard that asks for a token, a scraper gives the reader's (\`authorization: { credentials_file: … }\`).

A scraper that prefers OpenMetrics gets that, any other the text format; the series are the same. Numbers are sums over the
workers, at most a tenth of a second old; what the comparison has come to is at most a few seconds old. Everything counts
from the start of the process.

\`deploy/grafana/doubletake.json\` is a dashboard of them (Grafana: Dashboards, Import), \`deploy/prometheus/alerts.yaml\` are
alert rules (Prometheus: \`rule_files\`), \`deploy/prometheus/prometheus.yaml\` an example of how to scrape.

## To OpenTelemetry

The same numbers are sent to a collector with OTLP/HTTP (JSON), besides being there to be fetched:

\`\`\`yaml
metrics:
  otlp: { endpoint: "http://127.0.0.1:4318", headers: { authorization: "Bearer \${TEST_TOKEN}" }, every: 15s }
\`\`\`

Names are those below; counters go without \`_total\`, which readers of OpenTelemetry add by themselves. Exports never hold up
traffic: nothing is queued, and since all counts are since the start, an export that failed is made good by the next.
A collector that fails is asked less and less often, every five minutes at last.

## All of them

Labels are bounded by the configuration: \`source\` and \`target\` are its sources and targets; \`outcome\` and \`reason\` are
those of [the ledger](accounting.md), where \`reason\` may be the name of a filter rule, and is empty where there is none.
Histograms have two buckets to each doubling, from 0.25 ms to 98 s; their sums are exact to 6 %. \`verdict\`,
\`state\` and other labels of states have one series for each state: 1 for the one that holds, 0 for the others.
`;

export function metricsReference(): string {
  const rows = exampleFamilies().map((family) => `| \`${sampleName(family)}\` | ${family.type} | ${labelNames(family)} | ${family.help.replaceAll('|', '\\|')} |`);
  return `${introduction}\n| metric | type | labels | what it says |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}

function labelNames({ samples }: MetricFamily): string {
  return Object.keys(samples[0]?.labels ?? {}).map((name) => `\`${name}\``).join(', ');
}
