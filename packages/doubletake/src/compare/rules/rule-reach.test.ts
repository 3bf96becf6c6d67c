import { expect, test } from 'vitest';
import { around } from './rule-reach.ts';

test.each([
  ['$', ['$']],
  ['$.a[*].b', ['$.a[*].b', '$', '$.a', '$.a[*]']],
  ["$['it\\'s [*] .x'].*.y", ["$['it\\'s [*] .x'].*.y", '$', "$['it\\'s [*] .x']", "$['it\\'s [*] .x'].*"]],
  ["$['cut…", ["$['cut…", '$']],
  ['xml:/order/item/@id', ['xml:/order/item/@id', 'xml:', 'xml:/order', 'xml:/order/item']],
  ['cookie:sid;path', ['cookie:sid;path', 'cookie:sid']],
  ['header:x.y', ['header:x.y']],
  ['status', ['status']],
])('%s is inside of %j', (path, expected) => {
  expect([...around(path)].toSorted()).toEqual(expected.toSorted());
});
