/**
 * Puts a configuration together: the file, if there is one, what flags say over it, and the schema's check of both. All
 * that is wrong is reported at once, each with its place.
 */
import { readFileSync, statSync } from 'node:fs';
import type { z } from 'zod';
import { DoubletakeError } from '../errors.ts';
import type { AwsConfig } from './aws-config.ts';
import { ConfigDocument, type Path, valueAt } from './document.ts';
import type { Environment } from './environment.ts';
import { allFindings, type Finding, findingText, schemaMessage } from './issues.ts';
import { ConfigError, type Problem } from './problem.ts';
import { awsOnlySchema, type MirrorConfig, mirrorSchema } from './schema.ts';

/** What a flag says. In `path`, `*` stands for every entry of a list or mapping that is there. */
export interface Override {
  flag: string;
  path: Path;
  /** Undefined takes away what the file says. */
  value: unknown;
}

const fileBytesMax = 1_048_576;

/** Reads a configuration file; throws a `DoubletakeError` when it cannot be read or is no YAML. */
export function readConfigFile(file: string, environment: Environment): ConfigDocument {
  let text;
  try {
    if (statSync(file).size > fileBytesMax) {
      throw new DoubletakeError('DT_CONFIG_FILE', `${file}: is larger than 1 MiB; this cannot be a configuration`);
    }
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof DoubletakeError) throw error;
    throw new DoubletakeError('DT_CONFIG_FILE', `${file}: cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  return new ConfigDocument(file, text, environment);
}

/** The configuration that `document` and `overrides` give together; throws a `ConfigError` with all that is wrong. */
export function buildConfig(document: ConfigDocument | null, overrides: readonly Override[]): MirrorConfig {
  return build(mirrorSchema, document, overrides);
}

/**
 * `aws` of a file for a mirror, or of one that has nothing else; undefined where a mirror's file has none. Throws a
 * `ConfigError` with all that is wrong.
 */
export function buildAwsConfig(document: ConfigDocument): AwsConfig | undefined {
  const alone = document.has(['aws']) && !document.has(['sources']) && !document.has(['targets']);
  return alone ? build(awsOnlySchema, document, []).aws : buildConfig(document, []).aws;
}

function build<Schema extends z.ZodType>(schema: Schema, document: ConfigDocument | null, overrides: readonly Override[]): z.output<Schema> {
  const input = structuredClone(document?.value ?? {});
  const fromFlags: { flag: string; path: Path }[] = [];
  for (const { flag, path, value } of overrides) {
    for (const place of matches(input, path)) {
      setAt(input, place, value);
      fromFlags.push({ flag, path: place });
    }
  }
  let result = schema.safeParse(input, { error: schemaMessage });
  // A variable's value is text; where the schema wants a number or a truth value, text that reads as one is one.
  if (!result.success && document !== null && readVariables(input, document, allFindings(result.error))) {
    result = schema.safeParse(input, { error: schemaMessage });
  }
  if (result.success) return result.data;
  const problems = allFindings(result.error).map((finding) => problemOf(finding, input, document, fromFlags));
  throw new ConfigError(document?.file ?? null, problems);
}

function problemOf(
  finding: Finding,
  input: unknown,
  document: ConfigDocument | null,
  fromFlags: readonly { flag: string; path: Path }[],
): Problem {
  const { path, key } = finding;
  const flag = fromFlags.findLast((candidate) => startsWith(path, candidate.path))?.flag;
  const secret = flag === undefined && document !== null && document.sourceOfVariable(path) !== null;
  const described = findingText(finding, valueAt(input, path), secret);
  // A message of the schema may quote what it does not take.
  const text = document === null ? described : document.hide(described);
  if (flag !== undefined) return { place: null, text: `${flag}: ${text}` };
  if (document === null) return { place: null, text };
  return { place: key === null ? document.place(path) : document.placeOfKey(path, key), text };
}

/** Replaces refused texts from the environment by the number or truth value that they spell; true when there was one. */
function readVariables(input: unknown, document: ConfigDocument, refused: readonly Finding[]): boolean {
  let replaced = false;
  for (const { path } of refused) {
    const text = valueAt(input, path);
    if (typeof text !== 'string' || document.sourceOfVariable(path) === null) continue;
    const value = text === 'true' ? true : text === 'false' ? false : /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
    if (value === text) continue;
    setAt(input, path, value);
    replaced = true;
  }
  return replaced;
}

/** The paths that a path with `*` stands for in `value`; what is missing behind the last `*` will be made. */
function matches(value: unknown, path: Path): Path[] {
  const star = path.indexOf('*');
  if (star < 0) return [path];
  const before = path.slice(0, star);
  const inside = valueAt(value, before);
  if (typeof inside !== 'object' || inside === null) return [];
  const keys: PropertyKey[] = Array.isArray(inside) ? [...inside.keys()] : Object.keys(inside);
  return keys.flatMap((key) => matches(value, [...before, key, ...path.slice(star + 1)]));
}

/** Sets what is at `path` and makes the mappings on the way; where something else stands in the way, it stays. */
function setAt(root: unknown, path: Path, value: unknown): void {
  let inside = root;
  for (const [index, step] of path.entries()) {
    if (typeof inside !== 'object' || inside === null) return;
    if (index === path.length - 1) {
      if (value === undefined) Reflect.deleteProperty(inside, step);
      else Reflect.set(inside, step, value);
      return;
    }
    const next: unknown = Reflect.get(inside, step);
    if (next === undefined || next === null) Reflect.set(inside, step, {});
    inside = Reflect.get(inside, step);
  }
}

function startsWith(path: Path, prefix: Path): boolean {
  return prefix.length <= path.length && prefix.every((step, index) => path[index] === step);
}
