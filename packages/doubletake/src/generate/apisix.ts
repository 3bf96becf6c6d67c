/** APISIX: the plugin proxy-mirror on a route, and its timeouts in the static configuration. */
import { hostPortText } from '../host-port.ts';
import type { CopyOptions } from './options.ts';

export function apisixConfig({ sink, production, percentage }: CopyOptions): string {
  const ratio = Math.max(0.000_01, Number((percentage / 100).toFixed(5)));
  return `# Copies ${percentage} % of the requests of a route to doubletake's mirror sink. Two files; the route can be set through the
# Admin API as well.
#
# - The copy is NGINX's mirror underneath: a client's next request on its kept connection waits for the sink's answer.
#   The sink answers at once; the timeouts (60 s unless set) are for a sink that is gone.
# - APISIX builds the copy's path from the decoded one: %2F arrives as a slash, %20 may arrive as a blank. What matters
#   to you shows with doubletake generate apisix --verify URL.
# - A body that came chunked is copied with a Content-Length.
# - A name in host is looked up for each request; with an address nothing is.

# ---- conf/config.yaml
plugin_attr:
  proxy-mirror:
    timeout:
      connect: 100ms
      read: 100ms
      send: 200ms
---
# ---- conf/apisix.yaml (deployment.role data_plane, config_provider yaml; it ends with the line #END)
routes:
  - id: production
    uri: /*
    upstream:
      type: roundrobin
      nodes:
        "${hostPortText(production)}": 1
    plugins:
      # The same X-Request-Id for production and for the copy.
      request-id:
        include_in_response: false
      proxy-mirror:
        host: "http://${hostPortText(sink)}"
        sample_ratio: ${ratio}
#END
`;
}
