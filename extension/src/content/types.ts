// What finding, judging and showing have in common.

import type { BlockReport, Kind, Settings, Daemon, Judged, ScamReport, Signed } from '../protocol.js';

export interface Span { start: number; end: number }

/** A run of text with the way back into the page. */
export interface TextMap {
  readonly text: string;
  /** The place of some code points of `text`; nothing if the page has changed there. */
  range(span: Span): Range | null;
}

/** A run of text that was found in the page. */
export interface Found {
  kind: Kind;
  part: boolean;
  map: TextMap;
  /** The elements that hold it and nothing else; the badge stands at the first one's first line. */
  elements: Element[];
  /** The elements hold other text too: they must neither be hidden nor moved. */
  loose?: boolean;
  /** Whose message it is, in a conversation. */
  turn?: { side: 'me' | 'them' | 'unknown'; name: string | null };
}

/** A found run with what is known of it. */
export interface Item extends Found {
  /** Unique in the frame. */
  readonly id: string;
  /** `waiting`: nothing is known yet; `looked`: by what runs in the browser; `scored`: by the model too. */
  state: 'waiting' | 'looked' | 'scored';
  report: BlockReport | null;
  signed?: Signed;
}

/** A message of the open conversation. */
export interface Message {
  side: 'me' | 'them';
  text: string;
  /** What its words stand in, as long as it is in the page. */
  words: Element | null;
}

/** A conversation that resembles a scam. */
export interface Alarm {
  /** Tells conversations apart. */
  key: string;
  report: ScamReport;
  /** The message at an index of the report. */
  message(turn: number): Message | null;
  /** Something of the conversation that is in the page now. */
  anchor: Element | null;
}

/** What the overlay needs from the rest. */
export interface Surroundings {
  settings(): Settings;
  daemon(): Daemon;
  /** The model behind reports, once one has come. */
  judged(): Pick<Judged, 'model' | 'calibrations'> | null;
  note(item: Item, said: 'human' | 'ai' | 'other', comment: string): Promise<void>;
  /** The user says that a conversation is no scam. */
  hush(key: string): void;
  /** Something was hidden or shown: the tally has changed. */
  changed(): void;
}

/** Everything that is drawn: badges, cards, veils. All of it stands in one closed shadow root. */
export interface Overlay {
  /** Shows what is known of an item, by the user's rules. Called again whenever that changes. */
  show(item: Item): void;
  /** The item is gone from the page. */
  drop(item: Item): void;
  /** Opens the card of an item, as a click on its badge does. */
  open(item: Item): void;
  /** Warns of the open conversation, or of none. Called again whenever something of it has changed or moved. */
  warn(alarm: Alarm | null): void;
  /** Undoes all dimming, collapsing and hiding until the page is left. */
  reveal(): void;
  /** Blocks that are hidden or collapsed now. */
  hidden(): number;
  /** Settings have changed. */
  refresh(items: Iterable<Item>): void;
  /** Takes everything away, and restores the page. */
  remove(): void;
}
