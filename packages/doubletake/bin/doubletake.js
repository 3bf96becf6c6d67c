#!/usr/bin/env node
// Starts the command line from the compiled files, or in a checkout from the sources, which Node 24 runs directly.
import { existsSync } from 'node:fs';
import module from 'node:module';

const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(
    `doubletake: this is Node ${process.versions.node}, and doubletake needs Node 24 or newer: start it with npx, or install Node 24`,
  );
  process.exit(2);
}
// Starts faster and in less memory from the second start on. Where the cache cannot be kept, nothing is lost.
module.enableCompileCache();
const source = new URL('../src/cli/main.ts', import.meta.url);
const { main } = await import(
  existsSync(source) ? source.href : new URL('../dist/cli/main.js', import.meta.url).href
);
await main(process.argv);
