import { describe, expect, test } from 'vitest';
import { exchangeOf } from '../../test/support/exchanges.ts';
import type { PresetName } from './filter-options.ts';
import { RequestFilter } from './filter.ts';
import { RequestView } from './request-view.ts';

const all: readonly PresetName[] = ['health-checks', 'static-assets', 'bots'];

/** The presets that a request falls under. */
function presetsOf(text: string): PresetName[] {
  const view = new RequestView([]);
  view.show(exchangeOf(text));
  return all.filter((preset) => new RequestFilter([{ name: 'it', exclude: { preset } }]).decide(view) !== null);
}

function from(agent: string, line = 'GET /', ...fields: string[]): string {
  return `${[`${line} HTTP/1.1`, 'Host: shop.example', `User-Agent: ${agent}`, ...fields].join('\r\n')}\r\n\r\n`;
}

const chrome = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36';
const iphone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1';

describe('health-checks', () => {
  test.each([
    'ELB-HealthChecker/2.0',
    'Amazon-Route53-Health-Check-Service (ref 1b2c3d; report http://amzn.to/1vsZADi)',
    'kube-probe/1.30',
    'GoogleHC/1.0',
    'GoogleStackdriverMonitoring-UptimeChecks(https://cloud.google.com/monitoring)',
    'Consul Health Check',
    'Load Balancer Agent',
    'Edge Health Probe',
    'Mozilla/5.0 (Azure Traffic Manager Endpoint Monitor)',
    'AlwaysOn',
    'HealthCheck/1.0',
    'ReadyForRequest/1.0 (HealthCheck)',
    'Envoy/HC',
    'Mozilla/5.0 (compatible; Cloudflare-Traffic-Manager/1.0; +https://www.cloudflare.com/traffic-manager/; pool-id: 1)',
    'Varnish/fastly (healthcheck)',
    'Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)',
    'Blackbox Exporter/0.25.0',
  ])('%s, on any path', (agent) => {
    expect(presetsOf(from(agent, 'GET /shop'))).toContain('health-checks');
    expect(presetsOf(from(agent, 'POST /graphql'))).toContain('health-checks');
  });

  test.each([
    'GET /healthz', 'GET /livez', 'GET /readyz', 'GET /readyz/etcd?verbose', 'HEAD /ping', 'GET /health', 'GET /health/ready',
    'GET /actuator/health/liveness', 'GET /-/healthy', 'GET /__lbheartbeat__', 'OPTIONS /healthcheck', 'GET //healthz',
  ])('%s from whatever asks without cookies', (line) => {
    expect(presetsOf(from('Go-http-client/1.1', line))).toEqual(['health-checks']);
  });

  test.each([
    from(chrome, 'GET /health', 'Cookie: session=1'),
    from(chrome, 'POST /ping'),
    from(chrome, 'GET /health/insurance'),
    from(chrome, 'GET /healthzone'),
    from(chrome, 'GET /shopping'),
    from(chrome, 'GET /?next=/healthz'),
    from('MyApp/1.0 AlwaysOnline'),
  ])('not %j', (text) => {
    expect(presetsOf(text)).toEqual([]);
  });
});

describe('static-assets', () => {
  test.each([
    'GET /app.css', 'GET /assets/index-3f2a.js?v=2', 'HEAD /logo.SVG', 'GET /fonts/inter.woff2', 'GET /favicon.ico',
    'GET /a.js.map', 'GET /img/photo%2ejpg', 'GET /i/1.jpeg', 'GET /manifest.webmanifest',
  ])('%s', (line) => {
    expect(presetsOf(from(chrome, line))).toEqual(['static-assets']);
  });

  test.each([
    'POST /app.css', 'GET /api/css', 'GET /search?q=a.css', 'GET /report.pdf', 'GET /index.html', 'GET /.css', 'GET /a.css/b', 'GET /data.json',
  ])('not %s', (line) => {
    expect(presetsOf(from(chrome, line))).toEqual([]);
  });
});

describe('bots', () => {
  test.each([
    'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36',
    'Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)',
    'Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)',
    'Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)',
    'DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)',
    'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)',
    'Twitterbot/1.0',
    'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)',
    'WhatsApp/2.23.20.0',
    'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.1; +https://openai.com/gptbot)',
    'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0; +https://openai.com/bot',
    'Mozilla/5.0 (compatible; ClaudeBot/1.0; +claudebot@anthropic.com)',
    'CCBot/2.0 (https://commoncrawl.org/faq/)',
    'Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36 (compatible; Bytespider; spider-feedback@bytedance.com)',
    'Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)',
    'Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)',
    'Mediapartners-Google',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/126.0.0.0 Safari/537.36',
    'bot',
  ])('%s', (agent) => {
    expect(presetsOf(from(agent))).toEqual(['bots']);
  });

  test.each([
    chrome,
    iphone,
    'Mozilla/5.0 (Linux; Android 9; CUBOT_X18_Plus) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36',
    'Mozilla/5.0 (Linux; Android 12; CUBOT NOTE 30) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36',
    'AbbottLibreLink/3.4 CFNetwork/1492 Darwin/23.3.0',
    'curl/8.5.0',
    'python-requests/2.32.0',
    'okhttp/4.12.0',
    'PostmanRuntime/7.39.0',
  ])('not %s', (agent) => {
    expect(presetsOf(from(agent))).toEqual([]);
  });

  test('a request without User-Agent is none', () => {
    expect(presetsOf('GET / HTTP/1.1\r\nHost: a\r\n\r\n')).toEqual([]);
  });
});
