/** Ethernet with VLAN tags in BPF programs. */
import { Bpf, type BpfAssembler } from './bpf.ts';

export const etherTypeIpv4 = 0x0800;
export const etherTypeIpv6 = 0x86dd;
/** 802.1Q, 802.1ad and the older QinQ tag. */
const vlanEtherTypes = [0x8100, 0x88a8, 0x9100];
const vlanTagsMax = 2;

/**
 * X: offset of an Ethernet header on entry, of the IP header on leaving to `NAME.ipv4` or `NAME.ipv6`; anything else goes
 * to `unreadable`. Uses scratch word 0.
 */
export function emitEthernet(code: BpfAssembler, name: string): void {
  code.emit(Bpf.loadHalfAtX, 12);
  for (let tag = 0; tag < vlanTagsMax; tag++) {
    for (const etherType of vlanEtherTypes) code.branch(Bpf.jumpEqual, etherType, `${name}.tag${tag}`);
    code.jump(`${name}.untagged`).label(`${name}.tag${tag}`);
    code.emit(Bpf.xToA).emit(Bpf.add, 4).emit(Bpf.aToX).emit(Bpf.loadHalfAtX, 12);
  }
  code.label(`${name}.untagged`).emit(Bpf.store, 0);
  code.emit(Bpf.xToA).emit(Bpf.add, 14).emit(Bpf.aToX).emit(Bpf.loadScratch, 0);
  code.branchFar(Bpf.jumpEqual, etherTypeIpv4, `${name}.ipv4`).branchFar(Bpf.jumpEqual, etherTypeIpv6, `${name}.ipv6`);
  code.jump('unreadable');
}
