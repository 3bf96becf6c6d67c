/** The comparison of the configuration in plain words. */
import type { Words } from './plain-words.ts';
import type { MirrorConfig } from './schema.ts';

export function explainCompare(words: Words, { compare, run, targets }: MirrorConfig): void {
  if (compare === undefined) return;
  const at = (...keys: (string | number)[]): (string | number)[] => ['compare', ...keys];
  const { baseline, reference, policy, rules, rulesFile, noiseShare, bodyBytesMax, mapIds } = compare;
  const candidate = targets.find(({ name }) => name !== baseline && name !== reference)?.name ?? '';
  words.title('Comparison');
  words.say(
    at('baseline'),
    `what ${candidate} answers, with what ${baseline === 'production' ? 'production answered in the mirrored traffic' : `${baseline} answers`}`,
  );
  if (reference !== undefined) words.say(at('reference'), `what ${reference} answers otherwise than that is noise`);
  words.say(at('noiseShare'), noiseShare === 0 ? 'no request is sent twice' : `${percent(noiseShare)} of the safe requests are sent to ${candidate} twice, to know what is noise`);
  words.say(
    at('policy'),
    `SAFE: at most ${percent(policy.maxMismatch)} of an endpoint's requests are answered differently, at most ${policy.maxLatencyRatio} times as slowly, with at most ${percent(policy.maxErrorIncrease)} more errors, ${percent(policy.confidence)} sure`,
  );
  words.say(at('policy', 'minPairs'), `endpoints with fewer than ${policy.minPairs} compared requests are not judged`);
  rules.forEach(({ name, path, endpoint, ...effects }, index) => {
    const what = Object.entries(effects).flatMap(([key, value]) => (value === undefined ? [] : [key]));
    words.say(at('rules', index), `${name}: ${what.join(', ')} at ${[path].flat().join(', ')}${endpoint === undefined ? '' : ` of ${[endpoint].flat().join(', ')}`}`);
  });
  if (rulesFile !== undefined) words.say(at('rulesFile'), `more rules, and differences that were accepted, are in ${words.shown(at('rulesFile'), rulesFile)}`);
  words.say(at('bodyBytesMax'), `bodies up to ${bodyBytesMax} bytes are compared in full`);
  if (mapIds) words.say(at('mapIds'), `ids that ${candidate} gives are used in later requests of the same client`);
  words.say(['run'], run === undefined ? 'not written to a run: the verdict is printed at the end' : `written to the run ${words.shown(['run'], run)}`);
}

function percent(share: number): string {
  return `${Math.round(share * 1e6) / 1e4} %`;
}
