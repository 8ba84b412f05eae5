// Addresses from outside.

/** An address in its parts, or nothing if it is none. */
export function addressOf(text: string | undefined, base?: string): URL | null {
  return text !== undefined && URL.canParse(text, base) ? new URL(text, base) : null;
}
