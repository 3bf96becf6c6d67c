/** Kubernetes: a mirror that takes what taps and proxies in the cluster send. */

export interface MirrorManifestOptions {
  namespace: string;
  image: string;
  /** The test environment. */
  target: string;
  /** VXLAN network identifier of what taps send. */
  vni: number;
  /** Ports of production's servers, as the packets show them; empty takes all that is HTTP. */
  ports: readonly number[];
  /** Also a PodMonitor, which needs the definitions of the Prometheus operator. */
  podMonitor: boolean;
}

/** The manifests of the mirror, in the order in which they can be applied. */
export function mirrorManifests({ namespace, image, target, vni, ports, podMonitor }: MirrorManifestOptions): string {
  return `# A mirror that takes VXLAN from taps (UDP 4789) and copies from proxies (8090), and replays to ${target}.
#
# - The image is built from deploy/Dockerfile; nothing is published. Push it to a registry of yours.
# - Pseudonyms need a key, which is yours to make, and to keep: with another key the same person has another pseudonym.
#     kubectl -n ${namespace} create secret generic doubletake --from-literal=key="$(openssl rand -hex 32)"
# - One pod holds both directions of a connection, whatever sent them. A larger pod (workers, cpu) goes further than more pods.
# - Pods run as a user without rights, under the restricted Pod Security Standard.
apiVersion: v1
kind: Namespace
metadata:
  name: ${namespace}
  labels:
    pod-security.kubernetes.io/enforce: restricted
    pod-security.kubernetes.io/warn: restricted
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: doubletake
  namespace: ${namespace}
  labels: { app.kubernetes.io/name: doubletake }
data:
  mirror.yaml: |
    sources:
      - vxlan: { listen: "0.0.0.0:4789", vni: [${vni}], ports: [${ports.join(', ')}] }
      - httpSink: { listen: "0.0.0.0:8090" }
    policy:
      methods: safe
      sanitize: { key: "\${DOUBLETAKE_KEY}" }
    targets:
      - { name: candidate, url: "${target}" }
    health: "0.0.0.0:8080"
    workers: 2
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: doubletake
  namespace: ${namespace}
  labels: { app.kubernetes.io/name: doubletake }
spec:
  replicas: 1
  # The new pod takes over when it is ready; what both see a part of is incomplete for both.
  strategy:
    type: RollingUpdate
    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 }
  selector:
    matchLabels: { app.kubernetes.io/name: doubletake }
  template:
    metadata:
      labels: { app.kubernetes.io/name: doubletake }
    spec:
      automountServiceAccountToken: false
      enableServiceLinks: false
      # What is under way is finished first (drain, 10 s).
      terminationGracePeriodSeconds: 30
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        runAsGroup: 65532
        seccompProfile: { type: RuntimeDefault }
      containers:
        - name: mirror
          image: ${image}
          args: [mirror, /etc/doubletake/mirror.yaml]
          env:
            - name: DOUBLETAKE_KEY
              valueFrom:
                secretKeyRef: { name: doubletake, key: key }
          ports:
            - { name: vxlan, containerPort: 4789, protocol: UDP }
            - { name: sink, containerPort: 8090, protocol: TCP }
            - { name: health, containerPort: 8080, protocol: TCP }
          # The mirror ends when the test environment is not there at its start, and is started again.
          startupProbe:
            httpGet: { path: /healthz, port: health }
            periodSeconds: 2
            failureThreshold: 30
          readinessProbe:
            httpGet: { path: /healthz, port: health }
            periodSeconds: 5
            timeoutSeconds: 2
          livenessProbe:
            httpGet: { path: /healthz, port: health }
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          resources:
            requests: { cpu: 500m, memory: 512Mi }
            limits: { memory: 2Gi }
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: { drop: [ALL] }
          volumeMounts:
            - { name: configuration, mountPath: /etc/doubletake, readOnly: true }
      volumes:
        - name: configuration
          configMap: { name: doubletake }
---
apiVersion: v1
kind: Service
metadata:
  name: doubletake
  namespace: ${namespace}
  labels: { app.kubernetes.io/name: doubletake }
spec:
  selector: { app.kubernetes.io/name: doubletake }
  # Should there be several pods, all that one node or proxy sends goes to one of them.
  sessionAffinity: ClientIP
  ports:
    - { name: vxlan, port: 4789, targetPort: vxlan, protocol: UDP }
    - { name: sink, port: 8090, targetPort: sink, protocol: TCP }
---
# Taps are on the nodes' own network, which no selector names: packets may come from everywhere. Narrow them to the nodes'
# network with an ipBlock, and what goes out to the test environment: its pods' ports count, behind a Service.
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: doubletake
  namespace: ${namespace}
  labels: { app.kubernetes.io/name: doubletake }
spec:
  podSelector:
    matchLabels: { app.kubernetes.io/name: doubletake }
  policyTypes: [Ingress, Egress]
  ingress:
    - ports:
        - { protocol: UDP, port: vxlan }
        - { protocol: TCP, port: sink }
        - { protocol: TCP, port: health }
  egress:
    - ports:
        - { protocol: UDP, port: 53 }
        - { protocol: TCP, port: 1, endPort: 65535 }
${podMonitor ? podMonitorManifest(namespace) : ''}`;
}

/** The port of the health check also tells Prometheus all numbers. */
function podMonitorManifest(namespace: string): string {
  return `---
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata:
  name: doubletake
  namespace: ${namespace}
  labels: { app.kubernetes.io/name: doubletake }
spec:
  selector:
    matchLabels: { app.kubernetes.io/name: doubletake }
  podMetricsEndpoints:
    - { port: health, path: /metrics, interval: 15s }
`;
}
