/** A test environment to which requests are replayed, as a configuration says it. */
import { z } from 'zod';
import { durationSchema, sizeSchema, targetUrlSchema, textSchema, wholeNumber } from './values.ts';

const limitsSchema = z
  .strictObject({
    inFlight: wholeNumber(1, 65_535)
      .default(256)
      .describe('Connections open at once, and so requests in flight, of each worker.'),
    queueRequests: wholeNumber(1, 10_000_000)
      .default(10_000)
      .describe('Requests that wait for a connection or for their turn, of each worker; the newest beyond are dropped and counted.'),
    queueBytes: sizeSchema
      .prefault('64MiB')
      .describe('Bytes of the requests that wait or are in flight, of each worker; what is beyond is dropped and counted.'),
    connectTimeout: durationSchema
      .prefault('5s')
      .describe('Give up a connection that is not open after this long, with name lookup and TLS handshake.'),
    responseTimeout: durationSchema
      .prefault('30s')
      .describe('Give up a request that the target has not answered whole after this long.'),
  })
  .transform(({ connectTimeout, responseTimeout, ...limits }) => ({
    ...limits,
    connectTimeoutMs: connectTimeout,
    responseTimeoutMs: responseTimeout,
  }));

export const targetSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, { error: 'expected letters, digits, ".", "_" or "-"' })
    .describe('The name in logs and in the ledger; each target has its own.'),
  url: targetUrlSchema.describe('Where requests go: `http://` or `https://`, host, port; a path goes before the path of every request.'),
  ca: textSchema.optional().describe('Trust the certificate authorities in this PEM file, instead of the system\'s.'),
  host: z
    .enum(['target', 'original'])
    .default('target')
    .describe('Which Host header goes out: the target\'s own, or the one that production saw.'),
  ordering: z
    .enum(['connection', 'none'])
    .default('connection')
    .describe('Requests of one production connection keep their order and do not overlap, or they may.'),
  limits: limitsSchema.prefault({}).describe('What the target is spared, and what memory its requests may take.'),
});

export type TargetConfig = z.output<typeof targetSchema>;
