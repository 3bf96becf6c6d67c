/**
 * Text from traffic in GitHub-flavoured Markdown (https://github.github.com/gfm/): in code spans and fences, which no
 * content can leave, or as prose in which nothing is markup, a mention or a link.
 */
import { markup } from './markup.ts';
import { visible, visibleLines } from '../../visible.ts';

/** A code span. In a cell of a table a bar must be escaped even there, and a backslash before it would undo that. */
export function codeOf(text: string, place: 'line' | 'cell' = 'line'): string {
  const shown = visible(text);
  const inner = place === 'cell' ? shown.replace(/\\+\|/g, (bar) => bar.replace('|', '\\x7c')).replaceAll('|', '\\|') : shown;
  if (inner.trim() === '') return '` `';
  const fence = '`'.repeat(longestRun(inner, '`') + 1);
  // One blank at either end belongs to the fence: needed beside a backtick, and where blanks would be taken away.
  const pad = /^[` ]|[` ]$/.test(inner) ? ' ' : '';
  return `${fence}${pad}${inner}${pad}${fence}`;
}

/** A fenced block, closed by a fence longer than any in it. */
export function blockOf(text: string, language = ''): string {
  const shown = visibleLines(text);
  const fence = '`'.repeat(Math.max(3, longestRun(shown, '`') + 1));
  return `${fence}${language}\n${shown}\n${fence}`;
}

/**
 * What unfolds at a click. The content is Markdown. The summary begins with words of ours; then comes text from traffic,
 * as HTML, which is what Markdown takes for a line that begins with a tag (section 4.6).
 */
export function folded(summary: string, content: string, ...texts: readonly string[]): string {
  const codes = texts.map((text) => markup` <code>${visible(text)}</code>`);
  return `${markup`<details><summary>${summary}${codes}</summary>`.text}\n\n${content}\n\n</details>`;
}

/** Text as it is: no emphasis, links, images, HTML, mentions or references to issues. */
export function prose(text: string): string {
  return visible(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/[\\`*_~[\]|!]/g, '\\$&')
    // A word joiner keeps what GitHub would link from being seen as one, and leaves the text as it reads.
    .replace(/[@#]|GH-(?=\d)|www(?=\.)|(?<=https?|ftp)(?=:\/\/)/gi, '$&\u2060')
    .replace(/^\s*(?:(?=[-+=])|\d+(?=[.)](?:\s|$)))/, '$&\\');
}

function longestRun(text: string, character: string): number {
  let longest = 0;
  let run = 0;
  for (const other of text) {
    run = other === character ? run + 1 : 0;
    if (run > longest) longest = run;
  }
  return longest;
}
