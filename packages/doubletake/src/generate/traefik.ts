/** Traefik: a `mirroring` service of the dynamic configuration. */
import { hostPortText } from '../host-port.ts';
import type { CopyOptions } from './options.ts';

export function traefikConfig({ sink, production, percentage }: CopyOptions): string {
  const percent = Math.max(1, Math.round(percentage));
  const rounded = percent === percentage ? '' : `\n# - Traefik knows whole percents only: ${percentage} became ${percent}; doubletake mirror --percentage takes less of them.`;
  return `# Copies ${percent} % of the requests to doubletake's mirror sink: a dynamic configuration for the file provider
# (Kubernetes: a TraefikService with spec.mirroring, whose fields have the same names).
#
# - A router that named its service directly names the mirroring one instead.
# - The body is held in memory until it was copied; one above maxBodySize is not copied at all, with its request.
# - The share is not random: of a hundred requests the first ${percent} are copied.
# - X-Forwarded-For of the copy ends with the client's address, which the sink takes for the client.${rounded}
http:
  routers:
    production:
      rule: PathPrefix(\`/\`)
      service: production-copied
  services:
    production-copied:
      mirroring:
        service: production
        mirrorBody: true
        maxBodySize: 1048576
        mirrors:
          - name: doubletake-sink
            percent: ${percent}
    production:
      loadBalancer:
        servers:
          - url: "http://${hostPortText(production)}"
    doubletake-sink:
      loadBalancer:
        passHostHeader: true
        serversTransport: doubletake-sink
        servers:
          - url: "http://${hostPortText(sink)}"
  serversTransports:
    doubletake-sink:
      maxIdleConnsPerHost: 32
      forwardingTimeouts:
        dialTimeout: 250ms
        responseHeaderTimeout: 500ms
        idleConnTimeout: 60s
`;
}
