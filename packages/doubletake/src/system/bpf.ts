/**
 * Classic BPF as data: instructions, and a small assembler whose jumps name labels. The kernel checks every program it
 * is given: jumps go forward only, scratch words are written before they are read, and a load behind the end of the
 * packet ends the program with the value 0.
 */

/** One `struct sock_filter`. */
export interface BpfInstruction {
  code: number;
  /** Instructions to skip when the condition holds, and when it does not. */
  jt: number;
  jf: number;
  k: number;
}

/** Instruction codes (linux/bpf_common.h), named as in the kernel's BPF assembler. `x` variants use the X register. */
export const Bpf = {
  loadImmediate: 0x00,
  loadWordAt: 0x20,
  loadHalfAt: 0x28,
  loadByteAt: 0x30,
  loadWordAtX: 0x40,
  loadHalfAtX: 0x48,
  loadByteAtX: 0x50,
  loadScratch: 0x60,
  loadXImmediate: 0x01,
  loadXScratch: 0x61,
  store: 0x02,
  storeX: 0x03,
  add: 0x04,
  addX: 0x0c,
  multiply: 0x24,
  and: 0x54,
  shiftLeft: 0x64,
  shiftRight: 0x74,
  modulo: 0x94,
  xorX: 0xac,
  jump: 0x05,
  jumpEqual: 0x15,
  jumpAnySet: 0x45,
  returnValue: 0x06,
  returnA: 0x16,
  aToX: 0x07,
  xToA: 0x87,
} as const;

type Pending = { code: number; k: number; whenTrue: string | null; whenFalse: string | null };

/** Collects instructions; `assemble` turns label names into distances. */
export class BpfAssembler {
  readonly #pending: Pending[] = [];
  readonly #labels = new Map<string, number>();

  emit(code: number, k = 0): this {
    this.#pending.push({ code, k, whenTrue: null, whenFalse: null });
    return this;
  }

  /** A conditional jump; null means the next instruction. */
  branch(code: number, k: number, whenTrue: string | null, whenFalse: string | null = null): this {
    this.#pending.push({ code, k, whenTrue, whenFalse });
    return this;
  }

  /** The same for a label that may be further away than a conditional jump reaches. */
  branchFar(code: number, k: number, whenTrue: string): this {
    const behind = `behind ${this.#pending.length}`;
    return this.branch(code, k, null, behind).jump(whenTrue).label(behind);
  }

  jump(label: string): this {
    this.#pending.push({ code: Bpf.jump, k: 0, whenTrue: label, whenFalse: null });
    return this;
  }

  label(name: string): this {
    this.#labels.set(name, this.#pending.length);
    return this;
  }

  assemble(): BpfInstruction[] {
    return this.#pending.map(({ code, k, whenTrue, whenFalse }, index) => {
      if (code === Bpf.jump) return { code, jt: 0, jf: 0, k: this.#distance(index, whenTrue) };
      const jt = this.#distance(index, whenTrue);
      const jf = this.#distance(index, whenFalse);
      if (jt > 255 || jf > 255) throw new Error(`BPF: a conditional jump from ${index} is too long`);
      return { code, jt, jf, k };
    });
  }

  #distance(from: number, label: string | null): number {
    if (label === null) return 0;
    const target = this.#labels.get(label);
    if (target === undefined || target <= from) throw new Error(`BPF: no label '${label}' ahead of ${from}`);
    return target - from - 1;
  }
}

/** The program as an array of `struct sock_filter` (LP64, little endian). */
export function encodeInstructions(program: readonly BpfInstruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(({ code, jt, jf, k }, index) => {
    const at = index * 8;
    bytes.writeUInt16LE(code, at);
    bytes.writeUInt8(jt, at + 2);
    bytes.writeUInt8(jf, at + 3);
    bytes.writeUInt32LE(k >>> 0, at + 4);
  });
  return bytes;
}
