/**
 * Rewrites text inside XML: what stands between tags under the outermost name around it that says something, and values
 * of attributes under their names. Not a parser: markup is passed by its angle brackets, and entities of text are decoded
 * to be looked at.
 */
import type { Treatment } from './json.ts';

export interface XmlHandler {
  /** What the name of an element or attribute, without its prefix, says about what it holds. */
  treatmentOf(name: string): Treatment;
  text(treatment: Treatment, text: string): string;
}

/** The element whose name says what everything in it is. */
interface TreatedElement {
  name: string;
  treatment: Treatment;
  /** How many of this name are open in each other. */
  nested: number;
}

const ENTITY = /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(amp|lt|gt|quot|apos));/gi;
const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const CDATA = '<![CDATA[';
const TAG = /^<(\/?)(?:[^\s/>:!?]{1,200}:)?([^\s/>:!?]{1,200})/;
const ATTRIBUTE = /([^\s=<>"'/]{1,200})(\s{0,8}=\s{0,8})(?:"([^"]*)"|'([^']*)')/g;

export function rewriteXml(source: string, handler: XmlHandler): string {
  let out = '';
  let within: TreatedElement | null = null;
  let at = 0;
  while (at < source.length) {
    const start = source.indexOf('<', at);
    const textEnd = start < 0 ? source.length : start;
    const treatment = within?.treatment ?? null;
    out += rewriteText(source.slice(at, textEnd), treatment, handler);
    if (start < 0) break;
    if (source.startsWith(CDATA, start)) {
      const end = source.indexOf(']]>', start);
      const stop = end < 0 ? source.length : end;
      out += CDATA + handler.text(treatment, source.slice(start + CDATA.length, stop));
      at = stop;
      continue;
    }
    const comment = source.startsWith('<!--', start);
    const close = source.indexOf(comment ? '-->' : '>', start);
    const end = close < 0 ? source.length : close + (comment ? 3 : 1);
    const tag = source.slice(start, end);
    out += comment ? handler.text(null, tag) : rewriteTag(tag, handler);
    if (!comment) within = behind(tag, within, handler);
    at = end;
  }
  return out;
}

/** What is open behind a tag. An element that is never closed goes on to the end. */
function behind(tag: string, within: TreatedElement | null, handler: XmlHandler): TreatedElement | null {
  const [, slash, name] = TAG.exec(tag) ?? [];
  if (name === undefined || tag.endsWith('/>')) return within;
  if (within !== null) {
    if (name === within.name) within.nested += slash === '' ? 1 : -1;
    return within.nested > 0 ? within : null;
  }
  const treatment = slash === '' ? handler.treatmentOf(name) : null;
  return treatment === null ? null : { name, treatment, nested: 1 };
}

function rewriteText(raw: string, treatment: Treatment, handler: XmlHandler): string {
  const text = decode(raw);
  const inner = text.trim();
  if (inner === '') return raw;
  const rewritten = handler.text(treatment, inner);
  return rewritten === inner ? raw : encode(text.replace(inner, () => rewritten));
}

function rewriteTag(tag: string, handler: XmlHandler): string {
  return tag.replace(ATTRIBUTE, (whole, name: string, equals: string, double?: string, single?: string) => {
    const text = decode(double ?? single ?? '');
    const rewritten = handler.text(handler.treatmentOf(name.replace(/^.*:/, '')), text);
    return rewritten === text ? whole : `${name}${equals}"${encode(rewritten)}"`;
  });
}

function decode(raw: string): string {
  if (!raw.includes('&')) return raw;
  return raw.replace(ENTITY, (whole, decimal?: string, hex?: string, named?: string) => {
    if (named !== undefined) return NAMED[named.toLowerCase()] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

function encode(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
