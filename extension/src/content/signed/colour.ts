// Colours of words and of what is behind them.

export type Channels = readonly [red: number, green: number, blue: number];

/** A colour in its parts; nothing if it is written in another way. */
export function channels(colour: string): Channels | null {
  const [, red, green, blue] = /^rgba?\((\d+), (\d+), (\d+)/.exec(colour) ?? [];
  return red === undefined ? null : [Number(red), Number(green), Number(blue)];
}

/** How opaque a colour is. */
export function alphaOf(colour: string): number {
  if (colour === 'transparent') return 0;
  const [, alpha = '1'] = /^rgba\(.*, ([\d.e-]+)\)$|\/ ([\d.e-]+)\)$/.exec(colour)?.filter((part) => part !== undefined) ?? [];
  return Number(alpha);
}

/** The colour behind an element, if it is one: nobody can tell what a picture shows. */
export function groundOf(element: Element): Channels | null {
  for (let at: Element | null = element; at; at = at.parentElement) {
    const { backgroundColor, backgroundImage } = getComputedStyle(at);
    if (backgroundImage !== 'none' && backgroundImage !== '') return null;
    const alpha = alphaOf(backgroundColor);
    if (alpha >= 0.9) return channels(backgroundColor);
    if (alpha > 0) return null;
  }
  const scheme = getComputedStyle(element.ownerDocument.documentElement).colorScheme;
  return scheme.includes('dark') ? null : [255, 255, 255];
}

/** The ratio that accessibility guidelines go by. */
export function contrast(one: Channels, other: Channels): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: Channels): number {
  const [red, green, blue] = colour.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
