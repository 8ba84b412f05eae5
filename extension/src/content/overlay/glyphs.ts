// The symbols of verdicts and findings: those of the daemon's page, drawn without a sprite, since references into a
// closed shadow root are more than a page's strict policy should have to allow.

import type { Verdict } from '../../protocol.js';

type Shape = [tag: 'path' | 'circle', attributes: Record<string, string>];
export type Glyph = `v-${Verdict | 'pending'}` | `k-${Kind}` | 'i-neither' | 's-open' | 's-scam' | 'k-message' | 'close';
/** Kinds of findings that have a symbol and a name; the others are the statistics of the model. */
export type Kind = 'watermark' | 'hidden_characters' | 'leftover' | 'declared' | 'signature';
export const KINDS: readonly Kind[] = ['watermark', 'hidden_characters', 'leftover', 'declared', 'signature'];

const full = (d: string): Shape => ['path', { d, fill: 'currentColor' }];
const line = (d: string, width: string, more: Record<string, string> = {}): Shape =>
  ['path', { d, fill: 'none', stroke: 'currentColor', 'stroke-width': width, ...more }];
const ring = (r: string, width: string, more: Record<string, string> = {}): Shape =>
  ['circle', { cx: '8', cy: '8', r, fill: 'none', stroke: 'currentColor', 'stroke-width': width, ...more }];
const dot = (cx: string, cy: string, r: string): Shape => ['circle', { cx, cy, r, fill: 'currentColor' }];

const SHIELD = full('M8 1 14 3.2v4.3C14 11.2 11.5 14 8 15.2 4.5 14 2 11.2 2 7.5V3.2z');
const LABEL: Shape[] = [full('M1.5 2.5h7L15 8l-6.5 5.5h-7z'), ['circle', { cx: '4.6', cy: '8', r: '1.3', class: 'hole' }]];
const ROUND = { 'stroke-linecap': 'round' };
const wave = (y: string) => `M1 ${y}q1.75-2.6 3.5 0t3.5 0 3.5 0 3.5 0`;

const SHAPES: Record<Glyph, Shape[]> = {
  'v-likely_ai': [full('M8 1.2 14.8 8 8 14.8 1.2 8z')],
  'v-likely_human': [dot('8', '8', '6')],
  'v-unclear': [ring('5.4', '1.6', { 'stroke-dasharray': '2.6 2.25' })],
  'v-mixed': [ring('5.6', '1.4'), full('M8 2.4a5.6 5.6 0 0 1 0 11.2z')],
  'v-human_signed': [SHIELD, ['path', { d: 'm5.2 8 2 2 3.7-4', fill: 'none', class: 'cut', 'stroke-width': '1.6' }]],
  'v-declared_ai': LABEL,
  'v-pending': [dot('3', '8', '1.4'), dot('8', '8', '1.4'), dot('13', '8', '1.4')],
  'k-watermark': [line(`${wave('4.5')}${wave('8.5')}${wave('12.5')}`, '1.4', ROUND)],
  'k-hidden_characters': [
    line('M1.2 8Q8-.4 14.8 8 8 16.4 1.2 8z', '1.3'), dot('8', '8', '2'), line('M2.5 14 13.5 2', '1.6', ROUND),
  ],
  'k-leftover': [line('M5 3H3v11.2h10V3h-2', '1.4'), full('M5.5 1.5h5v3h-5z'), line('M5.5 8h5m-5 3h3', '1.3')],
  'k-declared': LABEL,
  'k-signature': [SHIELD],
  'i-neither': [line('M3 8h10', '2', ROUND)],
  's-open': [line('M8 1.8 13.2 3.7v3.8c0 3.2-2.2 5.6-5.2 6.7-3-1.1-5.2-3.5-5.2-6.7V3.7z', '1.5', { 'stroke-dasharray': '2.6 2' })],
  's-scam': [
    full('M8 1 15.4 14.6H.6z'), ['path', { d: 'M8 5.6v4.4', fill: 'none', class: 'cut', 'stroke-width': '1.7' }],
    ['circle', { cx: '8', cy: '12.3', r: '1', class: 'hole' }],
  ],
  'k-message': [line('M2 3h12v8.4H7.6L4.4 14v-2.6H2z', '1.4')],
  close: [line('m3.5 3.5 9 9m0-9-9 9', '1.6', ROUND)],
};

const SVG = 'http://www.w3.org/2000/svg';
const made = new Map<Glyph, Element>();

/** A symbol. It says nothing that the words beside it do not say, so readers are not told of it. */
export function glyph(name: Glyph): Element {
  let first = made.get(name);
  if (!first) {
    first = document.createElementNS(SVG, 'svg');
    const attributes = { 'viewBox': '0 0 16 16', 'class': 'icon', 'aria-hidden': 'true', 'focusable': 'false' };
    for (const [key, value] of Object.entries(attributes)) first.setAttribute(key, value);
    for (const [tag, attributes] of SHAPES[name]) {
      const shape = document.createElementNS(SVG, tag);
      for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
      first.append(shape);
    }
    made.set(name, first);
  }
  return first.cloneNode(true) as Element;
}
