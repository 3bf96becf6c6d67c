/** Whether a browser sends a request on behalf of a page of another origin. */
import type { IncomingHttpHeaders } from 'node:http';

/** Programs that are no browsers send neither header, and are of no other origin. */
export function isCrossOrigin(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  const { origin, host } = headers;
  if (origin === undefined) return false;
  // Behind a proxy that ends TLS, the scheme is another.
  return !URL.canParse(origin) || new URL(origin).host !== host?.toLowerCase();
}
