// Which elements hold a comment or a post of their own: by roles and microdata, and by names only where several are alike.

import type { Kind } from '../../protocol.js';
import { childrenOf, nameOf } from '../nodes.js';

/** So many siblings of a kind make a row of comments or posts. */
const ALIKE = 3;

const ITEM_COMMENT = /(?:Comment|Answer|Review)$/;
const ITEM_POST = /(?:DiscussionForumPosting|SocialMediaPosting|Question)$/;

/** A class or an id that names a comment or a post; one of a part of it does not count. */
const COMMENT_WORD = /(?:^|[^a-z])(?:comment|reply|answer|review|response)(?![a-z])|(?:Comment|Reply|Answer|Review|Response)(?![a-z])/;
const POST_WORD = /(?:^|[^a-z])(?:post|message|tweet|status|toot|topic)(?![a-z])|(?:Post|Message|Tweet|Status|Toot)(?![a-z])/;
const PART_WORD = new RegExp(
  'meta|author|header|footer|action|button|btn|count|link|list|form|date|time|title|tag|nav|image|img|thumb|avatar|user|icon|'
  + 'menu|tool|content|body|text|score|vote|signature|info|permalink|reply-to|control|share',
  'i',
);
/** A list of comments, whose items need no name. */
const COMMENTS_WORD = /(?:^|[^a-z])(?:comments|comment-?list|replies|responses|answers)(?![a-z])/i;

const CANDIDATES = new Set(['div', 'li', 'section', 'article', 'tr', 'table', 'tbody', 'dd', 'td', 'details']);

/** Only neighbours are looked at, this many on each side: a list may have thousands. */
const NEIGHBOURS = 6;
/** What names say is kept for so many. */
const MOST_KEPT = 2000;

/** What a name says, and the name itself. */
interface Word { kind: 'comment' | 'post'; name: string }

export class Posts {
  /** Names that were found in a row once; a single one is then enough, as for the only answer to a comment. */
  private readonly known = new Set<string>();
  /** What lists of comments have as items, by their elements. */
  private lists = new WeakMap<Element, boolean>();
  private readonly words = new Map<string, Word | null>();

  /** Forgets what stands where: the page has changed. */
  renew(): void {
    this.lists = new WeakMap();
  }

  /** What sort of text an element holds by itself, if it does. `inPost`: it stands in another one. */
  kindOf(element: Element, name: string, inPost: boolean, severalArticles: boolean): Kind | null {
    const role = element.getAttribute('role');
    if (role === 'comment') return 'comment';
    const isArticle = name === 'article' || role === 'article';
    const type = element.getAttribute('itemtype');
    if (type !== null) {
      if (ITEM_COMMENT.test(type)) return 'comment';
      if (ITEM_POST.test(type)) return inPost ? 'comment' : 'post';
    }
    if (element.getAttribute('itemprop') === 'comment') return 'comment';
    if (isArticle) {
      if (element.parentElement?.closest('article, [role="article"]')) return 'comment';
      if (this.word(element)?.kind === 'comment') return 'comment';
      return severalArticles ? 'post' : null;
    }
    const parent = element.parentElement;
    if (!parent) return null;
    if (!inPost && parent.getAttribute('role') === 'feed') return 'post';
    if (!CANDIDATES.has(name) && !name.includes('-')) return null;
    const word = this.word(element);
    if (word) return this.isInRow(element, name, word) ? (inPost ? 'comment' : word.kind) : null;
    return (name === 'li' || name === 'div') && this.isListOfComments(parent, name) ? 'comment' : null;
  }

  /** What the names of an element say. */
  private word(element: Element): Word | null {
    const classes = element.getAttribute('class');
    return (classes ? this.wordOf(classes) : null) ?? (element.id ? this.wordOf(element.id) : null);
  }

  private wordOf(names: string): Word | null {
    const kept = this.words.get(names);
    if (kept !== undefined) return kept;
    let word: Word | null = null;
    for (const name of names.split(/\s+/)) {
      const kind = PART_WORD.test(name) ? null : COMMENT_WORD.test(name) ? 'comment' : POST_WORD.test(name) ? 'post' : null;
      if (kind === null) continue;
      word = { kind, name };
      break;
    }
    if (this.words.size >= MOST_KEPT) this.words.clear();
    this.words.set(names, word);
    return word;
  }

  /** Whether an element has enough siblings of the same class or, if only ids tell, of the same kind. */
  private isInRow(element: Element, name: string, word: Word): boolean {
    const key = `${name}.${word.name}`;
    if (this.known.has(key)) return true;
    const isAlike = (other: Element) => {
      const its = nameOf(other) === name ? this.word(other) : null;
      return its !== null && (its.name === word.name || (its.kind === word.kind && element.id === word.name));
    };
    let alike = 1;
    for (const step of ['nextElementSibling', 'previousElementSibling'] as const) {
      let other = element[step];
      for (let seen = 0; other && seen < NEIGHBOURS && alike < ALIKE; seen += 1, other = other[step]) {
        if (isAlike(other)) alike += 1;
      }
    }
    if (alike < ALIKE) return false;
    this.known.add(key);
    return true;
  }

  private isListOfComments(parent: Element, name: string): boolean {
    let is = this.lists.get(parent);
    if (is === undefined) {
      const children = childrenOf(parent);
      is = children.length >= ALIKE && COMMENTS_WORD.test(`${parent.getAttribute('id') ?? ''} ${parent.getAttribute('class') ?? ''}`);
      for (let at = 0; is && at < Math.min(children.length, 2 * NEIGHBOURS); at += 1) is = nameOf(children[at] as Element) === name;
      this.lists.set(parent, is);
    }
    return is;
  }
}
