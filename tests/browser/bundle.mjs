// @ts-check
// TypeScript of the extension as one script, for tests of its parts without the extension.

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
/** @type {{build: (options: Record<string, unknown>) => Promise<{outputFiles: {text: string}[]}>}} */
const { build } = createRequire(here('../../extension/package.json'))('esbuild');

/**
 * TypeScript as one script.
 * @param {string} path
 * @param {'iife'|'esm'} format
 */
export async function bundle(path, format = 'iife') {
  const { outputFiles } = await build({ entryPoints: [here(path)], bundle: true, format, target: 'es2022', write: false, logLevel: 'silent', charset: 'utf8' });
  return outputFiles[0]?.text ?? '';
}
