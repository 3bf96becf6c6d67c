/**
 * Makes the C library's allocator give back what was freed. By itself glibc keeps large blocks that came and went, in as
 * many arenas as there are threads: 50 MB where recordings are read, that nobody uses.
 */
import { loadLibc } from './libc.ts';

/** malloc.h. */
const M_MMAP_THRESHOLD = -3;
const M_ARENA_MAX = -8;

/** Blocks from this size on are the kernel's again when they are freed. */
const mappedBytesMin = 131_072;
const arenasMax = 2;

/** For the whole process; to be called before threads are started. Does nothing where the allocator is another. */
export function giveMemoryBack(): void {
  const loaded = loadLibc();
  if (!('libc' in loaded)) return;
  loaded.libc.mallopt(M_MMAP_THRESHOLD, mappedBytesMin);
  loaded.libc.mallopt(M_ARENA_MAX, arenasMax);
}
