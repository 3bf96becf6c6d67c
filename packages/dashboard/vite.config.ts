/**
 * Builds the page into the product's package, with a .br and a .gz beside each file, so that the server packs nothing.
 * `npm run dev` serves it with changes as they are made, and takes the API from a dashboard at DOUBLETAKE_DASHBOARD.
 */
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const page = fileURLToPath(new URL('../doubletake/dist/page', import.meta.url));
/** A server that starts meanwhile finds the page as it was: it is exchanged as a whole. */
const inWork = `${page}-${process.pid}`;

function precompressed(): Plugin {
  return {
    name: 'precompressed',
    apply: 'build',
    closeBundle() {
      for (const entry of readdirSync(inWork, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const path = join(entry.parentPath, entry.name);
        const bytes = readFileSync(path);
        writeFileSync(`${path}.br`, brotliCompressSync(bytes));
        writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
      }
      rmSync(page, { recursive: true, force: true });
      renameSync(inWork, page);
    },
  };
}

export default defineConfig({
  plugins: [react(), precompressed()],
  build: {
    outDir: inWork,
    emptyOutDir: true,
    target: ['chrome120', 'firefox121', 'safari17'],
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    // The page is one script: there is nothing to load ahead of it.
    modulePreload: false,
  },
  server: { proxy: { '/api': process.env['DOUBLETAKE_DASHBOARD'] ?? 'http://127.0.0.1:9090' } },
});
