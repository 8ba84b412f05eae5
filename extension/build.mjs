// @ts-check
// Puts the extension for one browser together: `node build.mjs chromium|firefox FOLDER`. `cargo xtask extension` calls it,
// after it has made `generated/` out of the Rust code.

import { build } from 'esbuild';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const [browser, out] = process.argv.slice(2);
if ((browser !== 'chromium' && browser !== 'firefox') || !out) {
  console.error('usage: node build.mjs chromium|firefox FOLDER');
  process.exit(2);
}
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

/** @type {import('esbuild').BuildOptions} */
const common = {
  absWorkingDir: here, bundle: true, target: ['chrome120', 'firefox128'], charset: 'utf8', legalComments: 'none',
  logLevel: 'warning', minify: true, sourcemap: false, define: { BROWSER: JSON.stringify(browser) },
};
// A content script runs in every page: its names are shortened too, and nothing of it is left in the page's world.
await build({ ...common, entryPoints: { content: 'src/content/main.ts' }, outdir: out, format: 'iife' });
await build({
  ...common, format: 'esm', outdir: out, splitting: false,
  entryPoints: { background: 'src/background/main.ts', popup: 'src/popup/main.ts', options: 'src/options/main.ts' },
});

writePages();
cpSync(join(here, 'icons'), join(out, 'icons'), { recursive: true });
for (const name of ['bonafide_wasm_bg.wasm', 'bonafide_scam.bin']) cpSync(join(here, 'generated', name), join(out, name));
writeManifest();
writeLocales();

/** Popup and options have the colours, the type and the signs of the daemon's page: from there, so that they stay one. */
function writePages() {
  const web = join(here, '../server/src/http/web');
  const [palette] = /:root \{[^]*?(?=\n\*, )/.exec(readFileSync(join(web, 'style.css'), 'utf8')) ?? [];
  const [sprite] = /<svg class="sprite"[^]*?<\/svg>/.exec(readFileSync(join(web, 'index.html'), 'utf8')) ?? [];
  const [open] = /<symbol id="s-open"[^]*?<\/symbol>/.exec(readFileSync(join(web, 'sign.html'), 'utf8')) ?? [];
  if (!palette || !sprite || !open) throw new Error("the daemon's page has no palette or no signs where they are looked for");
  for (const name of ['popup', 'options']) {
    const page = readFileSync(join(here, `src/${name}/${name}.html`), 'utf8');
    writeFileSync(join(out ?? '', `${name}.html`), page.replace('<!-- sprite -->', () => sprite.replace('</svg>', `${open}\n</svg>`)));
  }
  writeFileSync(join(out ?? '', 'pages.css'), `${palette}\n${readFileSync(join(here, 'src/pages.css'), 'utf8')}`);
}

function writeManifest() {
  const manifest = JSON.parse(readFileSync(join(here, 'manifest.json'), 'utf8'));
  if (browser === 'firefox') {
    // Firefox has no service workers for extensions; its background page sleeps and wakes just the same.
    manifest.background = { scripts: ['background.js'], type: 'module' };
    manifest.browser_specific_settings = {
      gecko: { id: 'bonafide@bonafide.invalid', strict_min_version: '140.0', data_collection_permissions: { required: ['none'] } },
    };
    delete manifest.minimum_chrome_version;
  }
  writeFileSync(join(out ?? '', 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** Our files hold a sentence a name; browsers want an object a name. */
function writeLocales() {
  const source = join(here, 'src/_locales');
  for (const language of readdirSync(source)) {
    /** @type {Record<string, {message: string}>} */
    const messages = {};
    for (const file of readdirSync(join(source, language)).sort()) {
      /** @type {Record<string, string>} */
      const texts = JSON.parse(readFileSync(join(source, language, file), 'utf8'));
      const part = file.replace('.json', '');
      for (const [name, text] of Object.entries(texts)) {
        messages[part === 'manifest' ? name : `${part}_${name}`] = { message: text };
      }
    }
    mkdirSync(join(out ?? '', '_locales', language), { recursive: true });
    writeFileSync(join(out ?? '', '_locales', language, 'messages.json'), `${JSON.stringify(messages, null, 2)}\n`);
  }
}
