import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { exchangeOf } from '../../../test/support/exchanges.ts';
import { credentialsSchema, idempotencyKeySchema, rewriteSchema } from '../../config/rewrite-schema.ts';
import { Rewriter } from './rewriter.ts';

const page = readFileSync(new URL('../../../../../docs/rewriting.md', import.meta.url), 'utf8');

/** Code blocks of this language. */
function blocks(language: string): string[] {
  return Array.from(page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)\\n\`\`\`$`, 'gms')), (match) => match[1]);
}

/** A message as it is on the wire: line breaks of the head are CRLF. */
function wire(block: string): string {
  const end = block.indexOf('\n\n');
  return `${block.slice(0, end).replaceAll('\n', '\r\n')}\r\n\r\n${block.slice(end + 2)}`;
}

test('the example of docs/rewriting.md does what the page says', () => {
  const [yaml = ''] = blocks('yaml');
  const [before = '', after = ''] = blocks('http');
  const target = z.looseObject({ rewrite: rewriteSchema, credentials: credentialsSchema, idempotencyKey: idempotencyKeySchema });
  const { targets } = z.object({ targets: z.tuple([target]) }).parse(parse(yaml.replace('${TEST_TOKEN}', 'test')));
  const [{ rewrite, credentials, idempotencyKey }] = targets;
  const rewriter = new Rewriter({ rules: rewrite, credentials, idempotencyKey, copy: 0 });
  const exchange = exchangeOf(wire(before));
  const made = rewriter.rewrite(exchange, 'id', exchange)?.request;
  const text = Buffer.concat([made?.head.bytes ?? Buffer.of(), ...(made?.body.wire ?? [])]).toString();
  // Host is the writer's to put in.
  expect(text.replace(/^Host: .*$/m, `Host: ${rewriter.host}`).replaceAll('\r\n', '\n')).toBe(after);
});
