/**
 * Bodies as an application sees them: cut out of the reassembled streams by the sequence numbers that the HTTP stage
 * reports, then unchunked and unpacked here, in the plainest way, so that the product's own framing is checked by it.
 */
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import type { Message } from '../../src/http/exchange.ts';
import { canStartStream } from '../../src/http/start.ts';
import { Decoded } from '../../src/packets/decoded.ts';
import { PacketDecoder } from '../../src/packets/decoder.ts';
import { CaptureFile } from '../../src/sources/capture-file.ts';
import { FlowTable } from '../../src/tcp/flow-table.ts';

/** The ordered bytes of every connection of a capture, both directions apart. */
export class StreamRecord {
  readonly #pieces = new Map<string, { sequence: number; bytes: Buffer }[]>();

  static async of(path: string, mergeTunnels: boolean): Promise<StreamRecord> {
    const record = new StreamRecord();
    const decoder = new PacketDecoder({ vnis: null, ports: null, mergeTunnels, tunnels: true });
    const flows = new FlowTable<null>(
      {
        open: () => null,
        data: (connection, direction, bytes, start, end, _timeUs, sequence) =>
          record.#add(`${connection.id}/${direction}`, sequence, Buffer.from(bytes.subarray(start, end))),
        gap: () => {},
        end: () => {},
        close: () => {},
      },
      { canStart: canStartStream },
    );
    let timeUs = 0;
    for await (const batch of await CaptureFile.open(path)) {
      while (batch.next()) {
        timeUs = batch.timeUs;
        const { bytes, start, end, originalLength, linkType } = batch;
        if (decoder.decode(bytes, start, end, originalLength, linkType, timeUs) === Decoded.segment) {
          flows.push(decoder.segment);
        }
      }
      flows.tick(timeUs);
    }
    flows.flush(timeUs);
    return record;
  }

  /** The body of a message without its chunk framing; null when a part of the message was not seen. */
  body(connectionId: number, message: Message): Buffer | null {
    const { head, body, startSequence, endSequence } = message;
    for (const direction of [0, 1]) {
      const whole = this.#range(`${connectionId}/${direction}`, startSequence, endSequence);
      if (whole?.subarray(0, head.bytes.length).equals(head.bytes)) {
        const wire = whole.subarray(head.bytes.length);
        return body.framing === 'chunked' ? unchunk(wire) : wire;
      }
    }
    return null;
  }

  #add(stream: string, sequence: number, bytes: Buffer): void {
    const pieces = this.#pieces.get(stream);
    if (pieces === undefined) this.#pieces.set(stream, [{ sequence, bytes }]);
    else pieces.push({ sequence, bytes });
  }

  #range(stream: string, from: number, to: number): Buffer | null {
    const length = (to - from) >>> 0;
    const parts: Buffer[] = [];
    for (const { sequence, bytes } of this.#pieces.get(stream) ?? []) {
      const offset = (sequence - from) | 0;
      if (offset < length && offset + bytes.length > 0) {
        parts.push(bytes.subarray(Math.max(0, -offset), Math.max(0, Math.min(bytes.length, length - offset))));
      }
    }
    const bytes = Buffer.concat(parts);
    return bytes.length === length ? bytes : null;
  }
}

/** The data of a chunked body (RFC 9112 section 7.1). */
function unchunk(wire: Buffer): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = wire.indexOf('\n', at);
    const size = Number.parseInt(wire.toString('latin1', at, lineEnd), 16);
    if (lineEnd < 0 || !(size > 0)) return Buffer.concat(parts);
    parts.push(wire.subarray(lineEnd + 1, lineEnd + 1 + size));
    at = wire.indexOf('\n', lineEnd + 1 + size) + 1;
  }
}

const unpackers: Record<string, (bytes: Buffer) => Buffer> = {
  gzip: gunzipSync,
  'x-gzip': gunzipSync,
  br: brotliDecompressSync,
  zstd: zstdDecompressSync,
  deflate: (bytes) => {
    try {
      return inflateSync(bytes);
    } catch {
      // What servers call deflate often lacks the zlib header.
      return inflateRawSync(bytes);
    }
  },
};

/** Removes the codings of the Content-Encoding fields, the last one first; null when one does not fit the bytes. */
export function unpack(body: Buffer, message: Message): Buffer | null {
  const codings = message.head.all('content-encoding').flatMap((value) => value.toLowerCase().split(','));
  try {
    return codings.reduceRight((bytes, coding) => unpackers[coding.trim()]?.(bytes) ?? bytes, body);
  } catch {
    return null;
  }
}
