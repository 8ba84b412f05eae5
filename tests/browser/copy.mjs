// @ts-check
// Reads [[name, html], …], shows each in Chromium, and writes [[name, innerText, selected text], …].

import { launch } from './browser.mjs';

process.stdin.setEncoding('utf8');
let input = '';
for await (const part of process.stdin) input += part;
/** @type {[string, string][]} */
const pages = JSON.parse(input);

const browser = await launch();
const page = await browser.newPage();
await page.setContent('<!doctype html><html lang="en"><body></body></html>');
const copied = await page.evaluate((all) => all.map(([name, html]) => {
  document.body.innerHTML = html;
  const selection = getSelection();
  selection?.selectAllChildren(document.body);
  return [name, document.body.innerText, selection?.toString() ?? ''];
}), pages);
await browser.close();
process.stdout.write(JSON.stringify(copied));
