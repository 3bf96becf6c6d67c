/** Kubernetes Gateway API: the filter RequestMirror of an HTTPRoute, and a Service for the sink. */
import { type CopyOptions, fractionOf, isIpAddress } from './options.ts';

export function gatewayApiConfig({ sink, production, percentage }: CopyOptions): string {
  const { numerator, denominator } = fractionOf(percentage);
  const share = Number.isInteger(percentage) ? `percent: ${percentage}` : `fraction: { numerator: ${numerator}, denominator: ${denominator} }`;
  return `# Copies ${percentage} % of the requests of a route to doubletake's mirror sink.
#
# - Add the filter to your own HTTPRoute; the one below stands for it.
# - percent and fraction came with version 1.3 of the standard channel (1.2 of the experimental one): a controller that
#   is older copies everything.
# - The copies are those of the controller behind the gateway: built on Envoy it appends -shadow to the host, which the
#   sink takes off again. How long it waits, and what it holds in memory, is set on the controller.
${isIpAddress(sink) ? addressed(sink.host, sink.port) : named(sink.host, sink.port)}---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: production
spec:
  parentRefs:
    - name: gateway
  rules:
    - backendRefs:
        - { name: "${production.host}", port: ${production.port} }
      filters:
        - type: RequestMirror
          requestMirror:
            backendRef: { name: doubletake-sink, port: ${sink.port} }
            ${share}
`;
}

/** A sink outside the cluster. Inside, a Service with a selector takes the place of both. */
function addressed(host: string, port: number): string {
  return `apiVersion: v1
kind: Service
metadata:
  name: doubletake-sink
spec:
  clusterIP: None
  ports:
    - { name: http, port: ${port}, targetPort: ${port} }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: doubletake-sink
  labels: { kubernetes.io/service-name: doubletake-sink }
addressType: ${host.includes(':') ? 'IPv6' : 'IPv4'}
ports:
  - { name: http, protocol: TCP, port: ${port} }
endpoints:
  - addresses: ["${host}"]
`;
}

function named(host: string, port: number): string {
  return `# Not every controller takes a Service of this type as a backend; with an address (--sink ADDRESS:PORT) all do.
apiVersion: v1
kind: Service
metadata:
  name: doubletake-sink
spec:
  type: ExternalName
  externalName: ${host}
  ports:
    - { name: http, port: ${port} }
`;
}
