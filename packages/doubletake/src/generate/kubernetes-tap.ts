/** Kubernetes: a tap on every node, which sends what passes it to a mirror. */
import { type TapArguments, tapArguments } from './tap-arguments.ts';

export interface TapManifestOptions extends TapArguments {
  /** The mirror's namespace; the taps have one of their own beside it. */
  namespace: string;
  image: string;
}

/** The manifests of the taps, in the order in which they can be applied. */
export function tapManifests({ namespace, image, ...tap }: TapManifestOptions): string {
  return `# A tap on every node: what passes ${tap.interfaceName} is sent to ${tap.to} as VXLAN.
#
# - It reads the nodes' own interfaces: the host's network, and CAP_NET_RAW. The Pod Security Standards call both privileged,
#   so taps have a namespace of their own. All other capabilities are dropped; the user has to be root, since Kubernetes
#   gives an added capability to nobody else.
# - The ports are those of the servers' pods: behind a Service, packets carry them and not the Service's.
# - A tap uses at most 5 % of one processor (--cpu), and leaves out whole connections beyond that, counted.
apiVersion: v1
kind: Namespace
metadata:
  name: ${namespace}-tap
  labels:
    pod-security.kubernetes.io/enforce: privileged
---
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: doubletake-tap
  namespace: ${namespace}-tap
  labels: { app.kubernetes.io/name: doubletake-tap }
spec:
  selector:
    matchLabels: { app.kubernetes.io/name: doubletake-tap }
  updateStrategy:
    type: RollingUpdate
    rollingUpdate: { maxUnavailable: 10% }
  template:
    metadata:
      labels: { app.kubernetes.io/name: doubletake-tap }
    spec:
      hostNetwork: true
      # The Service's name is known to the cluster's DNS alone. It is looked up once, at the start.
      dnsPolicy: ClusterFirstWithHostNet
      automountServiceAccountToken: false
      enableServiceLinks: false
      securityContext:
        runAsUser: 0
        seccompProfile: { type: RuntimeDefault }
      containers:
        - name: tap
          image: ${image}
          args: ${JSON.stringify(tapArguments(tap))}
          resources:
            requests: { cpu: 50m, memory: 96Mi }
            limits: { memory: 256Mi }
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: { drop: [ALL], add: [NET_RAW] }
---
# A pod on the host's network is not subject to policies; this one holds back anything else that might come to run here.
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: nothing
  namespace: ${namespace}-tap
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
`;
}
