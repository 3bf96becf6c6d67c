/** Which requests somebody looks for: as SQL over the tables of a run, and as a test of one request that is not in them. */
import type { DuckDBValue } from '@duckdb/node-api';

/** A request as a list shows it. */
export interface RequestEntry {
  id: string;
  /** Capture time of its first byte, microseconds since the epoch. */
  timeUs: number;
  method: string;
  target: string;
  endpoint: string | null;
  /** `replayed`, `blocked.method` … */
  outcome: string;
  /** Status codes; null where there is none, or it is not known. */
  production: number | null;
  candidate: number | null;
  compared: 'equal' | 'differs' | null;
  /** Its client's session. */
  client: string;
  productionMs: number | null;
  candidateMs: number | null;
  /** How far it is what production really saw (`fidelityLabels`), or what kept its bodies from being compared. */
  labels: readonly string[];
}

/** A place in the list: the newest first, and by id where times are the same. */
export interface Cursor {
  timeUs: number;
  id: string;
}

export interface RequestFilter {
  method?: string | undefined;
  /** Part of path and query, or a glob of the whole in which `*` is anything. */
  path?: string | undefined;
  /** Digits with which the status of either side begins, perhaps with `x` behind them: `404`, `5xx`. */
  status?: string | undefined;
  /** `replayed`, `blocked`, in full `blocked.method`; `differs`, `equal`. */
  outcome?: string | undefined;
  /** In any case, in target, endpoint, client or values that differ. */
  text?: string | undefined;
  /** Both inclusive. */
  fromUs?: number | undefined;
  toUs?: number | undefined;
  /** What comes behind this place. */
  before?: Cursor | undefined;
  limit: number;
  /** Whether queries of targets, values and clients are shown; what is not is not searched, either. */
  contents: boolean;
}

/** Of the differences that hold a text, the latest are looked at. */
export const differencesSearchedMax = 50_000;

/** Whether a request is looked for; `values` are those that differ. Its target and client are as they are shown. */
export function isWanted(filter: RequestFilter, entry: RequestEntry, values: Iterable<string>): boolean {
  const { method, path, status, outcome, text, fromUs, toUs, before } = filter;
  if (before !== undefined && compareEntries(entry, before) <= 0) return false;
  if (fromUs !== undefined && entry.timeUs < fromUs) return false;
  if (toUs !== undefined && entry.timeUs > toUs) return false;
  if (method !== undefined && entry.method.toUpperCase() !== method.toUpperCase()) return false;
  if (path !== undefined && !hasPath(entry.target, path)) return false;
  if (status !== undefined) {
    const digits = statusDigits(status);
    if (digits === null || ![entry.production, entry.candidate].some((code) => code !== null && String(code).startsWith(digits))) return false;
  }
  if (outcome !== undefined && outcome !== entry.compared && outcome !== entry.outcome && !entry.outcome.startsWith(`${outcome}.`)) return false;
  if (text === undefined) return true;
  const wanted = text.toLowerCase();
  const holds = (part: string): boolean => part.toLowerCase().includes(wanted);
  if (holds(entry.target) || holds(entry.endpoint ?? '')) return true;
  return filter.contents && (holds(entry.client) || [...values].some(holds));
}

/** The order of the list. */
export function compareEntries(a: Cursor, b: Cursor): number {
  return b.timeUs - a.timeUs || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}

/** Conditions on `pairs`, all of which must hold, and what they are about. */
export function conditionsOf(filter: RequestFilter): { conditions: string[]; values: Record<string, DuckDBValue> } {
  const { method, path, status, outcome, text, fromUs, toUs, before, contents } = filter;
  const conditions = ['kind = \'candidate\''];
  const values: Record<string, DuckDBValue> = {};
  const target = contents ? 'target' : 'split_part(target, \'?\', 1)';
  if (before !== undefined) {
    conditions.push('(time < make_timestamp($beforeUs::BIGINT) OR (time = make_timestamp($beforeUs::BIGINT) AND pair < $beforeId))');
    values['beforeUs'] = before.timeUs;
    values['beforeId'] = before.id;
  }
  if (fromUs !== undefined) {
    conditions.push('time >= make_timestamp($fromUs::BIGINT)');
    values['fromUs'] = fromUs;
  }
  if (toUs !== undefined) {
    conditions.push('time <= make_timestamp($toUs::BIGINT)');
    values['toUs'] = toUs;
  }
  if (method !== undefined) {
    conditions.push('upper(method) = $method');
    values['method'] = method.toUpperCase();
  }
  if (path !== undefined) {
    const isGlob = path.includes('*');
    conditions.push(isGlob ? `${target} LIKE $path ESCAPE '\\'` : `contains(${target}, $path)`);
    values['path'] = isGlob ? path.replace(/[\\%_]/g, String.raw`\$&`).replaceAll('*', '%') : path;
  }
  if (status !== undefined) {
    const digits = statusDigits(status);
    if (digits === null) conditions.push('false');
    else {
      conditions.push('(starts_with(baseline_status::VARCHAR, $status) OR starts_with(candidate_status::VARCHAR, $status))');
      values['status'] = digits;
    }
  }
  if (outcome !== undefined) {
    const { condition, failure } = outcomeCondition(outcome);
    conditions.push(condition);
    if (failure !== null) values['failure'] = failure;
  }
  if (text !== undefined) {
    values['text'] = text.toLowerCase();
    const places = [target, 'endpoint', ...(contents ? ['session'] : [])].map((place) => `contains(lower(${place}), $text)`);
    if (contents) {
      places.push(`pair IN (SELECT pair FROM differences WHERE contains(lower(baseline), $text) OR contains(lower(candidate), $text)
        ORDER BY rowid DESC LIMIT ${differencesSearchedMax})`);
    }
    conditions.push(`(${places.join(' OR ')})`);
  }
  return { conditions, values };
}

function outcomeCondition(outcome: string): { condition: string; failure: string | null } {
  switch (outcome) {
    case 'differs':
      return { condition: 'mismatch', failure: null };
    case 'equal':
      return { condition: 'NOT mismatch', failure: null };
    case 'replayed':
      return { condition: 'candidate_failure IS NULL', failure: null };
    case 'failed':
      return { condition: 'candidate_failure IS NOT NULL', failure: null };
    default:
      // Nothing else was compared.
      return outcome.startsWith('failed.') ? { condition: 'candidate_failure = $failure', failure: outcome.slice('failed.'.length) } : { condition: 'false', failure: null };
  }
}

/** The digits with which a status has to begin; null for what is none. */
function statusDigits(status: string): string | null {
  return /^(\d{1,3})x{0,2}$/i.exec(status)?.[1] ?? null;
}

/** As `LIKE`, with `*` for any characters. Linear: each piece is searched for behind the one before. */
function hasPath(target: string, wanted: string): boolean {
  if (!wanted.includes('*')) return target.includes(wanted);
  const pieces = wanted.split('*');
  const [first, last] = [pieces[0] ?? '', pieces.at(-1) ?? ''];
  if (!target.startsWith(first) || !target.endsWith(last) || target.length < first.length + last.length) return false;
  let at = first.length;
  const end = target.length - last.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = target.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}
