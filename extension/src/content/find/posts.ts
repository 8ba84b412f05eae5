// Which elements hold a comment or a post of their own: by roles and microdata, and by names only where several are alike.

import type { Kind } from '../../protocol.js';

/** So many siblings of a kind make a row of comments or posts. */
const ALIKE = 3;
/** Some pages have another class attribute on each element. */
const MOST_NAMES = 5000;

const ITEM_COMMENT = /(?:Comment|Answer|Review)$/;
const ITEM_POST = /(?:DiscussionForumPosting|SocialMediaPosting|Question)$/;

/** A class or an id that names a comment or a post; one of a part of it does not count. */
const COMMENT_WORD = /(?:^|[^a-z])(?:comment|reply|answer|review|response)(?![a-z])|(?:Comment|Reply|Answer|Review|Response)(?![a-z])/;
const POST_WORD = /(?:^|[^a-z])(?:post|message|tweet|status|toot|topic)(?![a-z])|(?:Post|Message|Tweet|Status|Toot)(?![a-z])/;
const PART_WORD = new RegExp(
  'meta|author|header|footer|action|button|btn|count|link|list|form|date|time|title|tag|nav|image|img|thumb|avatar|user|icon|'
  + 'menu|tool|content|body|text|score|vote|wrapper-inner|signature|info|permalink|reply-to|icons|buttons|control|share',
  'i',
);
/** A list of comments, whose items need no name. */
const COMMENTS_WORD = /(?:^|[^a-z])(?:comments|comment-?list|replies|responses|answers)(?![a-z])/i;

const CANDIDATES = new Set(['div', 'li', 'section', 'article', 'tr', 'table', 'tbody', 'dd', 'td', 'details']);

export class Posts {
  /** Names that were found in a row once; a single one is then enough, as for the only answer to a comment. */
  private readonly known = new Set<string>();
  /** What class attributes say, as they stand there. */
  private readonly names = new Map<string, readonly { name: string; word: 'comment' | 'post' }[]>();
  /** For a parent that has been looked at: how often each name is there. */
  private counts = new WeakMap<Element, Map<string, number>>();

  /** Forgets how many siblings there are: the page has changed. */
  renew(): void {
    this.counts = new WeakMap();
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
      if (this.word(element) === 'comment') return 'comment';
      return severalArticles ? 'post' : null;
    }
    const parent = element.parentElement;
    if (parent?.getAttribute('role') === 'feed' && !inPost) return 'post';
    if (!CANDIDATES.has(name) && !name.includes('-')) return null;
    const kind = this.word(element);
    if (kind !== null) return this.isInRow(element, name, kind) ? (inPost ? 'comment' : kind) : null;
    if (parent && (name === 'li' || name === 'div') && COMMENTS_WORD.test(`${parent.id} ${parent.getAttribute('class') ?? ''}`)) {
      return this.siblings(parent).get(name) === parent.childElementCount && parent.childElementCount >= ALIKE ? 'comment' : null;
    }
    return null;
  }

  /** What the names of an element say. */
  private word(element: Element): 'comment' | 'post' | null {
    const classes = this.namesOf(element.getAttribute('class') ?? '');
    return classes[0]?.word ?? (element.id === '' ? null : wordOf(element.id));
  }

  /** The classes that name a comment or a post. Elements of a row have the same ones. */
  private namesOf(classes: string): readonly { name: string; word: 'comment' | 'post' }[] {
    let names = this.names.get(classes);
    if (!names) {
      names = classes.split(/\s+/).flatMap((name) => {
        const word = wordOf(name);
        return word === null ? [] : [{ name, word }];
      });
      if (this.names.size < MOST_NAMES) this.names.set(classes, names);
    }
    return names;
  }

  /** The same, each with the name of the element. */
  private keysOf(element: Element, name: string): string[] {
    return this.namesOf(element.getAttribute('class') ?? '').map((one) => `${name}.${one.name}`);
  }

  private isInRow(element: Element, name: string, kind: string): boolean {
    const keys = this.keysOf(element, name);
    if (keys.some((key) => this.known.has(key))) return true;
    const parent = element.parentElement;
    if (!parent) return false;
    const counts = this.siblings(parent);
    // Their ids differ; then the kind and the name of the element are what is alike.
    const row = keys.filter((key) => (counts.get(key) ?? 0) >= ALIKE);
    const byId = keys.length === 0 && (counts.get(`#${name} ${kind}`) ?? 0) >= ALIKE;
    for (const key of row) this.known.add(key);
    return row.length > 0 || byId;
  }

  private siblings(parent: Element): Map<string, number> {
    let counts = this.counts.get(parent);
    if (!counts) {
      counts = new Map();
      for (const child of parent.children) {
        const name = child.localName;
        const word = child.id === '' ? null : this.word(child);
        const keys = [name, ...this.keysOf(child, name), ...(word === null ? [] : [`#${name} ${word}`])];
        for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
      }
      this.counts.set(parent, counts);
    }
    return counts;
  }
}

/** What a class or an id says. */
function wordOf(name: string): 'comment' | 'post' | null {
  if (name.length < 4 || PART_WORD.test(name)) return null;
  if (COMMENT_WORD.test(name)) return 'comment';
  return POST_WORD.test(name) ? 'post' : null;
}
