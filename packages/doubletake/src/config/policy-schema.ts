/** The part of the configuration that `policy/` works by: which requests may be replayed. */
import { z } from 'zod';
import { filterSchema, trustedProxiesSchema } from './filter-schema.ts';
import { sampleSchema } from './sample-schema.ts';
import { sanitizeSchema } from './sanitize-schema.ts';
import { methodsSchema } from './values.ts';

export const policySchema = z.strictObject({
  methods: methodsSchema
    .default('safe')
    .describe('Methods that may be replayed: `safe` (GET, HEAD and OPTIONS), `all`, or a list; CONNECT never is.'),
  filters: filterSchema,
  sample: sampleSchema.prefault({}).describe('Which share of the requests is replayed.'),
  trustedProxies: trustedProxiesSchema,
  sanitize: sanitizeSchema
    .optional()
    .describe('What is taken out of requests, or replaced, before they leave the process; absent, they go out as they came.'),
});
