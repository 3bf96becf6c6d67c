/** What a generated proxy configuration is about. */
export interface CopyOptions {
  /** Where the mirror sink listens. */
  sink: Endpoint;
  /** Where the proxy sends its clients' requests: a stand-in for what the user's configuration says. */
  production: Endpoint;
  /** Share of the requests that are copied, in percent, above 0 and up to 100. */
  percentage: number;
}

export interface Endpoint {
  host: string;
  port: number;
}

export function isIpAddress({ host }: Endpoint): boolean {
  return /^\d{1,3}(?:\.\d{1,3}){3}$/.test(host) || host.includes(':');
}

/** `host:port`, with brackets around an IPv6 address. */
export function authority({ host, port }: Endpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The percentage as a fraction of whole numbers, for formats that know nothing else. */
export function fractionOf(percentage: number): { numerator: number; denominator: number } {
  if (Number.isInteger(percentage)) return { numerator: percentage, denominator: 100 };
  const tenThousandths = Number((percentage * 100).toFixed(6));
  if (Number.isInteger(tenThousandths)) return { numerator: tenThousandths, denominator: 10_000 };
  return { numerator: Math.max(1, Math.round(percentage * 10_000)), denominator: 1_000_000 };
}
