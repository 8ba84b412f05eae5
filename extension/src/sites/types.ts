// What an adapter for a messaging site yields.

export interface Turn {
  /** The row or bubble as a whole. */
  element: Element;
  /** The sender's own words; never a message that is quoted, never what is being typed. */
  text: Element;
  /** Elements inside `text` that are no words of the message: its time, reactions, a quotation, a preview. */
  except: Element[];
  side: 'me' | 'them' | 'unknown';
  name: string | null;
  /** What the site itself calls the message by, the same for as long as it exists; absent where no such name is known. */
  id?: string | null;
  /** When it was sent, in milliseconds since 1970, where the page says so exactly and without asking; else null. */
  at?: number | null;
}

export interface Adapter {
  name: string;
  /** Where and when the selectors were seen. */
  seen: string;
  /**
   * Host names; one fits exactly, or as a suffix if it begins with a dot. After a slash comes the beginning of the path, if
   * only that part of the site is for messages.
   */
  hosts: string[];
  /** Messages of the open conversation(s) under root, in the order in which they were sent. */
  turns(root: ParentNode): Turn[];
  /** Whether the page looks as if there should be messages, so that finding none means that the page has changed. */
  expected(root: ParentNode): boolean;
  /** What identifies the open conversation, so that a change of it is noticed; null if none is open. */
  conversation(root: ParentNode): string | null;
  /** Whether the site calls the other side a stranger; null where it does not say. */
  stranger?(root: ParentNode): boolean | null;
}
