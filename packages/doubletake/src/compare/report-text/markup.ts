/** HTML and XML written so that nothing can be forgotten: what is put into a template is escaped, unless it is markup. */
import { visibleLines } from '../../visible.ts';

/** Text in which everything is escaped that must be. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Content = Markup | string | number | readonly Markup[];

/** A template for HTML and XML, elements and quoted attributes alike. */
export function markup(parts: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  return new Markup(String.raw({ raw: parts }, ...contents.map(written)));
}

export const nothing = new Markup('');

/** Markup without a place of its own, side by side. */
export function joined(pieces: readonly Markup[], between = ''): Markup {
  return new Markup(pieces.map(({ text }) => text).join(between));
}

function written(content: Content): string {
  if (content instanceof Markup) return content.text;
  if (typeof content === 'object') return joined(content).text;
  return escaped(String(content));
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\'': '&#39;' };

function escaped(text: string): string {
  return visibleLines(text).replace(/[&<>"']/g, (character) => entities[character] ?? '');
}
