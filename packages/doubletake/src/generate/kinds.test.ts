import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { findProgram, folderWith } from '../../test/support/proxies.ts';
import { generators, type ProxyKind, proxyKinds } from './kinds.ts';
import type { CopyOptions } from './options.ts';

const usual: CopyOptions = { sink: { host: '10.0.0.9', port: 8090 }, production: { host: '127.0.0.1', port: 8080 }, percentage: 10 };
const variants: CopyOptions[] = [
  usual,
  { ...usual, percentage: 100 },
  { ...usual, percentage: 1 },
  { ...usual, percentage: 0.25 },
  { ...usual, sink: { host: '2001:db8::9', port: 8090 } },
];

test.each(proxyKinds)('%s: the configuration for 10 %%', async (kind) => {
  await expect(generators[kind](usual)).toMatchFileSnapshot(`../../test/generated/${kind}.${kind === 'nginx' || kind === 'haproxy' ? 'conf' : 'yaml'}`);
});

/** The files that one text holds, by their names; comments in front belong to none. */
function filesIn(text: string): Record<string, string> {
  const parts = text.split(/^# ---- (\S+).*$/m).slice(1);
  return Object.fromEntries(Array.from({ length: parts.length / 2 }, (_, index) => [parts[2 * index] ?? '', parts[2 * index + 1] ?? '']));
}

describe('each is taken by the program that it is for', () => {
  test.skipIf(findProgram('nginx') === null).each(variants)('nginx -t: $percentage % to $sink.host', (options) => {
    const folder = folderWith({
      'nginx.conf': 'pid pid; events {} http { include site.conf; }',
      'site.conf': generators.nginx(options),
    });
    execFileSync(findProgram('nginx') ?? '', ['-t', '-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'log')], { stdio: 'pipe' });
  });

  test.skipIf(findProgram('haproxy') === null).each(variants)('haproxy -c: $percentage % to $sink.host', (options) => {
    const folder = folderWith(filesIn(generators.haproxy(options)));
    execFileSync(findProgram('haproxy') ?? '', ['-c', '-f', 'haproxy.cfg'], { cwd: folder, stdio: 'pipe' });
  });
});

/**
 * Fields of the messages that the configurations use, as published; a name that is not among them would be refused, or
 * worse, ignored. `path` leads to the message: a key, or `*` for every entry.
 */
const published: { kind: ProxyKind; source: string; path: string; fields: string }[] = [
  {
    kind: 'envoy',
    source: 'envoyproxy/envoy api/envoy/config/route/v3/route_components.proto RouteAction.RequestMirrorPolicy',
    path: 'static_resources listeners * filter_chains * filters * typed_config route_config virtual_hosts * routes * route request_mirror_policies *',
    fields: 'cluster cluster_header runtime_fraction trace_sampled disable_shadow_host_suffix_append',
  },
  {
    kind: 'envoy',
    source: 'envoyproxy/envoy api/envoy/config/core/v3/base.proto RuntimeFractionalPercent',
    path: 'static_resources listeners * filter_chains * filters * typed_config route_config virtual_hosts * routes * route request_mirror_policies * runtime_fraction',
    fields: 'default_value runtime_key',
  },
  {
    kind: 'envoy',
    source: 'envoyproxy/envoy api/envoy/type/v3/percent.proto FractionalPercent',
    path: 'static_resources listeners * filter_chains * filters * typed_config route_config virtual_hosts * routes * route request_mirror_policies * runtime_fraction default_value',
    fields: 'numerator denominator',
  },
  {
    kind: 'envoy',
    source: 'envoyproxy/envoy api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto',
    path: 'static_resources listeners * filter_chains * filters * typed_config',
    fields: '@type stat_prefix use_remote_address generate_request_id preserve_external_request_id route_config http_filters',
  },
  {
    kind: 'envoy',
    source: 'envoyproxy/envoy api/envoy/config/cluster/v3/cluster.proto Cluster',
    path: 'static_resources clusters *',
    fields: 'name type connect_timeout load_assignment circuit_breakers',
  },
  {
    kind: 'envoy',
    source: 'envoyproxy/envoy api/envoy/config/cluster/v3/circuit_breaker.proto CircuitBreakers.Thresholds',
    path: 'static_resources clusters * circuit_breakers thresholds *',
    fields: 'priority max_connections max_pending_requests max_requests max_retries retry_budget track_remaining max_connection_pools',
  },
  {
    kind: 'istio',
    source: 'istio/api networking/v1alpha3/virtual_service.proto HTTPRoute (JSON names)',
    path: 'spec http *',
    fields: 'name match route redirect directResponse delegate rewrite timeout retries fault mirror mirrors mirrorPercent mirrorPercentage corsPolicy headers',
  },
  { kind: 'istio', source: 'istio/api networking/v1alpha3/virtual_service.proto Destination', path: 'spec http * mirror', fields: 'host subset port' },
  { kind: 'istio', source: 'istio/api networking/v1alpha3/virtual_service.proto Percent', path: 'spec http * mirrorPercentage', fields: 'value' },
  {
    kind: 'istio',
    source: 'istio/api networking/v1alpha3/service_entry.proto ServiceEntry, virtual_service.proto VirtualService, destination_rule.proto DestinationRule',
    path: 'spec',
    fields: 'hosts addresses ports location resolution endpoints workloadSelector exportTo subjectAltNames gateways http tls tcp host trafficPolicy subsets',
  },
  {
    kind: 'istio',
    source: 'istio/api networking/v1alpha3/destination_rule.proto ConnectionPoolSettings.HTTPSettings',
    path: 'spec trafficPolicy connectionPool http',
    fields: 'http1MaxPendingRequests http2MaxRequests maxRequestsPerConnection maxRetries idleTimeout h2UpgradePolicy useClientProtocol',
  },
  {
    kind: 'istio',
    source: 'istio/api networking/v1alpha3/destination_rule.proto ConnectionPoolSettings.TCPSettings',
    path: 'spec trafficPolicy connectionPool tcp',
    fields: 'maxConnections connectTimeout tcpKeepalive maxConnectionDuration idleTimeout',
  },
  {
    kind: 'gateway-api',
    source: 'kubernetes-sigs/gateway-api apis/v1/httproute_types.go HTTPRouteFilter',
    path: 'spec rules * filters *',
    fields: 'type requestHeaderModifier responseHeaderModifier requestMirror requestRedirect urlRewrite extensionRef',
  },
  {
    kind: 'gateway-api',
    source: 'kubernetes-sigs/gateway-api apis/v1/httproute_types.go HTTPRequestMirrorFilter',
    path: 'spec rules * filters * requestMirror',
    fields: 'backendRef percent fraction',
  },
  {
    kind: 'gateway-api',
    source: 'kubernetes-sigs/gateway-api apis/v1/shared_types.go Fraction',
    path: 'spec rules * filters * requestMirror fraction',
    fields: 'numerator denominator',
  },
  {
    kind: 'traefik',
    source: 'traefik/traefik pkg/config/dynamic/http_config.go Mirroring',
    path: 'http services production-copied mirroring',
    fields: 'service mirrorBody maxBodySize mirrors healthCheck',
  },
  {
    kind: 'traefik',
    source: 'traefik/traefik pkg/config/dynamic/http_config.go MirrorService',
    path: 'http services production-copied mirroring mirrors *',
    fields: 'name percent',
  },
  {
    kind: 'traefik',
    source: 'traefik/traefik pkg/config/dynamic/http_config.go ServersLoadBalancer',
    path: 'http services doubletake-sink loadBalancer',
    fields: 'sticky servers healthCheck passHostHeader responseForwarding serversTransport',
  },
  {
    kind: 'traefik',
    source: 'traefik/traefik pkg/config/dynamic/http_config.go ForwardingTimeouts',
    path: 'http serversTransports * forwardingTimeouts',
    fields: 'dialTimeout responseHeaderTimeout idleConnTimeout readIdleTimeout pingTimeout',
  },
  {
    kind: 'apisix',
    source: 'apache/apisix apisix/plugins/proxy-mirror.lua schema',
    path: 'routes * plugins proxy-mirror',
    fields: 'host path path_concat_mode sample_ratio',
  },
  {
    kind: 'apisix',
    source: 'apache/apisix docs/en/latest/plugins/proxy-mirror.md, plugin_attr',
    path: 'plugin_attr proxy-mirror timeout',
    fields: 'connect read send',
  },
];

describe.each(variants)('for $percentage % to $sink.host', (options) => {
  test.each(published)('$kind: only published fields in $source', ({ kind, path, fields }) => {
    const documents = parseAllDocuments(generators[kind](options), { strict: true });
    expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
    const messages = documents.flatMap((document) => messagesAt(document.toJS() as unknown, path.split(' ')));
    const allowed = fields.split(' ');
    const unknown = messages.flatMap((message) => Object.keys(message).filter((name) => !allowed.includes(name)));
    expect(unknown).toEqual([]);
    // A fraction is there only where percents do not do.
    if (!path.endsWith('requestMirror fraction')) expect(messages.length).toBeGreaterThan(0);
  });
});

function messagesAt(value: unknown, [key, ...rest]: readonly string[]): object[] {
  if (typeof value !== 'object' || value === null) return [];
  if (key === undefined) return [value];
  const inner: unknown[] = key === '*' ? Object.values(value) : [Reflect.get(value, key)];
  return inner.flatMap((each) => messagesAt(each, rest));
}

test.each([
  [100, { numerator: 100, denominator: 'HUNDRED' }],
  [1, { numerator: 1, denominator: 'HUNDRED' }],
  [0.25, { numerator: 25, denominator: 'TEN_THOUSAND' }],
  [0.0001, { numerator: 1, denominator: 'MILLION' }],
])('Envoy copies %s percent', (percentage, fraction) => {
  const config: unknown = parse(generators.envoy({ ...usual, percentage }));
  const path = 'static_resources listeners * filter_chains * filters * typed_config route_config virtual_hosts * routes * route request_mirror_policies * runtime_fraction default_value';
  expect(messagesAt(config, path.split(' '))).toEqual([fraction]);
});

test('what knows whole percents only says so', () => {
  expect(generators.traefik({ ...usual, percentage: 0.25 })).toContain('Traefik knows whole percents only: 0.25 became 1');
  expect(generators.traefik(usual)).not.toContain('whole percents');
});
