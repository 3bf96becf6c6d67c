import './chip.css';
import type { ReactNode } from 'react';
import { Icon, type IconName } from './icon.tsx';

export type Tone = 'good' | 'bad' | 'unsure' | 'quiet';

const icons: Readonly<Record<Tone, IconName | null>> = { good: 'check', bad: 'alert', unsure: 'question', quiet: null };

/** A word that is told by its form as well as by its colour. */
export function Chip({ tone, children, title }: { tone: Tone; children: ReactNode; title?: string }): ReactNode {
  const icon = icons[tone];
  return (
    <span className={`chip ${tone}`} title={title}>
      {icon === null ? null : <Icon name={icon} />}
      {children}
    </span>
  );
}

const verdictTones: Readonly<Record<string, Tone>> = { SAFE: 'good', REGRESSION: 'bad', INSUFFICIENT: 'unsure' };

export function verdictTone(verdict: string): Tone {
  return verdictTones[verdict] ?? 'quiet';
}

export function VerdictChip({ verdict }: { verdict: string }): ReactNode {
  return <Chip tone={verdictTone(verdict)}>{verdict}</Chip>;
}

const riskTones: Readonly<Record<string, Tone>> = { high: 'bad', medium: 'unsure', low: 'quiet' };

export function RiskChip({ risk }: { risk: string }): ReactNode {
  return <Chip tone={riskTones[risk] ?? 'quiet'}>{risk}</Chip>;
}

/** State of something that runs. */
export function StateChip({ state }: { state: 'ok' | 'warning' | 'failing' | 'stopped' }): ReactNode {
  const tones = { ok: 'good', warning: 'unsure', failing: 'bad', stopped: 'quiet' } as const;
  return <Chip tone={tones[state]}>{state}</Chip>;
}
