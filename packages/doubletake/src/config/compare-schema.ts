/** The comparison in the configuration: what is compared with what, what does not count, and what must hold. */
import { z } from 'zod';
import { durationSchema, percentageSchema, sizeSchema, textSchema, wholeNumber } from './values.ts';

const rulesMax = 1_000;
const templatesMax = 1_000;
const modelsMax = 100;
const listMax = 1_000;
const patternCharsMax = 1_000;
const ratioMax = 1_000;
const pairsMax = 10_000_000;

const patternText = textSchema.max(patternCharsMax, { error: `expected at most ${patternCharsMax} characters` });

/** One pattern, or a list of which one suffices. */
const patterns = z.union([patternText, z.array(patternText).min(1).max(listMax)]);

const shareSchema = percentageSchema.transform((percentage) => percentage / 100);

const verdictPolicySchema = z
  .strictObject({
    maxMismatch: shareSchema
      .prefault('0.1%')
      .describe('Percentage of an endpoint\'s requests that may be answered differently, beyond noise and rules.'),
    maxLatencyRatio: z
      .number({ error: 'expected a number' })
      .gt(0, { error: 'expected a number above 0' })
      .max(ratioMax, { error: `expected at most ${ratioMax}` })
      .default(1.2)
      .describe('How many times as long as the baseline the candidate may take, at the median, the 90th and the 99th percentile.'),
    maxErrorIncrease: shareSchema
      .prefault('0.1%')
      .describe('By how much the percentage of requests that fail or are answered with 5xx may increase, in percentage points.'),
    confidence: percentageSchema
      .refine((percentage) => percentage >= 50 && percentage < 100, { error: 'expected a percentage from 50 to below 100, such as 95' })
      .prefault(95)
      .transform((percentage) => percentage / 100)
      .describe('How sure a verdict has to be, in percent: of all its statements together, however often it is looked at.'),
    minPairs: wholeNumber(1, pairsMax)
      .default(100)
      .describe('An endpoint with fewer compared requests is not judged.'),
  })
  .describe('What must hold for the verdict SAFE.');

const nameSchema = z
  .string()
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} -~]{0,63}$/u, { error: 'expected a name of at most 64 characters that begins with a letter or a digit' })
  .describe('The report counts what the rule hides under this name.');

const endpointPatterns = patterns.describe(
  'Endpoints as the report names them, such as `GET /users/{id}` or `* /users/**`: in the glob `*` stays within a segment. Absent: all.',
);

const tolerance = z
  .strictObject({
    absolute: z.number().min(0, { error: 'expected a number of at least 0' }).optional().describe('Numbers no further apart are equal.'),
    relative: shareSchema.optional().describe('Numbers are equal that are no further apart than this percentage of the larger one.'),
  })
  .refine(({ absolute, relative }) => absolute !== undefined || relative !== undefined, { error: 'expected absolute or relative' });

const effects = ['ignore', 'tolerance', 'unordered', 'key', 'format'] as const;

const ruleSchema = z
  .strictObject({
    name: nameSchema,
    endpoint: endpointPatterns.optional(),
    path: patterns.describe(
      'Places as the report names them: `$.items[*].price`, `$..updatedAt`, `header:etag`, `cookie:sid`. A glob: `*` stays within a member, `**` is anything.',
    ),
    ignore: z.literal(true).optional().describe('Nothing at this place, or below it, is a difference.'),
    tolerance: tolerance.optional().describe('How far apart numbers may be.'),
    unordered: z.literal(true).optional().describe('The array is a set: its order means nothing.'),
    key: textSchema.max(200).optional().describe('The member by which the array\'s objects are known, such as `sku`.'),
    format: z
      .enum(['uuid', 'timestamp', 'number', 'integer', 'hex', 'token', 'jwt', 'email', 'url', 'text'])
      .optional()
      .describe('Values may differ as long as both are of this format.'),
  })
  .superRefine((rule, context) => {
    if (effects.filter((effect) => rule[effect] !== undefined).length !== 1) {
      context.addIssue({ code: 'custom', message: `expected exactly one of ${effects.slice(0, -1).join(', ')} and format` });
    }
  });

/** The rules of `compare`, and of a rules file. */
export const rulesSchema = z
  .array(ruleSchema)
  .max(rulesMax)
  .superRefine((rules, context) => {
    const names = new Set<string>();
    for (const [index, { name }] of rules.entries()) {
      if (names.has(name)) context.addIssue({ code: 'custom', message: 'two rules have the same name', path: [index, 'name'] });
      names.add(name);
    }
  });

const templateSchema = patternText.regex(/^(?:[!-~]+ )?\/[^\s?#]*$/, {
  error: 'expected a path such as /users/{id}, perhaps behind a method',
});

const modelSchema = z
  .strictObject({
    endpoint: endpointPatterns.optional(),
    path: patternText
      .regex(/^\$(?:\.[\p{L}_][\p{L}\p{N}_-]*|\[\d{1,6}\])+$/u, { error: 'expected the place of one value, such as $.prediction.label or $.scores[0]' })
      .describe('Where the value stands in the JSON of both answers.'),
    as: z
      .enum(['label', 'number'])
      .describe('`label`: agreement and a confusion matrix. `number`: mean and quantiles of the difference, correlation, and drift (PSI).'),
  })
  .describe('A value that a model answers.');

/** `compare`. */
export const compareSchema = z
  .strictObject({
    baseline: textSchema
      .default('production')
      .describe('What the candidate is compared with: `production`, what it answered in the mirrored traffic; or the name of a target that runs its version.'),
    reference: textSchema
      .optional()
      .describe('The name of a target that runs the baseline\'s version, too: what differs between the two is noise.'),
    policy: verdictPolicySchema.prefault({}),
    rules: rulesSchema
      .default([])
      .describe('What does not count as a difference. Of several rules of one kind for a place, the first counts.'),
    rulesFile: textSchema
      .optional()
      .describe('File with more such `rules`, behind these, and with the differences that were `accepted` ([comparing.md](comparing.md)). The dashboard writes to it; it is read at the start and on SIGHUP, and need not be there.'),
    endpoints: z
      .array(templateSchema)
      .max(templatesMax)
      .default([])
      .describe('Templates of paths such as `/articles/{slug}` or `GET /files/**`, before those that are learned.'),
    bodyBytesMax: sizeSchema
      .prefault('1MiB')
      .describe('Bodies up to this length are compared in full, longer ones by length and hash.'),
    noiseShare: shareSchema
      .prefault('1%')
      .describe('Percentage of the compared requests that are sent to the candidate twice, to learn what differs by itself.'),
    sameRequestWithin: durationSchema
      .prefault('10s')
      .describe('Answers of the baseline to the same request within this time should be the same: what differs is noise.'),
    mapIds: z
      .boolean()
      .default(false)
      .describe('Where the candidate gave a new thing another id than production did, later requests of that client use the candidate\'s.'),
    models: z.array(modelSchema).max(modelsMax).default([]).describe('Answers of models, compared as what they are.'),
  })
  .superRefine(({ baseline, reference, mapIds }, context) => {
    if (mapIds && baseline !== 'production') {
      context.addIssue({ code: 'custom', message: 'expected baseline: production, whose ids the requests name', path: ['mapIds'] });
    }
    if (reference !== undefined && reference === baseline) {
      context.addIssue({ code: 'custom', message: 'expected another target than the baseline', path: ['reference'] });
    }
  })
  .transform(({ sameRequestWithin, ...config }) => ({ ...config, sameRequestWithinMs: sameRequestWithin }));

export type CompareConfig = z.output<typeof compareSchema>;
export type CompareRule = CompareConfig['rules'][number];
export type ModelField = CompareConfig['models'][number];
