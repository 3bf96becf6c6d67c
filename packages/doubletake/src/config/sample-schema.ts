/** The sample in the configuration: which share, and what is in it or out of it as a whole. */
import { z } from 'zod';
import { percentageSchema, textSchema, wholeNumber } from './values.ts';

/** Which key each way of sampling needs, beside those that need none. */
const neededKeys = {
  header: 'header',
  cookie: 'cookie',
  query: 'query',
  'path-segment': 'segment',
  'jwt-claim': 'claim',
} as const;

const segmentsMax = 100;

const atLeastMax = 1_000_000;

/** `policy.sample`. */
export const sampleSchema = z
  .strictObject({
    percentage: percentageSchema
      .prefault(100)
      .describe('Replay this share of the requests, in percent; `0.001` counts, and `0.5` and `"0.5%"` are the same.'),
    by: z
      .enum(['request', 'connection', 'remote-address', 'header', 'cookie', 'query', 'path-segment', 'jwt-claim'])
      .default('request')
      .describe('What is in the sample or out of it as a whole: each request, each connection, or all requests with the same value of the rest.'),
    header: textSchema.optional().describe('The header for `by: header`; a request that lacks what it is sampled by goes by its remote address.'),
    cookie: textSchema.optional().describe('The cookie for `by: cookie`.'),
    query: textSchema.optional().describe('The query parameter for `by: query`.'),
    segment: wholeNumber(1, segmentsMax).optional().describe('The number of the path segment for `by: path-segment`: in `/users/42` 42 is 2.'),
    claim: textSchema.optional().describe('The claim for `by: jwt-claim`, of the token in `Authorization: Bearer`, which is not verified.'),
    salt: z
      .string()
      .default('doubletake')
      .describe('Another salt picks another sample; the same salt picks the same one on every machine and after every restart.'),
    atLeastPerMinute: wholeNumber(1, atLeastMax)
      .optional()
      .describe('Of each endpoint (method and path without identifiers) the first so many requests of a minute are in the sample, whatever the percentage, so that rare endpoints are seen.'),
  })
  .superRefine((sample, context) => {
    for (const [by, key] of Object.entries(neededKeys)) {
      const refuse = (message: string): void => context.addIssue({ code: 'custom', message, path: [key] });
      if (sample.by === by && sample[key] === undefined) refuse(`expected the ${key} to sample by`);
      if (sample.by !== by && sample[key] !== undefined) refuse(`a ${key} goes with by: ${by}, not with by: ${sample.by}`);
    }
  });
