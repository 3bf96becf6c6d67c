/**
 * Filter rules in the configuration. Whatever passes here compiles in `policy/`: patterns and networks are read by the
 * same grammar, so a mistake in one is found where it stands.
 */
import { RE2JS, RE2JSException } from 're2js';
import { z } from 'zod';
import { sizeSchema, textSchema, wholeNumber } from './values.ts';

const rulesMax = 1_000;
const listMax = 10_000;
const patternCharsMax = 1_000;
const bodyBytesMax = 1_099_511_627_776;
/** What requests are counted under that no rule matched although some should include them. */
const reservedName = 'no_include_matched';

/** One thing, or a list of which one suffices. */
function oneOrMore<Schema extends z.ZodType>(schema: Schema) {
  return z.union([schema, z.array(schema).min(1).max(listMax)]);
}

const patternText = textSchema.max(patternCharsMax, { error: `expected at most ${patternCharsMax} characters` });

/** A regular expression of RE2. */
export const regexText = patternText.superRefine((text, context) => {
  const problem = regexProblem(text);
  if (problem !== null) context.addIssue({ code: 'custom', message: problem });
});

function regexProblem(text: string): string | null {
  try {
    RE2JS.compile(text);
    return null;
  } catch (error) {
    if (error instanceof RE2JSException) return `expected a regular expression of RE2: ${error.message}`;
    throw error;
  }
}

const textPatternSchema = z
  .union([
    patternText.describe('A glob that the whole text must match: `*`, `?` and `**`; a backslash takes a character literally.'),
    z.strictObject({ prefix: patternText.describe('What the text begins with.') }),
    z.strictObject({
      regex: regexText.describe('A regular expression (RE2 syntax, linear time), found anywhere unless anchored with ^ and $.'),
    }),
  ])
  .meta({ id: 'TextPattern' });

function namedValue(names: string) {
  return z.strictObject({
    name: textSchema.describe(`Name of the ${names}.`),
    value: oneOrMore(textPatternSchema).optional().describe('What its value must match; absent, it only has to be there.'),
  });
}

const network = z
  .union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()], { error: 'expected a network such as 10.0.0.0/8 or 2001:db8::/32' })
  .meta({ title: 'network' });

/** Networks of proxies, for `policy.trustedProxies`. */
export const trustedProxiesSchema = z
  .array(network)
  .max(listMax)
  .default([])
  .describe(
    'Networks of the proxies whose X-Forwarded-For is believed, right to left; the first address behind them is the client. Empty: the client is the connection\'s.',
  );

const bodyBytesSchema = z.union([wholeNumber(0, bodyBytesMax), sizeSchema]);

const presetSchema = z.enum(['health-checks', 'static-assets', 'bots']);

/** What a condition can ask of a request itself, apart from other conditions. */
const conditionFields = {
  method: oneOrMore(textSchema).optional().describe('The method, compared exactly.'),
  path: oneOrMore(textPatternSchema)
    .optional()
    .describe(
      'The path without the query, after needless percent-encoding, dot segments and double slashes are removed. In a glob `*` stays within a segment, and `/api/**` matches `/api` too.',
    ),
  host: oneOrMore(textPatternSchema)
    .optional()
    .describe('The host that was asked for, in lower case and without the port. In a glob `*` stays within a label.'),
  header: namedValue('header, in any case; each field of this name is looked at by itself').optional().describe('A header.'),
  cookie: namedValue('cookie, in its exact case').optional().describe('A cookie.'),
  query: namedValue('query parameter').optional().describe('A query parameter; its name and value are compared percent-decoded.'),
  client: oneOrMore(network)
    .optional()
    .describe('Networks of the client: the address of the connection, or behind `trustedProxies` that of X-Forwarded-For.'),
  bodyBytes: z
    .strictObject({
      min: bodyBytesSchema.optional().describe('At least this many bytes, or a size such as 1KiB.'),
      max: bodyBytesSchema.optional().describe('At most this many bytes, or a size such as 1MiB.'),
    })
    .optional()
    .describe('Length of the request\'s body.'),
  contentType: oneOrMore(textPatternSchema)
    .optional()
    .describe('The media type of the body without its parameters, in lower case, such as `application/json` or `image/*`.'),
  preset: oneOrMore(presetSchema)
    .optional()
    .describe(
      '`health-checks`: probes by what they call themselves, and paths such as /healthz or /ping asked for without a cookie; `static-assets`: GET and HEAD of files such as .css or .png; `bots`: crawlers and link previews by what they call themselves.',
    ),
};
type Fields = z.ZodObject<typeof conditionFields>;

/** Conditions within a condition; `Side` is the rest of one, as it is written or as it comes out of the schema. */
interface Nested<Side> {
  all?: (Side & Nested<Side>)[] | undefined;
  any?: (Side & Nested<Side>)[] | undefined;
  not?: (Side & Nested<Side>) | undefined;
}

/** What a request must be like, for a rule to be about it. */
export const conditionSchema: z.ZodType<
  z.output<Fields> & Nested<z.output<Fields>>,
  z.input<Fields> & Nested<z.input<Fields>>
> = z
  .strictObject({
    ...conditionFields,
    all: z.array(z.lazy(() => conditionSchema)).min(1).optional().describe('All of these conditions hold.'),
    any: z.array(z.lazy(() => conditionSchema)).min(1).optional().describe('At least one of these conditions holds.'),
    not: z.lazy(() => conditionSchema).optional().describe('This condition does not hold.'),
  })
  .refine((condition) => Object.values(condition).some((value) => value !== undefined), {
    error: 'expected at least one condition',
  })
  .meta({ id: 'Condition' });

const nameSchema = z
  .string()
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} -~]{0,63}$/u, { error: 'expected a name of at most 64 characters that begins with a letter or a digit' })
  .refine((name) => name !== reservedName, { error: `${reservedName} is the name for requests that no rule includes` })
  .describe('Requests that the rule filters are counted under this name.');

/** A mapping with exactly one of `include` and `exclude`, as a union that is told apart by the key. */
const ruleSchema = z
  .strictObject({
    name: nameSchema,
    exclude: conditionSchema.optional().describe('Requests like this are not replayed.'),
    include: conditionSchema
      .optional()
      .describe('Requests like this may be replayed; where there is such a rule, requests that no rule matches are not.'),
  })
  .transform(({ name, exclude, include }, context) => {
    if (exclude !== undefined && include === undefined) return { name, exclude };
    if (include !== undefined && exclude === undefined) return { name, include };
    context.addIssue({ code: 'custom', message: 'expected exactly one of include and exclude' });
    return z.NEVER;
  });

/** `policy.filters`. */
export const filterSchema = z
  .array(ruleSchema)
  .max(rulesMax)
  .superRefine((rules, context) => {
    const names = new Set<string>();
    for (const [index, { name }] of rules.entries()) {
      if (names.has(name)) context.addIssue({ code: 'custom', message: 'two filters have the same name', path: [index, 'name'] });
      names.add(name);
    }
  })
  .default([])
  .describe('Which requests are of interest: a list of rules, of which the first that matches a request decides.');
