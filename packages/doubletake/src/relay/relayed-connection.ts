/**
 * One connection: two sockets whose bytes pass unchanged both ways. Production comes first: bytes are handed on before they
 * are copied, no more is read from one side while the other has not taken what was read before, and FIN and RST of one
 * side become those of the other.
 */
import type { Socket } from 'node:net';
import type { CopiedConnection, CopyDirection } from './copied-connection.ts';

/** One side of a connection. */
export interface Side {
  /** What is read and written: TLS where it is ended here. */
  socket: Socket;
  /** The TCP socket beneath, which can be reset. */
  raw: Socket;
}

/** When one side has sent FIN, the other may be silent for this long. */
const halfClosedMsMax = 600_000;

/** A connection on which production spoke last seems idle after this long, one on which nobody has spoken yet sooner. */
const answeredIdleMs = 5_000;
const silentIdleMs = 1_000;

/** How long both sides are waited for when they were told to close. */
const lingerMsMax = 2_000;

const nothing = Buffer.alloc(0);

export class RelayedConnection {
  readonly copy: CopiedConnection;
  readonly #sides: readonly [Side, Side];
  readonly #ended: () => void;
  /** When the last byte went by, and whose it was; performance clock. */
  #lastMs = performance.now();
  #lastFrom: CopyDirection | -1 = -1;
  #open = 2;
  #leaving = false;
  #linger: NodeJS.Timeout | undefined;
  #broken = false;

  /** Both sides can be written to and nothing was read. `ended` is called once, when both are closed. */
  constructor(client: Side, production: Side, copy: CopiedConnection, ended: () => void) {
    this.#sides = [client, production];
    this.copy = copy;
    this.#ended = ended;
    this.#join(0);
    this.#join(1);
    client.socket.resume();
    production.socket.resume();
  }

  /** Whether, as far as can be told without reading it, nobody waits for anything. */
  get seemsIdle(): boolean {
    if (this.#lastFrom === 0) return false;
    return performance.now() - this.#lastMs > (this.#lastFrom === 1 ? answeredIdleMs : silentIdleMs);
  }

  /** Ends an idle connection as a server does: what the client still sends is for nobody. */
  leave(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    const [client, production] = this.#sides;
    production.socket.end();
    client.socket.end();
    this.#linger = setTimeout(() => {
      client.raw.destroy();
      production.raw.destroy();
    }, lingerMsMax);
  }

  /** Breaks it off, so that both sides see that it did not end in order. */
  reset(): void {
    for (const side of this.#sides) resetSide(side);
  }

  #join(direction: CopyDirection): void {
    const { copy } = this;
    const from = this.#sides[direction].socket;
    const to = this.#sides[direction === 0 ? 1 : 0].socket;
    const taken = (): void => void from.resume();
    from.on('data', (bytes: Buffer) => {
      if (this.#leaving) return;
      this.#lastMs = performance.now();
      this.#lastFrom = direction;
      to.write(bytes);
      if (to.writableLength > 0) {
        from.pause();
        // Its callback comes when all before it was taken. As a rule all is taken at once, and then needs none.
        to.write(nothing, taken);
      }
      copy.data(direction, bytes);
    });
    from.on('end', () => {
      if (!this.#leaving) copy.end(direction);
      to.end();
      if (!to.destroyed) to.setTimeout(halfClosedMsMax, () => this.reset());
    });
    from.on('error', () => {});
    from.on('close', () => this.#closed(direction));
  }

  /** A side that was not ended by FIN both ways takes the other with it. */
  #closed(direction: CopyDirection): void {
    const { socket } = this.#sides[direction];
    if (!(socket.readableEnded && socket.writableFinished) && !this.#leaving) {
      this.#broken = true;
      resetSide(this.#sides[direction === 0 ? 1 : 0]);
    }
    if (--this.#open > 0) return;
    clearTimeout(this.#linger);
    this.copy.close(this.#broken ? 'reset' : 'fin');
    this.#ended();
  }
}

/**
 * Closes a side with RST. One that was sent FIN already cannot be reset any more (libuv refuses it, and Node would then
 * never close the socket): it is closed, and what its peer still sends is answered with RST.
 */
export function resetSide({ socket, raw }: Side): void {
  const ended = (socket.writableEnded && socket.writableLength === 0) || raw.writableEnded;
  if (ended) raw.destroy();
  else if (!raw.destroyed) raw.resetAndDestroy();
  socket.destroy();
}
