/**
 * XML and HTML read as a tree of elements, attributes and text, for comparing. Tolerant, as browsers are: what is not
 * closed is closed where its parent is. One pass; comments, processing instructions and whitespace between tags mean
 * nothing.
 */

const DEPTH_MAX = 200;

export interface MarkupElement {
  name: string;
  attributes: ReadonlyMap<string, string>;
  children: MarkupNode[];
}

export type MarkupNode = MarkupElement | string;

export interface MarkupDocument {
  /** Stands for the document: its children are what is outermost in it. */
  root: MarkupElement;
  /** Every element was closed, in order. HTML need not be. */
  wellFormed: boolean;
  /** Elements were nested so deeply that they stand beside each other here. */
  tooDeep: boolean;
}

/** Elements of HTML that have no end, and those whose content is text. */
const VOID = new Set('area base br col embed hr img input link meta param source track wbr'.split(' '));
const RAW = new Set('script style textarea title'.split(' '));

export function parseMarkup(text: string, html: boolean): MarkupDocument {
  return new Reader(text, html).read();
}

class Reader {
  readonly #text: string;
  readonly #html: boolean;
  readonly #root: MarkupElement = { name: '', attributes: new Map(), children: [] };
  readonly #open: MarkupElement[] = [this.#root];
  #at = 0;
  #wellFormed = true;
  #tooDeep = false;

  constructor(text: string, html: boolean) {
    this.#text = text;
    this.#html = html;
  }

  read(): MarkupDocument {
    const text = this.#text;
    while (this.#at < text.length) {
      const start = text.indexOf('<', this.#at);
      this.#addText(decodeEntities(text.slice(this.#at, start < 0 ? text.length : start)));
      if (start < 0) break;
      this.#at = start;
      this.#markup();
    }
    if (this.#open.length > 1) this.#wellFormed = false;
    return { root: this.#root, wellFormed: this.#html || this.#wellFormed, tooDeep: this.#tooDeep };
  }

  #markup(): void {
    const text = this.#text;
    const start = this.#at;
    if (text.startsWith('<![CDATA[', start)) {
      const end = this.#passTo(']]>');
      this.#addText(text.slice(start + 9, end));
    } else if (text.startsWith('<!--', start)) {
      this.#passTo('-->');
    } else if (text.startsWith('<?', start) || text.startsWith('<!', start)) {
      this.#passTo('>');
    } else if (text.startsWith('</', start)) {
      const end = this.#passTo('>');
      this.#close(this.#nameOf(text.slice(start + 2, end).trim()));
    } else if (/[\p{L}_:]/u.test(text.slice(start + 1, start + 2))) {
      this.#element();
    } else {
      this.#addText('<');
      this.#at = start + 1;
      this.#wellFormed = false;
    }
  }

  /** Goes behind the next `mark`; where it stands. Without one everything that is left is passed. */
  #passTo(mark: string): number {
    const found = this.#text.indexOf(mark, this.#at);
    if (found < 0) this.#wellFormed = false;
    this.#at = found < 0 ? this.#text.length : found + mark.length;
    return found < 0 ? this.#text.length : found;
  }

  #element(): void {
    this.#at++;
    const name = this.#nameOf(this.#passPattern(NAME));
    const attributes = new Map<string, string>();
    let closed = false;
    for (;;) {
      this.#passPattern(SPACE);
      const code = this.#text[this.#at];
      if (code === undefined) this.#wellFormed = false;
      if (code === undefined || code === '>') break;
      if (code === '/') {
        this.#at++;
        closed = this.#text[this.#at] === '>';
        continue;
      }
      this.#attribute(attributes);
    }
    this.#at++;
    const element: MarkupElement = { name, attributes, children: [] };
    this.#parent.children.push(element);
    if (closed || (this.#html && VOID.has(name))) return;
    if (this.#html && RAW.has(name)) this.#raw(element);
    else if (this.#open.length <= DEPTH_MAX) this.#open.push(element);
    else this.#tooDeep = true;
  }

  #attribute(attributes: Map<string, string>): void {
    const name = this.#nameOf(this.#passPattern(ATTRIBUTE_NAME));
    // A sign that begins no name.
    if (name === '') this.#at++;
    this.#passPattern(SPACE);
    let value = '';
    if (this.#text[this.#at] === '=') {
      this.#at++;
      this.#passPattern(SPACE);
      const quote = this.#text[this.#at];
      if (quote === '"' || quote === "'") {
        const start = ++this.#at;
        value = this.#text.slice(start, this.#passTo(quote));
      } else {
        value = this.#passPattern(UNQUOTED);
      }
    }
    if (name !== '' && !attributes.has(name)) attributes.set(name, decodeEntities(value));
  }

  /** Text up to the end tag of `element`, which alone ends it. */
  #raw(element: MarkupElement): void {
    const end = new RegExp(`</${element.name}\\s*>`, 'gi');
    end.lastIndex = this.#at;
    const found = end.exec(this.#text);
    const content = this.#text.slice(this.#at, found?.index ?? this.#text.length).trim();
    if (content !== '') element.children.push(content);
    this.#at = found === null ? this.#text.length : end.lastIndex;
  }

  #close(name: string): void {
    const index = this.#open.findLastIndex((element) => element.name === name);
    if (index !== this.#open.length - 1) this.#wellFormed = false;
    if (index > 0) this.#open.length = index;
  }

  get #parent(): MarkupElement {
    return this.#open[this.#open.length - 1];
  }

  #addText(text: string): void {
    const plain = this.#html ? text.replaceAll(/\s+/g, ' ').trim() : text.trim();
    if (plain === '') return;
    const { children } = this.#parent;
    const last = children.at(-1);
    // CDATA and the text around it are one text.
    if (typeof last === 'string') children[children.length - 1] = last + plain;
    else children.push(plain);
  }

  #nameOf(name: string): string {
    return this.#html ? name.toLowerCase() : name;
  }

  #passPattern(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const [found = ''] = pattern.exec(this.#text) ?? [];
    this.#at += found.length;
    return found;
  }
}

const SPACE = /\s*/y;
const NAME = /[^\s/>]*/y;
const ATTRIBUTE_NAME = /[^\s/>=]*/y;
const UNQUOTED = /[^\s>]*/y;
const ENTITY = /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(amp|lt|gt|quot|apos|nbsp));/gi;
const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' };

function decodeEntities(raw: string): string {
  if (!raw.includes('&')) return raw;
  return raw.replaceAll(ENTITY, (whole, decimal?: string, hex?: string, named?: string) => {
    if (named !== undefined) return NAMED[named.toLowerCase()] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
