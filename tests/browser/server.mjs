// @ts-check
// Pages for tests, on a port of this machine under whatever names a test gives it.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';

const PAGES = new URL('pages/', import.meta.url);
const TYPES = /** @type {Record<string, string>} */ ({ '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8' });

/**
 * Serves `pages/`, where `<!-- text: NAME -->` stands for the paragraphs of a text beside this file.
 * @param {Record<string, string>} [more] Pages that are made, by path.
 */
export async function serve(more = {}) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://page');
    try {
      const page = more[pathname] ?? await readFile(new URL(`.${pathname}`, PAGES), 'utf8');
      response.writeHead(200, { 'content-type': TYPES[extname(pathname)] ?? 'text/html; charset=utf-8' }).end(await filled(page));
    } catch {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('there is no such page');
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  assert.ok(address && typeof address === 'object');
  return {
    port: address.port,
    /** @param {string} host @param {string} path */
    url: (host, path) => `http://${host}:${address.port}${path}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(() => resolve(undefined)));
    },
  };
}

/** @param {string} page */
async function filled(page) {
  let whole = page;
  for (const [mark, name = ''] of page.matchAll(/<!-- text: ([\w.-]+) -->/g)) {
    const text = await readFile(new URL(name, import.meta.url), 'utf8');
    whole = whole.replace(mark, text.trim().split(/\n{2,}/).map((one) => `<p>${one}</p>`).join('\n'));
  }
  return whole;
}
