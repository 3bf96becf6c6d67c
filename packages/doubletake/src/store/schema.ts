/**
 * The tables of a run, which users query (docs/run-store.md describes every column; a test compares). Times are UTC.
 * What a run says of itself stands in `runs`; a reader refuses a `schema_version` that it does not know.
 */

export const schemaVersion = 1;

/** Name and definition of each table, in the order in which they are documented. */
export const tables = {
  runs: `
    schema_version INTEGER, doubletake_version VARCHAR, started TIMESTAMP, ended TIMESTAMP, sanitized BOOLEAN,
    ledger JSON`,
  pairs: `
    pair VARCHAR, time TIMESTAMP, kind VARCHAR, endpoint VARCHAR, session VARCHAR, method VARCHAR, host VARCHAR,
    target VARCHAR, probability DOUBLE, weight DOUBLE, mismatch BOOLEAN, differences INTEGER, limited VARCHAR,
    baseline_status INTEGER, baseline_failure VARCHAR, baseline_bytes BIGINT, baseline_first_byte_ms DOUBLE,
    baseline_total_ms DOUBLE, candidate_status INTEGER, candidate_failure VARCHAR, candidate_bytes BIGINT,
    candidate_first_byte_ms DOUBLE, candidate_total_ms DOUBLE`,
  differences: `
    pair VARCHAR, cluster VARCHAR, kind VARCHAR, path VARCHAR, place VARCHAR, baseline VARCHAR, candidate VARCHAR,
    baseline_type VARCHAR, candidate_type VARCHAR`,
  examples: `
    cluster VARCHAR, pair VARCHAR, request BLOB, baseline_head VARCHAR, baseline_body BLOB, candidate_head VARCHAR,
    candidate_body BLOB, cut BOOLEAN`,
  endpoints: `
    endpoint VARCHAR, verdict VARCHAR, reason VARCHAR, pairs BIGINT, mismatches BIGINT, mismatch DOUBLE,
    mismatch_low DOUBLE, mismatch_high DOUBLE, latency_ratio_p50 DOUBLE, latency_ratio_p90 DOUBLE,
    latency_ratio_p99 DOUBLE, baseline_p50_ms DOUBLE, baseline_p90_ms DOUBLE, baseline_p99_ms DOUBLE,
    candidate_p50_ms DOUBLE, candidate_p90_ms DOUBLE, candidate_p99_ms DOUBLE, baseline_only_errors BIGINT,
    candidate_only_errors BIGINT, both_errors BIGINT, pairs_needed BIGINT`,
  clusters: `
    cluster VARCHAR, endpoint VARCHAR, path VARCHAR, kind VARCHAR, transition VARCHAR, pairs BIGINT, share DOUBLE,
    risk VARCHAR, cause VARCHAR, origin VARCHAR, significant BOOLEAN, first_seen TIMESTAMP, example VARCHAR, curl VARCHAR`,
  report: `
    saved TIMESTAMP, report JSON`,
  ledger: `
    counter VARCHAR, value DOUBLE`,
} as const;

export type Table = keyof typeof tables;

/** The file of a run in the folder of `--run`. */
export const databaseName = 'run.duckdb';
/** Beside it, what the run has come to so far: for readers while the database is being written. */
export const reportName = 'report.json';
