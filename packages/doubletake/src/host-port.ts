/** A server, or what is listened on, as people write it: `host:port`. */
export interface HostPort {
  /** A name or an address, without the brackets of an IPv6 address. */
  host: string;
  port: number;
}

/** `host:port`, with brackets around an IPv6 address. */
export function hostPortText({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The server that an http or https URL leads to. */
export function serverOfUrl({ hostname, port, protocol }: URL): HostPort {
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port) || (protocol === 'https:' ? 443 : 80) };
}
