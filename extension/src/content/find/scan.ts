// A walk over a part of the live page, without recursion: what a reader would see as prose, cut into blocks.

import type { Kind } from '../../protocol.js';
import { firstOf, nameOf, nextOf, parentNodeOf } from '../nodes.js';
import type { Part } from '../textmap.js';
import { group, MAX_WHOLE_WORDS, type Owner, type Piece } from './group.js';
import type { Posts } from './posts.js';
import { isChrome, isCode, isEditor, isHidden, isNoteMark, isSecretForm, parentOf, roleOf, type Role } from './roles.js';
import type { Scope } from './scope.js';
import { WordCounter } from './words.js';

/** A list whose items have more words than this on average is a list of posts or paragraphs. */
const LIST_ITEM_WORDS = 40;
/** A table cell with fewer words than this holds data, and so many words in links alone are a menu. */
const FEW_WORDS = 12;
/** A stretch without a heading is not collected further than this before it is cut. */
const LONG_SECTION = 4000;
/** Nodes between two looks at the clock. */
const STEP = 32;

/** A block that was found, not read yet. */
export interface Draft {
  kind: Kind;
  pieces: Piece[];
  /** The element of a post or comment that it is or is a part of. */
  frame: Element | null;
  /** Cut out of a longer text. */
  part: boolean;
}

/** What a walk tells. */
export interface Listener {
  found(draft: Draft): void;
  /** An open shadow root. */
  shadow(root: ShadowRoot): void;
  /** A custom element that may get a shadow root yet. */
  pending(element: Element): void;
  /** A statement of an author's may be in the text. */
  carrier(): void;
  /** There is new text in a post that was walked over before. */
  changed(frame: Element): void;
  /** Whether a text belongs to a block already. */
  isClaimed(node: Text): boolean;
}

interface Frame {
  kind: Kind;
  element: Element | null;
  /** Only some of its children are walked over. */
  partial: boolean;
  section: Piece[];
  sectionWords: number;
  parts: (Part | null)[];
  counter: WordCounter;
  isBlank: boolean;
  /** There are words outside of links. */
  plain: boolean;
  owner: Owner | null;
  items: Piece[];
  lists: number;
  quotes: number;
  heading: boolean;
  cell: boolean;
}

/** An element that is open. */
interface Open {
  element: Element | null;
  role: Role;
  /** Children still to be seen. */
  next: Node | null;
  list: readonly Node[] | null;
  at: number;
  owner: Owner | null;
  frame: boolean;
  inside: boolean;
  link: boolean;
}

export class Scan {
  private readonly open: Open[] = [];
  private readonly frames: Frame[] = [];
  private inside = 0;
  private links = 0;
  private context = false;

  constructor(
    private readonly scope: Scope | null,
    private readonly posts: Posts,
    private readonly listener: Listener,
    /** Left out with all they hold. */
    private readonly except: ReadonlySet<Element> = new Set(),
  ) {}

  /** Walks over neighbours in the page; `false` if they have left it meanwhile. */
  *walk(roots: readonly Node[], kind: Kind = 'article'): Generator<void, boolean> {
    const first = roots[0];
    if (!first) return true;
    const whole = kind === 'article' ? null : first instanceof Element ? first : null;
    this.frames.push(newFrame(kind, whole, false));
    if (!this.enterContext(whole ? null : parentOf(first))) return true;
    this.push(null, 'container', { next: null, list: roots });
    const root = this.open[this.open.length - 1];
    if (whole && root) root.owner = { element: whole, own: 0, total: 0 };
    const depth = this.open.length;
    for (let steps = 0; this.open.length >= depth; steps += 1) {
      const top = this.open[this.open.length - 1];
      if (!top) break;
      if (steps % STEP === STEP - 1) {
        yield;
        if (this.open.some(hasMoved)) return false;
      }
      const node = take(top);
      if (node === null) this.leave();
      else if (node instanceof Text) this.text(node);
      else if (node instanceof Element) this.tryEnter(node, top);
    }
    while (this.open.length > 0) this.leave();
    while (this.frames.length > 0) this.close();
    return true;
  }

  /** Takes note of what is around the place where the walk begins; `false` if nothing is to be read there. */
  private enterContext(parent: Element | null): boolean {
    if (this.scope === null) {
      this.inside = 1;
      return true;
    }
    const around: Element[] = [];
    for (let element = parent; element && nameOf(element) !== 'html'; element = parentOf(element)) around.push(element);
    this.context = true;
    for (const element of around.reverse()) {
      if (!this.enter(element, null)) return false;
    }
    this.context = false;
    return true;
  }

  private get frame(): Frame {
    const frame = this.frames[this.frames.length - 1];
    if (!frame) throw new Error('a walk has no frame');
    return frame;
  }

  /** What can't be looked at, as a form whose fields stand for its methods, is left out, and nothing else. */
  private tryEnter(element: Element, parent: Open): void {
    const depth = this.frames.length;
    try {
      this.enter(element, parent);
    } catch (error) {
      console.debug('bonafide:', error);
      this.frames.length = depth;
    }
  }

  private enter(element: Element, parent: Open | null): boolean {
    const name = nameOf(element);
    // Some sites keep the lines of a message so; code stands further inside.
    const role = name === 'pre' && this.scope === null && element === this.frame.element ? 'container' : roleOf(name);
    if (role === 'break') {
      this.line();
      return true;
    }
    if (this.except.size > 0 && this.except.has(element)) return false;
    let kind: Kind | null = null;
    let isInside = false;
    if (role === 'hidden') {
      if (name === 'pre' || name === 'textarea') this.look(element);
      return false;
    }
    const inPost = this.frames.length > 1 || this.frame.kind !== 'article';
    if (this.scope !== null) {
      isInside = this.scope.roots.has(element);
      if (role === 'chrome' || element.hasAttributes()) {
        if (isChrome(element, name, role, inPost)) {
          this.look(element);
          return false;
        }
        kind = this.posts.kindOf(element, name, inPost, this.scope.severalArticles);
      } else if (role === 'post' || name === 'li' || name === 'div') {
        kind = this.posts.kindOf(element, name, inPost, this.scope.severalArticles);
      }
    }
    if (element.hasAttributes() && (isHidden(element) || isEditor(element))) return false;
    if (isSecretForm(element, name)) return false;
    if (isCode(element, name) || isNoteMark(element, name)) {
      this.look(element);
      return false;
    }
    const frame = this.frame;
    if (role !== 'inline' || kind !== null) this.flush();
    switch (role) {
      case 'list': frame.lists += 1; break;
      case 'quote': frame.quotes += 1; break;
      case 'heading': frame.heading = true; break;
      case 'cell': frame.cell = true; break;
      case 'paragraph': frame.cell = false; break;
      // Forums lay out their posts in tables.
      case 'container': frame.cell &&= frame.kind === 'article' || name !== 'div'; break;
      case 'rule': case 'post': this.closeSection(); break;
      default:
    }
    if (kind !== null) {
      this.closeSection();
      this.frames.push(newFrame(kind, element, this.context));
    }
    const link = name === 'a' || name === 'time' || (name === 'span' && element.getAttribute('role') === 'button');
    this.push(element, role, this.context ? { next: null, list: null } : this.childrenOf(element, name, parent), kind !== null, isInside, link);
    return true;
  }

  private childrenOf(element: Element, name: string, parent: Open | null): { next: Node | null; list: readonly Node[] | null } {
    const shadow = element.shadowRoot;
    if (shadow) {
      this.listener.shadow(shadow);
      return { next: shadow.firstChild, list: null };
    }
    if (name.includes('-')) this.listener.pending(element);
    if (name === 'slot' && parent && element.getRootNode() instanceof ShadowRoot) {
      const assigned = (element as HTMLSlotElement).assignedNodes();
      if (assigned.length > 0) return { next: null, list: assigned };
    }
    return { next: firstOf(element), list: null };
  }

  private push(
    element: Element | null, role: Role, { next, list }: { next: Node | null; list: readonly Node[] | null },
    frame = false, inside = false, link = false,
  ): void {
    if (inside) this.inside += 1;
    if (link) this.links += 1;
    const isOwner = element !== null && role !== 'inline';
    // Of what is around the walk only a part is seen, so that nothing can be its only text.
    const owner = isOwner ? { element, own: 0, total: this.context ? Infinity : 0 } : null;
    this.open.push({ element, role, next, list, at: 0, owner, frame, inside, link });
  }

  private leave(): void {
    const left = this.open[this.open.length - 1];
    if (!left) return;
    if (left.role !== 'inline' || left.frame) this.flush();
    this.open.pop();
    if (left.owner) {
      left.owner.total += left.owner.own;
      const around = this.ownerAround();
      if (around) around.total += left.owner.total;
    }
    if (left.inside) this.inside -= 1;
    if (left.link) this.links -= 1;
    const frame = this.frame;
    switch (left.role) {
      case 'list':
        frame.lists -= 1;
        if (frame.lists === 0) this.closeList();
        break;
      case 'quote': frame.quotes -= 1; break;
      case 'heading': frame.heading = false; break;
      case 'cell': frame.cell = false; break;
      case 'post': this.closeSection(); break;
      default:
    }
    if (left.frame) this.close();
  }

  private ownerAround(): Owner | null {
    for (let index = this.open.length - 1; index >= 0; index -= 1) {
      const owner = this.open[index]?.owner;
      if (owner) return owner;
    }
    return null;
  }

  private text(node: Text): void {
    const data = node.data;
    const frame = this.frame;
    if (data.length > 30 && mayBeCarrier(data)) this.listener.carrier();
    if (this.inside === 0 && frame.kind === 'article') return;
    const isBlank = !/\S/.test(data);
    if (isBlank && frame.parts.length === 0) return;
    if (!isBlank && this.listener.isClaimed(node)) {
      // What was found before stands between what stands on its sides.
      this.flush();
      return;
    }
    frame.parts.push({ node, from: 0, to: data.length });
    if (isBlank) {
      frame.counter.end();
      return;
    }
    frame.isBlank = false;
    frame.owner ??= this.ownerAround();
    const before = frame.counter.count;
    frame.counter.add(data);
    if (this.links === 0 && frame.counter.count > before) frame.plain = true;
  }

  /** A line break; a second one ends the paragraph. */
  private line(): void {
    const frame = this.frame;
    const last = frame.parts.findLast((part) => part === null || /\S/.test(part.node.data));
    if (last === null) this.flush();
    else if (last !== undefined) {
      frame.parts.push(null);
      frame.counter.end();
    }
  }

  /** Ends the paragraph that is being read. */
  private flush(): void {
    const frame = this.frame;
    const { parts, counter, isBlank, owner, plain } = frame;
    if (parts.length === 0) return;
    frame.parts = [];
    frame.isBlank = true;
    frame.owner = null;
    frame.plain = false;
    const count = counter.count;
    frame.counter = new WordCounter();
    if (isBlank || (frame.cell && count < FEW_WORDS)) return;
    const inPost = frame.kind !== 'article';
    // Who wrote it and when, what can be done with it, and where else one can go.
    if (frame.kind !== 'message' && !plain && !frame.heading && count < FEW_WORDS) return;
    if (owner) owner.own += 1;
    const piece: Piece = { parts, words: count, glued: frame.quotes > 0, owners: owner ? [owner] : [] };
    if (frame.heading && !inPost) {
      this.closeSection();
      if (!frame.partial) this.listener.found({ kind: 'article', pieces: [piece], frame: null, part: true });
    } else if (frame.lists > 0) {
      frame.items.push(piece);
    } else {
      this.add(piece);
    }
  }

  private add(piece: Piece): void {
    const frame = this.frame;
    frame.section.push(piece);
    frame.sectionWords += piece.words;
    if (frame.kind === 'article' && frame.sectionWords > LONG_SECTION) this.closeSection(true);
  }

  /** Ends the list that is being read: one piece, or a piece an item if the items are paragraphs. */
  private closeList(): void {
    const frame = this.frame;
    const items = frame.items;
    if (items.length === 0) return;
    frame.items = [];
    const total = items.reduce((sum, item) => sum + item.words, 0);
    if (total > LIST_ITEM_WORDS * items.length) {
      for (const item of items) this.add(item);
      return;
    }
    const parts = items.flatMap((item, index) => (index === 0 ? item.parts : [null, ...item.parts]));
    this.add({ parts, words: total, glued: true, owners: [...new Set(items.flatMap(({ owners }) => owners))] });
  }

  /** Ends what may be put together. `goesOn`: its last block may still grow. */
  private closeSection(goesOn = false): void {
    const frame = this.frame;
    if (!goesOn) {
      this.flush();
      this.closeList();
    }
    if (frame.kind !== 'article' || frame.section.length === 0) return;
    const blocks = group(frame.section);
    const kept = goesOn ? blocks.pop() ?? [] : [];
    frame.section = kept;
    frame.sectionWords = kept.reduce((sum, piece) => sum + piece.words, 0);
    for (const pieces of blocks) this.listener.found({ kind: 'article', pieces, frame: null, part: true });
  }

  /** Ends a post, which is a block by itself unless it is very long. */
  private close(): void {
    this.closeSection();
    const frame = this.frames.pop();
    if (!frame || frame.section.length === 0) return;
    const { kind, element, section, sectionWords } = frame;
    if (frame.partial && element) {
      this.listener.changed(element);
    } else if (sectionWords <= MAX_WHOLE_WORDS) {
      this.listener.found({ kind, pieces: section, frame: element, part: false });
    } else {
      // So long a post is an article.
      const long = kind === 'post' ? 'article' : kind;
      for (const pieces of group(section)) this.listener.found({ kind: long, pieces, frame: element, part: true });
    }
  }

  /** Looks for statements in what is left out. */
  private look(element: Element): void {
    if (mayBeCarrier(element.textContent ?? '')) this.listener.carrier();
  }
}

function newFrame(kind: Kind, element: Element | null, partial: boolean): Frame {
  return {
    kind, element, partial, section: [], sectionWords: 0, parts: [], counter: new WordCounter(), isBlank: true, plain: false,
    owner: null, items: [], lists: 0, quotes: 0, heading: false, cell: false,
  };
}

/** Whether the page has taken away the node at which a walk was to go on. */
function hasMoved({ element, next }: Open): boolean {
  if (!next || !element) return false;
  const parent = parentNodeOf(next);
  return parent !== element && parent !== element.shadowRoot;
}

function take(open: Open): Node | null {
  if (open.list) {
    const node = open.list[open.at] ?? null;
    open.at += 1;
    return node;
  }
  const node = open.next;
  if (node) open.next = nextOf(node);
  return node;
}

/** What every statement in a text begins with, in whatever carrier. */
export function mayBeCarrier(text: string): boolean {
  return text.includes('human1') || text.includes('GENERATED BY HUMAN');
}
