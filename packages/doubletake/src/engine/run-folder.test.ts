import { expect, test } from 'vitest';
import { runFolder } from './run-folder.ts';

test.each([
  ['runs/{{time}}', 'runs/20261121T093005Z'],
  ['/var/lib/{{time}}/run-{{time}}', '/var/lib/20261121T093005Z/run-20261121T093005Z'],
  ['runs/today', 'runs/today'],
])('%s at a moment is %s', (folder, expected) => {
  expect(runFolder(folder, new Date('2026-11-21T09:30:05.678Z'))).toBe(expected);
});
