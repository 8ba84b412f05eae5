// @ts-check
// The picture in the README, of the real page: BONAFIDE_LINK=… node tests/browser/screenshot.mjs
//
// The link is the one that `bonafide serve` or `bonafide token link` prints.

import { readFile } from 'node:fs/promises';
import { launch, open } from './browser.mjs';

const paragraphs = async (/** @type {string} */ name) =>
  (await readFile(new URL(name, import.meta.url), 'utf8')).trim().split('\n\n');
const browser = await launch();
const { page } = await open(browser, process.env['BONAFIDE_LINK'] ?? '', { viewport: { width: 1280, height: 960 } });
const text = [...(await paragraphs('lively.txt')).slice(0, 2), ...(await paragraphs('plain.txt')).slice(1, 3)];
await page.fill('#input', process.env['BONAFIDE_TEXT'] ?? text.join('\n\n'));
await page.click('#score');
await page.waitForSelector('#verdict', { timeout: 300_000 });
await page.waitForSelector('#progress', { state: 'hidden', timeout: 300_000 });
const last = page.locator('.passage').last();
const sentence = last.locator('.sentence').nth(2);
await sentence.click();
await sentence.locator('.word').nth(4).hover();
await page.evaluate(() => scrollTo(0, 0));
await page.screenshot({ path: new URL('../../docs/screenshot.png', import.meta.url).pathname });
await browser.close();
