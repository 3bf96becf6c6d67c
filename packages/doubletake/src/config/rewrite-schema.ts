/**
 * How the configuration says what is changed in requests for one target. Whatever passes here compiles in
 * `policy/rewrite/`: expressions, JSONPaths and variables are read by the same grammars. What goes into a head is
 * refused where it could end a line.
 */
import { RE2JS } from 're2js';
import { z } from 'zod';
import { token } from '../token.ts';
import { conditionSchema, regexText } from './filter-schema.ts';
import { JsonPathSyntaxError, parseJsonPath } from './json-path-parser.ts';
import { type Groups, parseTemplate, TemplateError } from './template.ts';
import { textSchema } from './values.ts';

const rulesMax = 1_000;
const entriesMax = 1_000;
const textCharsMax = 8_192;

const controls = /\p{Cc}/u;

const anyTextSchema = z
  .string()
  .max(textCharsMax, { error: `expected at most ${textCharsMax} characters` })
  .refine((text) => text.isWellFormed(), { error: 'expected a text without halves of characters' });

const lineSchema = anyTextSchema.refine((text) => !controls.test(text), {
  error: 'expected a text on one line, without control characters',
});

const filledLine = lineSchema.min(1, { error: 'expected a text that is not empty' });

/** For descriptions. */
const variables =
  '`{{host}}` (that was asked for), `{{client}}`, `{{server}}`, `{{method}}`, `{{path}}`, `{{query}}`, `{{id}}` (of the replay) and `{{header:NAME}}` stand for those of the request';

/** Says what is wrong with a template; `groups` is given where it replaces a match. */
function checkTemplate(text: string, groups: Groups | null, context: z.RefinementCtx, path: string[] = []): void {
  try {
    parseTemplate(text, groups);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    context.addIssue({ code: 'custom', message: error.message, path });
  }
}

const templateSchema = lineSchema.superRefine((text, context) => checkTemplate(text, null, context));

/** `{ regex, replace }`: the replacement's groups are those of the expression. */
function regexReplacement(what: string) {
  return z
    .strictObject({
      regex: regexText.describe(`Regular expression (RE2), found anywhere in the ${what} unless anchored; its first match is replaced.`),
      replace: lineSchema.describe('What takes its place, with variables, groups (`$1`, or `$${name}` in a file) and `$$$$` for a dollar.'),
    })
    .superRefine(({ regex, replace }, context) => {
      if (!regexText.safeParse(regex).success) return;
      const expression = RE2JS.compile(regex);
      checkTemplate(replace, { count: expression.groupCount(), names: expression.namedGroups() }, context, ['replace']);
    });
}

/** What the user wrote around the variables. */
function withoutGaps(text: string): string {
  return text.replaceAll(/\{\{.*?\}\}/g, '');
}

/** A path has neither; both would be percent-encoded. */
function refuseQuery({ replace }: { replace: string }, context: z.RefinementCtx): void {
  if (/[?#]/.test(withoutGaps(replace))) {
    context.addIssue({ code: 'custom', message: 'a path has neither ? nor #: parameters are set by `query`', path: ['replace'] });
  }
}

const pathSchema = z.union([
  z
    .strictObject({
      prefix: filledLine
        .startsWith('/', { error: 'expected a path that begins with /' })
        .describe('Whole segments at the beginning of the path: `/v1` is one of `/v1/x` and not of `/v10`.'),
      replace: templateSchema.describe('What takes their place, with variables; empty takes them out.'),
    })
    .superRefine(refuseQuery),
  regexReplacement('path').superRefine(refuseQuery),
]);

const noHost = 'expected a host in ASCII, such as shop.test.internal or shop.test.internal:8080';

const hostSchema = z
  .union([
    filledLine.refine(fitsHost, { error: noHost }),
    regexReplacement('host that was asked for').refine(({ replace }) => fitsHost(replace), { error: noHost, path: ['replace'] }),
  ])
  .superRefine((host, context) => {
    if (typeof host === 'string') checkTemplate(host, null, context);
  });

function fitsHost(text: string): boolean {
  return !/[^!-~]|[/?#@\\]/.test(withoutGaps(text));
}

const queryNameSchema = textSchema.max(textCharsMax).refine((name) => name.isWellFormed(), { error: 'expected a name' });

/** Fields that are not the user's, each with why or what to do instead. */
const refusedHeaders: ReadonlyMap<string, string> = new Map([
  ['content-length', 'Content-Length follows the body'],
  ['transfer-encoding', 'Transfer-Encoding stays as it came'],
  ['host', 'Host is set by `host`'],
  ...['Connection', 'Keep-Alive', 'Proxy-Connection', 'Proxy-Authorization', 'TE', 'Upgrade', 'HTTP2-Settings'].map(
    (name): [string, string] => [name.toLowerCase(), `${name} is between two servers: doubletake has its own to the target`],
  ),
]);

const headerNameSchema = z
  .string()
  .regex(token, { error: 'expected the name of a header' })
  .superRefine((name, context) => {
    const lower = name.toLowerCase();
    const message = lower.startsWith('x-doubletake-')
      ? 'X-Doubletake-* says where a request comes from: it keeps replayed requests from being replayed'
      : refusedHeaders.get(lower);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

function changesSchema(names: z.ZodString, what: string, same: (name: string) => string) {
  const texts = z
    .record(z.string(), templateSchema)
    .superRefine((record, context) => {
      for (const name of Object.keys(record)) checkName(names, name, context, [name]);
      if (Object.keys(record).length > entriesMax) context.addIssue({ code: 'custom', message: `expected at most ${entriesMax} of them` });
    });
  return z
    .strictObject({
      remove: z.array(names).max(entriesMax).optional().describe(`Names of the ${what}s that are taken out.`),
      set: texts.optional().describe(`The first ${what} of a name gets this value and others of the name go; one that is not there is added. In values ${variables}.`),
      add: texts.optional().describe(`A ${what} is added, whether there is one or not; values as for \`set\`.`),
    })
    .superRefine(({ remove = [], set = {} }, context) => {
      const removed = new Set(remove.map(same));
      for (const name of Object.keys(set)) {
        if (removed.has(same(name))) context.addIssue({ code: 'custom', message: `the ${what} ${name} is removed and set`, path: ['set', name] });
      }
    })
    .refine(({ remove = [], set = {}, add = {} }) => remove.length + Object.keys(set).length + Object.keys(add).length > 0, {
      error: 'expected at least one of remove, set and add',
    });
}

function checkName(names: z.ZodString, name: string, context: z.RefinementCtx, path: string[]): void {
  for (const { message } of names.safeParse(name).error?.issues ?? []) context.addIssue({ code: 'custom', message, path });
}

const jsonPathSchema = textSchema
  .superRefine((text, context) => {
    try {
      parseJsonPath(text);
    } catch (error) {
      if (!(error instanceof JsonPathSyntaxError)) throw error;
      context.addIssue({ code: 'custom', message: `expected a JSONPath (RFC 9535): ${error.message}` });
    }
  })
  .describe('JSONPath (RFC 9535) of the values that are meant, such as `$.callback.url` or `$.items[?@.price > 10].note`.');

/** Larger whole numbers have lost digits when they come here. */
const exactNumber = z.number().refine((value) => !Number.isInteger(value) || Number.isSafeInteger(value), {
  error: 'expected a number of at most 15 digits',
});

/** A mapping with exactly one of `set` and `remove`, as a union that is told apart by the key. */
const jsonEditSchema = z
  .strictObject({
    path: jsonPathSchema,
    set: z
      .union([anyTextSchema, exactNumber, z.boolean(), z.null()])
      .superRefine((value, context) => {
        if (typeof value === 'string') checkTemplate(value, null, context);
      })
      .optional()
      .describe(`The value that they get: a text, in which ${variables}, a number, true, false or null.`),
    remove: z.literal(true).optional().describe('They are taken out, a member of an object with its name.'),
  })
  .transform(({ path, set, remove }, context) => {
    if (set !== undefined && remove === undefined) return { path, set };
    if (remove === true && set === undefined) {
      if (parseJsonPath(path).segments.length > 0) return { path, remove };
      context.addIssue({ code: 'custom', message: '$ is the whole document, which cannot be removed', path: ['path'] });
      return z.NEVER;
    }
    context.addIssue({ code: 'custom', message: 'expected exactly one of set and remove' });
    return z.NEVER;
  });

const ruleSchema = z
  .strictObject({
    name: textSchema.describe('What the rule is for.'),
    when: conditionSchema.optional().describe('Requests like this, as they were captured, are changed; absent, all are.'),
    path: pathSchema.optional().describe('The path, as it was sent; where that does not fit, in the form in which conditions see it.'),
    host: hostSchema
      .optional()
      .describe(`The Host header that goes out, whatever the target's \`host\` says: a text, in which ${variables}, or a replacement in the host that was asked for.`),
    query: changesSchema(queryNameSchema, 'parameter', (name) => name)
      .optional()
      .describe('Parameters of the query; names and values are written as they are meant, and percent-encoded.'),
    headers: changesSchema(headerNameSchema, 'header', (name) => name.toLowerCase())
      .optional()
      .describe('Headers, by their name in any case.'),
    json: z
      .array(jsonEditSchema)
      .min(1)
      .max(entriesMax)
      .optional()
      .describe('Values in JSON bodies, changed in order; a request whose JSON cannot be read is blocked and counted as `blocked.unrewritable`.'),
  })
  .refine(({ path, host, query, headers, json }) => [path, host, query, headers, json].some((part) => part !== undefined), {
    error: 'expected at least one of path, host, query, headers and json',
  });

export const rewriteSchema = z
  .array(ruleSchema)
  .max(rulesMax)
  .default([])
  .describe('How requests are changed for this target: every rule that a request fits is applied, in order (docs/rewriting.md).');

const namedText = <Name extends z.ZodType, Value extends z.ZodType>(name: Name, value: Value) => z.strictObject({ name, value });

const kinds = ['bearer', 'basic', 'header', 'cookie'] as const;

export const credentialsSchema = z
  .strictObject({
    when: z
      .enum(['always', 'present'])
      .default('always')
      .describe('For every request, or only for those that were captured with an Authorization, header or cookie in the same place.'),
    bearer: filledLine.regex(/^\S+$/, { error: 'expected a token without blanks' }).optional().describe('Token for `Authorization: Bearer`.'),
    basic: z
      .strictObject({
        user: lineSchema.refine((user) => !user.includes(':'), { error: 'expected a user name without a colon' }).describe('User name.'),
        password: lineSchema.describe('Password.'),
      })
      .optional()
      .describe('User name and password for `Authorization: Basic`.'),
    header: namedText(headerNameSchema.describe('Name of the header.'), filledLine.describe('Its value.'))
      .optional()
      .describe('A header, such as X-Api-Key.'),
    cookie: namedText(
      z.string().regex(token, { error: 'expected the name of a cookie' }).describe('Name of the cookie, in its exact case.'),
      lineSchema
        .refine((value) => /^[^\s;,\\]*$/.test(value), { error: 'expected a value without blanks, commas, semicolons and backslashes' })
        .describe('Its value.'),
    )
      .optional()
      .describe('A cookie; the others of the request stay.'),
  })
  .transform(({ when, bearer, basic, header, cookie }, context) => {
    const given = [bearer, basic, header, cookie].filter((kind) => kind !== undefined);
    if (given.length === 1) {
      if (bearer !== undefined) return { when, bearer };
      if (basic !== undefined) return { when, basic };
      if (header !== undefined) return { when, header };
      if (cookie !== undefined) return { when, cookie };
    }
    context.addIssue({ code: 'custom', message: `expected exactly one of ${kinds.join(', ')}` });
    return z.NEVER;
  })
  .describe('The test environment\'s own credentials, which take the place of those of the request. Take them from the environment: `${TOKEN}`.');

export const idempotencyKeySchema = z
  .enum(['keep', 'distinct', 'always'])
  .default('keep')
  .describe(
    'Idempotency-Key of requests other than GET, HEAD, OPTIONS and TRACE: as it came; `distinct`: one other than production\'s in its place, the same for the same key; `always`: also one for requests without.',
  );
