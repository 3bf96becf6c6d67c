/** Changes to the text of a rules file: comments and whatever else people wrote stay where they are. */
import { type Document, isMap, isScalar, isSeq, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml';
import { DoubletakeError } from '../errors.ts';

/** A difference that was accepted: its id, what it is in words, and why it was. */
export interface AcceptedDifference {
  cluster: string;
  text: string;
  note: string;
}

/** Rules are as users write them. */
export type RulesChange =
  | { type: 'addRule'; rule: object }
  | { type: 'removeRule'; name: string }
  | { type: 'accept'; accepted: AcceptedDifference }
  | { type: 'unaccept'; cluster: string };

/** A rule as it stands in the file. */
export function ruleText(rule: object): string {
  return changedText('', { type: 'addRule', rule });
}

/** The text after a change. Throws a `DoubletakeError`: DT_NOT_FOUND for what is not there, DT_RULES_FILE for what is no YAML. */
export function changedText(text: string, change: RulesChange): string {
  const document = parseDocument(text, { stringKeys: true });
  const [problem] = document.errors;
  if (problem !== undefined) throw new DoubletakeError('DT_RULES_FILE', `the rules file is no YAML: ${problem.message.split('\n', 1)[0] ?? ''}`);
  switch (change.type) {
    case 'addRule':
      listAt(document, 'rules').add(document.createNode(change.rule, { flow: true }));
      break;
    case 'removeRule':
      if (!remove(listAt(document, 'rules'), 'name', change.name)) throw missing(`rule ${change.name}`);
      break;
    case 'accept': {
      const list = listAt(document, 'accepted');
      remove(list, 'cluster', change.accepted.cluster);
      list.add(document.createNode(change.accepted, { flow: true }));
      break;
    }
    case 'unaccept':
      if (!remove(listAt(document, 'accepted'), 'cluster', change.cluster)) throw missing(`accepted difference ${change.cluster}`);
  }
  return document.toString({ lineWidth: 0 });
}

function missing(what: string): DoubletakeError {
  return new DoubletakeError('DT_NOT_FOUND', `the rules file has no ${what}`);
}

/** The list under a key, which is made when there is nothing. */
function listAt(document: Document, key: string): YAMLSeq {
  const { contents } = document;
  if (isNothing(contents)) document.contents = inPlaceOf(contents, document.createNode({}));
  else if (!isMap(contents)) throw new DoubletakeError('DT_RULES_FILE', 'the rules file is no mapping');
  const known: unknown = document.get(key, true);
  if (isSeq(known)) {
    if (known.items.length === 0) known.flow = false;
    return known;
  }
  if (known !== undefined && !isNothing(known)) throw new DoubletakeError('DT_RULES_FILE', `the rules file: ${key} is no list`);
  const made = inPlaceOf(known, document.createNode([]) as YAMLSeq);
  document.set(key, made);
  return made;
}

function isNothing(node: unknown): boolean {
  return node === null || (isScalar(node) && node.value === null);
}

/** With the comments of what was there. */
function inPlaceOf<T extends YAMLMap | YAMLSeq>(before: unknown, made: T): T {
  made.flow = false;
  if (!isScalar(before)) return made;
  if (before.commentBefore) made.commentBefore = before.commentBefore;
  if (before.comment) made.comment = before.comment;
  return made;
}

/** Whether there was one. */
function remove(list: YAMLSeq, key: string, wanted: string): boolean {
  const index = list.items.findIndex((item) => isMap(item) && item.get(key) === wanted);
  return index >= 0 && list.delete(index);
}
