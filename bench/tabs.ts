/**
 * A process that stands for pages that are open on a dashboard: `tabs.ts HOST:PORT TABS`. Each follows the events and asks for
 * the tables as the page does, when there is news of the comparison. What comes is read and thrown away. It says
 * `open` when all are, and ends with SIGTERM.
 */
import { Agent, get } from 'node:http';

const [at = '', tabs = '1'] = process.argv.slice(2);
const tables = ['/api/endpoints', '/api/clusters', '/api/requests?limit=100', '/api/traffic', '/api/control'];
let open = 0;

function follow(): void {
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  let asking = 0;
  const ask = (): void => {
    // A page does not ask again before it has its answers.
    if (asking > 0) return;
    for (const path of tables) {
      asking++;
      get(`http://${at}${path}`, { agent, headers: { 'accept-encoding': 'gzip' } }, (response) => response.resume().on('close', () => asking--));
    }
  };
  get(`http://${at}/api/events`, { agent: false }, (response) => {
    if (++open === Number(tabs)) process.stdout.write('open\n');
    response.setEncoding('utf8').on('data', (text: string) => {
      if (text.includes('event: report\n')) ask();
    });
  });
  ask();
}

for (let tab = 0; tab < Number(tabs); tab++) follow();
