// @ts-check
// The built extension in scam chats on a page like WhatsApp's, from the page to the warning, without a daemon. Pictures go to
// the folder BONAFIDE_SHOTS.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { launchExtension } from './extension.mjs';
import { chatPage, CHINESE, FRIENDS, INVESTMENT, row } from './scamchats.mjs';
import { all, click, none, one, tree, until } from './tree.mjs';

/** @typedef {import('playwright-core').Page} Page */

const URL_ = 'https://web.whatsapp.com/';
const MARK = /reason for the scam warning/;
const RISKS = ['none', 'caution', 'danger'];

/** @type {Awaited<ReturnType<typeof launchExtension>>} */
let extension;
/** @type {Page | null} */
let page = null;
let answer = '';

before(async () => {
  extension = await launchExtension({ grant: ['https://*/*'] });
  await extension.reset();
  await extension.context.route(/^https:/, (route) => (route.request().resourceType() === 'document'
    ? route.fulfill({ contentType: 'text/html; charset=utf-8', body: answer }) : route.abort()));
});
after(async () => { await extension?.close(); });
afterEach(async () => {
  await page?.close();
  page = null;
});

/** @param {import('./scamchats.mjs').Said[]} chat @param {string} [name] */
async function visit(chat, name) {
  answer = chatPage(chat, name === undefined ? {} : { name });
  page = await extension.context.newPage();
  await page.goto(URL_);
  return page;
}

/** How the open chat stands, as the popup hears it. @param {Page} about */
async function standing(about) {
  const tab = await extension.tabOf(about);
  return (await extension.stored('session'))[`tab:${tab}`]?.frames[0]?.summary?.scam ?? null;
}

/** Waits until the whole of a chat was judged, and gives the risk. @param {Page} about @param {(risk: string) => boolean} enough @param {string} what */
async function risk(about, enough, what) {
  return (await until(() => standing(about), (found) => found !== null && enough(found.risk), what)).risk;
}

/** @param {Page} about @param {import('./scamchats.mjs').Said[]} chat @param {number} from */
const more = (about, chat, from) => about.evaluate((rows) => {
  const list = document.querySelector('[role="application"]');
  for (const html of rows) list?.insertAdjacentHTML('beforeend', html);
  if (list) list.scrollTop = list.scrollHeight;
}, chat.slice(from).map((said, place) => row(said, from + place)));

/** @param {Page} about @param {string} name */
async function shot(about, name) {
  const folder = process.env['BONAFIDE_SHOTS'];
  if (folder) await about.screenshot({ path: join(folder, `${name}.png`) });
}

test('friends are left in peace', async () => {
  const chat = await visit(FRIENDS, 'Mira Feld');
  assert.equal(await risk(chat, () => true, 'a report'), 'none');
  assert.deepEqual(await all(chat, 'button', 'Why?'), []);
  const popup = await extension.openPopup(chat);
  await popup.getByText(/Open chat: nothing that scams do/).waitFor();
  await popup.close();
});

test('an investment scam is warned of, with reasons in the messages', async () => {
  const chat = await visit(INVESTMENT);
  await one(chat, 'button', 'Why?');
  const found = await risk(chat, (now) => now !== 'none', 'the popup to know');
  await one(chat, found === 'danger' ? 'alert' : 'status');
  await chat.evaluate(() => { const list = document.querySelector('[role="application"]'); if (list) list.scrollTop = list.scrollHeight; });
  await until(() => all(chat, 'button', MARK), ({ length }) => length > 0, 'marks beside messages');
  await shot(chat, 'scam-banner');
  await click(chat, await one(chat, 'button', 'Why?'));
  await one(chat, 'dialog', /resembles a scam/);
  await until(() => all(chat, 'button', /^Show the message: /), ({ length }) => length > 0, 'messages in the card');
  await shot(chat, 'scam-card');
  const popup = await extension.openPopup(chat);
  await popup.getByText(/Open chat: (?:caution|danger)/).waitFor();
  await popup.close();
});

test('it grows message by message, and what is said of it grows with it', async () => {
  const chat = await visit(INVESTMENT.slice(0, 2));
  assert.equal(await risk(chat, () => true, 'a report'), 'none', 'a wrong number is no scam');
  await more(chat, INVESTMENT, 2);
  await risk(chat, (now) => now !== 'none', 'a warning');
  await one(chat, 'button', 'Why?');
});

test('a worker that was put to sleep is told all of it again', async () => {
  const chat = await visit(INVESTMENT.slice(0, -2));
  const before = await risk(chat, (now) => now !== 'none', 'a warning');
  await extension.stopWorker();
  await more(chat, INVESTMENT, INVESTMENT.length - 2);
  await one(chat, 'button', 'Why?');
  await risk(chat, (now) => RISKS.indexOf(now) >= RISKS.indexOf(before), 'a warning that is as grave as before');
});

test('one that the user calls no scam is left in peace', async () => {
  const chat = await visit(INVESTMENT);
  await click(chat, await one(chat, 'button', 'Why?'));
  await click(chat, await one(chat, 'button', 'Not a scam: hide for this chat'));
  await none(chat, 'button', 'Why?');
  await none(chat, 'button', MARK);
  await until(() => standing(chat), (now) => now?.hushed === true, 'the popup to know');
});

test('in Chinese, with the hotline of the mainland', async () => {
  await extension.reset({ language: 'zh_CN' });
  try {
    const chat = await visit(CHINESE, '小雅');
    await one(chat, 'button', '为什么？');
    assert.ok((await tree(chat)).some(({ name }) => name.includes('96110')), 'the hotline is named');
    await shot(chat, 'scam-chinese');
  } finally {
    await extension.reset();
  }
});
