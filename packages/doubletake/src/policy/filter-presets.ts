/**
 * Presets: conditions that many users need, written in the language that they write their own in. They look for what
 * the programs say of themselves, so they miss those that pretend to be something else.
 */
import type { Condition, PresetName } from './filter-options.ts';

/** What load balancers, orchestrators and uptime monitors call themselves in User-Agent. */
const healthCheckers = [
  'ELB-HealthChecker/',
  'Amazon-Route53-Health-Check-Service',
  'kube-probe/',
  'GoogleHC/',
  'GoogleStackdriverMonitoring-UptimeChecks',
  'Consul Health Check',
  // Azure: Load Balancer, Front Door, Traffic Manager, App Service.
  'Load Balancer Agent',
  'Edge Health Probe',
  'Azure Traffic Manager Endpoint Monitor',
  'ReadyForRequest/',
  'HealthCheck/',
  'Envoy/HC',
  'Cloudflare-Traffic-Manager/',
  'Cloudflare-Healthchecks/',
  'Varnish/fastly (healthcheck)',
  'KeepAliveClient',
  'UptimeRobot/',
  'Pingdom.com_bot',
  'StatusCake',
  'Better Uptime Bot',
  'Better Stack Better Uptime Bot',
  'Datadog/Synthetics',
  'DatadogSynthetics',
  'Site24x7',
  'NewRelicPinger/',
  'Blackbox Exporter/',
];

/**
 * Paths that exist to be probed. They count only without cookies, as probes come: `/health` may well be a page for
 * people, whose browsers send some.
 */
const healthPaths = [
  '/health',
  '/healthz',
  '/healthz/**',
  '/livez',
  '/livez/**',
  '/readyz',
  '/readyz/**',
  '/health/{live,liveness,ready,readiness,started,startup}',
  '/healthcheck',
  '/health-check',
  '/health_check',
  '/_health',
  '/-/healthy',
  '/-/ready',
  '/actuator/health',
  '/actuator/health/*',
  '/q/health',
  '/q/health/*',
  '/__lbheartbeat__',
  '/__heartbeat__',
  '/ping',
].flatMap(withAlternatives);

const assetExtensions =
  'css|js|mjs|map|png|jpe?g|gif|svgz?|webp|avif|ico|bmp|woff2?|ttf|otf|eot|mp[34]|webm|ogg|wav|m4[av]|wasm|webmanifest';

/**
 * Programs that fetch pages for somebody who is not at a browser: search engines, link previews, archives, trainers of
 * language models. HTTP libraries such as curl are not among them: they may well be an API's real users.
 */
const botAgents = [
  // "Googlebot/2.1", "AhrefsBot", "robot"; not "Abbott", and not CUBOT, which makes telephones.
  '(?:^|[^u]|(?:^|[^c])u)bot(?:[^a-z]|$)',
  'crawl(?:er|ing)\\b',
  'spider(?:[^a-z]|$)',
  'slurp\\b',
  'facebookexternalhit',
  'facebookcatalog',
  'meta-external(?:agent|fetcher)',
  'whatsapp/',
  'skypeuripreview',
  'mediapartners-google',
  'feedfetcher-google',
  'google-(?:inspectiontool|read-aloud|site-verification)',
  'googleother',
  'apis-google',
  'bingpreview',
  'ia_archiver',
  'archive\\.org_',
  'chatgpt-user',
  'perplexity-user',
  'claude-user',
  'headlesschrome',
  'chrome-lighthouse',
  'embedly',
];

export const presets: Readonly<Record<PresetName, Condition>> = {
  'health-checks': {
    any: [
      // AlwaysOn is all that Azure App Service says.
      { header: { name: 'User-Agent', value: ['AlwaysOn', { regex: `(?i)(?:${healthCheckers.map(quoted).join('|')})` }] } },
      { method: ['GET', 'HEAD', 'OPTIONS'], path: healthPaths, not: { header: { name: 'Cookie' } } },
    ],
  },
  'static-assets': { method: ['GET', 'HEAD'], path: { regex: `(?i)[^/]\\.(?:${assetExtensions})$` } },
  bots: { header: { name: 'User-Agent', value: { regex: `(?i)(?:${botAgents.join('|')})` } } },
};

/** `/health/{live,ready}` as two globs. */
function withAlternatives(path: string): string[] {
  const [before = '', alternatives, after = ''] = path.split(/[{}]/);
  return alternatives === undefined ? [path] : alternatives.split(',').map((part) => `${before}${part}${after}`);
}

function quoted(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
