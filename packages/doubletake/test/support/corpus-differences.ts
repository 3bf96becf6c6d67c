/**
 * Where what we read is not what the corpus says, and why we are right or have chosen so. Every capture without an entry
 * has to be read exactly as the corpus says.
 */

export interface Difference {
  why: string;
  requests?: number;
  responses?: number;
  /** tshark's messages are not those of this capture. */
  messages?: 'unusable';
  /** tshark gives the addresses of the tunnel, not those inside. */
  addresses?: 'outer';
  /** Bodies of tshark that are no bodies, or that it cut differently. */
  foreignBodies?: number;
  mergeTunnels?: true;
}

/** By the name of the capture. */
export const differences: Record<string, Difference> = {
  'chunked/sv_http-event-chunk.pcap': {
    why: 'tshark stops at a chunk size with a blank behind it and takes the first chunk for the body',
    foreignBodies: 1,
  },
  'connect-upgrade/sv_http-connect-simple.pcap': {
    why: 'tshark takes the stray line feed behind the head for a body',
    foreignBodies: 1,
  },
  'gaps/pcpp_unidirectional_tcp_stream_with_missing_packet.pcap': {
    why: 'two request heads are there whole; the hole is in the body of the first, and the second begins a segment behind it',
    requests: 2,
  },
  'gaps/sv_http-gap-beyond-body.pcap': {
    why: 'two response heads are there whole; the last one begins a segment behind the hole and answers the last request',
    responses: 2,
  },
  'geneve-gre-erspan/sv_bug-5437-02.pcap': {
    why: 'tshark ends the target at the first of two blanks in the request line; ours goes to the version',
    messages: 'unusable',
  },
  'geneve-gre-erspan/zeek_erspan.pcap': {
    why: 'VMware marks the direction in the GRE key, so that each direction has a tunnel of its own unless they are merged',
    mergeTunnels: true,
  },
  'http2-clear/arkime_http2-nghttp2.pcap': { why: 'a body of HTTP/2', foreignBodies: 1 },
  'http2-clear/sv_http2-authority-mismatch.pcap': { why: 'a body of HTTP/2', foreignBodies: 1 },
  'ipv6/zeek_ayiya3.pcap': { why: 'HTTP over IPv6 in AYIYA', addresses: 'outer' },
  'malformed-smuggling/ndpi_http-manipulated.pcap': {
    why: 'tshark gives up in an unusually long target',
    messages: 'unusable',
  },
  'malformed-smuggling/sv_http-multiple-cl.pcap': {
    why: 'two lengths that differ: tshark takes the last, we the first, and such a request is never replayed',
    messages: 'unusable',
    foreignBodies: 2,
  },
  'malformed-smuggling/sv_http-not09-file.pcap': {
    why: 'binary data on port 80 are no request; production said 400',
    requests: 0,
  },
  'malformed-smuggling/sv_http-request-invalid.pcap': {
    why: 'lines that are no request have no body; production said 400',
    foreignBodies: 2,
  },
  'malformed-smuggling/zeek_http-11-request-then-cruft.pcap': {
    why: 'the cruft (T / HTTP) is no request, and the answer to it (400) is an answer to no request',
    responses: 2,
    foreignBodies: 3,
  },
  'malformed-smuggling/zeek_http-inner-transfer-encoding-reproducer.pcap': {
    why: 'the body says gzip and has text behind the gzip data, which tshark alone shows',
    foreignBodies: 1,
  },
  'malformed-smuggling/zeek_http-lower-case.pcap': {
    why: 'tshark knows no http/1.1 in lower case and takes the whole response for a body',
    foreignBodies: 1,
  },
  'malformed-smuggling/zeek_http_09.pcap': {
    why: 'HTTP/0.9 has GET alone, and its answers have no head; tshark takes all lines for bodies',
    requests: 1,
    responses: 0,
    foreignBodies: 7,
  },
  'malformed-smuggling/zeek_variant-09-te_obs_fold.pcap': {
    why: 'tshark does not see the transfer coding in a folded field, and takes the chunks for the body',
    foreignBodies: 1,
  },
  'tcp-odd/zeek_qi_internet_SYNACK_curl_jsonip.pcap': {
    why: 'an injected answer came first; the true one overlaps it and is not taken, as the client did not take it',
    foreignBodies: 1,
  },
  'tls-keylog/scapy_tls_nss_example.pcap': {
    why: 'TLS is counted, not read: we take no keys',
    requests: 0,
    responses: 0,
    messages: 'unusable',
  },
  'tls-keylog/zeek_tls12-decryption.pcap': {
    why: 'TLS is counted, not read: we take no keys',
    requests: 0,
    responses: 0,
    messages: 'unusable',
    foreignBodies: 1,
  },
  'vlan/zeek_mixed-vlan-mpls.pcap': {
    why: 'the answer to an HTTP/0.9 request has no head; tshark takes each of its packets for a body',
    foreignBodies: 3,
  },
};
