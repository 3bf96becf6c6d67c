/** Changes in words, the same whoever makes them. */
export const haltText = 'all replay is stopped by hand; requests are captured and end as blocked.kill_switch';

export const resumeText = 'replay goes on, by hand';

/** `percentage` null: its ramp or its configuration decides. */
export function shareText(target: string, percentage: number | null): string {
  return `target ${target}: ${percentage === null ? 'its configuration decides what it gets again' : `gets ${percentage} %, set by hand`}`;
}
