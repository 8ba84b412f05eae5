// @ts-check
// What a screen reader reads of a page: the browser's accessibility tree, which goes into closed shadow roots too.

import assert from 'node:assert/strict';

/**
 * @typedef {import('playwright-core').Page} Page
 * @typedef {{role: string, name: string, description: string, properties: Record<string, unknown>, id: number}} Seen
 * @typedef {{x: number, y: number, width: number, height: number}} Box
 */

/** @type {WeakMap<Page, Promise<import('playwright-core').CDPSession>>} */
const sessions = new WeakMap();

/** @param {Page} page */
export function devtools(page) {
  let session = sessions.get(page);
  if (!session) sessions.set(page, session = page.context().newCDPSession(page));
  return session;
}

/**
 * Everything that is read aloud, in order.
 * @param {Page} page
 * @returns {Promise<Seen[]>}
 */
export async function tree(page) {
  const { nodes } = await (await devtools(page)).send('Accessibility.getFullAXTree');
  return nodes.filter((node) => !node.ignored).map((node) => ({
    role: String(node.role?.value ?? ''), name: String(node.name?.value ?? ''), description: String(node.description?.value ?? ''),
    properties: Object.fromEntries((node.properties ?? []).map(({ name, value }) => [name, value.value])),
    id: node.backendDOMNodeId ?? 0,
  }));
}

/**
 * Those with a role whose name is, or fits, what is given.
 * @param {Page} page
 * @param {string} role
 * @param {string|RegExp} [name]
 */
export async function all(page, role, name = /(?:)/) {
  const seen = await tree(page);
  return seen.filter((node) => node.role === role && (typeof name === 'string' ? node.name === name : name.test(node.name)));
}

/**
 * The only one; waits for it.
 * @param {Page} page
 * @param {string} role
 * @param {string|RegExp} [name]
 */
export async function one(page, role, name) {
  const found = await until(() => all(page, role, name), (list) => list.length > 0, `a ${role} named ${name}`);
  assert.equal(found.length, 1, `only one ${role} named ${name}`);
  return /** @type {Seen} */ (found[0]);
}

/**
 * Waits until there is none.
 * @param {Page} page
 * @param {string} role
 * @param {string|RegExp} [name]
 */
export async function none(page, role, name) {
  await until(() => all(page, role, name), (list) => list.length === 0, `no ${role} named ${name}`);
}

/**
 * Asks until the answer will do.
 * @template T
 * @param {() => Promise<T>} ask
 * @param {(answer: T) => boolean} enough
 * @param {string} what
 * @returns {Promise<T>}
 */
export async function until(ask, enough, what) {
  const end = Date.now() + 10_000;
  for (;;) {
    const answer = await ask();
    if (enough(answer)) return answer;
    if (Date.now() > end) assert.fail(`waited in vain for ${what}; last: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/**
 * Waits until something holds.
 * @param {() => boolean|Promise<boolean>} holds
 */
export const comes = (holds) => until(async () => holds(), Boolean, 'what never came');

/**
 * Where it is drawn in the window, into which it is scrolled.
 * @param {Page} page
 * @param {Seen} node
 * @returns {Promise<Box>}
 */
export async function box(page, node) {
  const session = await devtools(page);
  await session.send('DOM.scrollIntoViewIfNeeded', { backendNodeId: node.id });
  const { model } = await session.send('DOM.getBoxModel', { backendNodeId: node.id });
  const [x = 0, y = 0] = model.border;
  return { x, y, width: model.width, height: model.height };
}

/**
 * @param {Page} page
 * @param {Seen} node
 */
export async function middle(page, node) {
  const { x, y, width, height } = await box(page, node);
  return { x: x + width / 2, y: y + height / 2 };
}

/**
 * @param {Page} page
 * @param {Seen} node
 */
export async function click(page, node) {
  const { x, y } = await middle(page, node);
  await page.mouse.click(x, y);
}

/**
 * Puts the focus on it, as the Tab key would in the end.
 * @param {Page} page
 * @param {Seen} node
 */
export async function focus(page, node) {
  await (await devtools(page)).send('DOM.focus', { backendNodeId: node.id });
}

/** What has the focus, wherever it is. @param {Page} page */
export async function focused(page) {
  const list = (await tree(page)).filter((node) => node.properties['focused'] === true && node.role !== 'RootWebArea');
  return list.at(-1) ?? null;
}
