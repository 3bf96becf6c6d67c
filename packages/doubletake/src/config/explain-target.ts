/** A target of the configuration in plain words: where requests go, which, in what form, and what it is spared. */
import type { Path } from './document.ts';
import { conditionText, filterWords, type Words } from './plain-words.ts';
import type { TargetConfig } from './schema.ts';

export function explainTarget(words: Words, target: TargetConfig, index: number): void {
  const path: Path = ['targets', index];
  const at = (...keys: string[]): Path => [...path, ...keys];
  words.say(at('url'), `${words.shown(at('name'), target.name)}: ${words.shown(at('url'), target.url)}`);
  explainShare(words, target, path);
  explainForm(words, target, path);
  words.say(
    at('ordering'),
    target.ordering === 'connection' ? 'requests of one production connection keep their order' : 'requests in no order',
    1,
  );
  if (target.multiply > 1) words.say(at('multiply'), `every session ${target.multiply} times at once, each copy as a session of its own`, 1);
  if (target.rate !== undefined) words.say(at('rate'), `at ${target.rate} requests a second, whatever the timing of the capture`, 1);
  if (target.speed !== undefined) words.say(at('speed'), `with the timing of the capture, at ${target.speed} times its speed`, 1);
  explainLimits(words, target, path);
}

function explainShare(words: Words, { percentage, ramp, filters }: TargetConfig, path: Path): void {
  filterWords(words, filters, [...path, 'filters'], 1);
  if (ramp === undefined) {
    words.say([...path, 'percentage'], percentage === 100 ? 'everything that the policy lets through' : `${percentage} % of what the policy lets through`, 1);
    return;
  }
  const steps = ramp.steps.map((step) => `${step.percentage} %${step.forMs === null ? '' : ` for ${step.forMs / 1_000} s`}`);
  words.say([...path, 'ramp'], `a ramp of what the policy lets through: ${steps.join(', then ')}`, 1);
}

function explainForm(words: Words, target: TargetConfig, path: Path): void {
  const { host, rewrite, credentials, idempotencyKey, ca } = target;
  words.say([...path, 'host'], host === 'target' ? 'Host header: the target\'s own' : 'Host header: as production saw it', 1);
  rewrite.forEach(({ name, when, ...changes }, index) => {
    const what = Object.entries(changes).flatMap(([key, change]) => (change === undefined ? [] : [key]));
    const which = when === undefined ? 'every request' : conditionText(when);
    words.say([...path, 'rewrite', index], `${name}: rewrites ${what.join(', ')} of ${which}`, 1);
  });
  if (credentials !== undefined) {
    const kind = (['bearer', 'basic', 'header', 'cookie'] as const).find((key) => credentials[key] !== undefined);
    const where = credentials.when === 'always' ? 'every request' : 'requests that came with some';
    words.say([...path, 'credentials'], `the target's own credentials (${kind}) in ${where}`, 1);
  }
  if (idempotencyKey !== 'keep') {
    const text = idempotencyKey === 'distinct' ? 'another Idempotency-Key than production\'s where there is one' : 'an Idempotency-Key of its own in every unsafe request';
    words.say([...path, 'idempotencyKey'], text, 1);
  }
  if (ca !== undefined) words.say([...path, 'ca'], `trusts the certificate authorities in ${words.shown([...path, 'ca'], ca)}`, 1);
}

function explainLimits(words: Words, { limits, breaker }: TargetConfig, path: Path): void {
  const at = (key: string): Path => [...path, 'limits', key];
  const number = (key: 'inFlight' | 'queueRequests' | 'queueBytes', unit: string): void =>
    words.say(at(key), `at most ${words.shown(at(key), String(limits[key]))} ${unit}`, 1);
  if (limits.requestsPerSecond !== undefined) words.say(at('requestsPerSecond'), `at most ${limits.requestsPerSecond} requests a second`, 1);
  number('inFlight', 'requests in flight');
  if (limits.connections !== undefined) words.say(at('connections'), `at most ${limits.connections} connections`, 1);
  number('queueRequests', 'requests waiting');
  number('queueBytes', 'bytes waiting or in flight');
  words.say(at('connectTimeout'), `gives up a connection after ${limits.connectTimeoutMs} ms`, 1);
  words.say(at('responseTimeout'), `gives up a request after ${limits.responseTimeoutMs} ms`, 1);
  if (breaker === null) {
    words.say([...path, 'breaker'], 'no circuit breaker: requests go on while the target fails', 1);
    return;
  }
  const slow = breaker.slowerThanMs === null ? '' : `, or ${breaker.slowRate * 100} % take longer than ${breaker.slowerThanMs} ms`;
  words.say(
    [...path, 'breaker'],
    `pauses for ${breaker.openMs / 1_000} s and more when ${breaker.errorRate * 100} % of ${breaker.requestsMin} requests and more fail within ${breaker.windowMs / 1_000} s${slow}`,
    1,
  );
}
