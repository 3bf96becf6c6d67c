/** A run as large as one that went on for days, made within seconds: its rows come from SQL, its report from here. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterReport, EndpointReport, RunReport } from '../../src/compare/report.ts';
import { openDatabase, quoted } from '../../src/store/database.ts';
import { RunStore } from '../../src/store/run-store.ts';
import { databaseName, reportName } from '../../src/store/schema.ts';
import { clusterReport, endpointReport, estimate, reportWith } from './run-reports.ts';

export interface RunSize {
  pairs: number;
  endpoints: number;
  clusters: number;
}

/** Of the first pair, microseconds; the others follow a millisecond apart. */
export const firstPairUs = 1_795_000_000_000_000;
const apartUs = 1_000;

/** One pair in so many differs. */
const differsEvery = 4;

/** Writes a run to `folder`, which must be new. Pairs are spread evenly over endpoints and clusters. */
export async function writeLargeRun(folder: string, { pairs, endpoints, clusters }: RunSize): Promise<RunReport> {
  const store = await RunStore.create(folder, { version: '1.2.3', startedUs: firstPairUs, sanitized: true });
  await store.close(firstPairUs + pairs * apartUs);
  const report = largeReport({ pairs, endpoints, clusters });
  const database = await openDatabase(join(folder, databaseName), 'READ_WRITE');
  try {
    await database.connection.run(`INSERT INTO pairs SELECT 'dt-' || i, make_timestamp(${firstPairUs} + i * ${apartUs}), 'candidate',
      'GET /things' || i % ${endpoints} || '/{id}', '10.0.' || i % 250 || '.7:4000>10.1.0.1:80', 'GET', 'shop.test',
      '/things' || i % ${endpoints} || '/' || i || '?page=' || i % 50, 1, 1, i % ${differsEvery} = 0,
      CASE WHEN i % ${differsEvery} = 0 THEN 2 ELSE 0 END, NULL, 200, NULL, 512, 3 + i % 7, 4 + i % 9,
      CASE WHEN i % 1000 = 4 THEN 500 ELSE 200 END, NULL, 512, 3 + i % 8, 4 + i % 11
      FROM range(${pairs}) AS numbers(i)`);
    await database.connection.run(`INSERT INTO differences SELECT 'dt-' || i, 'c' || (i // ${differsEvery} + part * 7) % ${clusters},
      'value', '$.items[*].field' || part || '_' || (i // ${differsEvery}) % 10, '$.items[3].field' || part, (i % 997) || '.5', (i % 997 + part) || '.75', 'number', 'number'
      FROM range(0, ${pairs}, ${differsEvery}) AS numbers(i), (VALUES (0), (1)) AS parts(part)`);
    await database.connection.run(`INSERT INTO examples SELECT 'c' || cluster, 'dt-' || ((cluster + try * ${clusters}) * ${differsEvery}) % ${pairs},
      encode('GET /things/1?page=2 HTTP/1.1' || chr(13) || chr(10) || 'Host: shop.test' || chr(13) || chr(10) || chr(13) || chr(10)),
      '200' || chr(10) || 'Content-Type: application/json', encode('{"id":' || cluster || ',"items":[1,2,3]}'),
      '200' || chr(10) || 'Content-Type: application/json', encode('{"id":"' || cluster || '","items":[1,2,3]}'), false
      FROM range(${clusters}) AS clusters(cluster), (VALUES (0), (1), (2)) AS tries(try)`);
    await database.connection.run(`INSERT INTO report VALUES (make_timestamp(${firstPairUs}), ${quoted(JSON.stringify(report))})`);
  } finally {
    database.close();
  }
  writeFileSync(join(folder, reportName), JSON.stringify(report));
  return report;
}

function largeReport({ pairs, endpoints, clusters }: RunSize): RunReport {
  const each = Math.floor(pairs / endpoints);
  const rows = Array.from({ length: endpoints }, (_, index): EndpointReport =>
    endpointReport(`GET /things${index}/{id}`, each, index % 5 === 0 ? 'REGRESSION' : 'SAFE', {
      mismatches: Math.floor(each / differsEvery),
      mismatch: estimate(0.25, 0.24, 0.26),
    }));
  return {
    ...reportWith(''),
    pairs,
    mismatches: Math.ceil(pairs / differsEvery),
    endpoints: rows,
    clusters: Array.from({ length: clusters }, (_, index): ClusterReport =>
      clusterReport({ id: `c${index}`, endpoint: `GET /things${index % endpoints}/{id}`, path: `$.items[*].field${index % 20}`, kind: 'value', count: Math.ceil(pairs / differsEvery / clusters) })),
  };
}
