/** Runs the command line in the test's own process, for what it says before it opens anything. */
import { main } from '../../src/cli/main.ts';
import type { Finished } from './mirror.ts';

/** What `runCli` tells of the same arguments, much sooner. One at a time, since all share the standard streams. */
export async function runCliHere(args: readonly string[]): Promise<Finished> {
  const written = { stdout: '', stderr: '' };
  const restored = (['stdout', 'stderr'] as const).map((name) => {
    const stream = process[name];
    const write = stream.write.bind(stream);
    const before = new Set(stream.listeners('error'));
    stream.write = (text: unknown): boolean => {
      written[name] += String(text);
      return true;
    };
    return () => {
      stream.write = write;
      for (const listener of stream.listeners('error')) if (!before.has(listener)) stream.off('error', listener as () => void);
    };
  });
  try {
    await main([process.execPath, 'doubletake', ...args]);
    return { code: Number(process.exitCode ?? 0), ...written };
  } finally {
    for (const restore of restored) restore();
    process.exitCode = undefined;
  }
}
