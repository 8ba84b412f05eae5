// @ts-check
// The stretch of the text that a finding rests on, marked while somebody looks at the finding. The text's own elements
// stay as they are: the browser paints over them.

const NAME = 'finding';
/** @type {Element[]} */
let pointed = [];

/** Takes the mark away. */
export function clear() {
  globalThis.CSS?.highlights?.delete(NAME);
  for (const element of pointed) element.classList.remove('pointed');
  pointed = [];
}

/**
 * Marks a stretch.
 * @param {Element} prose An element whose text is the whole text.
 * @param {number} from UTF-16 units.
 * @param {number} to
 */
export function mark(prose, from, to) {
  clear();
  const range = rangeOf(prose, from, to);
  if (!range) return;
  const paints = 'highlights' in CSS && typeof Highlight === 'function';
  if (paints) CSS.highlights.set(NAME, new Highlight(range));
  // What can't be seen has nothing to paint over but its sign.
  pointed = [...prose.querySelectorAll(paints ? '.unseen' : '.unseen, .sentence')].filter((one) => range.intersectsNode(one));
  for (const element of pointed) element.classList.add('pointed');
}

/**
 * @param {Element} root
 * @param {number} from
 * @param {number} to
 */
function rangeOf(root, from, to) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  let place = 0;
  let begun = false;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const length = node.nodeValue?.length ?? 0;
    if (!begun && from < place + length) {
      range.setStart(node, from - place);
      begun = true;
    }
    if (begun && to <= place + length) {
      range.setEnd(node, to - place);
      return range;
    }
    place += length;
  }
  return null;
}
