/**
 * What decoding a packet came to: one small number a packet, so that a counter array indexed by it is the whole
 * accounting. `decodedResults` gives each number its class and name; every packet is exactly one of used, ignored and
 * malformed.
 */
export const Decoded = {
  /** A TCP segment stands in `PacketDecoder.segment`. */
  segment: 0,
  /** A fragment of a TCP packet (or of a tunnel) that waits for the others. */
  fragmentHeld: 1,

  arp: 2,
  /** A network protocol other than IP. */
  notIp: 3,
  udp: 4,
  icmp: 5,
  /** An IP protocol other than TCP, UDP and ICMP. */
  otherProtocol: 6,
  /** UDP on the port of a tunnel protocol, without its header. */
  notTunnel: 7,
  /** A message between tunnel endpoints that carries no packet (GENEVE OAM, AYIYA heartbeat), or PPTP. */
  tunnelControl: 8,
  vniNotAllowed: 9,
  portNotAllowed: 10,
  unknownLinkType: 11,

  truncatedLink: 12,
  truncatedIp: 13,
  truncatedTcp: 14,
  truncatedTunnel: 15,
  /** The capture cut a fragment, so that the packet it belongs to can never be whole. */
  truncatedFragment: 16,
  badIpVersion: 17,
  badIpLength: 18,
  badExtension: 19,
  badTcpLength: 20,
  badTunnel: 21,
  badFragment: 22,
  /** A fragment that overlaps another one, or belongs to a packet given up for that (RFC 5722). */
  overlappingFragment: 23,
  /** More tunnels, tags or labels inside each other than any network has. */
  nestedTooDeep: 24,
} as const;

export interface DecodedResult {
  class: 'used' | 'ignored' | 'malformed';
  /** Name in the ledger and in metrics. */
  name: string;
}

/** Class and name of each result, indexed by it. */
export const decodedResults: readonly DecodedResult[] = [
  { class: 'used', name: 'segment' },
  { class: 'used', name: 'fragment' },
  { class: 'ignored', name: 'arp' },
  { class: 'ignored', name: 'not_ip' },
  { class: 'ignored', name: 'udp' },
  { class: 'ignored', name: 'icmp' },
  { class: 'ignored', name: 'other_protocol' },
  { class: 'ignored', name: 'not_tunnel' },
  { class: 'ignored', name: 'tunnel_control' },
  { class: 'ignored', name: 'vni_not_allowed' },
  { class: 'ignored', name: 'port_not_allowed' },
  { class: 'ignored', name: 'unknown_link_type' },
  { class: 'malformed', name: 'truncated_link' },
  { class: 'malformed', name: 'truncated_ip' },
  { class: 'malformed', name: 'truncated_tcp' },
  { class: 'malformed', name: 'truncated_tunnel' },
  { class: 'malformed', name: 'truncated_fragment' },
  { class: 'malformed', name: 'bad_ip_version' },
  { class: 'malformed', name: 'bad_ip_length' },
  { class: 'malformed', name: 'bad_extension' },
  { class: 'malformed', name: 'bad_tcp_length' },
  { class: 'malformed', name: 'bad_tunnel' },
  { class: 'malformed', name: 'bad_fragment' },
  { class: 'malformed', name: 'overlapping_fragment' },
  { class: 'malformed', name: 'nested_too_deep' },
];
