/** Bounds of the UDP sources, and why they are what they are. */

/**
 * What the kernel may hold while the thread is busy. It accounts about 1 KB for a small packet (and grants twice what
 * is asked for), so this is over a second of 100,000 packets a second. Memory is used only while packets wait.
 */
export const receiveBufferBytesDefault = 64 * 1024 * 1024;

/** Datagrams in one system call: more do not make it measurably cheaper, and cost memory and cache. */
export const batchDefault = 64;

/** Datagrams handed over before the thread's sockets and timers get their turn: a millisecond or two of work. */
export const datagramsPerTurnMax = 256;
