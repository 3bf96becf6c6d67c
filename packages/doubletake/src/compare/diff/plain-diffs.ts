/** Compares bodies that have little structure: lines of text, the fields of a form, bytes. */
import { createHash } from 'node:crypto';
import { align, newEffort } from './alignment.ts';
import { type Collector, textShown } from './collector.ts';
import { hashText } from './json-equal.ts';
import type { PathTree } from './path-tree.ts';

/** Lines of a text that are listed: one that was written anew says no more with all of them. */
const LINES_SHOWN = 20;
/** Texts of more lines are compared as one. */
const LINES_MAX = 50_000;

/** Line ends are the same however they are written. */
export function compareText(a: string, b: string, paths: PathTree, out: Collector): void {
  const node = paths.root('text');
  out.compares(node);
  const [left, right] = [a, b].map((text) => text.replace(/\r?\n$/, '').split(/\r?\n/));
  if (Math.max(left.length, right.length) > LINES_MAX) {
    out.limit('too_many_lines');
    if (left.length !== right.length || left.some((line, index) => line !== right[index])) {
      const [from, to] = [left, right].map((lines) => textShown(`${lines.length} lines`));
      out.add('value', node, node.path, from, to);
    }
    return;
  }
  const [leftHashes, rightHashes] = [left, right].map((lines) => lines.map((line) => hashText(line, 0)));
  let shown = 0;
  for (const [i, j] of align(leftHashes, rightHashes, newEffort())) {
    const [line, other] = [i < 0 ? null : left[i], j < 0 ? null : right[j]];
    if (line === other) continue;
    if (shown++ === LINES_SHOWN) {
      out.cut();
      return;
    }
    const kind = other === null ? 'missing' : line === null ? 'extra' : 'value';
    const [from, to] = [line, other].map((text) => (text === null ? null : textShown(text)));
    out.add(kind, node, `line ${(i < 0 ? j : i) + 1}`, from, to);
  }
}

/** Fields by name; the values of one name in order. */
export function compareForms(a: string, b: string, paths: PathTree, out: Collector): void {
  const left = fieldsOf(a);
  const right = fieldsOf(b);
  for (const name of new Set([...left.keys(), ...right.keys()])) {
    const node = paths.root(`form:${name}`);
    const [values, others] = [left.get(name) ?? [], right.get(name) ?? []];
    if (values.length > 0 && others.length > 0) out.compares(node);
    for (let i = 0; i < Math.max(values.length, others.length); i++) {
      if (values[i] === others[i]) continue;
      const kind = i >= others.length ? 'missing' : i >= values.length ? 'extra' : 'value';
      const [from, to] = [values, others].map((list) => (i < list.length ? textShown(list[i]) : null));
      out.add(kind, node, i === 0 ? node.path : `${node.path}[${i}]`, from, to);
    }
  }
}

function fieldsOf(text: string): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(text)) {
    const earlier = fields.get(name);
    if (earlier === undefined) fields.set(name, [value]);
    else earlier.push(value);
  }
  return fields;
}

/** A body as its length and hash; `sha256` is known of bodies that were not kept. */
export interface Fingerprint {
  bytes: number;
  sha256: string;
}

export function fingerprintOf(body: Buffer): Fingerprint {
  return { bytes: body.length, sha256: createHash('sha256').update(body).digest('hex') };
}

export function compareFingerprints(a: Fingerprint, b: Fingerprint, paths: PathTree, out: Collector): void {
  const node = paths.root('body');
  out.compares(node);
  if (a.bytes === b.bytes && a.sha256 === b.sha256) return;
  const [from, to] = [a, b].map(({ bytes, sha256 }) => ({
    text: `${bytes} bytes, sha256 ${sha256.slice(0, 16)}`,
    type: 'bytes',
  }));
  out.add(a.bytes === b.bytes ? 'value' : 'length', node, 'body', from, to);
}
