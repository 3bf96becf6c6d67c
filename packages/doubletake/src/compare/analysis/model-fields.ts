/** The values of models that the configuration names, found in both answers of a pair. */
import type { ModelField } from '../../config/compare-schema.ts';
import { Glob } from '../../policy/glob.ts';
import { parseJson } from '../content/json.ts';
import { approximation, ExactNumber } from '../content/json-number.ts';
import { JsonObject, type JsonValue } from '../content/json-values.ts';
import { decodeText, openContent } from '../content/content.ts';
import type { Answer, Pair } from '../pair.ts';
import type { ModelReport } from '../report.ts';
import { Labels, Numbers } from './model-values.ts';

/** Endpoints times values, of which each has a report of its own. */
const reportsMax = 1_000;

interface Compared {
  values: Labels | Numbers;
  endpoint: string;
  pairs: number;
  baselineOnly: number;
  candidateOnly: number;
}

class Model {
  readonly spec: ModelField;
  readonly #endpoints: readonly Glob[] | null;
  readonly #steps: readonly (string | number)[];
  readonly compared = new Map<string, Compared>();

  constructor(spec: ModelField) {
    const { endpoint } = spec;
    const patterns = typeof endpoint === 'string' ? [endpoint] : endpoint;
    this.spec = spec;
    this.#endpoints = patterns?.map((pattern) => new Glob(pattern, '/')) ?? null;
    this.#steps = Array.from(spec.path.matchAll(/\.([^.[]+)|\[(\d+)\]/g), ([, name, index]) => name ?? Number(index));
  }

  isFor(endpoint: string): boolean {
    return this.#endpoints === null || this.#endpoints.some((glob) => glob.matches(endpoint));
  }

  /** The value of a document; null when it has none that can be compared. */
  valueIn(document: JsonValue): string | number | null {
    let value: JsonValue | undefined = document;
    for (const step of this.#steps) {
      if (typeof step === 'number') value = Array.isArray(value) ? value[step] : undefined;
      else value = value instanceof JsonObject ? value.values[value.names.indexOf(step)] : undefined;
      if (value === undefined) return null;
    }
    if (this.spec.as === 'number') return typeof value === 'number' || value instanceof ExactNumber ? finite(approximation(value)) : null;
    if (value instanceof ExactNumber) return value.text;
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
  }
}

export class ModelFields {
  readonly #models: readonly Model[];
  readonly #bodyBytesMax: number;
  #reports = 0;

  /** Bodies longer than `bodyBytesMax` are not looked into. */
  constructor(fields: readonly ModelField[], bodyBytesMax: number) {
    this.#models = fields.map((field) => new Model(field));
    this.#bodyBytesMax = bodyBytesMax;
  }

  /** Compares the values of a candidate pair. */
  push(endpoint: string, { baseline, candidate }: Pair): void {
    const models = this.#models.filter((model) => model.isFor(endpoint));
    if (models.length === 0) return;
    const before = documentOf(baseline, this.#bodyBytesMax);
    const after = documentOf(candidate, this.#bodyBytesMax);
    for (const model of models) {
      const compared = this.#comparedOf(model, endpoint);
      if (compared === null) continue;
      count(compared, before === null ? null : model.valueIn(before), after === null ? null : model.valueIn(after));
    }
  }

  reports(): ModelReport[] {
    return this.#models.flatMap(({ spec, compared }) =>
      Array.from(compared.values(), ({ values, endpoint, pairs, baselineOnly, candidateOnly }) => ({
        endpoint,
        path: spec.path,
        pairs,
        baselineOnly,
        candidateOnly,
        label: values instanceof Labels ? values.report() : null,
        number: values instanceof Numbers ? values.report() : null,
      })),
    );
  }

  #comparedOf(model: Model, endpoint: string): Compared | null {
    const known = model.compared.get(endpoint);
    if (known !== undefined) return known;
    if (this.#reports >= reportsMax) return null;
    this.#reports++;
    const values = model.spec.as === 'label' ? new Labels() : new Numbers();
    const compared = { values, endpoint, pairs: 0, baselineOnly: 0, candidateOnly: 0 };
    model.compared.set(endpoint, compared);
    return compared;
  }
}

/** Null for what is beyond the range of doubles. */
function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function count(compared: Compared, baseline: string | number | null, candidate: string | number | null): void {
  const { values } = compared;
  if (baseline === null && candidate === null) return;
  if (baseline === null) compared.candidateOnly++;
  else if (candidate === null) compared.baselineOnly++;
  else {
    compared.pairs++;
    if (values instanceof Labels) values.push(String(baseline), String(candidate));
    else values.push(Number(baseline), Number(candidate));
  }
}

/** What the body says, if it is JSON; null otherwise. */
function documentOf(answer: Answer, bytesMax: number): JsonValue | null {
  if (answer.body === null || answer.body.length === 0) return null;
  const content = openContent(answer, answer.body, bytesMax);
  if (typeof content === 'string' || content.kind !== 'json') return null;
  const decoded = decodeText(content);
  const parsed = decoded === null ? null : parseJson(decoded.text, null);
  return parsed === null || 'at' in parsed ? null : parsed.value;
}
