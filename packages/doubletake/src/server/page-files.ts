/**
 * The page as it was built, held in memory: what is served is what was there when it began, by its exact path, and no path
 * of a request ever becomes one of a file.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where `npm run build:page` puts it: in `dist`, beside or above this file. */
const built = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../../dist/page' : '../page', import.meta.url));

/** Addresses of the page itself. */
const views = /^\/(?:(?:endpoints|differences|requests|traffic|control|login)(?:\/.*)?)?$/;

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

/** Codings, the one that is taken first where several are there. */
const codings = [
  { name: 'br', ending: '.br' },
  { name: 'gzip', ending: '.gz' },
] as const;

interface PageFile {
  type: string;
  etag: string;
  /** Its name holds the hash of its content, so that it never changes. */
  immutable: boolean;
  plain: Buffer;
  coded: Map<string, Buffer>;
}

export interface ServedFile {
  headers: Record<string, string>;
  /** Null where the reader has it already. */
  body: Buffer | null;
}

export class PageFiles {
  readonly #files = new Map<string, PageFile>();

  /** Reads the page from `folder`; it is empty where it was not built. */
  constructor(folder = built) {
    for (const path of pathsIn(folder)) {
      const type = types[extname(path)];
      if (type === undefined) continue;
      const plain = readFileSync(join(folder, path));
      const etag = `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`;
      const url = `/${path.split(sep).join('/')}`;
      this.#files.set(url, { type, etag, immutable: url.startsWith('/assets/'), plain, coded: codedForms(join(folder, path)) });
    }
  }

  get empty(): boolean {
    return !this.#files.has('/index.html');
  }

  /** Whether `path` is one of the page's own addresses. */
  isView(path: string): boolean {
    return views.test(path);
  }

  /** The file for `path`, the page for its own addresses; null for any other. */
  serve(path: string, accepted: string, known: string): ServedFile | null {
    const file = this.#files.get(this.isView(path) ? '/index.html' : path);
    if (file === undefined) return null;
    const { type, etag, immutable } = file;
    const headers: Record<string, string> = {
      'content-type': type,
      etag,
      vary: 'accept-encoding',
      'cache-control': immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    };
    if (known.includes(etag)) return { headers, body: null };
    const offered = new Set(accepted.split(',').map((coding) => coding.split(';', 1)[0]?.trim()));
    const coding = codings.find(({ name }) => offered.has(name) && file.coded.has(name))?.name;
    if (coding === undefined) return { headers, body: file.plain };
    return { headers: { ...headers, 'content-encoding': coding }, body: file.coded.get(coding) ?? file.plain };
  }
}

function codedForms(file: string): Map<string, Buffer> {
  const coded = new Map<string, Buffer>();
  for (const { name, ending } of codings) {
    try {
      coded.set(name, readFileSync(file + ending));
    } catch {
      // Not every file becomes smaller.
    }
  }
  return coded;
}

function pathsIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  } catch {
    return [];
  }
}
