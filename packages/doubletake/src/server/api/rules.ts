/** Rules by which differences do not count, in the form of `compare.rules` of the configuration: `/api/rules`. */
import { z } from 'zod';
import { share } from './values.ts';

/** A rule as the dashboard makes them; the configuration knows more. */
export const ruleInput = z.strictObject({
  name: z.string().min(1).max(64),
  endpoint: z.string().max(1_000).optional(),
  path: z.string().min(1).max(1_000),
  ignore: z.literal(true).optional(),
  tolerance: z
    .strictObject({
      absolute: z.number().min(0).optional(),
      relative: z.string().max(20).optional().describe('`0.1%`, as in the configuration.'),
    })
    .optional(),
  unordered: z.literal(true).optional(),
});
export type RuleInput = z.infer<typeof ruleInput>;

/** `POST /api/rules/preview`: what the rule would have hidden of what is stored. */
export const rulePreview = z.object({
  pairs: z.number().describe('Stored pairs looked at, weighted to requests.'),
  hiddenDifferences: z.number(),
  hiddenPairs: z.number().describe('Pairs that would be equal.'),
  remainingPairs: z.number().describe('Pairs that would still differ.'),
  endpoints: z.array(z.object({ endpoint: z.string(), hiddenPairs: z.number(), remainingPairs: z.number() })),
  clusters: z
    .array(z.object({ id: z.string(), endpoint: z.string(), path: z.string(), cause: z.string(), hiddenShare: share }))
    .describe('Those that it touches, at most 100.'),
  yaml: z.string().describe('The rule as it will stand in the rules file.'),
});
export type RulePreview = z.infer<typeof rulePreview>;

export const ruleRow = z.object({
  name: z.string(),
  from: z.enum(['configuration', 'rules file']),
  text: z.string().describe('In words: `ignores $.items[*].price of GET /cart`.'),
  hidden: z.number(),
  pairs: z.number(),
});

export type RuleRow = z.infer<typeof ruleRow>;

/** `GET /api/rules`. `POST` adds one (201), `DELETE /api/rules/{name}` removes one of the rules file. */
export const ruleList = z.object({
  rules: z.array(ruleRow),
  accepted: z.array(z.object({ cluster: z.string(), text: z.string(), note: z.string() })),
  file: z.string().nullable().describe('Where new rules are written (`compare.rulesFile`); null: there is none, and rules cannot be saved.'),
});
export type RuleList = z.infer<typeof ruleList>;
