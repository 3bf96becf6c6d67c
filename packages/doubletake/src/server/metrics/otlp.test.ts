import { expect, test } from 'vitest';
import { exampleFamilies } from '../../../test/support/metrics-example.ts';
import { exportRequest } from '../../../test/support/otlp-schema.ts';
import { counter, gauge, histogram, info } from './family.ts';
import { otlpRequest } from './otlp.ts';

const resource = { attributes: { 'service.name': 'doubletake' }, version: '1.2.3' };
const span = { startMs: 1_700_000_000_000, timeMs: 1_700_000_015_250 };

test('every metric is in the request, in the shape of the protocol', () => {
  const request = exportRequest.parse(JSON.parse(JSON.stringify(otlpRequest(exampleFamilies(), resource, span))));
  const metrics = request.resourceMetrics[0]?.scopeMetrics[0]?.metrics ?? [];
  expect(metrics.map(({ name }) => name.replace(/_info$/, ''))).toEqual(exampleFamilies().map(({ name }) => name));
});

test('each type of metric is what the protocol has for it', () => {
  const families = [
    counter('a', 'An a.', [{ labels: { source: 'x', reason: '' }, value: 3 }]),
    gauge('b_bytes', 'A b.', [{ labels: {}, value: 0.5 }]),
    histogram('c_seconds', 'A c.', [{ labels: { target: 't' }, bounds: [0.1, 1], counts: [2, 0, 1], sum: 4.25 }]),
    info('d', 'A d.', { version: '1' }),
    gauge('e', 'Not there.', []),
  ];
  const times = { startTimeUnixNano: '1700000000000000000', timeUnixNano: '1700000015250000000' };
  const source = [{ key: 'source', value: { stringValue: 'x' } }];
  expect(otlpRequest(families, resource, span)).toEqual({
    resourceMetrics: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'doubletake' } }] },
        scopeMetrics: [
          {
            scope: { name: 'doubletake', version: '1.2.3' },
            metrics: [
              { name: 'a', description: 'An a.', unit: '', sum: { dataPoints: [{ attributes: source, ...times, asDouble: 3 }], aggregationTemporality: 2, isMonotonic: true } },
              { name: 'b_bytes', description: 'A b.', unit: 'By', gauge: { dataPoints: [{ attributes: [], ...times, asDouble: 0.5 }] } },
              {
                name: 'c_seconds',
                description: 'A c.',
                unit: 's',
                histogram: {
                  dataPoints: [
                    {
                      attributes: [{ key: 'target', value: { stringValue: 't' } }],
                      ...times,
                      count: '3',
                      sum: 4.25,
                      bucketCounts: ['2', '0', '1'],
                      explicitBounds: [0.1, 1],
                    },
                  ],
                  aggregationTemporality: 2,
                },
              },
              { name: 'd_info', description: 'A d.', unit: '', gauge: { dataPoints: [{ attributes: [{ key: 'version', value: { stringValue: '1' } }], ...times, asDouble: 1 }] } },
            ],
          },
        ],
      },
    ],
  });
});
