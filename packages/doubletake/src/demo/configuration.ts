/** The configuration file of the demo's mirror: a real one, with comments, from which users may begin their own. */

export interface DemoConfiguration {
  /** The next version's address. */
  target: URL;
  /** Folder of the run. */
  run: string;
  /** File of rules that the dashboard writes. */
  rules: string;
  /** `HOST:PORT`. */
  dashboard: string;
}

export function demoConfiguration({ target, run, rules, dashboard }: DemoConfiguration): string {
  return `# What \`doubletake demo\` told its mirror. Begin your own from it: docs/configuration.md explains every setting, and
# \`doubletake config check FILE\` says in plain words what a file means.

# Where the copy of production's traffic arrives: here on a port of the system's choosing; AWS sends to 4789.
sources:
  - vxlan: { listen: "127.0.0.1:0", vni: [1], ports: [80] }

policy:
  # GET, HEAD and OPTIONS alone are replayed unless others are named. The next version has a database of its own,
  # so that baskets may be filled and orders made there.
  methods: [GET, HEAD, POST]
  filters:
    - { name: no health checks, exclude: { preset: health-checks } }
  # Names, e-mail addresses, passwords, cards and cookies become pseudonyms before anything leaves the mirror.
  sanitize:
    key: "\${DOUBLETAKE_KEY}"
    presets: [auth, pii, payment]

targets:
  - name: next
    url: ${text(target.href)}

# What the next version answers is compared with what production answered.
compare:
  # An order is 41007 in production and 700300 at the next version: later requests ask for that one.
  mapIds: true
  # Two shops, their customers and the mirror share one machine, whose hesitation is no regression.
  policy: { maxMismatch: 1%, maxErrorIncrease: 1%, maxLatencyRatio: 2 }
  # What the dashboard is told to ignore or to accept.
  rulesFile: ${text(rules)}

run: ${text(run)}
dashboard: { listen: ${text(dashboard)} }
# GET /healthz for a load balancer, and GET /metrics for Prometheus.
health: "127.0.0.1:0"
`;
}

/** A text in YAML, in which a dollar stands for itself. */
function text(value: string): string {
  return JSON.stringify(value.replaceAll('$', '$$$$'));
}
