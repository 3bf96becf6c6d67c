/**
 * HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/): the parts of an entry that are read and written. What begins
 * with an underscore is ours, as the specification allows.
 */
import { z } from 'zod';
import { token } from '../../token.ts';

const pairSchema = z.object({ name: z.string(), value: z.string() });

const postDataSchema = z.object({
  mimeType: z.string().default(''),
  text: z.string().optional(),
  params: z.array(z.object({ name: z.string(), value: z.string().optional() })).optional(),
  /** `base64` where the body is no text: HAR has no word for it in requests. */
  _encoding: z.string().optional(),
});

const requestSchema = z.object({
  method: z.string().regex(token, { error: 'is no method' }),
  url: z.url({ protocol: /^https?$/, error: 'is no http or https URL' }),
  httpVersion: z.string().default(''),
  headers: z.array(pairSchema),
  postData: postDataSchema.optional(),
});

const responseSchema = z.object({
  status: z.number(),
  statusText: z.string().default(''),
  httpVersion: z.string().default(''),
  headers: z.array(pairSchema),
  content: z.object({
    size: z.number().optional(),
    mimeType: z.string().optional(),
    text: z.string().optional(),
    encoding: z.string().optional(),
  }),
});

/** What is asked of an entry that is read: less than the specification, which not all programs keep to. */
export const entrySchema = z.object({
  startedDateTime: z.string(),
  time: z.number().optional(),
  request: requestSchema,
  response: responseSchema.optional(),
  timings: z.object({ send: z.number().optional(), wait: z.number().optional(), receive: z.number().optional() }).optional(),
  serverIPAddress: z.string().optional(),
  connection: z.string().optional(),
  _startedUs: z.number().optional(),
});

export type HarEntry = z.output<typeof entrySchema>;

/** Names of pseudo header fields of HTTP/2 begin with a colon (RFC 9113 section 8.3); browsers list them. */
export function isPseudo(name: string): boolean {
  return name.startsWith(':');
}
