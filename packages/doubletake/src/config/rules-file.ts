/**
 * The rules file (`compare.rulesFile`): rules beside those of the configuration, and differences that were accepted.
 * People write in it and the dashboard does, one program at a time.
 */
import { z } from 'zod';
import { DoubletakeError } from '../errors.ts';
import { type CompareRule, rulesSchema } from './compare-schema.ts';
import { ConfigDocument, valueAt } from './document.ts';
import { allFindings, findingText, schemaMessage } from './issues.ts';
import { ConfigError } from './problem.ts';
import { type AcceptedDifference, changedText, type RulesChange } from './rules-edit.ts';
import { followed, locked, readText, writeText } from './shared-file.ts';

const acceptedMax = 10_000;

const acceptedSchema = z.strictObject({
  cluster: z.string().min(1).max(100),
  text: z.string().max(2_000).default(''),
  note: z.string().max(500).default(''),
});

const fileSchema = z
  .strictObject({ rules: rulesSchema.nullish(), accepted: z.array(acceptedSchema).max(acceptedMax).nullish() })
  .nullable()
  .transform((file) => ({ rules: file?.rules ?? [], accepted: file?.accepted ?? [] }));

export interface RulesFile {
  rules: CompareRule[];
  accepted: AcceptedDifference[];
}

/** Of a file that was not there. */
const header = '# Written by people and by the dashboard of doubletake, which leaves comments where they are.\n';

/**
 * What is in the file; nothing when there is none. `taken` are names of rules that are elsewhere. Throws a `ConfigError`
 * with all that is wrong in it, a `DoubletakeError` DT_RULES_FILE when it cannot be read.
 */
export function readRulesFile(file: string, taken: ReadonlySet<string>): RulesFile {
  return checked(file, readText(file) ?? '', taken);
}

/**
 * Changes the file, and returns what is in it then. It is made when it is not there. Nothing is written when the change
 * cannot be made: rejects as `readRulesFile` and `changedText` throw.
 */
export async function changeRulesFile(path: string, taken: ReadonlySet<string>, change: RulesChange): Promise<RulesFile> {
  const file = followed(path);
  return locked(file, () => {
    const text = changedText(readText(file) ?? header, change);
    const rules = checked(path, text, taken);
    writeText(file, text);
    return rules;
  });
}

/** A rule as users write it, read. Throws a `DoubletakeError` DT_CONFIG with all that is wrong. */
export function readRule(rule: object): CompareRule {
  const result = rulesSchema.safeParse([rule], { error: schemaMessage });
  const [read] = result.success ? result.data : [];
  if (read !== undefined) return read;
  const found = result.success ? [] : allFindings(result.error);
  throw new DoubletakeError('DT_CONFIG', found.map((finding) => findingText(finding, valueAt([rule], finding.path), false)).join('; '));
}

function checked(file: string, text: string, taken: ReadonlySet<string>): RulesFile {
  const document = new ConfigDocument(file, text, null);
  const result = fileSchema.safeParse(document.value, { error: schemaMessage });
  if (!result.success) {
    throw new ConfigError(
      file,
      allFindings(result.error).map((finding) => ({
        place: finding.key === null ? document.place(finding.path) : document.placeOfKey(finding.path, finding.key),
        text: findingText(finding, valueAt(document.value, finding.path), false),
      })),
    );
  }
  const twice = result.data.rules.flatMap(({ name }, index) =>
    taken.has(name) ? [{ place: document.place(['rules', index, 'name']), text: `the configuration has a rule ${name}, too` }] : [],
  );
  if (twice.length > 0) throw new ConfigError(file, twice);
  return result.data;
}
