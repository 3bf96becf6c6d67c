/** Capture files as a source. */
import { CaptureFile } from '../sources/capture-file.ts';
import { RoomOrClose } from './room-or-close.ts';
import type { RunningSource, SourceStart } from './running-source.ts';

/**
 * Reads a capture file no faster than the targets take it: a file can wait, so nothing of it is ever dropped for want of
 * room.
 */
export async function startCaptureFile(
  file: string,
  { pipeline, dispatcher, warn }: SourceStart,
): Promise<RunningSource> {
  const capture = await CaptureFile.open(file);
  const batches = capture[Symbol.asyncIterator]();
  // The first batch shows whether this is a capture at all, before anybody is told that traffic flows.
  let batch = await batches.next();
  const room = new RoomOrClose(dispatcher);
  const read = async (): Promise<void> => {
    for (; batch.done !== true && !room.closed; batch = await batches.next()) {
      const packets = batch.value;
      while (dispatcher.room && packets.next()) {
        const { bytes, start, end, originalLength, linkType, timeUs } = packets;
        pipeline.frame(bytes, start, end, originalLength, linkType, timeUs);
      }
      pipeline.tick(packets.timeUs);
      await room.makeWay();
    }
    await batches.return();
    if (capture.warning !== null) warn(capture.warning.message);
  };
  const exhausted = read().catch((error: unknown) => warn(error instanceof Error ? error.message : String(error)));
  return {
    address: `pcap=${file}`,
    exhausted,
    kernelDrops: () => 0,
    close: async () => {
      room.close();
      await exhausted;
    },
  };
}
