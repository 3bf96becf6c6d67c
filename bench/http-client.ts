/**
 * A process that asks a server on 127.0.0.1 as fast as it answers, as a Node program does: node:http, with an agent that
 * keeps its connections. `http-client.ts PORT SECONDS FILE CONNECTIONS` sends the request in the file and prints what
 * `floor.ts client` prints.
 */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { printCost } from './measure.ts';
import { warmUpSeconds } from './scenarios.ts';

const [port, seconds, file = '', connections] = process.argv.slice(2);
const [requestLine = '', ...lines] = readFileSync(file, 'latin1').split('\r\n\r\n', 1)[0].split('\r\n');
const [method, path] = requestLine.split(' ');
const headers = lines.flatMap((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]);
const agent = new Agent({ keepAlive: true, maxSockets: Number(connections) });
let units = 0;
let ended = false;

function ask(): void {
  const asked = request({ host: '127.0.0.1', port, method, path, headers, agent }, (response) => {
    response.resume().on('end', () => {
      units++;
      if (!ended) ask();
    });
  });
  asked.end();
}

for (let connection = 0; connection < Number(connections); connection++) ask();
process.stdout.write('ready\n');
await delay(warmUpSeconds * 1_000);
const before = { units, usage: process.cpuUsage() };
await delay(Number(seconds) * 1_000);
printCost(units - before.units, before.usage);
ended = true;
agent.destroy();
process.exit();
