/** The dashboard of the configuration in plain words; tokens are not among them. */
import { hostPortText } from '../host-port.ts';
import type { Words } from './plain-words.ts';
import type { MirrorConfig } from './schema.ts';

export function explainDashboard(words: Words, { dashboard, policy }: MirrorConfig): void {
  if (dashboard === undefined) return;
  const at = (...keys: string[]): string[] => ['dashboard', ...keys];
  const { listen, tls, operatorToken, operatorTokenFile, readerToken, readerTokenFile, hosts, showUnsanitized } = dashboard;
  words.say(at('listen'), `dashboard: ${tls === undefined ? 'http' : 'https'}://${words.shown(at('listen'), hostPortText(listen))}/`);
  const operators = 'a token of yours lets operators change things';
  if (operatorToken !== undefined) words.say(at('operatorToken'), operators, 1);
  else if (operatorTokenFile !== undefined) words.say(at('operatorTokenFile'), operators, 1);
  const readers = 'a token of yours lets readers see everything';
  if (readerToken !== undefined) words.say(at('readerToken'), readers, 1);
  else if (readerTokenFile !== undefined) words.say(at('readerTokenFile'), readers, 1);
  if (hosts.length > 0) words.say(at('hosts'), `it may be called ${hosts.join(', ')}`, 1);
  if (policy.sanitize !== undefined) return;
  words.say(at('showUnsanitized'), showUnsanitized ? 'shows contents as they came, with all personal data' : 'shows no contents, since nothing is sanitized', 1);
}
