/** The server that an http or https URL leads to: its host, without the brackets of an IPv6 address, and its port. */
export function serverOfUrl({ hostname, port, protocol }: URL): { host: string; port: number } {
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port) || (protocol === 'https:' ? 443 : 80) };
}
