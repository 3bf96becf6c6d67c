/** Where metrics are sent, in the configuration. Without it they are there to be fetched all the same. */
import { z } from 'zod';
import { token } from '../token.ts';
import { durationSchema, textSchema } from './values.ts';

const endpointExpected = 'expected the URL of an OpenTelemetry collector, such as http://127.0.0.1:4318';

const endpointSchema = z
  .string({ error: endpointExpected })
  .meta({ title: 'URL' })
  .transform((text, context): string => {
    const url = /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : null;
    if (url === null || url.username !== '' || url.password !== '') {
      context.addIssue({ code: 'custom', message: url === null ? endpointExpected : 'credentials go into headers, not into the URL' });
      return z.NEVER;
    }
    if (url.pathname === '/') url.pathname = '/v1/metrics';
    return url.href;
  });

const headersMax = 50;

/** `metrics`. */
export const metricsSchema = z.strictObject({
  otlp: z
    .strictObject({
      endpoint: endpointSchema.describe('Where metrics are sent with OTLP/HTTP in JSON; `/v1/metrics` is taken where it has no path.'),
      headers: z
        .record(z.string().regex(token, { error: 'expected the name of a header' }), textSchema.regex(/^[^\r\n\0]*$/, { error: 'expected a header value' }))
        .refine((headers) => Object.keys(headers).length <= headersMax, { error: `expected at most ${headersMax} headers` })
        .meta({ title: 'mapping of: text' })
        .default({})
        .describe('Sent with each export, such as `authorization: "Bearer ${OTLP_TOKEN}"`.'),
      every: durationSchema.prefault('15s').describe('How often they are sent.'),
    })
    .transform(({ every, ...otlp }) => ({ ...otlp, everyMs: every }))
    .optional()
    .describe('Send them to an OpenTelemetry collector; absent, they are only there to be fetched.'),
});
