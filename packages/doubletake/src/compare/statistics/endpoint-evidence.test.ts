import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DiscordanceTest } from './discordance-test.ts';
import { EndpointEvidence, type EvidenceOptions, OTHER_FIELDS } from './endpoint-evidence.ts';

function evidenceOf(options: Partial<EvidenceOptions> = {}): EndpointEvidence {
  return new EndpointEvidence({ allowed: 0.001, allowedOfField: 0, expectsNoise: true, room: { left: 100 }, ...options });
}

describe('the evidence of an endpoint', () => {
  test('a field has the test of all blocks, also of those before it differed first', () => {
    const pair = fc.record({ kind: fc.constantFrom('candidate' as const, 'candidate' as const, 'noise' as const), differs: fc.boolean() });
    fc.assert(
      fc.property(fc.nat(300), fc.array(pair, { maxLength: 300, size: 'max' }), (silent, pairs) => {
        const evidence = evidenceOf();
        const reference = new DiscordanceTest(0);
        const counts = { candidatePairs: 0, candidateDiffer: 0, noisePairs: 0, noiseDiffer: 0 };
        let block = { candidatePairs: 0, candidateDiffer: 0, noisePairs: 0, noiseDiffer: 0 };
        const before = Array.from({ length: silent }, (_, index) => ({ kind: index % 9 === 0 ? 'noise' : 'candidate', differs: false }) as const);
        for (const { kind, differs } of [...before, ...pairs, { kind: 'noise', differs: true } as const]) {
          evidence.push(kind, differs, differs ? ['$.a'] : []);
          for (const of of [counts, block]) {
            of[`${kind}Pairs`]++;
            if (differs) of[`${kind}Differ`]++;
          }
          const length = Math.min(64, Math.max(8, counts.candidatePairs / 8));
          if (block.candidatePairs < length || block.noisePairs === 0) continue;
          reference.push(block);
          block = { candidatePairs: 0, candidateDiffer: 0, noisePairs: 0, noiseDiffer: 0 };
        }
        expect(evidence.fields()).toEqual([{ path: '$.a', logE: reference.logE, counts }]);
        expect(evidence.mismatch.counts).toEqual(counts);
      }),
    );
  });

  test('the endpoint is held against what is allowed, a field against nothing', () => {
    const evidence = evidenceOf();
    for (let index = 0; index < 64; index++) {
      evidence.push('candidate', true, ['$.a']);
      if (index % 8 === 0) evidence.push('noise', false, []);
    }
    const [field] = evidence.fields();
    expect(evidence.mismatch.noiseLogE).toBeGreaterThan(Math.log(1000));
    expect(evidence.mismatch.noiseLogE).toBeLessThan(field?.logE ?? 0);
  });

  test('where no noise is measured a field is held against what is allowed of the endpoint', () => {
    const evidence = evidenceOf({ expectsNoise: false });
    evidence.push('candidate', true, ['$.a']);
    const logE = (): number => evidence.fields()[0]?.logE ?? 0;
    expect(logE()).toBeLessThan(Math.log(1000));
    evidence.push('candidate', true, ['$.a']);
    evidence.push('candidate', true, ['$.a']);
    expect(logE()).toBeGreaterThan(Math.log(1000));
    expect(evidence.mismatch).toEqual({
      counts: { candidatePairs: 3, candidateDiffer: 3, noisePairs: 0, noiseDiffer: 0 },
      noiseLogE: null,
    });
    evidence.push('noise', false, []);
    expect(logE()).toBe(0);
    expect(evidence.mismatch.noiseLogE).toBe(0);
  });

  test('where noise is measured it waits for a noise pair, but not forever', () => {
    const evidence = evidenceOf();
    for (let pair = 0; pair < 199; pair++) evidence.push('candidate', true, ['$.a']);
    expect(evidence.fields()).toMatchObject([{ logE: 0 }]);
    expect(evidence.mismatch.noiseLogE).toBe(0);
    evidence.push('candidate', true, ['$.a']);
    expect(evidence.fields()[0]?.logE).toBeGreaterThan(Math.log(1000));
    expect(evidence.mismatch.noiseLogE).toBeNull();
  });

  test('a path counts once in a pair', () => {
    const evidence = evidenceOf();
    for (let pair = 0; pair < 8; pair++) evidence.push('candidate', true, ['$.items[*].id', '$.items[*].id']);
    evidence.push('noise', true, ['$.items[*].id', '$.items[*].id']);
    expect(evidence.fields()).toMatchObject([{ counts: { candidatePairs: 8, candidateDiffer: 8, noisePairs: 1, noiseDiffer: 1 } }]);
  });

  test('fields that find no room are one', () => {
    const room = { left: 2 };
    const first = evidenceOf({ room });
    const second = evidenceOf({ room });
    first.push('candidate', true, ['$.a', '$.b', '$.c', '$.d']);
    second.push('candidate', true, ['$.a']);
    expect(first.fields().map(({ path }) => path)).toEqual(['$.a', '$.b', OTHER_FIELDS]);
    expect(second.fields().map(({ path }) => path)).toEqual([OTHER_FIELDS]);
  });

  test('wants noise pairs while a field that differs is not decided', () => {
    const evidence = evidenceOf();
    const needed = Math.log(1000);
    expect(evidence.wantsNoise(needed)).toBe(false);
    for (let pair = 0; pair < 8; pair++) {
      evidence.push('candidate', false, pair < 2 ? ['$.a'] : []);
      expect(evidence.wantsNoise(needed)).toBe(true);
    }
    evidence.push('noise', false, []);
    expect(evidence.wantsNoise(needed)).toBe(true);
    for (let pair = 0; pair < 200; pair++) {
      evidence.push('candidate', true, ['$.a']);
      evidence.push('noise', false, []);
    }
    expect(evidence.wantsNoise(needed)).toBe(false);
  });
});
