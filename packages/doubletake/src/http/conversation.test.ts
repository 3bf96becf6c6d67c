import { describe, expect, it } from 'vitest';
import { bytewise, cutAt, play, type PlayOptions, type Step } from '../../test/support/http-script.ts';

const GET = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const POST_5 = 'POST /p HTTP/1.1\r\nContent-Length: 5\r\n\r\n';
const CHUNKED = 'POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n';
const DELETE = 'DELETE /x HTTP/1.1\r\nHost: x\r\n\r\n';
const TLS_HELLO = Buffer.from('16030100320100002e0303', 'hex');

interface Case {
  name: string;
  steps: Step[];
  expected: string[];
  options?: PlayOptions;
}

/** Every case must give the same events whole, byte by byte, and cut in two anywhere. */
function runCases(cases: Case[]): void {
  it.each(cases)('$name', ({ steps, expected, options }) => {
    expect(play(steps, options)).toEqual(expected);
    expect(play(steps, { ...options, cut: bytewise })).toEqual(expected);
    const longest = Math.max(...steps.map((step) => ('client' in step ? step.client : 'server' in step ? step.server : '').length));
    for (let position = 1; position < Math.min(longest, 400); position++) {
      expect(play(steps, { ...options, cut: cutAt(position) }), `cut at ${position}`).toEqual(expected);
    }
  });
}

describe('requests and responses', () => {
  runCases([
    {
      name: 'one after the other on a kept connection',
      steps: [{ client: GET }, { server: OK }, { client: GET }, { server: OK }],
      expected: [
        'request 0 GET /a none 0 complete',
        'response 0 200 length 2 complete',
        'request 1 GET /a none 0 complete',
        'response 1 200 length 2 complete',
      ],
    },
    {
      name: 'pipelined, several in one segment',
      steps: [{ client: GET + POST_5 + 'hello' + GET }, { server: OK + OK }, { server: OK }],
      expected: [
        'request 0 GET /a none 0 complete',
        'request 1 POST /p length 5 complete',
        'request 2 GET /a none 0 complete',
        'response 0 200 length 2 complete',
        'response 1 200 length 2 complete',
        'response 2 200 length 2 complete',
      ],
    },
    {
      name: 'chunked both ways, with extensions, trailers and the end of a chunked body as chunk data',
      steps: [
        { client: CHUNKED + '5;a="b"\r\n0\r\n\r\n\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\n' },
        { server: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n' },
      ],
      expected: ['request 0 POST /c chunked 15 complete', 'response 0 200 chunked 1 complete'],
    },
    {
      name: 'HEAD, 204 and 304 have no body, whatever their head says',
      steps: [
        { client: 'HEAD /a HTTP/1.1\r\n\r\n' },
        { server: 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n' },
        { client: GET },
        { server: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n' },
        { client: GET },
        { server: 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n' },
        { client: GET },
        { server: OK },
      ],
      expected: [
        'request 0 HEAD /a none 0 complete',
        'response 0 200 none 0 complete',
        'request 1 GET /a none 0 complete',
        'response 1 304 none 0 complete',
        'request 2 GET /a none 0 complete',
        'response 2 204 none 0 complete',
        'request 3 GET /a none 0 complete',
        'response 3 200 length 2 complete',
      ],
    },
    {
      name: 'interim responses are not final',
      steps: [
        { client: POST_5 },
        { server: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n' },
        { client: 'hello' },
        { server: OK },
      ],
      expected: ['request 0 POST /p length 5 complete', 'response 0 200 length 2 complete'],
    },
    {
      name: 'a body up to the end of the stream',
      steps: [{ client: GET }, { server: 'HTTP/1.0 200 OK\r\n\r\nabc' }, { server: 'def' }, { end: 'server' }],
      expected: ['request 0 GET /a none 0 complete', 'response 0 200 close 6 complete'],
    },
    {
      name: 'a body up to the end that a reset cut short',
      steps: [{ client: GET }, { server: 'HTTP/1.0 200 OK\r\n\r\nabc' }],
      options: { close: 'reset' },
      expected: ['request 0 GET /a none 0 complete', 'response 0 200 close 3 closed'],
    },
    {
      name: 'an answer before the request has ended follows it',
      steps: [{ client: POST_5 + 'he' }, { server: OK }, { client: 'llo' }],
      expected: ['request 0 POST /p length 5 complete', 'response 0 200 length 2 complete'],
    },
    {
      name: 'a request cut off by the end of its stream',
      steps: [{ client: POST_5 + 'he' }, { end: 'client' }],
      expected: ['request 0 POST /p length 2 closed', 'unanswered 0'],
    },
    {
      name: 'a head cut off by the end of the capture',
      steps: [{ client: GET.slice(0, 20) }],
      options: { close: 'flushed' },
      expected: ['partial request timeout'],
    },
    {
      name: 'a response that nobody asked for',
      steps: [{ client: GET }, { server: OK + OK }],
      expected: [
        'request 0 GET /a none 0 complete',
        'response 0 200 length 2 complete',
        'orphan 200 length 2 complete',
      ],
    },
  ]);
});

describe('what production accepts', () => {
  runCases([
    {
      name: 'empty lines before a message, LF alone, unknown and lower-case methods, odd bytes in the target',
      steps: [
        { client: '\r\n\nPROPFIND /\xe4\xf6 HTTP/1.1\nDepth: 1\n\n' },
        { server: '\r\nhttp/1.1 207\nContent-Length: 0\n\n' },
        { client: 'frob-it /a b?c HTTP/1.2\r\nno colon here\r\n\r\n' },
        { server: OK },
      ],
      expected: [
        'request 0 PROPFIND /\xe4\xf6 none 0 complete',
        'response 0 207 length 0 complete',
        'request 1 frob-it /a b?c none 0 complete',
        'response 1 200 length 2 complete',
      ],
    },
    {
      name: 'absolute-form, asterisk-form',
      steps: [{ client: 'GET http://b/x HTTP/1.1\r\n\r\nOPTIONS * HTTP/1.1\r\n\r\n' }, { server: OK + OK }],
      expected: [
        'request 0 GET http://b/x none 0 complete',
        'request 1 OPTIONS * none 0 complete',
        'response 0 200 length 2 complete',
        'response 1 200 length 2 complete',
      ],
    },
    {
      name: 'HTTP/0.9: the request line alone, answered without a head',
      steps: [{ client: 'GET /old\r\n' }, { server: '<p>hello' }, { end: 'server' }],
      expected: ['request 0 GET /old none 0 complete invalid_request_line', 'unanswered 0'],
    },
    {
      name: 'equal lengths may repeat',
      steps: [{ client: 'POST /p HTTP/1.1\r\nContent-Length: 2, 2\r\ncontent-length:002\r\n\r\nab' + GET }],
      expected: [
        'request 0 POST /p length 2 complete',
        'request 1 GET /a none 0 complete',
        'unanswered 0',
        'unanswered 1',
      ],
    },
    {
      name: 'another coding before chunked',
      steps: [{ client: 'POST /p HTTP/1.1\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n' }],
      expected: ['request 0 POST /p chunked 0 complete', 'unanswered 0'],
    },
  ]);
});

describe('framing that two servers may read differently', () => {
  const doubtful: [name: string, request: string, expected: string][] = [
    ['both framings', 'Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'chunked 0 complete length_and_chunked'],
    ['two lengths', 'Content-Length: 1\r\nContent-Length: 2\r\n\r\na', 'length 1 complete conflicting_lengths'],
    ['a signed length', 'Content-Length: +1\r\n\r\n', 'none 0 complete invalid_length'],
    ['a length beyond all numbers', 'Content-Length: 99999999999999999999\r\n\r\n', 'none 0 complete invalid_length'],
    ['no length', 'Content-Length:\r\n\r\n', 'none 0 complete invalid_length'],
    ['chunked not last', 'Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n', 'chunked 0 complete invalid_transfer_coding'],
    ['chunked twice', 'Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n', 'chunked 0 complete invalid_transfer_coding'],
    ['an unknown coding alone', 'Transfer-Encoding: xchunked\r\n\r\n', 'none 0 complete invalid_transfer_coding'],
    ['chunked with a tail', 'Transfer-Encoding: chunked\x0b\r\n\r\n', 'none 0 complete invalid_transfer_coding'],
    ['a folded coding', 'Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n', 'chunked 0 complete obsolete_fold'],
    ['space before the colon', 'Content-Length : 1\r\n\r\na', 'length 1 complete invalid_header'],
    ['space before the first name', ' Content-Length: 1\r\n\r\na', 'length 1 complete invalid_header'],
    ['a bare CR', 'A: b\rContent-Length: 1\r\n\r\n', 'none 0 complete bare_cr'],
    ['a lone LF among CRLF', 'A: b\nContent-Length: 1\r\n\r\na', 'length 1 complete invalid_header'],
    ['a length in a fold', 'A: b\r\n Content-Length: 1\r\n\r\n', 'none 0 complete obsolete_fold'],
    ['a NUL', 'A: b\0\r\n\r\n', 'none 0 complete invalid_header'],
    ['a chunk line that ends in LF', 'Transfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n', 'chunked 1 complete invalid_chunk'],
    ['space behind a chunk size', 'Transfer-Encoding: chunked\r\n\r\n1 \r\na\r\n0\r\n\r\n', 'chunked 1 complete invalid_chunk'],
  ];
  runCases(
    doubtful.map(([name, rest, expected]) => ({
      name: `${name}; and so is whatever follows before the server has spoken`,
      steps: [{ client: `POST /p HTTP/1.1\r\n${rest}` + GET }, { server: OK }, { server: OK }, { client: GET }, { server: OK }],
      expected: [
        `request 0 POST /p ${expected}`,
        `request 1 GET /a none 0 complete ${expected.split(' ').at(-1)}`,
        'response 0 200 length 2 complete',
        'response 1 200 length 2 complete',
        'request 2 GET /a none 0 complete',
        'response 2 200 length 2 complete',
      ],
    })),
  );
  const broken: [name: string, chunks: string][] = [
    ['an overflowing chunk size', '10000000000000000\r\n\r\n'],
    ['no chunk size', '\r\n'],
    ['a negative chunk size', '-1\r\n'],
    ['chunk data longer than its size', '1\r\nab\r\n0\r\n\r\n'],
  ];
  runCases(
    broken.map(([name, chunks]) => ({
      name: `${name}: nothing behind it is a request before the server has spoken`,
      steps: [{ client: CHUNKED + chunks + GET }, { client: GET }, { server: OK }, { client: GET }, { server: OK }],
      expected: [
        `request 0 POST /c chunked ${name.startsWith('chunk data') ? 1 : 0} complete invalid_chunk`,
        'response 0 200 length 2 complete',
        'request 1 GET /a none 0 complete',
        'response 1 200 length 2 complete',
      ],
    })),
  );
  runCases([
    {
      name: 'what follows an unknown framing must look like a request',
      steps: [{ client: 'POST /p HTTP/1.1\r\nContent-Length: x\r\n\r\nbody\r\n\r\n' + GET }],
      expected: ['request 0 POST /p none 0 complete invalid_length', 'unanswered 0'],
    },
  ]);
});

describe('bytes that are no HTTP/1', () => {
  runCases([
    { name: 'TLS', steps: [{ client: TLS_HELLO }, { server: TLS_HELLO }], expected: ['other tls'] },
    {
      name: 'TLS, beginning not seen',
      steps: [{ server: Buffer.from('1703030020aa', 'hex') }],
      options: { syn: false },
      expected: ['other tls'],
    },
    { name: 'HTTP/2', steps: [{ client: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0' }], expected: ['other http2'] },
    { name: 'half the preface of HTTP/2, from the server', steps: [{ server: 'PRI * HTTP/2.0\r\n\r\n' }], expected: ['other unknown'] },
    { name: 'something unknown', steps: [{ client: '\x01\x02' }, { server: 'hello\r\n' }], expected: ['other unknown'] },
    {
      name: 'a SOCKS preamble, then HTTP',
      steps: [
        { client: '\x05\x01\x00' },
        { server: '\x05\x00' },
        { client: '\x05\x01\x00\x03\x0ewww.google.com\x00P' },
        { server: '\x05\x00\x00\x01\x0a\x00\x00\x02\x00P' },
        { client: GET },
        { server: OK },
      ],
      expected: ['request 0 GET /a none 0 complete', 'response 0 200 length 2 complete'],
    },
    {
      name: 'WebSocket',
      steps: [
        { client: 'GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n' },
        { server: 'HTTP/1.1 101 Switching\r\nUpgrade: WebSocket\r\n\r\n\x81\x05hello' },
        { client: GET },
      ],
      expected: ['request 0 GET /ws none 0 complete', 'response 0 101 none 0 complete', 'other websocket'],
    },
    {
      name: 'TLS in a tunnel',
      steps: [
        { client: 'CONNECT a:443 HTTP/1.1\r\n\r\n' },
        { server: 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n' },
        { client: TLS_HELLO },
      ],
      expected: ['request 0 CONNECT a:443 none 0 complete', 'response 0 200 none 0 complete', 'other tls'],
    },
    {
      name: 'HTTP in a tunnel',
      steps: [
        { client: 'CONNECT a:80 HTTP/1.1\r\n\r\n\n' },
        { server: 'HTTP/1.1 200 OK\r\n\r\n\n' },
        { client: GET },
        { server: OK },
      ],
      expected: [
        'request 0 CONNECT a:80 none 0 complete',
        'response 0 200 none 0 complete',
        'request 1 GET /a none 0 complete',
        'response 1 200 length 2 complete',
      ],
    },
    {
      name: 'something else in a tunnel',
      steps: [
        { client: 'CONNECT a:22 HTTP/1.1\r\n\r\n' },
        { server: 'HTTP/1.1 200 OK\r\n\r\n' },
        { server: 'SSH-2.0-x\r\n' },
        { client: GET },
      ],
      expected: ['request 0 CONNECT a:22 none 0 complete', 'response 0 200 none 0 complete', 'other tunnel'],
    },
    {
      name: 'a refused tunnel stays HTTP',
      steps: [{ client: 'CONNECT a:22 HTTP/1.1\r\n\r\n' }, { server: OK.replace('200', '403') }, { client: GET }, { server: OK }],
      expected: [
        'request 0 CONNECT a:22 none 0 complete',
        'response 0 403 length 2 complete',
        'request 1 GET /a none 0 complete',
        'response 1 200 length 2 complete',
      ],
    },
  ]);
});

describe('lost bytes and missing beginnings', () => {
  runCases([
    {
      name: 'the beginning was not seen: a request is taken at once',
      steps: [{ client: GET }, { server: OK }],
      options: { syn: false },
      expected: ['request 0 GET /a none 0 complete', 'response 0 200 length 2 complete'],
    },
    {
      name: 'sequence numbers wrap inside a body',
      steps: [{ client: POST_5 + 'hello' }, { server: OK }, { client: GET }, { server: OK }],
      options: { sequences: [0xffff_fff0, 0xffff_ffff] },
      expected: [
        'request 0 POST /p length 5 complete',
        'response 0 200 length 2 complete',
        'request 1 GET /a none 0 complete',
        'response 1 200 length 2 complete',
      ],
    },
    {
      name: 'body text that looks like a request, in a stream of unknown beginning',
      steps: [{ client: 'x=1&y=' }, { client: DELETE }, { client: DELETE }, { server: OK }, { client: GET }, { server: OK }],
      options: { syn: false },
      expected: [
        'orphan 200 length 2 complete',
        'request 0 GET /a none 0 complete',
        'response 0 200 length 2 complete',
      ],
    },
    {
      name: 'body text that looks like a request, behind an interim response',
      steps: [{ client: 'Host: x\r\n\r\n' }, { server: 'HTTP/1.1 100 Continue\r\n\r\n' }, { client: DELETE }, { server: OK }],
      options: { syn: false },
      expected: ['orphan 200 length 2 complete'],
    },
    {
      name: 'a gap inside a body of known length: what follows is known exactly',
      steps: [{ client: POST_5 + 'h' }, { clientGap: 3 }, { client: 'o' + GET }, { server: OK + OK }],
      expected: [
        'request 0 POST /p length 2 gap',
        'request 1 GET /a none 0 complete',
        'response 0 200 length 2 complete',
        'response 1 200 length 2 complete',
      ],
    },
    {
      name: 'a gap inside one chunk',
      steps: [{ client: CHUNKED + '5\r\nh' }, { clientGap: 4 }, { client: '\r\n0\r\n\r\n' + GET }, { server: OK + OK }],
      expected: [
        'request 0 POST /c chunked 1 gap',
        'request 1 GET /a none 0 complete',
        'response 0 200 length 2 complete',
        'response 1 200 length 2 complete',
      ],
    },
    {
      name: 'a gap beyond the chunk: nothing is glued, nothing taken for a request',
      steps: [{ client: CHUNKED + '5\r\nh' }, { clientGap: 6 }, { client: DELETE }, { server: OK }, { client: GET }, { server: OK }],
      expected: [
        'request 0 POST /c chunked 1 gap',
        'response 0 200 length 2 complete',
        'request 1 GET /a none 0 complete',
        'response 1 200 length 2 complete',
      ],
    },
    {
      name: 'a gap inside a head',
      steps: [{ client: GET.slice(0, 9) }, { clientGap: 5 }, { client: 'ost: x\r\n\r\n' }, { server: OK }, { client: GET }, { server: OK }],
      expected: [
        'partial request gap',
        'orphan 200 length 2 complete',
        'request 0 GET /a none 0 complete',
        'response 0 200 length 2 complete',
      ],
    },
    {
      name: 'a request lost whole: its answer is an orphan',
      steps: [{ client: GET }, { server: OK }, { clientGap: 30 }, { server: OK }, { client: GET }, { server: OK }],
      expected: [
        'request 0 GET /a none 0 complete',
        'response 0 200 length 2 complete',
        'orphan 200 length 2 complete',
        'request 1 GET /a none 0 complete',
        'response 1 200 length 2 complete',
      ],
    },
    {
      name: 'a response lost whole: its request is unanswered',
      steps: [{ client: GET }, { serverGap: 40 }, { client: GET }, { server: OK }],
      expected: [
        'request 0 GET /a none 0 complete',
        'request 1 GET /a none 0 complete',
        'unanswered 0',
        'response 1 200 length 2 complete',
      ],
    },
    {
      name: 'responses to pipelined requests lost in part: nothing is guessed',
      steps: [
        { client: GET },
        { server: OK },
        { client: GET + GET },
        { serverGap: 40 },
        { server: OK },
        { client: GET },
        { server: OK },
      ],
      expected: [
        'request 0 GET /a none 0 complete',
        'response 0 200 length 2 complete',
        'request 1 GET /a none 0 complete',
        'request 2 GET /a none 0 complete',
        'request 3 GET /a none 0 complete',
        'unanswered 1',
        'unanswered 2',
        'response 3 200 length 2 complete',
      ],
    },
    {
      name: 'only the client was captured',
      steps: [{ client: GET, ack: 5_000 }, { client: GET, ack: 5_040 }, { client: GET, ack: 5_080 }],
      options: { syn: false },
      expected: [
        'request 0 GET /a none 0 complete',
        'request 1 GET /a none 0 complete',
        'request 2 GET /a none 0 complete',
        'unanswered 0',
        'unanswered 1',
        'unanswered 2',
      ],
    },
    {
      name: 'a first request lost: the second is taken, for the server has answered the first',
      steps: [{ clientGap: 30 }, { client: DELETE }, { server: OK }, { client: GET }, { server: OK }],
      expected: [
        'orphan 200 length 2 complete',
        'request 0 GET /a none 0 complete',
        'response 0 200 length 2 complete',
      ],
    },
    {
      name: 'only the server was captured',
      steps: [{ server: OK, ack: 1_100 }, { server: OK, ack: 1_200 }],
      options: { syn: false },
      expected: ['orphan 200 length 2 complete', 'orphan 200 length 2 complete'],
    },
    {
      name: 'a response captured before its request',
      steps: [{ client: GET }, { server: OK }, { late: GET.length }, { server: OK }, { client: GET, ack: 5_040 }, { client: GET }, { server: OK }],
      expected: [
        'request 0 GET /a none 0 complete',
        'response 0 200 length 2 complete',
        'request 1 GET /a none 0 complete',
        'response 1 200 length 2 complete',
        'request 2 GET /a none 0 complete',
        'response 2 200 length 2 complete',
      ],
    },
  ]);

  it('takes what follows a refused body for the next request', () => {
    const put = 'PUT /a HTTP/1.1\r\nContent-Length: 90\r\nExpect: 100-continue\r\n\r\n';
    expect(play([{ client: put }, { server: OK.replace('200', '401') }, { client: GET }, { server: OK }])).toEqual([
      'request 0 PUT /a length 0 closed',
      'response 0 401 length 2 complete',
      'request 1 GET /a none 0 complete',
      'response 1 200 length 2 complete',
    ]);
  });

  it('waits for no timer with a request whose beginning was not seen', () => {
    expect(play([{ client: '\0' }, { client: GET }], { syn: false })[0]).toBe('request 0 GET /a none 0 complete');
  });
});
