import { describe, expect, test } from 'vitest';
import { StreamLog, Wire } from '../../test/support/segments.ts';
import type { Segment } from '../packets/segment.ts';
import { FlowTable } from './flow-table.ts';
import type { FlowLimits } from './limits.ts';

/** A stand-in for the HTTP stage's judgement. */
function beginsMessage(bytes: Buffer, start: number, end: number): boolean {
  return /^(GET|POST|HTTP)/.test(bytes.toString('latin1', start, end));
}

function setUp(options: Partial<FlowLimits> = {}) {
  const log = new StreamLog();
  const table = new FlowTable(log, { canStart: beginsMessage, ...options });
  const push = (...segments: Segment[]): string[] => {
    for (const segment of segments) table.push(segment);
    return log.take();
  };
  return { log, table, push, counters: table.counters };
}

const wire = new Wire();
const handshake = [wire.syn(), wire.synAck(), wire.ack('client', 0, 0)];

describe('a whole conversation', () => {
  test.each([false, true])('is delivered as it comes (client is the higher endpoint: %s)', (clientHigh) => {
    const own = new Wire({ clientHigh });
    const { push, counters, table } = setUp();
    expect(push(own.syn(), own.synAck(), own.ack('client', 0, 0))).toEqual([]);
    expect(push(own.send('client', 0, 'GET /'))).toEqual(['open 1', 'client "GET /"']);
    expect(push(own.send('server', 0, 'HTTP', { ack: 5 }))).toEqual(['server "HTTP"']);
    expect(push(own.fin('client', 5, { ack: 4 }))).toEqual(['client end']);
    expect(push(own.fin('server', 4, { ack: 6 }))).toEqual(['server end', 'close fin']);
    expect(push(own.ack('client', 6, 5))).toEqual([]);
    expect(counters).toMatchObject({ opened: 1, closedFin: 1, active: 0, halfOpen: 0, gapsLost: 0, syn: 2 });
    expect(table.pendingHoles).toBe(0);
  });

  test('tells who began it, where, and through which tunnel', () => {
    const own = new Wire({ tunnel: 0x1_00ab_cdef, vlan: 4095 * 4096 + 7 });
    const table = new FlowTable<string>({
      open: (connection) => {
        expect(connection).toMatchObject({ tunnel: 0x1_00ab_cdef, vlan: 4095 * 4096 + 7, initiator: 0 });
        return connection.label(0);
      },
      data: (connection) => expect(connection.state).toBe('10.0.0.1:40000>10.0.0.80:80'),
      gap: () => expect.unreachable(),
      end: () => expect.unreachable(),
      close: () => expect.unreachable(),
    });
    table.push(own.syn());
    table.push(own.send('client', 0, 'GET'));
    expect(table.counters.deliveredBytes).toBe(3);
  });

  test('the same addresses in two tunnels or VLANs are two connections', () => {
    const { push } = setUp();
    push(new Wire({ tunnel: 0x1_0000_0001 }).send('client', 0, 'GET a'));
    const second = push(new Wire({ tunnel: 0x2_0000_0001 }).send('client', 0, 'GET b'));
    expect(second).toEqual(['open 2', '2: client "GET b"']);
    expect(push(new Wire({ tunnel: 0x1_0000_0001, vlan: 5 }).send('client', 0, 'GET c'))[0]).toBe('open 3');
  });

  test('data comes with its place, the acknowledgement it carried, its time and whether it begins a segment', () => {
    const { log, push } = setUp();
    push(...handshake, wire.send('client', 0, 'GET', { timeUs: 1, ack: 0 }));
    push(wire.send('client', 6, 'ghi', { timeUs: 2, ack: 7 }));
    push(wire.send('client', 1, 'ETdef', { timeUs: 3, ack: null }));
    const at = (offset: number) => wire.sequence('client', offset);
    const acked = (offset: number) => wire.sequence('server', offset);
    expect(log.calls).toMatchObject([
      { sequence: at(0), acknowledgement: acked(0), segmentStart: true, timeUs: 1 },
      { sequence: at(3), acknowledgement: -1, segmentStart: false, timeUs: 3 },
      { sequence: at(6), acknowledgement: acked(7), segmentStart: true, timeUs: 2 },
    ]);
  });
});

describe('handshakes', () => {
  test('a SYN may carry data, and be repeated', () => {
    const { push } = setUp();
    expect(push(wire.syn(0, 'GET /'))).toEqual(['open 1', 'client "GET /"']);
    expect(push(wire.syn(1, 'GET /'), wire.synAck(2, 5), wire.synAck(3, 5))).toEqual([]);
    expect(push(wire.send('client', 5, 'x'))).toEqual(['client "x"']);
  });

  test('data of the SYN that the server refused is sent again and delivered once', () => {
    const { push } = setUp();
    push(wire.syn(0, 'GET /'), wire.synAck(1, 0));
    expect(push(wire.send('client', 0, 'GET /x'))).toEqual(['client "x"']);
  });

  test('the SYN-ACK may come before the SYN', () => {
    const { push, log } = setUp();
    push(wire.synAck(), wire.syn(), wire.send('client', 0, 'body'));
    expect(log.calls).toMatchObject([{ side: 'client', sequence: wire.sequence('client', 0) }]);
  });

  test('the SYN may come after data, even after two segments of it', () => {
    const { push, counters } = setUp();
    expect(push(wire.send('client', 4, 'rest'))).toEqual([]);
    expect(push(wire.syn())).toEqual([]);
    expect(push(wire.send('client', 0, 'abcd'))).toEqual(['open 1', 'client "abcd"', 'client "rest"']);
    expect(push(new Wire({ clientPort: 1 }).send('client', 0, 'GET'))).toEqual(['open 2', '2: client "GET"']);
    expect(push(new Wire({ clientPort: 1 }).syn(), new Wire({ clientPort: 1 }).send('client', 3, '/'))).toEqual([
      '2: client "/"',
    ]);
    expect(counters.closedReused).toBe(0);
  });

  test('a simultaneous open is one connection', () => {
    const { push } = setUp();
    push(wire.syn(), wire.serverSyn(), wire.synAck());
    expect(push(wire.send('server', 0, 'HTTP'), wire.send('client', 0, 'GET'))).toEqual([
      'open 1',
      'server "HTTP"',
      'client "GET"',
    ]);
  });

  test('with the SYN lost, the SYN-ACK tells where the client begins', () => {
    const { push } = setUp();
    push(wire.synAck());
    expect(push(wire.send('client', 4, 'late'), wire.send('client', 0, 'abcd'))).toEqual([
      'open 1',
      'client "abcd"',
      'client "late"',
    ]);
  });

  test('a refused connection leaves nothing, and may be tried again with the same number', () => {
    const { push, counters } = setUp();
    const refusal = wire.rst('server', 0);
    refusal.sequence = 0;
    refusal.flags |= 0x10;
    refusal.acknowledgement = wire.sequence('client', 0);
    expect(push(wire.syn(), refusal)).toEqual([]);
    expect(push(wire.syn(), wire.synAck(), wire.send('client', 0, 'x'))).toEqual(['open 1', 'client "x"']);
    expect(counters).toMatchObject({ opened: 1, resetsIgnored: 0 });
  });
});

describe('repeated bytes', () => {
  test('retransmissions and keep-alive probes are dropped and counted', () => {
    const { push, counters } = setUp();
    push(...handshake, wire.send('client', 0, 'GET /'));
    expect(push(wire.send('client', 0, 'GET /'), wire.send('client', 4, '\0'), wire.send('client', 4, ''))).toEqual([]);
    expect(counters).toMatchObject({ retransmittedSegments: 2, retransmittedBytes: 6 });
    expect(push(wire.send('client', 5, 'x'))).toEqual(['client "x"']);
  });

  test('a retransmission with other split points brings its new part', () => {
    const { push } = setUp();
    push(...handshake, wire.send('client', 0, 'abcd'));
    expect(push(wire.send('client', 2, 'cdef'))).toEqual(['client "ef"']);
  });

  test('the first bytes seen win, and differing ones are counted', () => {
    const { push, counters } = setUp();
    push(...handshake, wire.send('client', 4, 'EFGH'));
    const lines = push(wire.send('client', 0, 'abcdXYgh12'));
    expect(lines).toEqual(['open 1', 'client "abcd"', 'client "EFGH"', 'client "12"']);
    expect(counters).toMatchObject({ conflictingBytes: 4, retransmittedBytes: 4 });
  });

  test('a retransmission after the close is dropped', () => {
    const { push, counters } = setUp();
    push(...handshake, wire.send('client', 0, 'POST /'), wire.fin('client', 6), wire.fin('server', 0, { ack: 7 }));
    expect(push(wire.send('client', 0, 'POST /'), wire.fin('client', 6), wire.syn())).toEqual([]);
    expect(counters).toMatchObject({ opened: 1, afterCloseSegments: 2, ignoredBytes: 6 });
  });
});

describe('holes', () => {
  test('bytes behind a hole wait for it to be filled', () => {
    const { push, table, counters } = setUp();
    push(...handshake, wire.send('client', 0, 'ab'));
    expect(push(wire.send('client', 4, 'ef'), wire.send('client', 8, 'ij'), wire.send('client', 6, 'gh'))).toEqual([]);
    expect(table.pendingHoles).toBe(1);
    expect(push(wire.send('client', 2, 'cd'))).toEqual(['client "cd"', 'client "ef"', 'client "gh"', 'client "ij"']);
    expect(table.pendingHoles).toBe(0);
    expect(counters).toMatchObject({ bufferedBytes: 0, outOfOrderSegments: 3, gapsLost: 0 });
  });

  test('a full round trip beyond the hole proves the loss, without a timer', () => {
    const { push } = setUp({ holeProofUs: 0 });
    push(...handshake);
    // Bytes 0 to 4 are lost; the server answers them; the next request acknowledges the answer.
    expect(push(wire.send('server', 0, 'HTTP', { ack: 5 }))).toEqual(['open 1', 'server "HTTP"']);
    expect(push(wire.send('client', 5, 'GET /2', { ack: 4 }))).toEqual(['client gap 5', 'client "GET /2"']);
  });

  test('an acknowledgement that may be older than the peer\'s is no proof', () => {
    const { push } = setUp();
    push(...handshake, wire.send('server', 0, 'HTTP'));
    push(wire.send('client', 2, 'cd', { ack: 4 }), wire.ack('server', 4, 4));
    expect(push(wire.send('client', 4, 'ef', { ack: 4 }))).toEqual([]);
    expect(push(wire.send('client', 0, 'ab', { ack: 4 }))).toEqual(['client "ab"', 'client "cd"', 'client "ef"']);
  });

  test('a retransmission by the peer is no proof either', () => {
    const { push } = setUp();
    push(...handshake, wire.send('server', 0, 'HTTP'), wire.send('client', 2, 'cd'));
    push(wire.send('server', 0, 'HTTP', { ack: 4 }));
    expect(push(wire.send('client', 4, 'ef', { ack: 4 }))).toEqual([]);
  });

  test('once the peer has acknowledged it, a hole waits for the grace time', () => {
    const { push, table, log } = setUp({ holeGraceUs: 20_000 });
    push(...handshake, wire.send('client', 2, 'cd'), wire.ack('server', 0, 4, 100));
    table.tick(20_099);
    expect(log.take()).toEqual([]);
    table.tick(20_100);
    expect(log.take()).toEqual(['open 1', 'client gap 2', 'client "cd"']);
  });

  test('packet times do as well as ticks', () => {
    const { push } = setUp();
    push(...handshake, wire.send('client', 2, 'cd'), wire.ack('server', 0, 4, 100));
    expect(push(wire.ack('server', 0, 4, 30_000))).toEqual(['open 1', 'client gap 2', 'client "cd"']);
  });

  test('only the acknowledged part of a hole is given up', () => {
    const { push, table, log } = setUp();
    push(...handshake, wire.send('client', 8, 'ij'), wire.ack('server', 0, 4));
    table.tick(50_000);
    expect(log.take()).toEqual(['open 1', 'client gap 4']);
    expect(push(wire.send('client', 4, 'efgh', { timeUs: 50_000 }))).toEqual(['client "efgh"', 'client "ij"']);
  });

  test('the end of a request that was never seen is given up when it was acknowledged', () => {
    const { push, table, log } = setUp();
    push(...handshake, wire.send('client', 0, 'ab'), wire.ack('server', 0, 6));
    expect(table.pendingHoles).toBe(1);
    table.tick(20_000);
    expect(log.take()).toEqual(['client gap 4']);
    expect(table.pendingHoles).toBe(0);
  });

  test('a FIN that was not seen is no lost byte', () => {
    const { push, table, counters } = setUp();
    push(...handshake, wire.send('client', 0, 'ab'), wire.ack('server', 0, 3));
    expect(table.pendingHoles).toBe(0);
    table.flush(0);
    expect(counters.gapsLost).toBe(0);
  });

  test('one direction alone waits for the timeout', () => {
    const { push, table, log } = setUp();
    push(wire.syn(), wire.send('client', 2, 'cd'));
    table.tick(999_999);
    expect(log.take()).toEqual([]);
    table.tick(1_000_000);
    expect(log.take()).toEqual(['open 1', 'client gap 2', 'client "cd"']);
  });

  test('a peer that is seen and has not acknowledged is waited for longer', () => {
    const { push, table, log } = setUp();
    push(...handshake, wire.send('client', 2, 'cd'), wire.ack('server', 0, 0));
    table.tick(9_999_999);
    expect(log.take()).toEqual([]);
    table.tick(10_000_000);
    expect(log.take()).toEqual(['open 1', 'client gap 2', 'client "cd"']);
  });

  test('bytes that the mirror cut off are a gap of their size', () => {
    const { push, counters } = setUp();
    push(...handshake);
    const lines = push(wire.send('client', 0, 'ab', { missing: 3 }));
    expect(lines).toEqual(['open 1', 'client "ab"', 'client gap 3 truncated']);
    expect(push(wire.send('client', 5, '', { missing: 2 }), wire.send('client', 7, 'hi'))).toEqual([
      'client gap 2 truncated',
      'client "hi"',
    ]);
    expect(counters).toMatchObject({ gapsTruncated: 2, gapBytesTruncated: 5, gapsLost: 0 });
  });

  test('cut-off bytes behind a hole are filled by a retransmission that has them', () => {
    const { push, counters } = setUp();
    push(...handshake, wire.send('client', 2, 'cd', { missing: 4 }), wire.send('client', 5, 'fg'));
    expect(push(wire.send('client', 0, 'ab'))).toEqual([
      'open 1',
      'client "ab"',
      'client "cd"',
      'client gap 1 truncated',
      'client "fg"',
      'client gap 1 truncated',
    ]);
    expect(counters.gapBytesTruncated).toBe(2);
  });
});

describe('the end', () => {
  test('a FIN waits for the bytes before it', () => {
    const { push } = setUp();
    push(...handshake, wire.send('client', 2, 'cd', { fin: true }));
    expect(push(wire.send('client', 0, 'ab'))).toEqual(['open 1', 'client "ab"', 'client "cd"', 'client end']);
  });

  test('after a half close the other direction goes on', () => {
    const { push } = setUp();
    push(...handshake, wire.send('client', 0, 'GET', { fin: true }));
    expect(push(wire.send('server', 0, 'HTTP', { ack: 4 }), wire.ack('client', 4, 4))).toEqual(['server "HTTP"']);
    expect(push(wire.fin('server', 4, { ack: 4 }))).toEqual(['server end', 'close fin']);
  });

  test('both sides may close at once', () => {
    const { push } = setUp();
    push(...handshake, wire.send('client', 0, 'GET'));
    expect(push(wire.fin('client', 3), wire.fin('server', 0), wire.ack('client', 4, 1))).toEqual([
      'client end',
      'server end',
      'close fin',
    ]);
  });

  test('a reset delivers what is held, with the gap, then closes', () => {
    const { push } = setUp();
    push(...handshake, wire.send('client', 0, 'ab'), wire.send('client', 4, 'ef'));
    expect(push(wire.rst('server', 0))).toEqual(['client gap 2', 'client "ef"', 'close reset']);
    expect(push(wire.send('client', 6, 'GET'))).toEqual([]);
  });

  test('a reset from elsewhere is ignored', () => {
    const { push, counters } = setUp();
    push(...handshake, wire.send('client', 0, 'GET'));
    expect(push(wire.rst('client', 0x4000_0000), wire.send('client', 3, '/'))).toEqual(['client "/"']);
    expect(counters.resetsIgnored).toBe(1);
  });

  test('a connection of which one direction is seen closes some time after it', () => {
    const { push, table, log } = setUp({ quietUs: 60e6 });
    push(wire.syn(), wire.send('client', 0, 'GET'));
    expect(push(wire.fin('client', 3))).toEqual(['client end']);
    expect(table.counters.active).toBe(1);
    table.tick(60e6);
    expect(log.take()).toEqual(['close fin']);
  });

  test('flush delivers what is held, then closes', () => {
    const { push, table, log, counters } = setUp();
    push(...handshake, wire.send('client', 2, 'cd', { fin: true }), wire.send('server', 0, 'HT'));
    table.flush(7);
    expect(log.take()).toEqual(['client gap 2', 'client "cd"', 'client end', 'close flushed']);
    expect(counters).toMatchObject({ active: 0, bufferedBytes: 0, closedFlushed: 1 });
  });
});

describe('picked up in the middle', () => {
  test('a segment that can start a message is delivered at once', () => {
    const { push } = setUp();
    expect(push(wire.send('client', 700, 'GET /'))).toEqual(['open 1', 'client "GET /"']);
    expect(push(wire.send('server', 900, 'rest', { ack: 705 }))).toEqual([]);
    expect(push(wire.ack('client', 705, 904))).toEqual(['server "rest"']);
  });

  test('the peer\'s acknowledgement tells what comes next', () => {
    const { push } = setUp();
    push(wire.send('client', 700, 'GET /', { ack: 900 }));
    expect(push(wire.send('server', 900, 'anything', { ack: 705 }))).toEqual(['server "anything"']);
  });

  test('any other segment waits for an earlier one', () => {
    const { push } = setUp();
    push(wire.send('client', 705, 'rest'));
    expect(push(wire.send('client', 700, 'GET /'))).toEqual(['open 1', 'client "GET /"', 'client "rest"']);
  });

  test('or for the grace time', () => {
    const { push, table, log } = setUp();
    push(wire.send('client', 705, 'rest'));
    table.tick(19_999);
    expect(log.take()).toEqual([]);
    table.tick(20_000);
    expect(log.take()).toEqual(['open 1', 'client "rest"']);
  });

  test('bytes from before the pick-up are dropped and counted', () => {
    const { push, counters } = setUp();
    push(wire.send('client', 700, 'GET /'));
    expect(push(wire.send('client', 695, 'body'), wire.send('client', 699, 'yGET /x'))).toEqual(['client "x"']);
    expect(counters).toMatchObject({ beforeStartBytes: 5, retransmittedBytes: 5 });
  });
});

describe('a new connection over an old one', () => {
  test.each([
    ['higher', 70_000],
    ['lower', 0x7000_0000],
  ])('a SYN with a %s number begins it', (_name, clientIsn) => {
    const { push } = setUp();
    push(...handshake, wire.send('client', 0, 'GET 1'));
    const again = new Wire({ clientIsn, serverIsn: 77 });
    expect(push(again.syn(), again.synAck(), again.send('client', 0, 'GET 2'))).toEqual([
      'close reused',
      'open 2',
      '2: client "GET 2"',
    ]);
  });

  test('without its SYN it is known by payload beyond the FIN', () => {
    const { push } = setUp();
    push(...handshake, wire.send('client', 0, 'GET 1', { fin: true }), wire.fin('server', 0, { ack: 6 }));
    expect(push(new Wire({ clientIsn: 66_500 }).send('client', 0, 'GET 2'))).toEqual(['open 2', '2: client "GET 2"']);
  });

  test('or by payload far away that can start a message', () => {
    const { push, counters } = setUp();
    push(...handshake, wire.send('client', 0, 'GET 1'));
    const far = new Wire({ clientIsn: 0x5000_0000 });
    expect(push(far.send('client', 9, 'stray'))).toEqual([]);
    expect(counters.implausibleSegments).toBe(1);
    expect(push(wire.send('client', 5, ' x'))).toEqual(['client " x"']);
    expect(push(far.send('client', 0, 'GET 2'))).toEqual(['close reused', 'open 2', '2: client "GET 2"']);
  });

  test('a stream that goes on far away is picked up there', () => {
    const { push } = setUp();
    push(...handshake, wire.send('client', 0, 'GET 1'));
    const far = 40_000_000;
    expect(push(wire.send('client', far, 'body'), wire.send('client', far + 4, 'more'))).toEqual(['close reused']);
    expect(push(wire.ack('server', 0, far + 8), wire.send('client', far + 8, 'x'))).toEqual([
      'open 2',
      '2: client "more"',
      '2: client "x"',
    ]);
  });
});

describe('bounds', () => {
  test('a stream that holds too much gives up its oldest hole', () => {
    const { push, counters } = setUp({ streamBufferBytesMax: 3_000 });
    push(...handshake, wire.send('client', 2, 'x'.repeat(1_000)), wire.send('client', 2_000, 'y'.repeat(1_000)));
    expect(push(wire.send('client', 5_000, 'z'.repeat(1_000)))).toEqual([
      'open 1',
      'client gap 2 evicted',
      `client "${'x'.repeat(1_000)}"`,
    ]);
    expect(counters).toMatchObject({ gapsEvicted: 1, gapBytesEvicted: 2 });
    expect(counters.bufferedBytesPeak).toBeLessThan(4_000);
  });

  test('when all hold too much, the oldest backlog gives up first', () => {
    const { push } = setUp({ totalBufferBytesMax: 1_000 });
    const other = new Wire({ clientPort: 2 });
    push(...handshake, other.syn(), wire.send('client', 2, 'x'.repeat(500)));
    const lines = push(other.send('client', 2, 'y'));
    expect(lines).toEqual(['open 1', 'client gap 2 evicted', `client "${'x'.repeat(500)}"`]);
  });

  test('the oldest connection makes room for a new one, closed ones before open ones', () => {
    const { push, table } = setUp({ connectionsMax: 2 });
    const [first, second, third, fourth] = [1, 2, 3, 4].map((clientPort) => new Wire({ clientPort }));
    push(first.send('client', 0, 'GET', { timeUs: 1e6 }), second.send('client', 0, 'GET', { timeUs: 2e6 }));
    push(first.send('client', 3, '/', { timeUs: 3e6 }), second.rst('client', 3, 4e6));
    expect(push(third.send('client', 0, 'GET', { timeUs: 5e6 }))).toEqual(['open 3', '3: client "GET"']);
    const lines = push(fourth.send('client', 0, 'GET', { timeUs: 6e6 }));
    expect(lines).toEqual(['close evicted', 'open 4', '4: client "GET"']);
    expect(table.counters).toMatchObject({ evictedFlows: 2, closedEvicted: 1, active: 2 });
  });

  test('a million half-open connections leave the open ones alone', () => {
    const { push, table, log, counters } = setUp({ connectionsMax: 4_096 });
    push(...handshake, wire.send('client', 0, 'GET'));
    const syn = new Wire().syn();
    for (let count = 0; count < 1_000_000; count++) {
      syn.source[3] = 0x0b00_0000 + (count >>> 8);
      syn.sourcePort = 1024 + (count & 255);
      table.push(syn);
    }
    expect(log.take()).toEqual([]);
    expect(push(wire.send('client', 3, '/'))).toEqual(['client "/"']);
    expect(table.counters).toMatchObject({ active: 1, halfOpen: 4_095, opened: 1 });
    expect(counters.evictedFlows).toBe(1_000_001 - 4_096);
  });

  test('limits that make no sense are refused', () => {
    expect(() => setUp({ connectionsMax: 0 })).toThrow(RangeError);
    expect(() => setUp({ holeGraceUs: -1 })).toThrow(RangeError);
  });
});

describe('age', () => {
  test('an idle connection is freed, and goes on where it stopped', () => {
    const { push, table, log } = setUp({ idleUs: 10_000_000 });
    push(...handshake, wire.send('client', 0, 'GET', { timeUs: 5e6 }));
    table.tick(14e6);
    expect(log.take()).toEqual([]);
    table.tick(15e6);
    expect(log.take()).toEqual(['close idle']);
    expect(push(wire.send('client', 3, 'anything', { timeUs: 99e6 }))).toEqual(['open 2', '2: client "anything"']);
  });

  test('idle keep-alive for hours loses nothing', () => {
    const { push, table, log } = setUp();
    push(...handshake, wire.send('client', 0, 'GET'));
    table.tick(5 * 3_600e6);
    expect(log.take()).toEqual(['close idle']);
    expect(push(wire.send('client', 3, 'GET', { timeUs: 5 * 3_600e6 }))).toEqual(['open 2', '2: client "GET"']);
  });

  test('closed and half-open flows are forgotten', () => {
    const { push, table, counters } = setUp({ quietUs: 60e6 });
    push(wire.syn());
    table.tick(59e6);
    expect(table.counters.halfOpen).toBe(1);
    table.tick(60e6);
    expect(table.counters.halfOpen).toBe(0);
    expect(counters.opened).toBe(0);
  });
});

test('what is of no flow is counted', () => {
  const { push, counters } = setUp();
  expect(push(wire.ack('client', 0, 0), wire.fin('client', 0), wire.rst('client', 0))).toEqual([]);
  expect(counters).toMatchObject({ straySegments: 3, halfOpen: 0 });
});
