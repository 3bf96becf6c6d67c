/** Classic BPF programs, run as the kernel runs them. */
import { Bpf, type BpfInstruction } from '../../src/system/bpf.ts';

/** What the kernel knows of a packet beside its bytes. */
export interface PacketFacts {
  /** PACKET_HOST 0, PACKET_OUTGOING 4 (linux/if_packet.h). */
  packetType?: number;
  /** ARPHRD_ETHER 1, ARPHRD_LOOPBACK 772, ARPHRD_NONE 65534 (linux/if_arp.h). */
  hardwareType?: number;
}

/** What the kernel does with a classic BPF program, written for clarity. */
export function interpret(program: readonly BpfInstruction[], packet: Buffer, facts: PacketFacts = {}): number {
  let a = 0;
  let x = 0;
  const scratch = new Map<number, number>();
  for (let at = 0; ; at++) {
    const instruction = program[at];
    if (instruction === undefined) throw new Error('ran past the end');
    const { code, jt, jf, k } = instruction;
    const load = (offset: number, bytes: number): boolean => {
      if (offset + bytes > packet.length) return false;
      a = packet.readUIntBE(offset, bytes);
      return true;
    };
    const recall = (): number => {
      const value = scratch.get(k);
      if (value === undefined) throw new Error('scratch word read before it was written');
      return value;
    };
    let loaded = true;
    switch (code) {
      case Bpf.loadImmediate: a = k; break;
      case Bpf.loadWordAt:
        // SKF_AD_OFF + SKF_AD_PKTTYPE and SKF_AD_HATYPE (linux/filter.h).
        if (k === 0xffff_f004) a = facts.packetType ?? 0;
        else if (k === 0xffff_f01c) a = facts.hardwareType ?? 1;
        else loaded = load(k, 4);
        break;
      case Bpf.loadHalfAt: loaded = load(k, 2); break;
      case Bpf.loadByteAt: loaded = load(k, 1); break;
      case Bpf.loadWordAtX: loaded = load(x + k, 4); break;
      case Bpf.loadHalfAtX: loaded = load(x + k, 2); break;
      case Bpf.loadByteAtX: loaded = load(x + k, 1); break;
      case Bpf.loadScratch: a = recall(); break;
      case Bpf.loadXImmediate: x = k; break;
      case Bpf.loadXScratch: x = recall(); break;
      case Bpf.store: scratch.set(k, a); break;
      case Bpf.storeX: scratch.set(k, x); break;
      case Bpf.add: a = (a + k) >>> 0; break;
      case Bpf.addX: a = (a + x) >>> 0; break;
      case Bpf.multiply: a = Math.imul(a, k) >>> 0; break;
      case Bpf.and: a = (a & k) >>> 0; break;
      case Bpf.shiftLeft: a = (a << k) >>> 0; break;
      case Bpf.shiftRight: a = a >>> k; break;
      case Bpf.modulo: a = a % k; break;
      case Bpf.xorX: a = (a ^ x) >>> 0; break;
      case Bpf.jump: at += k; break;
      case Bpf.jumpEqual: at += a === k ? jt : jf; break;
      case Bpf.jumpAnySet: at += (a & k) !== 0 ? jt : jf; break;
      case Bpf.returnValue: return k;
      case Bpf.returnA: return a;
      case Bpf.aToX: x = a; break;
      case Bpf.xToA: a = x; break;
      default: throw new Error(`unknown instruction ${code}`);
    }
    if (!loaded) return 0;
  }
}
