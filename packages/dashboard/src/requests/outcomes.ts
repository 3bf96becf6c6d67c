/** The ledger's outcomes (docs/accounting.md) as they are shown. */
import type { Tone } from '../parts/chip.tsx';

const groups = ['replayed', 'recorded', 'sampled_out', 'filtered', 'blocked', 'dropped', 'failed', 'incomplete'] as const;

const tones: Readonly<Record<string, Tone>> = { replayed: 'good', recorded: 'good', dropped: 'bad', failed: 'bad', incomplete: 'unsure' };

export function outcomeTone(outcome: string): Tone {
  return tones[outcome.split('.', 1)[0] ?? ''] ?? 'quiet';
}

/** `blocked.kill_switch` as `blocked: kill switch`. */
export function outcomeWords(outcome: string): string {
  return outcome.replace('.', ': ').replaceAll('_', ' ');
}

/** What can be searched for; one that stands in the address is among it, whatever it is. */
export function outcomeChoices(chosen: string): [value: string, text: string][] {
  const choices: [string, string][] = [
    ['', 'Any'],
    ['differs', 'compared: differs'],
    ['equal', 'compared: equal'],
    ...groups.map((group): [string, string] => [group, outcomeWords(group)]),
  ];
  return choices.some(([value]) => value === chosen) ? choices : [...choices, [chosen, outcomeWords(chosen)]];
}

const explanations: Readonly<Record<string, string>> = {
  replayed: 'It was sent, and the answer was read to its end.',
  recorded: 'It was written to the recording; there is no target.',
  sampled_out: 'It is not in the sample, or not in the share of the target.',
  filtered: 'A filter rule leaves it out.',
  'blocked.method': 'Its method is not allowed (policy.methods).',
  'blocked.ambiguous_framing': 'It could end at different places for different servers.',
  'blocked.kill_switch': 'Replay was stopped by hand.',
  'blocked.production': 'It would have gone to a server of production.',
  'blocked.unrewritable': 'A rewriting rule changes its body, which cannot be read.',
  'blocked.unsanitizable': 'Its body cannot be read, so that it might hold what must not leave.',
  'blocked.connect': 'It is a CONNECT.',
  'blocked.upgrade': 'It asks for another protocol.',
  'blocked.loop': 'It is our own traffic that came round.',
  'dropped.queue_full': "The target's queue was full.",
  'dropped.too_large': 'Its head or body is above the bound.',
  'dropped.shutdown': 'It was still waiting when doubletake stopped.',
  'dropped.rate_limited': 'The target had had its requests per second.',
  'dropped.circuit_open': "The target's circuit breaker was open.",
  'failed.connect': 'There was no connection to the target.',
  'failed.timeout': 'It was not answered whole in time.',
  'failed.reset': 'The target broke the connection.',
  'failed.protocol': 'The answer was not HTTP/1.',
  'incomplete.gap': 'It lacks bytes that were never seen.',
  'incomplete.truncated': 'It lacks bytes that the mirror cut off.',
  'incomplete.closed': 'It was not finished when its connection ended.',
  'incomplete.timeout': 'It was not finished when the capture ended.',
};

/** In a sentence; empty for what there are no words for. */
export function outcomeExplained(outcome: string): string {
  return explanations[outcome] ?? explanations[outcome.split('.', 1)[0] ?? ''] ?? '';
}
