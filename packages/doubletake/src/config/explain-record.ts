/** The recording of the configuration in plain words. */
import type { Words } from './plain-words.ts';
import type { MirrorConfig } from './schema.ts';

export function explainRecord(words: Words, { record, policy, targets }: MirrorConfig): void {
  if (record === undefined) return;
  const at = (...keys: string[]): string[] => ['record', ...keys];
  const { directory, rotate, retain, bodyBytesMax, key, keyFile } = record;
  words.title('Recording');
  words.say(at('directory'), `requests and production's responses, ${policy.sanitize === undefined ? 'as they came' : 'sanitized'}, in ${words.shown(at('directory'), directory)}`);
  if (targets.length === 0) words.say(['targets'], 'nothing is replayed: there is no target');
  words.say(at('rotate'), `a new file after ${rotate.bytes} bytes or ${rotate.ms} ms`);
  if (retain.bytes !== undefined) words.say(at('retain', 'size'), `the oldest files are removed when all take more than ${retain.bytes} bytes`);
  if (retain.ageMs !== undefined) words.say(at('retain', 'age'), `files are removed ${retain.ageMs} ms after they were written last`);
  if (retain.bytes === undefined && retain.ageMs === undefined) words.say(at('retain'), 'no file is ever removed');
  words.say(at('bodyBytesMax'), `of responses with bodies above ${bodyBytesMax} bytes, the head alone`);
  if (key !== undefined) words.say(at('key'), 'encrypted (AES-256-GCM)');
  else if (keyFile !== undefined) words.say(at('keyFile'), `encrypted (AES-256-GCM) with the key in ${words.shown(at('keyFile'), keyFile)}`);
  else words.say(at('key'), 'not encrypted');
}
