/** Istio: `mirror` of a VirtualService, and a ServiceEntry through which the mesh knows the sink. */
import { type CopyOptions, isIpAddress } from './options.ts';

export function istioConfig({ sink, production, percentage }: CopyOptions): string {
  const endpoint = isIpAddress(sink)
    ? `  resolution: STATIC
  endpoints:
    - address: "${sink.host}"`
    : `  resolution: DNS
  endpoints:
    - address: ${sink.host}`;
  return `# Copies ${percentage} % of the requests of a service to doubletake's mirror sink.
#
# - Replace the host ${production.host} by your service (SERVICE.NAMESPACE.svc.cluster.local). If it has a VirtualService,
#   add mirror and mirrorPercentage to its routes: a second one for the same host is ignored or merged, as Istio likes.
# - The copy is made by the sidecar (or gateway) of the caller: callers without one are not copied.
# - Envoy appends -shadow to the copy's host and its own address to X-Forwarded-For; the sink puts both back.
# - Mutual TLS is switched off towards the sink, which speaks plain HTTP.
apiVersion: networking.istio.io/v1beta1
kind: ServiceEntry
metadata:
  name: doubletake-sink
spec:
  hosts: [doubletake-sink.internal]
  location: MESH_EXTERNAL
  ports:
    - { number: ${sink.port}, name: http, protocol: HTTP }
${endpoint}
---
apiVersion: networking.istio.io/v1beta1
kind: DestinationRule
metadata:
  name: doubletake-sink
spec:
  host: doubletake-sink.internal
  trafficPolicy:
    tls: { mode: DISABLE }
    # What a slow sink can hold in the memory of a sidecar.
    connectionPool:
      tcp: { maxConnections: 64, connectTimeout: 250ms }
      http: { http1MaxPendingRequests: 256, http2MaxRequests: 1024, maxRetries: 0 }
---
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata:
  name: production
spec:
  hosts: ["${production.host}"]
  http:
    - route:
        - destination: { host: "${production.host}", port: { number: ${production.port} } }
      mirror: { host: doubletake-sink.internal, port: { number: ${sink.port} } }
      # Without it everything is copied.
      mirrorPercentage: { value: ${percentage} }
`;
}
