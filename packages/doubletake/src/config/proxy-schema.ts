/** The tee proxy as a configuration says it. */
import { z } from 'zod';
import { serverOfUrl } from '../host-port.ts';
import { durationSchema, listenSchema, textSchema, wholeNumber } from './values.ts';

/** Where production is. */
export interface UpstreamAddress {
  /** As it was written. */
  url: string;
  /** A name or an address, without brackets. */
  host: string;
  port: number;
  /** TLS is spoken to it. */
  secure: boolean;
}

const upstreamSchema = z
  .string()
  .meta({ title: 'URL' })
  .transform((text, context): UpstreamAddress => {
    const upstream = readUpstream(text);
    if (typeof upstream !== 'string') return upstream;
    context.addIssue({ code: 'custom', message: upstream });
    return z.NEVER;
  });

/** The address, or what is wrong. */
function readUpstream(text: string): UpstreamAddress | string {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return 'expected an http:// or https:// URL of production, such as http://10.0.1.2:80';
  const url = new URL(text);
  const { protocol, username, password, pathname, search, hash } = url;
  if (username !== '' || password !== '' || pathname !== '/' || search !== '' || hash !== '') {
    return 'bytes pass a proxy unchanged: expected a URL with nothing but a host and a port';
  }
  return { url: text, ...serverOfUrl(url), secure: protocol === 'https:' };
}

const terminationSchema = z.strictObject({
  certificate: textSchema.describe('PEM file with the certificate and those between it and the authority. Read again when it changes.'),
  key: textSchema.describe('PEM file with the key.'),
  protocols: z
    .array(z.enum(['http/1.1', 'h2']))
    .min(1)
    .default(['http/1.1'])
    .describe('What clients are offered (ALPN), the preferred one first; production has to speak what is agreed. HTTP/2 passes, but is not read.'),
});

export const proxySchema = z
  .strictObject({
    listen: listenSchema.describe('TCP address and port to which clients connect. Port 0 lets the system choose one.'),
    upstream: upstreamSchema.describe('Production: `http://` or `https://`, a host and perhaps a port. Only the proxy ever calls it.'),
    tls: terminationSchema.optional().describe('End the clients\' TLS here; absent, bytes pass as they come, and TLS cannot be read.'),
    ca: textSchema.optional().describe('Trust the certificate authorities in this PEM file for an https:// production, instead of the system\'s.'),
    acceptProxyProtocol: z
      .boolean()
      .default(false)
      .describe('Every connection begins with a PROXY protocol header (version 1 or 2) that tells the client\'s address; one without is refused.'),
    sendProxyProtocol: z
      .boolean()
      .default(false)
      .describe('Tell production the client\'s address in a PROXY protocol header (version 2), which it has to expect.'),
    connectionsMax: wholeNumber(1, 1_000_000)
      .default(10_000)
      .describe('Clients connected at once; more are refused. Each takes two file descriptors.'),
    connectTimeout: durationSchema
      .prefault('10s')
      .describe('Give up a connection to production that is not open after this long; also a client\'s TLS handshake and PROXY header.'),
  })
  .transform(({ connectTimeout, ...proxy }) => ({ ...proxy, connectTimeoutMs: connectTimeout }))
  .describe('A TCP relay to production: its bytes pass unchanged both ways, and a copy of them is read.');

export type ProxyConfig = z.output<typeof proxySchema>;
