// @ts-check
// The messaging sites, each with a page in its structure, and what is said on it.

import { readFileSync } from 'node:fs';

const PAGES = new URL('./pages/sites/', import.meta.url);

const ASK = 'Are you coming to the allotment on Saturday?';
const YES = 'Yes, after ten. I will bring the seed potatoes 🥔';
export const GLOVES = 'Good. Bring gloves too.';
export const LONG = 'Certainly! Here is a comprehensive overview of how to prepare a raised bed for the season. First, it is important '
  + 'to loosen the soil thoroughly, as this promotes healthy root development. Additionally, incorporating compost enhances '
  + 'nutrient availability. Furthermore, regular watering ensures consistent growth. In conclusion, by following these steps, '
  + 'you can create a thriving garden that supports both biodiversity and a rewarding harvest.';
const HAN = '好的，周六上午十点见。我还会带一些番茄苗，记得给温室留个位置。';
const PLAN = 'The plan is here: https://allotment.example/plan';
export const DRAFT = 'Unsent: the key lies under the blue pot';

/**
 * The same conversation on every site, with the names that the site gives.
 * @param {string | null} them
 * @param {string | null} me
 * @returns {Said[]}
 */
const talk = (them, me) => [
  ['them', them, ASK], ['me', me, YES], ['them', them, GLOVES], ['them', them, LONG], ['me', me, HAN], ['me', me, PLAN],
];

/** @typedef {[side: string, name: string | null, words: string]} Said */
/** @typedef {{ page: string, url: string, adapter: string, turns: Said[], conversation: string, unlike?: boolean }} Site */

/** @type {Site[]} */
export const SITES = [
  {
    page: 'whatsapp', url: 'https://web.whatsapp.com/', adapter: 'WhatsApp Web', conversation: 'Mira Feld',
    turns: talk('Mira Feld', 'Robin Hale'),
  },
  {
    page: 'telegram-k', url: 'https://web.telegram.org/k/#777', adapter: 'Telegram Web K', conversation: '777',
    turns: talk('Mira Feld', null),
  },
  {
    page: 'telegram-a', url: 'https://web.telegram.org/a/#777', adapter: 'Telegram Web A', conversation: '777',
    turns: talk('Mira Feld', null),
  },
  {
    page: 'messenger', url: 'https://www.facebook.com/messages/e2ee/t/1000777/', adapter: 'Messenger', conversation: '1000777',
    turns: talk('Mira', null),
  },
  {
    page: 'instagram', url: 'https://www.instagram.com/direct/t/1234/', adapter: 'Instagram', conversation: '1234',
    turns: talk('mira.feld', null).map(([side, name, words]) => [side, words === LONG ? null : name, words]),
  },
  { page: 'x', url: 'https://x.com/i/chat/10-20', adapter: 'X', conversation: '10-20', turns: talk('mirafeld', null) },
  { page: 'x-older', url: 'https://x.com/messages/10-20', adapter: 'X', conversation: '10-20', turns: talk('mirafeld', null) },
  {
    page: 'discord', url: 'https://discord.com/channels/@me/8000000000', adapter: 'Discord', conversation: '@me/8000000000',
    turns: talk('Mira', 'Robin'),
  },
  {
    page: 'slack', url: 'https://app.slack.com/client/T01ABC/D042ABCDE', adapter: 'Slack', conversation: 'T01ABC/D042ABCDE',
    turns: talk('Mira Feld', 'Robin Hale'),
  },
  {
    page: 'linkedin', url: 'https://www.linkedin.com/messaging/thread/2-abc/', adapter: 'LinkedIn', conversation: '2-abc',
    turns: talk('Mira Feld', 'Robin Hale'),
  },
  { page: 'wechat', url: 'https://wx2.qq.com/', adapter: 'WeChat', conversation: '@a1b2c3', turns: talk('Mira', 'Robin') },
  {
    page: 'filehelper', url: 'https://szfilehelper.weixin.qq.com/', adapter: 'WeChat', conversation: '文件传输助手',
    turns: [['me', null, HAN], ['unknown', null, LONG], ['me', null, PLAN]],
  },
  {
    page: 'gmail', url: 'https://mail.google.com/mail/u/0/#inbox/FMfcgzQabcdefghij', adapter: 'Gmail', conversation: '19a0b1',
    turns: talk('Mira Feld', 'Robin Hale'),
  },
  { page: 'log', url: 'https://club.example/room', adapter: 'Chat', conversation: 'Garden club', turns: talk('Mira', 'Robin') },
  { page: 'feed', url: 'https://club.example/feed', adapter: 'Chat', conversation: 'Messages', turns: talk(null, null) },
];
/** @param {string} name */
export const source = (name) => readFileSync(new URL(`${name}.html`, PAGES), 'utf8');

/**
 * A page as a site might be after a rebuild: other classes, ids, roles and attributes around the same text. What makes a
 * field one stays, as do landmarks.
 * @param {string} html
 */
export function rebuilt(html) {
  return html
    .replace(/ (?:class|id)="([^"]*)"/gu, ' data-built="$1"')
    .replace(/ (data-(?!built)[\w-]+)=/gu, ' data-new-$1=')
    .replace(/ role="(?:row|article|log|grid|gridcell|listitem|list|feed|presentation|group|application)"/gu, ' role="none"')
    .replace(/ aria-(?:roledescription|labelledby)=/gu, ' data-old-aria=');
}
