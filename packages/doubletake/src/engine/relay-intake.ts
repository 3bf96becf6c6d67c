/** The stages behind a proxy: what it copied comes as streams, in which gaps are counted by the proxy itself. */
import { ExchangeAssembler } from '../http/assembler.ts';
import type { HttpLimits } from '../http/counters.ts';
import type { CounterLayout } from '../ledger/counters.ts';
import type { Dispatcher } from './dispatcher.ts';
import { Intake } from './intake.ts';

export class RelayIntake extends Intake {
  readonly canWait = false;
  readonly streams: ExchangeAssembler;

  constructor(
    name: string,
    dispatcher: Dispatcher,
    layout: CounterLayout,
    row: Float64Array,
    learn: ((endpoint: string) => void) | null,
    limits: Pick<HttpLimits, 'responseBodyBytesMax'>,
  ) {
    super(name, dispatcher, layout, row, learn);
    this.streams = new ExchangeAssembler(this, limits);
  }

  /** The feed that hands over the streams has ended them. */
  override flush(): void {}

  override measure(kernelDrops: number): void {
    this.row[this.slots.connections] = this.streams.counters.connections;
    super.measure(kernelDrops);
  }
}
