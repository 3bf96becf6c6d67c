/** The stages behind a proxy: what it copied comes as streams, in which gaps are counted by the proxy itself. */
import { ExchangeAssembler } from '../http/assembler.ts';
import type { HttpLimits } from '../http/counters.ts';
import { Intake, type IntakeParts } from './intake.ts';

export class RelayIntake extends Intake {
  readonly canWait = false;
  readonly streams: ExchangeAssembler;

  constructor(parts: IntakeParts, limits: Pick<HttpLimits, 'responseBodyBytesMax'>) {
    super(parts);
    this.streams = new ExchangeAssembler(this, limits);
  }

  /** The feed that hands over the streams has ended them. */
  override flush(): void {}

  override measure(kernelDrops: number): void {
    this.row[this.slots.connections] = this.streams.counters.connections;
    super.measure(kernelDrops);
  }
}
