/** Opens files and folders of any format that is known, told by what is in them, as one stream in order of time. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { CaptureFile } from '../../sources/capture-file.ts';
import { CaptureParser } from '../../sources/capture-parser.ts';
import { openRecording, type RecordingOptions } from '../recording.ts';
import { parseLogLine } from './access-log-line.ts';
import { AccessLogReader } from './access-log-reader.ts';
import { ByteStream } from './byte-stream.ts';
import { type CaptureChoice, CaptureReader } from './capture-reader.ts';
import { GorReader } from './gor-reader.ts';
import { HarReader } from './har-reader.ts';
import { Merged } from './merged.ts';
import { RecordingReader } from './recording-reader.ts';
import { TimeOrder } from './time-order.ts';
import { TrafficFileError } from './traffic-file-error.ts';
import type { TrafficReader } from './traffic.ts';

/** What a segment of a recording begins with (docs/recording-format.md). */
const segmentMagic = 'DTRECORD';

/** Each has a buffer and a descriptor while it is read. */
const filesMax = 256;

/** The first line of a log is found in these. */
const sniffedBytes = 16 * 1024;

export interface TrafficOptions extends CaptureChoice, Pick<RecordingOptions, 'key' | 'fromUs' | 'toUs'> {}

/**
 * Opens `paths`: recordings (a folder, or segments of one), pcap and pcapng, `.gor`, HAR and access logs, plain or
 * gzipped; of a folder that is no recording, every file in it. `-` is standard input. Throws a `TrafficFileError`, a
 * `RecordingError` or a `CaptureFileError`.
 */
export async function openTraffic(paths: readonly string[], options: TrafficOptions): Promise<TrafficReader> {
  const readers: TrafficReader[] = [];
  const recordings: string[] = [];
  for (const path of await filesIn(paths)) {
    // oxlint-disable-next-line no-await-in-loop -- one that cannot be read ends the start before the next is opened
    const reader = await openFile(path, options);
    if (reader === null) recordings.push(path);
    else readers.push(reader);
  }
  if (readers.length > filesMax) {
    throw new TrafficFileError('DT_TRAFFIC_UNREADABLE', paths[0] ?? '', `there are ${readers.length} files to read; at most ${filesMax} are read at once`);
  }
  // Its segments are merged by the recording itself.
  if (recordings.length > 0) readers.unshift(new RecordingReader(recordings[0] ?? '', await openRecording(recordings, options)));
  const [only] = readers;
  if (only === undefined) throw new TrafficFileError('DT_TRAFFIC_UNREADABLE', paths[0] ?? '', 'holds no file');
  // A recording alone is in order.
  if (readers.length === 1) return recordings.length > 0 ? only : new TimeOrder(only);
  return new TimeOrder(new Merged(readers));
}

/** The files that are given, and those in the folders that are given, but for what begins with a dot. */
async function filesIn(paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- the first that is wrong is told of
      if (path === '-' || !(await stat(path)).isDirectory()) files.push(path);
      else {
        // oxlint-disable-next-line no-await-in-loop -- as above
        const inside = await readdir(path, { withFileTypes: true });
        const names = inside.filter((entry) => entry.isFile() && !entry.name.startsWith('.')).map(({ name }) => join(path, name));
        files.push(...names.toSorted());
      }
    } catch (error) {
      throw TrafficFileError.unreadable(path, error);
    }
  }
  return files;
}

/** Null for a segment of a recording. */
async function openFile(path: string, options: TrafficOptions): Promise<TrafficReader | null> {
  const stream = await ByteStream.open(path);
  let kept = false;
  try {
    const head = await stream.peek(sniffedBytes);
    const text = head.toString('latin1').replace(/^\u00ef\u00bb\u00bf/, '');
    if (text.startsWith(segmentMagic)) return null;
    if (CaptureParser.beginsLikeCapture(head) && head.length > 0) {
      const input = path === '-' ? Readable.from(stream.blocks()) : undefined;
      kept = input !== undefined;
      return new CaptureReader(path, await CaptureFile.open(path, input), stream.total, options);
    }
    const reader = readerOf(text, stream);
    if (reader !== null) {
      kept = true;
      return reader;
    }
    const what = head.length === 0 ? 'is empty' : 'is in no format that is known: a recording, pcap, pcapng, .gor, HAR, or an access log in the combined format';
    throw new TrafficFileError('DT_TRAFFIC_NOT_RECOGNISED', path, what);
  } finally {
    if (!kept) await stream.close();
  }
}

function readerOf(text: string, stream: ByteStream): TrafficReader | null {
  if (/^[123] \S{1,128} \d{1,19}(?: \d{1,19})*\r?\n/.test(text)) return new GorReader(stream);
  if (/^\s*\{/.test(text)) return new HarReader(stream);
  // The first lines of a log that was rotated may be of something else.
  return text.split('\n', 20).some(isLogLine) ? new AccessLogReader(stream) : null;
}

function isLogLine(text: string): boolean {
  const line = parseLogLine(text.trimEnd());
  return typeof line === 'object' && line !== null;
}
