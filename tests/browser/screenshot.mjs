// @ts-check
// The picture in the README, of the real page: BONAFIDE_LINK=… node tests/browser/screenshot.mjs
//
// The link is the one that `bonafide serve` or `bonafide token link` prints.

import { readFile } from 'node:fs/promises';
import { launch, open } from './browser.mjs';

const browser = await launch();
const { page } = await open(browser, process.env['BONAFIDE_LINK'] ?? '', { viewport: { width: 1280, height: 900 } });
await page.fill('#input', await readFile(new URL('plain.txt', import.meta.url), 'utf8'));
await page.click('#score');
await page.waitForSelector('#verdict', { timeout: 300_000 });
await page.waitForSelector('#progress', { state: 'hidden', timeout: 300_000 });
const sentence = page.locator('#reading .sentence').nth(6);
await sentence.hover();
await sentence.locator('.word').nth(4).hover();
await page.screenshot({ path: new URL('../../docs/screenshot.png', import.meta.url).pathname });
await browser.close();
