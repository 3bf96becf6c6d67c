import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EditedBytes } from './edited-bytes.ts';

test('ranges are replaced, in UTF-8, and all else stays', () => {
  const cuts = fc.array(fc.tuple(fc.nat(300), fc.nat(300), fc.string({ unit: 'binary', maxLength: 400 })), { maxLength: 12 });
  const edits = new EditedBytes();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), cuts, (bytes, parts) => {
      const source = Buffer.from(bytes);
      const expected: Buffer[] = [];
      let copied = 0;
      edits.begin(source);
      for (const [gap, length, text] of parts) {
        const start = copied + gap;
        const end = start + length;
        if (end > source.length || end === 0) continue;
        edits.replace(start, end, text);
        expected.push(source.subarray(copied, start), Buffer.from(text));
        copied = end;
      }
      expected.push(source.subarray(copied));
      const made = edits.finish();
      expect(made.equals(Buffer.concat(expected))).toBe(true);
      expect(made === source).toBe(copied === 0);
    }),
  );
});
