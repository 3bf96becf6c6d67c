/**
 * Writes requests as a shell script of curl commands, to be tried by hand: `sh requests.sh http://localhost:8080`. The
 * bytes of target, headers and body are those of the request; what belongs to the connection is curl's own.
 */
import { headOf } from '../../policy/message-edit.ts';
import { recordedContent } from '../exchange-form.ts';
import type { RecordedExchange } from '../recorded-exchange.ts';
import { notWhole, type TrafficEncoder } from './traffic-encoder.ts';

/** Belonging to a connection (RFC 9110 section 7.6.1), to the framing, or to the target. */
const ownFields: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export class CurlEncoder implements TrafficEncoder {
  begin(): Buffer {
    return Buffer.from('#!/bin/sh\n# Sends these requests one after the other to the server that is given: sh FILE http://localhost:8080\nset -u\ntarget=${1:?give the URL of a test environment}\n');
  }

  encode(exchange: RecordedExchange): Buffer[] | string {
    const problem = notWhole(exchange);
    if (problem !== null) return problem;
    const { request, connection } = exchange;
    const head = headOf('request', request.head)?.head;
    if (head === undefined) return 'the head of the request cannot be read';
    const { method, target } = head;
    if (!target.startsWith('/')) return `a target such as ${target} is not for curl`;
    const body = recordedContent(request, head);
    if (body === null) return 'the body of the request has a transfer coding that is not known';
    const options = ['--silent', '--show-error', '--globoff', '--path-as-is', method === 'HEAD' ? '--head' : `--request ${quoted(method)}`];
    for (let field = 0; field < head.count; field++) {
      const name = head.name(field);
      if (ownFields.has(name.toLowerCase())) continue;
      const value = head.value(field);
      // A header without a value ends with a semicolon for curl.
      options.push(`--header ${quoted(value === '' ? `${name};` : `${name}: ${value}`)}`);
    }
    // Curl would say of a body that it is a form.
    if (body.length > 0 && !head.has('content-type')) options.push("--header 'Content-Type:'");
    const text = isText(body);
    if (body.length > 0) options.push(`--data-binary ${text ? quoted(body.toString('latin1')) : '@-'}`);
    const from = body.length > 0 && !text ? `printf %s ${quoted(body.toString('base64'))} | base64 -d | ` : '';
    const time = new Date(Math.floor(request.startUs / 1_000)).toISOString();
    const comment = `# ${time} ${connection.label}`.replaceAll(/[^ -~]/g, '?');
    return [Buffer.from(`\n${comment}\n${from}curl ${options.join(' ')} "$target"${quoted(target)}\n`, 'latin1')];
  }

  end(): Buffer {
    return Buffer.alloc(0);
  }
}

/** Within single quotes the shell takes every byte as it is, but for the quote. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A text that begins with @ would be the name of a file to curl, and no argument can hold a zero byte. */
function isText(body: Buffer): boolean {
  // oxlint-disable-next-line no-control-regex -- what terminals and shells stumble over
  return body[0] !== 0x40 && body.length <= 64 * 1024 && !/[\u0000-\u0008\u000b-\u001f\u007f]/.test(body.toString('latin1'));
}
