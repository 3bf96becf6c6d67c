/** What a client of the dashboard may take, in time and in bytes; and how soon it gets a renewed certificate. */
export interface ClientLimits {
  /** For the head of a request, and for all of it. */
  headMs: number;
  requestMs: number;
  /** A connection on which nothing moves. */
  idleMs: number;
  /** How often connections are held against these. */
  checkEveryMs: number;
  connectionsMax: number;
  headBytesMax: number;
  bodyBytesMax: number;
  /** How often the certificate's files are looked at. */
  certificateEveryMs: number;
}

export const clientLimits: Readonly<ClientLimits> = {
  headMs: 10_000,
  requestMs: 15_000,
  idleMs: 60_000,
  checkEveryMs: 1_000,
  connectionsMax: 512,
  headBytesMax: 16_384,
  bodyBytesMax: 65_536,
  certificateEveryMs: 5_000,
};
