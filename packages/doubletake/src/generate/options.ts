/** What a generated proxy configuration is about. */
import type { HostPort } from '../host-port.ts';

export interface CopyOptions {
  /** Where the mirror sink listens. */
  sink: HostPort;
  /** Where the proxy sends its clients' requests: a stand-in for what the user's configuration says. */
  production: HostPort;
  /** Share of the requests that are copied, in percent, above 0 and up to 100. */
  percentage: number;
}

export function isIpAddress({ host }: HostPort): boolean {
  return /^\d{1,3}(?:\.\d{1,3}){3}$/.test(host) || host.includes(':');
}

/** The percentage as a fraction of whole numbers, for formats that know nothing else. */
export function fractionOf(percentage: number): { numerator: number; denominator: number } {
  if (Number.isInteger(percentage)) return { numerator: percentage, denominator: 100 };
  const tenThousandths = Number((percentage * 100).toFixed(6));
  if (Number.isInteger(tenThousandths)) return { numerator: tenThousandths, denominator: 10_000 };
  return { numerator: Math.max(1, Math.round(percentage * 10_000)), denominator: 1_000_000 };
}
