/**
 * How the configuration file says what is made safe before a request leaves the process. Whatever passes here compiles in
 * `policy/sanitize/`: paths and patterns are read by the same grammar, so a mistake in one is found where it stands.
 */
import { z } from 'zod';
import { regexText } from './filter-schema.ts';
import { JsonPathSyntaxError } from './json-path-parser.ts';
import { readStreamingPath } from './streaming-path.ts';
import { sizeSchema, textSchema } from './values.ts';

const places = ['header', 'cookie', 'query', 'path', 'json', 'form', 'text'] as const;

const jsonPathText = textSchema.superRefine((text, context) => {
  try {
    readStreamingPath(text);
  } catch (error) {
    if (!(error instanceof JsonPathSyntaxError)) throw error;
    context.addIssue({ code: 'custom', message: `expected a JSONPath (RFC 9535): ${error.message}` });
  }
});

const pathText = textSchema.superRefine((text, context) => {
  if (text.startsWith('/') && text.split('/').includes('{}')) return;
  context.addIssue({ code: 'custom', message: 'expected a path that begins with / and has a {} for each segment that is meant' });
});

const ruleSchema = z
  .strictObject({
    name: textSchema.describe('What the rule is for.'),
    header: textSchema.optional().describe('Name of a header, in any case.'),
    cookie: textSchema.optional().describe('Name of a cookie.'),
    query: textSchema.optional().describe('Name of a query parameter.'),
    path: pathText
      .optional()
      .describe('Path whose `{}` segments are meant, such as `/users/{}/orders/**`; `*` is any segment, `**` any rest.'),
    json: jsonPathText
      .optional()
      .describe('JSONPath into JSON bodies, such as `$..ssn` or `$.items[*].note`; filters, slices and negative indexes are not understood.'),
    form: textSchema.optional().describe('Name of a form field, url-encoded or multipart.'),
    text: regexText.optional().describe('Regular expression (RE2); what it matches in any text value is meant.'),
    action: z
      .enum(['remove', 'mask', 'pseudonym', 'keep'])
      .describe('Take it out, star it, replace it by its pseudonym, or leave it whatever the presets say.'),
  })
  .refine((rule) => places.filter((place) => rule[place] !== undefined).length === 1, {
    error: `expected exactly one of ${places.join(', ')}`,
  });

export const sanitizeSchema = z.strictObject({
  key: z
    .string()
    .min(16, { error: 'expected a key of at least 16 characters' })
    .describe('Secret from which pseudonyms are made: the same key gives the same pseudonyms. Take it from the environment: `${DOUBLETAKE_KEY}`.'),
  presets: z
    .array(z.enum(['auth', 'pii', 'payment']))
    .default(['auth', 'pii', 'payment'])
    .describe('What is looked for: credentials, personal data, payment data (docs/sanitizing.md).'),
  presetAction: z
    .enum(['remove', 'mask', 'pseudonym'])
    .default('pseudonym')
    .describe('What the presets do to what they find.'),
  rules: z.array(ruleSchema).default([]).describe('Tried in order before the presets; the first that fits decides.'),
  jwt: z
    .enum(['resign', 'remove'])
    .default('resign')
    .describe('JWTs go out with sanitized claims, signed anew (HS256) with a test key, or not at all.'),
  jwtKey: z.string().min(1).optional().describe('The test key that signs JWTs; absent, it is derived from `key`.'),
  unreadableBodies: z
    .enum(['block', 'pass'])
    .default('block')
    .describe('Requests with a body that cannot be read are blocked and counted, or the body goes out as it is.'),
  bodyBytesMax: sizeSchema
    .prefault('8MiB')
    .describe('Bodies larger than this, before or after decompression, are not read.'),
});
