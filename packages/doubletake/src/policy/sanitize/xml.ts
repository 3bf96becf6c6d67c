/**
 * Rewrites text inside XML: what stands between tags under the name of the tag before it, and values of attributes under
 * their names. Not a parser: markup is passed by its angle brackets, and entities of text are decoded to be looked at.
 */
export type NamedText = (name: string, text: string) => string;

const ENTITY = /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(amp|lt|gt|quot|apos));/gi;
const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const CDATA = '<![CDATA[';
const ATTRIBUTE = /([^\s=<>"'/]{1,200})(\s{0,8}=\s{0,8})(?:"([^"]*)"|'([^']*)')/g;

export function rewriteXml(source: string, rewrite: NamedText): string {
  let out = '';
  let name = '';
  let at = 0;
  while (at < source.length) {
    const open = source.indexOf('<', at);
    const textEnd = open < 0 ? source.length : open;
    out += rewriteText(source.slice(at, textEnd), name, rewrite);
    if (open < 0) break;
    if (source.startsWith(CDATA, open)) {
      const end = source.indexOf(']]>', open);
      const stop = end < 0 ? source.length : end;
      out += CDATA + rewrite(name, source.slice(open + CDATA.length, stop));
      at = stop;
      continue;
    }
    const comment = source.startsWith('<!--', open);
    const close = source.indexOf(comment ? '-->' : '>', open);
    const end = close < 0 ? source.length : close + (comment ? 3 : 1);
    const tag = source.slice(open, end);
    out += comment ? rewrite('', tag) : rewriteTag(tag, rewrite);
    name = /^<([^\s/>!?]{1,200})/.exec(tag)?.[1]?.replace(/^.*:/, '') ?? '';
    at = end;
  }
  return out;
}

function rewriteText(raw: string, name: string, rewrite: NamedText): string {
  const text = decode(raw);
  const inner = text.trim();
  if (inner === '') return raw;
  const rewritten = rewrite(name, inner);
  return rewritten === inner ? raw : encode(text.replace(inner, () => rewritten));
}

function rewriteTag(tag: string, rewrite: NamedText): string {
  return tag.replace(ATTRIBUTE, (whole, name: string, equals: string, double?: string, single?: string) => {
    const text = decode(double ?? single ?? '');
    const rewritten = rewrite(name.replace(/^.*:/, ''), text);
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
