import { once } from 'node:events';
import { connect } from 'node:net';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { runDemo } from './demo.ts';

async function refuses(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const connected = await once(socket, 'connect').catch(() => null);
  socket.destroy();
  return connected === null;
}

describe('the demo', () => {
  it('mirrors a conversation, loses nothing and prints plain lines into a pipe', async () => {
    let text = '';
    const { signal } = new AbortController();
    await runDemo({ signal, seconds: 2, out: { write: (more) => (text += more) } });
    expect(text).toBe(stripVTControlCharacters(text));
    expect(text).toMatch(/GET +\/\S* +200 +\d+ ms +200 +\d+ ms {2}✓/);
    expect(text).toContain('Every request has exactly one outcome; the sums add up.');
    const [, replayed, blocked, all] = /Nothing was lost: (\d+) \+ (\d+) = (\d+)\./.exec(text) ?? [];
    expect(Number(all)).toBeGreaterThan(20);
    expect(Number(replayed) + Number(blocked)).toBe(Number(all));
  });

  it('fits a terminal, and stops all that it started when told to', async () => {
    const stop = new AbortController();
    const frames: string[] = [];
    let text = '';
    const write = (more: string): void => {
      text += more;
      if (more.includes('\u001b[?2026h') && frames.push(more) === 5) stop.abort();
    };
    await runDemo({ signal: stop.signal, seconds: 3_600, out: { write, isTTY: true, columns: 70, rows: 20 } });
    const lines = frames.flatMap((frame) => stripVTControlCharacters(frame).split('\n'));
    expect(Math.max(...lines.map((line) => line.replace('\r', '').length))).toBeLessThan(70);
    expect(text.lastIndexOf('\u001b[?25h')).toBeGreaterThan(text.lastIndexOf('\u001b[?25l'));
    expect(text).toContain('Nothing was lost');

    const ports = [...text.matchAll(/(?:relay|production|next version) :(\d+)/g)].map(([, port]) => Number(port));
    expect(ports).toHaveLength(3);
    expect(await Promise.all(ports.map(refuses))).toEqual([true, true, true]);
  });
});
