/** The dashboard of the configuration in plain words; tokens are not among them. */
import { formatListen } from './listen.ts';
import type { Words } from './plain-words.ts';
import type { MirrorConfig } from './schema.ts';

export function explainDashboard(words: Words, { dashboard, policy }: MirrorConfig): void {
  if (dashboard === undefined) return;
  const at = (...keys: string[]): string[] => ['dashboard', ...keys];
  const { listen, tls, operatorToken, operatorTokenFile, readerToken, readerTokenFile, hosts, showUnsanitized } = dashboard;
  words.say(at('listen'), `dashboard: ${tls === undefined ? 'http' : 'https'}://${words.shown(at('listen'), formatListen(listen))}/`);
  if (operatorToken !== undefined || operatorTokenFile !== undefined) words.say(at('operatorToken'), 'a token of yours lets operators change things', 1);
  if (readerToken !== undefined || readerTokenFile !== undefined) words.say(at('readerToken'), 'a token of yours lets readers see everything', 1);
  if (hosts.length > 0) words.say(at('hosts'), `it may be called ${hosts.join(', ')}`, 1);
  if (policy.sanitize !== undefined) return;
  words.say(at('showUnsanitized'), showUnsanitized ? 'shows contents as they came, with all personal data' : 'shows no contents, since nothing is sanitized', 1);
}
