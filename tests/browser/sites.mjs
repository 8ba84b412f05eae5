// @ts-check
// The adapters for messaging sites in Chromium, each on a page in that site's structure, at that site's address. Nothing
// goes to the network: the addresses are answered here.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launch } from './browser.mjs';
import { bundle } from './bundle.mjs';
import { DRAFT, GLOVES, rebuilt, SITES, source } from './siteslist.mjs';

/** @typedef {import('./siteslist.mjs').Said} Said */

const NAMED = SITES.filter(({ adapter }) => adapter !== 'Chat');

/**
 * What marks the words alone, so that rows are found but nothing in them.
 * @type {[string, RegExp][]}
 */
const WORDS_RENAMED = [
  ['whatsapp', /selectable-text|data-pre-plain-text/gu], ['telegram-k', /translatable-message|"message /gu],
  ['discord', /message-content-/gu], ['slack', /message-text|p-rich_text_block|c-message_kit__blocks/gu],
  ['linkedin', /msg-s-event-listitem__body/gu], ['gmail', /a3s/gu],
];

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('playwright-core').Page} */
let page;
/** @type {string} */
let script;
/** What the next address is answered with. */
let answer = '';

/**
 * @param {string} url
 * @param {string} html
 */
async function show(url, html) {
  answer = html;
  // Another fragment alone would not load the page anew.
  await page.goto('about:blank');
  await page.goto(url);
  await page.addScriptTag({ content: script });
}

/**
 * What an adapter makes of the page; without a name the one that fits the address.
 * @param {string} [name]
 * @returns {Promise<{ adapter: string, turns: Said[], expected: boolean, conversation: string | null } | null>}
 */
function reading(name) {
  return page.evaluate((wanted) => {
    const { adapterFor, adapters, words } = /** @type {any} */ (globalThis).sites;
    const adapter = wanted ? adapters.find((/** @type {any} */ one) => one.name === wanted) : adapterFor(location, document);
    if (!adapter) return null;
    return {
      adapter: adapter.name,
      turns: adapter.turns(document).map((/** @type {any} */ turn) => [turn.side, turn.name, words(turn)]),
      expected: adapter.expected(document),
      conversation: adapter.conversation(document),
    };
  }, name);
}

before(async () => {
  script = await bundle('./sitesentry.ts');
  browser = await launch();
  page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
  await page.route('**/*', (route) => (route.request().resourceType() === 'document'
    ? route.fulfill({ contentType: 'text/html; charset=utf-8', body: answer })
    : route.fulfill({ status: 204, body: '' })));
});
after(() => browser?.close());

describe('a conversation', () => {
  for (const site of SITES) {
    test(`${site.page}: whose words, in which order, and nothing else`, async () => {
      await show(site.url, source(site.page));
      assert.deepEqual(await reading(), {
        adapter: site.adapter, turns: site.turns, expected: true, conversation: site.conversation,
      });
    });
  }
});

describe('what is being written', () => {
  for (const { page: name, url } of SITES) {
    test(`${name}: neither a draft nor a message that is being changed is read`, async () => {
      const html = source(name);
      assert.ok(html.includes(DRAFT), 'the page has a draft');
      await show(url, html);
      const [all, left] = await page.evaluate(() => {
        const { adapterFor } = /** @type {any} */ (globalThis).sites;
        const adapter = adapterFor(location, document);
        const turns = adapter.turns(document);
        const texts = turns.map((/** @type {any} */ turn) => turn.text.textContent);
        turns[0].text.setAttribute('contenteditable', 'true');
        turns[1].text.append(document.createElement('textarea'));
        return [texts, adapter.turns(document).length];
      });
      assert.ok(all.length > 2 && all.every((/** @type {string} */ text) => !text.includes('Unsent')));
      assert.equal(left, all.length - 2);
    });
  }
});

describe('a conversation that grows', () => {
  for (const { page: name, url, turns } of SITES) {
    test(`${name}: an added node yields its own message only, and so does a part of one`, async () => {
      await show(url, source(name));
      const [whole, part, sum] = await page.evaluate((gloves) => {
        const { adapterFor, words } = /** @type {any} */ (globalThis).sites;
        const adapter = adapterFor(location, document);
        const told = (/** @type {any} */ turn) => [turn.side, turn.name, words(turn)];
        const turns = adapter.turns(document);
        const model = turns.find((/** @type {any} */ turn) => words(turn) === gloves) ?? turns[0];
        const template = document.createElement('template');
        template.innerHTML = model.element.outerHTML.replaceAll(words(model), 'One thing more.');
        const added = /** @type {Element} */ (template.content.firstElementChild);
        model.element.after(added);
        const [first] = adapter.turns(added);
        return [adapter.turns(added).map(told), adapter.turns(first.text).map(told), adapter.turns(document).length];
      }, GLOVES);
      const model = turns.find(([, , words]) => words === GLOVES) ?? turns[0];
      assert.deepEqual(whole, [[model?.[0], model?.[1], 'One thing more.']]);
      assert.deepEqual(part, whole);
      assert.equal(sum, turns.length + 1);
    });
  }
});

describe('a site that was rebuilt', () => {
  for (const { page: name, url, adapter } of NAMED) {
    test(`${name}: nothing is found, and that is noticed`, async () => {
      await show(url, rebuilt(source(name)));
      const found = await reading();
      assert.deepEqual([found?.adapter, found?.turns, found?.expected], [adapter, [], true]);
    });
  }
  for (const [name, gone] of WORDS_RENAMED) {
    test(`${name}: rows without words are noticed too`, async () => {
      const site = NAMED.find((one) => one.page === name);
      const html = source(String(name));
      await show(site?.url ?? '', html.replace(gone, 'renamed'));
      const found = await reading();
      assert.deepEqual([found?.turns, found?.expected], [[], true]);
    });
  }
  for (const { page: name, url, adapter } of NAMED) {
    test(`${name}: an empty page is no conversation`, async () => {
      const home = new URL('.', url.replace(/#.*/u, '')).origin + (/\/(?:k|a)\//u.exec(url)?.[0] ?? '/');
      await show(home, '<!doctype html><html lang="en"><body><main role="main"><p>Choose a chat.</p></main></body></html>');
      const found = await reading(adapter);
      assert.deepEqual(found, { adapter, turns: [], expected: false, conversation: null });
    });
  }
});

test('an empty conversation is not taken for a changed site', async () => {
  const html = `<!doctype html><html lang="en"><body><main role="main"><section><header>Mira</header>
    <p>This is the beginning of your conversation.</p></section>
    <div role="textbox" contenteditable="true">Hello</div></main></body></html>`;
  for (const { url, page: name } of NAMED.filter((site) => !['whatsapp', 'wechat', 'filehelper', 'gmail'].includes(site.page))) {
    await show(url, html);
    const found = await reading();
    assert.deepEqual([name, found?.expected, found?.turns], [name, false, []]);
  }
});

test('a page that is no chat has no adapter', async () => {
  for (const url of ['https://garden.example/', 'https://x.com/home', 'https://www.facebook.com/', 'https://discord.com/download',
    'https://notx.com/messages/1-2', 'https://web.whatsapp.com.garden.example/']) {
    await show(url, source('none'));
    assert.equal(await reading(), null, url);
  }
});

test('subdomains and paths decide which adapter fits', async () => {
  await show('https://garden.example/', source('none'));
  const names = await page.evaluate((urls) => urls.map((url) => {
    const { adapterFor } = /** @type {any} */ (globalThis).sites;
    return adapterFor(new URL(url), document)?.name ?? null;
  }), ['https://canary.discord.com/channels/1/2', 'https://web.telegram.org/k/', 'https://web.telegram.org/a/',
    'https://web.telegram.org/', 'https://x.com/messages', 'https://x.com/messagesfrom',
    'https://www.instagram.com/direct/inbox/', 'https://www.messenger.com/t/1']);
  assert.deepEqual(names, ['Discord', 'Telegram Web K', 'Telegram Web A', null, 'X', null, 'Instagram', 'Messenger']);
});

test('no adapter finds anything in another site, throws, or needs a document that is shown', async () => {
  for (const { page: name, url, adapter } of SITES) {
    await show(url, source(name));
    const found = await page.evaluate((html) => {
      const { adapters, generic } = /** @type {any} */ (globalThis).sites;
      const detached = new DOMParser().parseFromString(html, 'text/html');
      for (const one of [...adapters, generic]) {
        for (const root of [detached, detached.body, detached.createDocumentFragment(), document.createElement('p')]) {
          one.turns(root);
          one.expected(root);
          one.conversation(root);
          one.stranger?.(root);
        }
      }
      return adapters.flatMap((/** @type {any} */ one) => (one.turns(document).length > 0 ? [one.name] : []));
    }, source(name));
    assert.deepEqual(found, adapter === 'Chat' ? [] : [adapter], name);
  }
});

test('a label that comes late, or is in another language, still gives sides on Messenger', async () => {
  const url = 'https://www.messenger.com/t/1000777/';
  const html = source('messenger').replace('lang="en"', 'lang="tr"').replaceAll(' AM, You:', ' AM, Sen:')
    .replace('At 27 November 2026, 10:00, Mira:', '27 Kasım 2026 10:00, Mira Çiçek:');
  await show(url, html);
  const found = await reading();
  assert.deepEqual(found?.turns.map(([side]) => side), ['them', 'me', 'them', 'them', 'me', 'me']);
  assert.equal(found?.turns[0]?.[1], 'Mira Çiçek');
});

test('WhatsApp tells sides by whatever its rows still carry', async () => {
  const bare = source('whatsapp').replace(/ data-testid="tail-(?:in|out)"/gu, '');
  const labels = bare.replace(/<span data-icon="msg-dblcheck"[^>]*><\/span>/gu, '');
  const german = labels.replace('lang="en"', 'lang="de"').replaceAll('"You:"', '"Du:"');
  const ids = labels.replace(/ aria-label="(?:You|Mira Feld):"/gu, '')
    .replace(/data-id="3EB0A([267])"/gu, 'data-id="true_49@c.us_$1"')
    .replace(/data-id="3EB0A([135])"/gu, 'data-id="false_49@c.us_$1"');
  for (const html of [bare, labels, german, ids]) {
    await show('https://web.whatsapp.com/', html);
    assert.deepEqual((await reading())?.turns.map(([side]) => side), ['them', 'me', 'them', 'them', 'me', 'me']);
  }
});

test('times and names of messages, where a site tells them', async () => {
  /** @type {Record<string, [ids: (string | null)[], times: (number | null)[]]>} */
  const told = {};
  for (const { page: name, url } of SITES) {
    await show(url, source(name));
    told[name] = await page.evaluate(() => {
      const { adapterFor } = /** @type {any} */ (globalThis).sites;
      const turns = adapterFor(location, document).turns(document);
      return [turns.map((/** @type {any} */ { id }) => id), turns.map((/** @type {any} */ { at }) => at)];
    });
  }
  const ids = (/** @type {string} */ name) => told[name]?.[0] ?? [];
  const times = (/** @type {string} */ name) => told[name]?.[1] ?? [];
  for (const name of ['whatsapp', 'telegram-k', 'telegram-a', 'x', 'discord', 'slack', 'linkedin', 'gmail']) {
    assert.equal(new Set(ids(name)).size, 6, name);
    assert.ok(ids(name).every((id) => typeof id === 'string' && id !== ''), name);
  }
  // The day can't be mistaken: it is the twenty-eighth.
  const local = (/** @type {number} */ minute) => page.evaluate((at) => new Date(2026, 10, 28, 10, at).getTime(), minute);
  assert.deepEqual(times('whatsapp').slice(0, 2), [await local(0), await local(2)]);
  assert.deepEqual(times('slack').slice(0, 2), [1_764_324_010_000, 1_764_324_020_000]);
  assert.equal(new Date(times('discord')[0] ?? 0).getUTCFullYear(), 2021);
  assert.deepEqual(times('telegram-k').slice(0, 1), [null], 'a time in the first days of 1970 is none');
  for (const name of ['telegram-a', 'messenger', 'instagram', 'x', 'linkedin', 'wechat', 'gmail', 'log']) {
    assert.deepEqual(times(name), times(name).map(() => null), name);
  }
  await show('https://web.telegram.org/k/#777', source('telegram-k').replaceAll('data-timestamp="1764', 'data-timestamp="1764324'));
  assert.equal(await page.evaluate(() => /** @type {any} */ (globalThis).sites.adapterFor(location, document).turns(document)[0].at), 1_764_324_310_000);
});

test('Telegram’s bar for strangers is known, and only in a chat with one person', async () => {
  const stranger = () => page.evaluate(() => /** @type {any} */ (globalThis).sites.adapterFor(location, document).stranger?.(document) ?? null);
  const bar = source('telegram-a').replace('<div class="MessageList', '<div class="ChatReportPane"><button class="ChatReportPane--Button">Add</button></div><div class="MessageList');
  for (const [url, html, wanted] of /** @type {const} */ ([
    ['https://web.telegram.org/a/#777', source('telegram-a'), null], ['https://web.telegram.org/a/#777', bar, true],
    ['https://web.telegram.org/a/#-777', bar, null], ['https://web.whatsapp.com/', source('whatsapp'), null],
  ])) {
    await show(url, html);
    assert.equal(await stranger(), wanted, url);
  }
});

test('every adapter says where its selectors were seen', async () => {
  await show('https://garden.example/', source('none'));
  const seen = await page.evaluate(() => /** @type {any} */ (globalThis).sites.adapters
    .map((/** @type {any} */ { name, seen, hosts }) => ({ name, seen, hosts })));
  assert.equal(seen.length, 11);
  for (const one of seen) {
    assert.match(one.seen, /not tried on the live site/u, one.name);
    assert.match(one.seen, /20\d\d/u, one.name);
    assert.ok(one.hosts.length > 0, one.name);
  }
  assert.ok(SITES.every((site) => source(site.page).length > 0));
});
