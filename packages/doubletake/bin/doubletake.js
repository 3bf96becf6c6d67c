#!/usr/bin/env node
// Starts the command line from the compiled files, or in a checkout from the sources, which Node 24 runs directly.
import { existsSync } from 'node:fs';

const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(
    `doubletake: this is Node ${process.versions.node}, and doubletake needs Node 24 or newer: start it with npx, or install Node 24`,
  );
  process.exit(2);
}
const source = new URL('../src/cli/main.ts', import.meta.url);
const { main } = await import(
  existsSync(source) ? source.href : new URL('../dist/cli/main.js', import.meta.url).href
);
await main(process.argv);
