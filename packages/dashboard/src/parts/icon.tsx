import type { ReactNode } from 'react';

const shapes = {
  alert: 'M8 1.8 14.8 14H1.2zM8 6.2v3.6m0 2v.1',
  check: 'M2.8 8.6 6.4 12l6.8-8',
  chevron: 'm5.5 3 5 5-5 5',
  close: 'm3.5 3.5 9 9m0-9-9 9',
  copy: 'M5.5 5.5v-3h8v8h-3m-8-5h8v8h-8z',
  differences: 'M2 4h5M2 8h5M2 12h5m2-8h5m-5 4h2m1 0h2M9 12h5',
  download: 'M8 2v8m-3.2-3L8 10.2 11.2 7M2.5 13.5h11',
  endpoints: 'M2.5 3.5h11m-11 3h11m-11 3h11m-11 3h7',
  overview: 'M2 13h12M3.5 10.5V7m3 3.5v-7m3 7v-5m3 5V4.5',
  question: 'M5.6 6.2C5.6 3 10.4 3 10.4 6.2c0 2-2.4 2-2.4 4m0 2.4v.1',
  requests: 'M2 5.5h10m-3-3 3 3-3 3m5 2H4m3-3-3 3 3 3',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zm3.4 7.9 3.6 3.6',
  sliders: 'M2 4.5h6m4 0h2m-12 7h2m4 0h6M8 4.5a2 2 0 1 0 4 0 2 2 0 1 0-4 0zm-4 7a2 2 0 1 0 4 0 2 2 0 1 0-4 0z',
  sort: 'M8 13V3M4.5 6.5 8 3l3.5 3.5',
  stop: 'M4 4h8v8H4z',
  theme: 'M8 2a6 6 0 1 0 0 12zm0 0a6 6 0 0 1 0 12',
  traffic: 'M2 8h3l2-5 3 10 2-5h2',
} as const;

export type IconName = keyof typeof shapes;

/** Decoration: what it means stands beside it in words. */
export function Icon({ name }: { name: IconName }): ReactNode {
  return (
    <svg className="icon" viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      <path d={shapes[name]} />
    </svg>
  );
}
