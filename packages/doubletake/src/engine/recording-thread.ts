/**
 * The recording thread: compresses the blocks that the workers send and writes them. It is a thread of its own, beside
 * the analysis, so that a slow disk holds up no comparison and a slow comparison no recording.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { RecordingError } from '../recording/recording-error.ts';
import type { RecordBlock } from '../recording/record-block.ts';
import { Recorder } from '../recording/recorder.ts';
import type { BlockReply, FromRecording, RecordingStart } from './recording-messages.ts';

/** How often it is looked whether a segment is old enough to be closed or removed. */
const tickMs = 10_000;

const port = parentPort;
if (port === null) throw new Error('this file runs in a worker thread only');

const { options, ports } = workerData as RecordingStart;
const say = (message: FromRecording): void => port.postMessage(message);
const recorder = new Recorder(options, {
  warning: (text) => say({ type: 'warning', text }),
  notice: (text) => say({ type: 'notice', text }),
});

/** The whole blocks are on the disk whatever happens here. */
function close(): void {
  try {
    recorder.close();
  } catch (error) {
    if (!(error instanceof RecordingError)) throw error;
    say({ type: 'warning', text: `${error.message} [${error.code}]; the last segment has no index, which is made up for when it is read` });
  }
}

try {
  recorder.open();
  for (const each of ports) {
    each.on('message', (block: RecordBlock) => {
      const { buffer } = block.bytes;
      const reply: BlockReply = { written: recorder.write(block, Date.now()), buffer };
      each.postMessage(reply, [buffer]);
    });
  }
  const timer = setInterval(() => recorder.tick(Date.now()), tickMs);
  port.once('message', () => {
    clearInterval(timer);
    close();
    for (const each of ports) each.close();
    port.close();
  });
  say({ type: 'ready' });
} catch (error) {
  if (!(error instanceof RecordingError)) throw error;
  say({ type: 'failed', code: error.code, text: error.message });
  port.close();
}
