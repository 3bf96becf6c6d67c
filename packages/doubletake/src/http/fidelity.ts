/**
 * How far an exchange is what production really saw and answered. A set of bits on each exchange, so that it costs
 * nothing to carry; names for it where people and files read it. What compares responses looks here first: a response
 * that was not seen whole has nothing to say.
 */
import type { Message } from './exchange.ts';

/** The order is that of `fidelityNames`. */
export const Fidelity = {
  /** Production's response was not seen (yet). */
  noResponse: 1,
  /** Bytes of the request or of the response were never seen. */
  gap: 2,
  /** The mirror cut packets that held the request or the response. */
  truncated: 4,
  /** The connection or the capture ended inside the request or the response. */
  unfinished: 8,
  /** The proxy that copied the request had changed its Host, which was put back. */
  hostRestored: 16,
  /** The same for the request target. */
  targetRestored: 32,
  /** The request came as HTTP/2, and was written as HTTP/1.1. */
  fromHttp2: 64,
} as const;

/** Names of the bits, lowest first. */
export const fidelityNames = [
  'no_response',
  'gap',
  'truncated',
  'unfinished',
  'host_restored',
  'target_restored',
  'from_http2',
] as const;

/** Names of the bits that are set; none means that the exchange is whole, as production saw it. */
export function fidelityLabels(fidelity: number): string[] {
  return fidelityNames.filter((_, bit) => (fidelity & (1 << bit)) !== 0);
}

/** What is missing of a message, as bits. */
export function damageOf({ outcome }: Message): number {
  switch (outcome) {
    case 'complete':
      return 0;
    case 'gap':
      return Fidelity.gap;
    case 'truncated':
      return Fidelity.truncated;
    default:
      return Fidelity.unfinished;
  }
}
