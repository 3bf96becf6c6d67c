/** How values compare in a filter (RFC 9535 section 2.3.5.2.2). */
import type { Cost } from './cost.ts';
import type { JsonDocument, JsonNode, JsonValue } from './json-document.ts';

/** A value, or undefined for 'Nothing'. */
export type Result = JsonValue | undefined;

export function areEqual(left: Result, right: Result, document: JsonDocument, cost: Cost): boolean {
  if (!isNode(left) || !isNode(right)) return left === right;
  if (left === right) return true;
  cost.add(1);
  if (left.kind !== right.kind) return false;
  const equalChildren = (one: JsonNode, other: JsonNode): boolean => {
    cost.add(1 + Math.min(one.end - one.start, other.end - other.start) / 8);
    return areEqual(document.valueOf(one), document.valueOf(other), document, cost);
  };
  if (left.kind === 'array') {
    const others = right.children;
    return left.children.length === others.length && left.children.every((child, index) => equalChildren(child, others[index]));
  }
  cost.add(left.children.length + right.children.length);
  const members = lastByName(left);
  const others = lastByName(right);
  if (members.size !== others.size) return false;
  for (const [name, member] of members) {
    const other = others.get(name);
    if (other === undefined || !equalChildren(member, other)) return false;
  }
  return true;
}

/** Numbers by their value, texts by their Unicode scalar values; anything else is not less. */
export function isLess(left: Result, right: Result): boolean {
  if (typeof left === 'number' && typeof right === 'number') return left < right;
  if (typeof left !== 'string' || typeof right !== 'string') return false;
  // The order of UTF-8 is that of scalar values; that of JavaScript is not.
  return Buffer.compare(Buffer.from(left), Buffer.from(right)) < 0;
}

function lastByName(object: JsonNode): Map<string, JsonNode> {
  return new Map(object.children.map((child) => [child.name, child]));
}

function isNode(value: Result): value is JsonNode {
  return typeof value === 'object' && value !== null;
}
