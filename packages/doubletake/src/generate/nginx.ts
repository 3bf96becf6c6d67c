/** NGINX: the `mirror` directive, its subrequest sent to the sink, a share by `split_clients`. */
import { hostPortText } from '../host-port.ts';
import type { CopyOptions } from './options.ts';

export function nginxConfig({ sink, production, percentage }: CopyOptions): string {
  // split_clients knows two places behind the point.
  const share = Math.max(0.01, Number(percentage.toFixed(2)));
  const split =
    share >= 100
      ? ''
      : `
# Which requests are copied. By $request_id, which is random: each request for itself.
split_clients $request_id $doubletake_copy {
    ${share}%     1;
    *       "";
}
`;
  const condition = share >= 100 ? '' : '\n        if ($doubletake_copy = "") { return 204; }';
  return `# Copies ${share} % of the requests to doubletake's mirror sink at ${hostPortText(sink)}.
# For http { }, such as a file in conf.d. The server at the end stands for yours: take over what is between the marks.
#
# - nginx waits for the sink's answer before it takes the next request of a client's kept connection. The sink answers
#   at once; the timeouts below are for a sink that is gone, and bound what a client can ever feel of it.
# - The body is read whole before production gets it (proxy_request_buffering off has no effect), and the copy has it
#   with a Content-Length even if it came chunked. Without bodies: mirror_request_body off, proxy_pass_request_body off,
#   and proxy_set_header Content-Length "".
# - What ends before the content phase is not copied: return, a rewrite that redirects, limits, failed authentication.
# - mirror takes no variables, and a location with a mirror of its own does not inherit that of the server.

upstream doubletake_sink {
    # An address is better than a name: nginx does not start when a name is not known.
    # After five failures the sink is left alone for 10 s by all workers; the spare does not exist and fails at once.
    zone doubletake_sink 64k;
    server ${hostPortText(sink)} max_fails=5 fail_timeout=10s;
    server unix:/nonexistent/doubletake-spare backup;
    keepalive 32;
}

# The same id for production and for the copy: the client's, else one of nginx's own.
map $http_x_request_id $doubletake_request_id {
    default $http_x_request_id;
    ""      $request_id;
}

# Where the client came in: as a balancer in front says, else as nginx sees it.
map $http_x_forwarded_proto $doubletake_proto {
    default $http_x_forwarded_proto;
    ""      $scheme;
}
map $http_x_forwarded_port $doubletake_port {
    default $http_x_forwarded_port;
    ""      $server_port;
}
${split}
upstream production {
    server ${hostPortText(production)};
}

server {
    listen 80;

    location / {
        # doubletake: begin
        mirror /_doubletake;
        mirror_request_body on;
        # One proxy_set_header here takes away those inherited from outside: repeat them.
        proxy_set_header X-Request-ID $doubletake_request_id;
        # doubletake: end
        proxy_pass http://production;
    }

    # doubletake: begin
    location = /_doubletake {
        internal;${condition}
        # The limit of the location that copies decides; a lower one here would lose the copies of large requests.
        client_max_body_size 0;
        # $request_uri is the target as the client sent it, with its percent-encoding.
        proxy_pass http://doubletake_sink$request_uri;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $doubletake_proto;
        proxy_set_header X-Forwarded-Port $doubletake_port;
        proxy_set_header X-Request-ID $doubletake_request_id;
        proxy_connect_timeout 100ms;
        proxy_send_timeout 200ms;
        proxy_read_timeout 100ms;
        proxy_next_upstream off;
    }
    # doubletake: end
}
`;
}
