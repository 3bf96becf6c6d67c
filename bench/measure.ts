/** What Linux says about a process, and the arithmetic of measured values. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export const clockTicksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

export interface ProcessSample {
  /** Processor time of all threads since the start, microseconds. */
  userUs: number;
  systemUs: number;
  residentMb: number;
  /** Most that was ever resident (VmHWM). */
  peakMb: number;
}

/** Reads a process's times and memory; throws when it is gone. */
export function sampleProcess(processId: number): ProcessSample {
  // The name in parentheses may hold spaces; utime and stime are fields 14 and 15, counted from before it.
  const fields = readFileSync(`/proc/${processId}/stat`, 'latin1').replace(/^.*\) /s, '').split(' ');
  const status = readFileSync(`/proc/${processId}/status`, 'latin1');
  const ticksUs = 1e6 / clockTicksPerSecond;
  return {
    userUs: Number(fields[11]) * ticksUs,
    systemUs: Number(fields[12]) * ticksUs,
    residentMb: megabytes(status, 'VmRSS'),
    peakMb: megabytes(status, 'VmHWM'),
  };
}

/** What a script prints at its end: what so many units, datagrams or requests, have cost. */
export interface UnitCost {
  units: number;
  userUs: number;
  systemUs: number;
}

/** Prints the cost of units since `before`, of this process. */
export function printCost(units: number, before: NodeJS.CpuUsage): void {
  const { user, system } = process.cpuUsage(before);
  const cost: UnitCost = { units, userUs: user, systemUs: system };
  process.stdout.write(`${JSON.stringify(cost)}\n`);
}

/** The value below which the given share (0 to 1) of ascending `sorted` lies; NaN when there is none. */
export function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function megabytes(status: string, name: string): number {
  const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1];
  return Number(kilobytes) / 1024;
}
