/** What a relay is told: plain values, which cross from one thread to another. */
import type { HostPort } from '../host-port.ts';

export interface RelayOptions {
  listen: HostPort;
  upstream: {
    host: string;
    port: number;
    /** Null speaks in the clear. */
    tls: {
      /** Authorities as PEM text; null for the system's. */
      ca: string | null;
    } | null;
  };
  /** TLS is ended here; null passes on what comes. */
  tls: {
    /** Files in PEM form, read again when they change. */
    certificate: string;
    key: string;
    /** Protocols offered to clients (ALPN, RFC 7301), the one that is preferred first. */
    protocols: readonly string[];
  } | null;
  /** Each connection to us begins with a PROXY protocol header. */
  acceptProxyProtocol: boolean;
  /** Each connection to production begins with one. */
  sendProxyProtocol: boolean;
  connectionsMax: number;
  connectTimeoutMs: number;
}
