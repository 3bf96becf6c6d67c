/** Runs one of this folder's scripts in a process of its own, and reads what it prints line by line. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Script {
  readonly processId: number;
  /** The next line it prints; rejects with what it said when it ends instead. */
  nextLine(): Promise<string>;
  /** Asks it to end (SIGTERM). */
  stop(): void;
}

/** Starts `bench/NAME`; it is killed after `timeoutMs`, and when this process exits. */
export function startScript(name: string, args: readonly (string | number)[], timeoutMs: number): Script {
  const child = spawn(process.execPath, [fileURLToPath(new URL(name, import.meta.url)), ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.on('exit', kill);
  child.on('close', () => process.off('exit', kill));
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4_096)));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    processId: child.pid ?? 0,
    async nextLine() {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`${name} ended early: ${said}`);
      return value;
    },
    stop: () => void child.kill('SIGTERM'),
  };
}
