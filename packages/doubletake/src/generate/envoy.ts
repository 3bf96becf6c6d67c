/** Envoy: `request_mirror_policies` of a route, with a cluster for the sink that is bounded. */
import type { HostPort } from '../host-port.ts';
import { type CopyOptions, fractionOf, isIpAddress } from './options.ts';

const denominators: Readonly<Record<number, string>> = { 100: 'HUNDRED', 10_000: 'TEN_THOUSAND', 1_000_000: 'MILLION' };

export function envoyConfig({ sink, production, percentage }: CopyOptions): string {
  const { numerator, denominator } = fractionOf(percentage);
  return `# Copies ${percentage} % of the requests to doubletake's mirror sink. A whole bootstrap that runs (envoy -c FILE); take over
# request_mirror_policies into your routes, and the cluster doubletake_sink.
#
# - Envoy appends -shadow to the copy's host; the sink takes it off again. disable_shadow_host_suffix_append does so in
#   new versions, but old ones do not start with it.
# - Envoy appends its own address to the copy's X-Forwarded-For; the sink passes over it. use_remote_address makes it
#   append the client's too, which an edge proxy should.
# - Copies wait for nothing, but a slow sink keeps them in memory up to the route's timeout: the circuit breakers of the
#   cluster bound them. Requests with bodies above the buffer limit, CONNECT and upgrades are not copied.
static_resources:
  listeners:
    - name: web
      address:
        socket_address: { address: 0.0.0.0, port_value: 8080 }
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: web
                use_remote_address: true
                # X-Request-ID: the client's, else one of Envoy's own; the copy has the same.
                generate_request_id: true
                preserve_external_request_id: true
                route_config:
                  virtual_hosts:
                    - name: all
                      domains: ["*"]
                      routes:
                        - match: { prefix: / }
                          route:
                            cluster: production
                            # doubletake: begin
                            request_mirror_policies:
                              - cluster: doubletake_sink
                                runtime_fraction:
                                  default_value: { numerator: ${numerator}, denominator: ${denominators[denominator]} }
                                  # Can be changed at run time under this key; 0 switches it off.
                                  runtime_key: doubletake.percentage
                                # Copies are not traced.
                                trace_sampled: false
                            # doubletake: end
                http_filters:
                  - name: envoy.filters.http.router
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
  clusters:
${cluster('production', production, '1s')}
    # doubletake: begin
${cluster('doubletake_sink', sink, '0.25s')}
      circuit_breakers:
        thresholds:
          - { max_connections: 64, max_pending_requests: 256, max_requests: 1024, max_retries: 0 }
    # doubletake: end
`;
}

function cluster(name: string, endpoint: HostPort, connectTimeout: string): string {
  return `    - name: ${name}
      type: ${isIpAddress(endpoint) ? 'STATIC' : 'STRICT_DNS'}
      connect_timeout: ${connectTimeout}
      load_assignment:
        cluster_name: ${name}
        endpoints:
          - lb_endpoints:
              - endpoint:
                  address:
                    socket_address: { address: "${endpoint.host}", port_value: ${endpoint.port} }`;
}
