/** `host:port` of an address to listen on, with brackets around an IPv6 address; the inverse of how it is read. */
export function formatListen({ host, port }: { host: string; port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
