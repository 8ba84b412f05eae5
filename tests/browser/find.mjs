// @ts-check
// What the content script finds on pages, block by block, and how it keeps up with them.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { blocks, finder } from './findpage.mjs';

/** @type {Awaited<ReturnType<typeof finder>>} */
let lab;
before(async () => { lab = await finder(); });
after(async () => { await lab.close(); });

const TALL = { viewport: { width: 1200, height: 3000 } };
/** @param {any[]} found */
const brief = (found) => found.map(({ kind, text }) => [kind, text]);
/** @param {import('playwright-core').Page} page @param {string} text */
const shows = (page, text) => page.waitForFunction((text) => {
  // @ts-expect-error The test's own global.
  return globalThis.lab.blocks().some((one) => one.text === text);
}, text);

const FIRST = 'By Ada Winter\n\nAfter eleven years of scaffolding the old mill at the lower bridge has ground its first sack of flour. '
  + 'Some two hundred people stood on the bank, although it rained from the early morning on, and when the wheel began to turn they '
  + 'fell silent as if in church. The miller, who had learned the trade from a film and from his grandmother, said nothing at all.\n\n'
  + 'The town had bought the building for one euro and a promise. What it would cost to keep the promise nobody knew, least of all '
  + 'the council, which voted on it at a quarter to midnight.';
const NEXT = 'In spring the bakery will move into the store. Its owner wants to sell three sorts of bread and no cake.\nShe has been '
  + 'asked about the cake every day since, she says, and every day she has given the same answer, which is that cake is made by '
  + 'people who have time.\n\nFlour on Fridays\nBread on Saturdays';
const NEWS = [
  ['article', 'The mill opens again'],
  ['article', FIRST],
  ['article', 'What comes next'],
  ['article', NEXT],
  ['article', '4 comments'],
  ['comment', 'I was there with my daughter and we could not see a thing, but we heard the wheel.\n\nIt was worth the wet feet.'],
  ['comment', 'Come on Friday, you will see everything then.'],
  ['comment', 'One euro! I would have paid two.'],
  ['comment', 'And who pays for the promise?'],
];

describe('what is found', () => {
  test('an article with comments, and nothing hidden, written, or of the page itself', async () => {
    const { page, context, errors } = await lab.open('news.html', { options: TALL });
    const found = await blocks(page, NEWS.length);
    assert.deepEqual(brief(found), NEWS);
    assert.deepEqual(found.map(({ part }) => part), [true, true, true, true, true, false, false, false, false]);
    assert.deepEqual(found[1].elements, ['p', 'p#first', 'p']);
    assert.deepEqual(found.filter(({ loose }) => loose), []);
    // Each code point leads back to itself.
    assert.deepEqual((await page.evaluate('lab.ranges()')).sort(), found.map(({ text }) => text).sort());
    assert.deepEqual(errors, []);
    await context.close();
  });

  test('only what is long enough goes to the model, with the document around its parts', async () => {
    const { page, context } = await lab.open('news.html', { options: TALL });
    await page.waitForFunction('lab.requests().scores.length > 0');
    const { looks, scores } = /** @type {any} */ (await page.evaluate('lab.requests()'));
    assert.deepEqual(scores.flatMap((/** @type {any} */ { blocks }) => blocks.map((/** @type {any} */ one) => one.text)).sort(), [FIRST, NEXT].sort());
    for (const request of [...looks, ...scores]) {
      const isArticle = request.blocks[0].kind === 'article';
      assert.ok(request.blocks.every((/** @type {any} */ { kind }) => (kind === 'article') === isArticle), 'one document a request');
      assert.equal(request.document !== undefined, isArticle);
      if (!isArticle) continue;
      assert.deepEqual(request.document.metadata, { meta: [['generator', 'by hand']], json_ld: ['{"@type": "NewsArticle", "headline": "The mill opens again"}'] });
      assert.ok(request.document.begins.startsWith('The mill opens again'));
      assert.ok(request.document.ends.endsWith('4 comments'));
    }
    await context.close();
  });

  test('posts of a forum that is laid out in tables', async () => {
    const { page, context } = await lab.open('forum.html');
    assert.deepEqual(brief(await blocks(page, 3)), [
      ['post', 'My dough lies in its bowl like a stone, and has for two days now, although I feed it as the book says I should.\n\nWhat am I doing wrong?'],
      ['post', 'Throw away the book. Look at the dough instead, and feed it when it is hungry and not when a page says so.'],
      ['post', 'It rose! Thank you all so much, it is a real bread now and we have eaten half of it already.'],
    ]);
    await context.close();
  });

  test('a blog in Chinese by where its paragraphs are', async () => {
    const { page, context } = await lab.open('blog-zh.html');
    const found = await blocks(page, 2);
    assert.deepEqual(found.map(({ kind, text }) => [kind, text.slice(0, 8), text.split('\n\n').length]), [
      ['article', '河边的磨坊', 1], ['article', '今天下午我一个人', 3],
    ]);
    await page.waitForFunction("lab.blocks()[1].state === 'scored'");
    await context.close();
  });

  test('open shadow roots, slots, and elements that get their root late; closed ones never', async () => {
    const { page, context } = await lab.open('shadow.html');
    const open = 'These words stand in a shadow root that is open, so that everybody may read them.\n\n'
      + 'These words stand in the page itself and are shown through a slot of the element that is around them.';
    assert.deepEqual(brief(await blocks(page, 1)), [['article', open]]);
    await page.evaluate('define()');
    const late = 'These words came late, when the page had long been there and everything else had been read.';
    await shows(page, late);
    await page.evaluate("document.querySelector('x-late').shadowRoot.querySelector('p').textContent += ' Or not.'");
    await shows(page, `${late} Or not.`);
    assert.deepEqual(brief(await blocks(page, 2)).sort(), [['article', `${late} Or not.`], ['article', open]].sort());
    await context.close();
  });

  test('a frame is left to its own script', async () => {
    const { page, context } = await lab.open('frame.html');
    assert.deepEqual(brief(await blocks(page, 1)), [
      ['article', 'Around the frame stands this text, which the frame knows nothing of and which is read by the page itself.'],
    ]);
    await context.close();
  });

  test('nothing of a page that asks for a password', async () => {
    const { page, context } = await lab.open('login.html');
    await page.waitForFunction("lab.asked.some(({ name }) => name === 'tally')");
    assert.deepEqual(await page.evaluate('lab.blocks()'), []);
    assert.deepEqual((await page.evaluate('lab.requests()')).looks, []);
    await context.close();
  });

  test('on a long page only the form for the password is left out', async () => {
    const prose = '<p>The bus was late again, so she walked down the hill and along the river to the old mill.</p>'.repeat(12);
    const form = '<form><p>Tell us your card and your password, for we want to know both of them right now.</p><input type="password"></form>';
    const { page, context } = await lab.open(`<!doctype html><body><main>${prose}${form}</main>`);
    const text = (await blocks(page, 1)).map((one) => one.text).join();
    assert.ok(text.includes('The bus was late') && !text.includes('password'));
    await context.close();
  });

  test('a form for a password that comes later takes everything away', async () => {
    const { page, context } = await lab.open('spa.html');
    await blocks(page, 2);
    await page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<form><input type=password></form>')");
    await page.waitForFunction('lab.blocks().length === 0');
    await context.close();
  });

  test('text beside the answers to it is loose, and lines of messages are kept', async () => {
    const html = `<!doctype html><body><main>
      <div class="comment" id="a">First words of the first comment.<div class="comment">An answer to them.</div></div>
      <div class="comment" id="b" style="white-space: pre-wrap">One line
another line</div><div class="comment" id="c">Third 😀 comment.</div></main>`;
    const { page, context } = await lab.open(html);
    const found = await blocks(page, 4);
    assert.deepEqual(found.map(({ text, loose, elements }) => [text, loose, elements]), [
      ['First words of the first comment.', true, ['div#a']], ['An answer to them.', false, ['div']],
      ['One line\nanother line', false, ['div#b']], ['Third 😀 comment.', false, ['div#c']],
    ]);
    assert.deepEqual((await page.evaluate('lab.ranges()')).sort(), found.map(({ text }) => text).sort());
    await context.close();
  });
});

describe('pages that change', () => {
  test('a feed: only what is near is read, what is added is found, nothing is asked twice', async () => {
    const { page, context, errors } = await lab.open('feed.html');
    await blocks(page, 5);
    for (let count = 10; count <= 25; count += 5) {
      await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
      await page.waitForFunction((count) => document.querySelectorAll('article').length >= count, count);
    }
    // The last five are further away than a viewport.
    await page.waitForFunction("lab.blocks().some(({ text }) => text.includes('number 20,')) && !lab.blocks().some(({ text }) => text.includes('number 25,'))");
    const { looks } = /** @type {any} */ (await page.evaluate('lab.requests()'));
    const texts = looks.flatMap((/** @type {any} */ { blocks }) => blocks.map((/** @type {any} */ one) => one.text));
    assert.equal(new Set(texts).size, texts.length);
    assert.ok(texts.every((/** @type {string} */ text) => /^This is post number \d+, /.test(text)));
    assert.deepEqual(errors, []);
    await context.close();
  });

  test('what is far away is not read', async () => {
    const filler = Array.from({ length: 60 }, (_, at) => `<article style="height: 400px"><p>Post number ${at} of the many that stand on this page.</p></article>`);
    const { page, context } = await lab.open(`<!doctype html><body><main>${filler.join('')}</main>`);
    await blocks(page, 4);
    await page.waitForFunction("lab.asked.some(({ name }) => name === 'tally')");
    const count = /** @type {any[]} */ (await page.evaluate('lab.blocks()')).length;
    assert.ok(count >= 4 && count <= 6, `${count} of 60`);
    await page.evaluate('scrollTo(0, 12000)');
    await shows(page, 'Post number 30 of the many that stand on this page.');
    await context.close();
  });

  test('a view that replaces another one', async () => {
    const { page, context } = await lab.open('spa.html');
    const first = 'The first view tells of a mill and of those who came to see how its wheel began to turn again after many years.';
    const second = 'The second view tells of something else, namely of a bakery that sells bread and will never sell any cake to anybody.';
    assert.deepEqual(brief(await blocks(page, 2)), [['article', 'View one'], ['article', first]]);
    await page.click('#two');
    await shows(page, second);
    assert.deepEqual(brief(await blocks(page, 2)), [['article', 'View two'], ['article', second]]);
    await page.goBack();
    await context.close();
  });

  test('rows that are used again for other texts', async () => {
    const rows = Array.from({ length: 4 }, (_, at) => `<article><p>Row ${at} as it was when the page came.</p></article>`).join('');
    const { page, context } = await lab.open(`<!doctype html><body><main>${rows}</main>`);
    await blocks(page, 4);
    await page.evaluate(() => {
      const [first, second] = document.querySelectorAll('p');
      if (first?.firstChild) first.firstChild.nodeValue = 'Row 0 with another text now.';
      if (second) second.innerHTML = 'Row 1 with <b>another</b> text now.';
      document.querySelectorAll('article')[3]?.remove();
    });
    await shows(page, 'Row 0 with another text now.');
    await shows(page, 'Row 1 with another text now.');
    assert.deepEqual(brief(await blocks(page, 3)).map(([, text]) => text), [
      'Row 0 with another text now.', 'Row 1 with another text now.', 'Row 2 as it was when the page came.',
    ]);
    await context.close();
  });

  test('a text that is written bit by bit is one block in the end', async () => {
    const { page, context } = await lab.open('<!doctype html><body><main><p id="p">Once</p></main>');
    await blocks(page, 1);
    await page.evaluate(async () => {
      for (const word of ' upon a time there was a mill at the lower bridge.'.split(/(?= )/)) {
        document.getElementById('p')?.append(word);
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
    });
    await shows(page, 'Once upon a time there was a mill at the lower bridge.');
    assert.equal((await page.evaluate('lab.blocks()')).length, 1);
    assert.ok((await page.evaluate('lab.requests()')).looks.length <= 4);
    await context.close();
  });

  test('an answer below a comment leaves the comment as it is; more words of it make it anew', async () => {
    const { page, context } = await lab.open('news.html', { options: TALL });
    await blocks(page, NEWS.length);
    await page.evaluate(() => document.querySelector('#c1 .replies')?.insertAdjacentHTML('beforeend', '<div class="comment"><p>I will come, too.</p></div>'));
    await shows(page, 'I will come, too.');
    assert.deepEqual(await page.evaluate('lab.dropped'), []);
    await page.evaluate(() => document.querySelector('#c3')?.insertAdjacentHTML('beforeend', '<p>Or three.</p>'));
    await shows(page, 'One euro! I would have paid two.\n\nOr three.');
    assert.deepEqual(await page.evaluate('lab.dropped'), ['One euro! I would have paid two.']);
    await context.close();
  });

  test('what is shown later is read then', async () => {
    const { page, context } = await lab.open('news.html', { options: TALL });
    await blocks(page, NEWS.length);
    await page.evaluate("document.querySelector('#c3').style.visibility = 'hidden'");
    const hidden = '<!doctype html><body><main><article id="tab" style="display: block"><p class="off">Words of a tab that is closed when the page comes.</p></article></main><style>.off { display: none }</style>';
    const other = await lab.open(hidden);
    await other.page.waitForFunction("lab.asked.some(({ name }) => name === 'tally')");
    assert.deepEqual(await other.page.evaluate('lab.blocks()'), []);
    await other.page.evaluate("document.querySelector('.off').className = ''");
    await shows(other.page, 'Words of a tab that is closed when the page comes.');
    await Promise.all([context.close(), other.context.close()]);
  });
});

describe('the frame', () => {
  test('nothing happens where the background does not want it, until it does', async () => {
    const { page, context } = await lab.open('news.html', { wait: true, options: TALL });
    await page.evaluate('begin({ granted: false })');
    assert.deepEqual(await page.evaluate('lab.asked.map(({ name }) => name)'), ['settings']);
    await page.evaluate('lab.granted = true; lab.frame.start()');
    await blocks(page, NEWS.length);
    await page.evaluate("lab.granted = false; lab.order({ name: 'changed', ask: { settings: { ...lab.settings, off: ['news.test'] }, daemon: lab.daemon } })");
    await page.waitForFunction('lab.removed === 1');
    await context.close();
  });

  test('a background that dies once is asked again, and one that is gone for good ends the script', async () => {
    const { page, context } = await lab.open('news.html', { wait: true, options: TALL });
    await page.evaluate('begin()');
    await page.evaluate('lab.failures = 1');
    await blocks(page, NEWS.length);
    await page.evaluate("lab.alive = false; lab.failures = 99; document.querySelector('main').append(Object.assign(document.createElement('p'), { textContent: 'One more.' }))");
    await page.waitForFunction('lab.removed === 1');
    await context.close();
  });

  test('a daemon that is away is asked once, and again when it is there', async () => {
    const { page, context } = await lab.open('news.html', { wait: true, options: TALL });
    await page.evaluate("begin({ daemon: { state: 'away' } })");
    await blocks(page, NEWS.length);
    assert.deepEqual((await page.evaluate('lab.requests()')).scores, []);
    await page.evaluate(`lab.daemon = { state: 'ready', version: '1', model: { name: 'm', sha256: '', architecture: '', backend: '' }, calibrations: [] };
      lab.order({ name: 'changed', ask: { settings: lab.settings, daemon: lab.daemon } })`);
    await page.waitForFunction("lab.blocks().filter(({ state }) => state === 'scored').length === 2");
    await context.close();
  });

  test('the tally counts what is shown', async () => {
    const { page, context } = await lab.open('news.html', { wait: true, options: TALL });
    await page.evaluate("begin({ verdict: (text) => (text.includes('euro!') ? 'likely_ai' : 'unclear') })");
    await page.waitForFunction((count) => {
      // @ts-expect-error The test's own global.
      const last = globalThis.lab.requests().tallies.at(-1);
      return last && last.pending === 0 && last.verdicts.likely_ai === 1 && last.verdicts.unclear === count - 1 && last.adapter === null;
    }, NEWS.length);
    await context.close();
  });

  test('a selection is judged and its card opened; one in a field is not read', async () => {
    const { page, context } = await lab.open('news.html', { options: TALL });
    await blocks(page, NEWS.length);
    const order = `lab.order({ name: 'selection', ask: { what: 'score', settings: lab.settings, daemon: lab.daemon } }).then(() => 'done', (error) => error.message)`;
    assert.equal(await page.evaluate(order), 'Select some text on the page first.');
    await page.evaluate(() => {
      const text = document.getElementById('first')?.firstChild;
      const end = document.querySelector('h2')?.firstChild;
      if (text && end) getSelection()?.setBaseAndExtent(text, 6, end, 4);
    });
    assert.equal(await page.evaluate(order), 'done');
    const [opened] = /** @type {string[]} */ (await page.evaluate('lab.opened'));
    assert.ok(opened?.startsWith('eleven years') && opened.endsWith('whatever it says\n\nWhat') && !opened.includes('hidden'), opened);
    await page.evaluate(() => {
      const written = document.querySelector('[contenteditable] p');
      if (written) getSelection()?.selectAllChildren(written);
    });
    assert.match(String(await page.evaluate(order)), /being written/);
    await context.close();
  });

  test('messages of a chat, each with its side', async () => {
    const { page, context } = await lab.open('sites/whatsapp.html', { host: 'web.whatsapp.com', path: '/' });
    const found = await blocks(page, 3);
    assert.ok(found.every(({ kind, turn }) => kind === 'message' && turn !== null), JSON.stringify(found));
    assert.equal(found[0].text, 'Are you coming to the allotment on Saturday?');
    await page.waitForFunction("lab.requests().tallies.at(-1)?.adapter?.name === 'WhatsApp Web' && lab.requests().tallies.at(-1).adapter.found");
    await context.close();
  });
});

describe('its parts', () => {
  test('words are counted as the core counts them', async () => {
    const { page, context } = await lab.open('<!doctype html>', { wait: true });
    const counted = await page.evaluate((texts) => {
      // @ts-expect-error The test's own global.
      return texts.map((text) => globalThis.words(text));
    }, ["The bus wasn't late -- it cost $3.50, see example.com!", '', '  \n🎉 — … ', '今天天气很好'.repeat(10), '我用 Rust 写程序。', 'naïve café', 'a-b c_d']);
    assert.deepEqual(counted, [9, 0, 0, 40, 5, 2, 3]);
    await context.close();
  });

  test('paragraphs are grouped as the daemon groups them', async () => {
    const { page, context } = await lab.open('<!doctype html>', { wait: true });
    /** @param {number[]} counts @returns {Promise<number[]>} */
    const sizes = (counts) => page.evaluate((counts) => {
      const pieces = counts.map((words) => {
        const node = document.createTextNode(Array.from({ length: words }, () => 'word').join(' '));
        return { parts: [{ node, from: 0, to: node.length }], words, glued: false, owners: [] };
      });
      // @ts-expect-error The test's own global.
      return globalThis.group(pieces).map((/** @type {{words: number}[]} */ block) => block.reduce((sum, piece) => sum + piece.words, 0));
    }, counts);
    assert.deepEqual(await sizes([30, 30, 30]), [90]);
    assert.deepEqual(await sizes([50, 50, 50, 50, 50, 50, 50, 50]), [200, 200]);
    assert.deepEqual(await sizes([100, 100, 100]), [200, 100]);
    assert.deepEqual(await sizes([580]), [580]);
    assert.deepEqual(await sizes([10, 580]), [590]);
    assert.deepEqual(await sizes([240, 20]), [260]);
    assert.deepEqual(await sizes([590, 20]), [590, 20]);
    const split = await sizes([1300]);
    assert.equal(split.reduce((sum, one) => sum + one, 0), 1300);
    assert.ok(split.every((one) => one <= 600), String(split));
    await context.close();
  });
});
