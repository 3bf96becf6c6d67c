import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blockOf, codeOf, folded, prose } from './markdown-text.ts';
import { visible, visibleLines } from '../../visible.ts';

const text = fc.array(fc.oneof(fc.constantFrom('`', '``', '|', '\\', '\\|', ' ', '\n', '~~~', '<b>', '&lt;', '@a', '#1'), fc.string({ maxLength: 3 })), { maxLength: 10 }).map((parts) => parts.join(''));

/** A code span as CommonMark section 6.1 reads it, when the whole text is one. */
function codeSpan(markdown: string): string | null {
  const [fence = ''] = /^`+/.exec(markdown) ?? [];
  const end = [...markdown.slice(fence.length).matchAll(/`+/g)].find(([run]) => run.length === fence.length);
  if (fence === '' || end === undefined || fence.length + end.index + fence.length !== markdown.length) return null;
  const inner = markdown.slice(fence.length, fence.length + end.index);
  return /^ .* $/s.test(inner) && inner.trim() !== '' ? inner.slice(1, -1) : inner;
}

describe('a code span', () => {
  test('holds any text', () => {
    fc.assert(fc.property(text, (content) => {
      const shown = visible(content);
      expect(codeSpan(codeOf(content))).toBe(shown.trim() === '' ? ' ' : shown);
    }));
  });

  test('has no bar in a cell that could end it, whichever way backslashes are read', () => {
    fc.assert(fc.property(text, (content) => {
      const cell = codeOf(content, 'cell');
      expect(cell.replaceAll('\\|', '')).not.toContain('|');
      expect(cell.replace(/\\[^]/g, '')).not.toContain('|');
    }));
  });

  test.each([
    ['a', '`a`'],
    ['a`b', '``a`b``'],
    ['`a', '`` `a ``'],
    ['', '` `'],
    [' a', '`  a `'],
    ['a\nb', '`a\\x0ab`'],
  ])('%j is %j', (content, expected) => {
    expect(codeOf(content)).toBe(expected);
  });
});

test('a block is closed by its last line alone', () => {
  fc.assert(fc.property(text, (content) => {
    const lines = blockOf(content).split('\n');
    const [fence = ''] = lines;
    expect(lines.slice(1, -1).join('\n')).toBe(visibleLines(content));
    expect(lines.slice(1, -1).filter((line) => line.trim().startsWith(fence))).toEqual([]);
    expect(lines.at(-1)).toBe(fence);
  }));
});

test.each([
  ['0.1 % of $.a_b differ', '0.1 % of $.a\\_b differ'],
  ['1. first', '1\\. first'],
  ['- item', '\\- item'],
  ['<b>&lt;', '&lt;b&gt;&amp;lt;'],
  ['@team #12 www.a.ch https://a.ch', '@\u2060team #\u206012 www\u2060.a.ch https\u2060://a.ch'],
  ['![i](x)|`c`', '\\!\\[i\\](x)\\|\\`c\\`'],
])('prose: %j is %j', (content, expected) => {
  expect(prose(content)).toBe(expected);
});

test('a summary is HTML', () => {
  expect(folded('one', 'content', 'a<b>*c*\n')).toBe('<details><summary>one <code>a&lt;b&gt;*c*\\x0a</code></summary>\n\ncontent\n\n</details>');
});
