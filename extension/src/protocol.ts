// What the parts of the extension say to each other. Content scripts cut and label; the background judges; popup and
// options show. Nothing here runs: types only, and the names of messages.

import type { BlockReport, Calibration, Model, Verdict } from '../../server/src/http/web/api.js';
import type { Checked } from '../../server/src/http/web/desk.js';

export type { BlockReport, Calibration, Evidence, Model, Verdict } from '../../server/src/http/web/api.js';
export type { Checked, Outcome } from '../../server/src/http/web/desk.js';

/** What sort of text a block is; rules of the filter go by it. */
export type Kind = 'article' | 'post' | 'comment' | 'message' | 'selection';

/** A run of text that gets its own label. */
export interface Block {
  /** Unique in its frame, and the same for as long as its text is. */
  id: string;
  kind: Kind;
  text: string;
  /** Cut out of a longer text: a label at its edges is then not the document's. */
  part: boolean;
  /** What a signature says of it, if one speaks of it. */
  signed?: Signed;
}

/** A statement about a block. */
export interface Signed {
  statement: Checked;
  /** The verified words are all of the block; else some of it. */
  whole: boolean;
}

/** What the head of a page says: names and contents of `meta`, and scripts of `application/ld+json`. */
export interface Metadata {
  meta: [name: string, content: string][];
  json_ld: string[];
}

/** Blocks to judge, and what is around them. */
export interface Reading {
  /** Only where the blocks are parts of one document: what it says of all of them counts for each part. */
  document?: { metadata: Metadata; begins: string; ends: string };
  blocks: Block[];
}

/**
 * A walk over a live page, in document order, for the signature check: text; `br`; an element entered (`inline`, `block`
 * or `root`, and its `data-human-statement`); left; a hazard here; a hazard in all of the element entered last; a script
 * of our type; a link of our relation.
 */
export type Step =
  | ['text', string] | ['br'] | ['enter', 'inline' | 'block' | 'root', string | null] | ['leave']
  | ['hazard', Hazard] | ['hazardous', Hazard] | ['script', string] | ['link', string];

/** Why a reader may see other words than those that the walk tells; `wasm/` turns each into a sentence. */
export type Hazard =
  | 'shadow' | 'embedded' | 'field' | 'picture' | 'generated' | 'order' | 'direction' | 'hidden' | 'closed' | 'list' | 'formula';

/** The model's part of a reply. */
export interface Judged {
  blocks: BlockReport[];
  model: Model;
  /** One for each of some languages; a block says which it was compared with. */
  calibrations: Calibration[];
}

/** How dangerous a conversation is, and how far a scam has gone. */
export type Risk = 'none' | 'caution' | 'danger';
export type Stage = 'contact' | 'trust' | 'hook' | 'ask' | 'drain';

/** A message of a conversation, as the scam engine reads it. */
export interface ScamTurn {
  side: 'them' | 'me';
  text: string;
  /** When it was sent, in milliseconds since 1970; null if that is not known. */
  at: number | null;
}

/** What is known of a conversation beside its messages; what is absent tells nothing. */
export interface ScamSetting {
  new_contact?: boolean;
  profile_link?: string;
  ai_probability?: number;
  second_opinion?: number;
}

/** A kind of finding, with the messages that it rests on. */
export interface ScamFinding {
  code: string;
  stage: Stage;
  /** From 0 (nothing) to 1 (conclusive). */
  strength: number;
  /** The turn, from 0, and the words in it, in code points; without words it is all of the message. */
  places: { turn: number; span?: { start: number; end: number } | null }[];
  /** One sentence in the language that was asked for. */
  message: string;
}

/** What is to be said of a conversation so far; the shape of `core::scam::report`. */
export interface ScamReport {
  risk: Risk;
  /** That it is a scam, were scams and honest conversations equally frequent. */
  probability: number;
  stage: Stage | null;
  /** The known kind of scam that it resembles most. */
  pattern: string | null;
  evidence: ScamFinding[];
  advice: { message: string; hotline?: { region: string; number: string; name: string } | null } | null;
  turns: number;
  model: string;
}

/** How it stands with the daemon. */
export type Daemon =
  | { state: 'ready'; version: string; model: Model; calibrations: Calibration[] }
  | { state: 'loading'; version: string }
  | { state: 'unpaired' }
  | { state: 'refused' }
  | { state: 'away' }
  | { state: 'wrong_version'; version: string };

/** What a rule of the filter does. */
export type Action = 'badge' | 'dim' | 'collapse' | 'hide' | 'nothing';

/** The first rule that fits a block decides. A field that is absent fits everything. */
export interface Rule {
  id: string;
  on: boolean;
  verdicts?: Verdict[];
  kinds?: Kind[];
  /** Host names; one fits its subdomains too. */
  sites?: string[];
  action: Action;
}

/** A person whose key the user knows. */
export interface Contact {
  name: string;
  /** As OpenSSH writes it: `ssh-ed25519 AAAA…`. */
  key: string;
  added: string;
}

/** A note that a verdict was wrong, kept on this machine. */
export interface Note {
  at: string;
  host: string;
  verdict: Verdict;
  /** What the user says it was. */
  said: 'human' | 'ai' | 'other';
  comment: string;
  /** SHA-256 of the text under a key of this installation; the text itself is not kept. */
  text: string;
}

/** Everything that the user can set; `storage.local`, and `storage.sync` only if `sync` is on (rules alone). */
export interface Settings {
  /** Of the interface; `auto` is the browser's. */
  language: 'auto' | 'en' | 'zh_CN';
  /** Show `unclear` too. */
  showUnclear: boolean;
  /** Show `likely_ai` only from this probability on: the user may be stricter than the daemon, never laxer. */
  strictness: number;
  /** Only what humans signed is shown as it is; everything else is dimmed. */
  signedOnly: boolean;
  /** Follow conversations on messaging sites, and warn of scams. */
  scam: boolean;
  rules: Rule[];
  /** Sites where labelling is switched off, though the permission is there. */
  off: string[];
  sync: boolean;
  port: number;
  contacts: Contact[];
  /** Keys that identities were first seen with. */
  pins: Record<string, string[]>;
}

/** What a content script asks the background, and what it gets. */
export interface Asks {
  /** At the start of a frame. `null`: do nothing here. */
  settings: { ask: { host: string }; reply: { settings: Settings; daemon: Daemon } | null };
  /** Judges with what runs in the browser: labels, hidden characters, leftovers, signatures. */
  look: { ask: Reading; reply: { blocks: BlockReport[] } };
  /** The same with the daemon's model; an error in one line if it is not there. */
  score: { ask: Reading; reply: Judged | { daemon: Daemon } };
  /** Checks statements in a walk, or in plain text. */
  signatures: { ask: { walk: Step[] } | { text: string }; reply: { statements: Checked[] } };
  /**
   * Reads what was said next in the conversation `key` of this frame. `before` is how many turns were sent before; from 0 it
   * begins anew. `again`: nothing is known of it here any more, or not so much, and all of it is wanted.
   */
  scam: {
    ask: { key: string; before: number; turns: ScamTurn[]; setting: ScamSetting; language: string };
    reply: { report: ScamReport } | { again: true };
  };
  note: { ask: Note; reply: null };
  /** How this frame stands, whenever that has changed; the popup and the toolbar's badge show the sum over all frames. */
  tally: { ask: Summary; reply: null };
}

/** What the popup asks the background beside those. */
export interface Commands {
  daemon: { ask: Record<string, never>; reply: Daemon };
  /** All frames of a tab together; `null` if nothing of ours runs in it. */
  glance: { ask: { tab: number }; reply: Summary | null };
  /** Begins pairing; the code is to be compared with the one on the daemon's page. */
  pair: { ask: Record<string, never>; reply: { code: string; url: string; ends: number } | { daemon: Daemon } };
  /** How it stands with it. */
  paired: { ask: Record<string, never>; reply: 'waiting' | 'paired' | 'refused' | 'ended' };
  unpair: { ask: Record<string, never>; reply: null };
  save: { ask: Partial<Settings>; reply: Settings };
  load: { ask: Record<string, never>; reply: Settings };
  notes: { ask: Record<string, never>; reply: Note[] };
  erase: { ask: Record<string, never>; reply: null };
  /** A contact's key as typed; gives its fingerprint or throws. */
  fingerprint: { ask: { key: string }; reply: string };
  /** Asks the daemon to let the user sign a text; gives the page on which that is done. */
  sign: { ask: { text: string }; reply: { url: string } | { daemon: Daemon } };
  /** Whether this site is labelled, and if not why. */
  site: { ask: { host: string; origin: string }; reply: SiteState };
  /** Labels the tab once, now, without a lasting permission (the popup's click gives `activeTab`). */
  once: { ask: { tab: number }; reply: null };
}

export type SiteState = 'on' | 'off' | 'no_permission' | 'impossible';

/** What the background or the popup asks all content scripts of a tab. */
export interface Orders {
  rescan: { ask: Record<string, never>; reply: null };
  /** Settings have changed. */
  changed: { ask: { settings: Settings; daemon: Daemon }; reply: null };
  /** Judges or checks the selection and opens its card, also where the rest of the page is not labelled. */
  selection: { ask: { what: 'score' | 'verify'; settings: Settings; daemon: Daemon }; reply: null };
  /** Shows everything that rules have hidden, until the page is left. */
  reveal: { ask: Record<string, never>; reply: null };
}

/** A frame, or a page, at a glance. */
export interface Summary {
  verdicts: Record<Verdict, number>;
  pending: number;
  /** Hidden or collapsed by rules now. */
  hidden: number;
  statements: Checked[];
  /** The messaging adapter, and whether it found what it looks for. */
  adapter: { name: string; found: boolean; messages: number } | null;
  /** How dangerous the open conversation is, and whether the user has said that it is no scam; null if none is followed. */
  scam: { risk: Risk; hushed: boolean } | null;
}

/** An answer: errors are sentences that say what to do. */
export type Answer<T> = { ok: T } | { error: string };
