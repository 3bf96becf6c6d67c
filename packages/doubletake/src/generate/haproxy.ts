/** HAProxy: a SPOE filter that hands each request to the agent spoa-mirror, which sends it to the sink. */
import { hostPortText } from '../host-port.ts';
import type { CopyOptions } from './options.ts';

export function haproxyConfig({ sink, production, percentage }: CopyOptions): string {
  const millionths = Math.max(1, Math.round(percentage * 10_000));
  const condition = percentage >= 100 ? '' : ` if { rand(1000000) lt ${millionths} }`;
  return `# Copies ${percentage} % of the requests to doubletake's mirror sink. Two files; and beside HAProxy runs the agent
# (https://github.com/haproxytech/spoa-mirror), which sends the copies:
#
#   spoa-mirror --runtime 0 --mirror-url http://${hostPortText(sink)}
#
# - Head and body must fit in one SPOE frame, below tune.bufsize (16 KiB): a longer body is cut in the copy. The agent
#   and tune.bufsize (also -m of the agent) can be raised together.
# - The copy is taken before the http-request rules of the frontend: headers that they set, X-Forwarded-For too, are
#   not in it. Behind another proxy its X-Forwarded-For is; else filter and sample by something else than the client.
# - arg_path is what the agent asks for: pathq has the query too (path, as often shown, loses it).
# - HAProxy waits for the agent's word at most as long as "timeout processing".

# ---- haproxy.cfg
global
    maxconn 4096

defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s

frontend web
    bind :8080
    # doubletake: begin
    option http-buffer-request
    filter spoe engine doubletake config doubletake-spoe.conf
    # doubletake: end
    default_backend production

backend production
    server production ${hostPortText(production)}

# doubletake: begin
backend doubletake_agent
    mode tcp
    timeout connect 100ms
    timeout server 1m
    server agent 127.0.0.1:12345
# doubletake: end

# ---- doubletake-spoe.conf
[doubletake]
spoe-agent doubletake
    messages doubletake-copy
    option var-prefix doubletake
    option continue-on-error
    timeout hello 100ms
    timeout idle 30s
    timeout processing 10ms
    use-backend doubletake_agent

spoe-message doubletake-copy
    args arg_method=method arg_path=pathq arg_ver=req.ver arg_hdrs=req.hdrs_bin arg_body=req.body
    event on-frontend-http-request${condition}
`;
}
