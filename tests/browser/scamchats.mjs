// @ts-check
// Chats for tests of the whole extension, in the structure of WhatsApp's page. The scams follow what the FBI (IC3 on
// cryptocurrency investment fraud, 2023) and China's Ministry of Public Security (on sha zhu pan, 2021) describe; all of it is made up.

/** @typedef {[side: 'them' | 'me', text: string]} Said */

/** @type {Said[]} */
export const INVESTMENT = [
  ['them', 'Hi Anna, are we still on for the horse riding lesson on Sunday?'],
  ['me', 'I think you have the wrong number, I am not Anna.'],
  ['them', 'Oh I am so sorry! My assistant must have saved the wrong number. I hope I did not disturb you.'],
  ['me', 'No problem.'],
  ['them', 'You are very kind. Maybe it is fate that we met like this. I am Vivian, I live in Los Angeles and run a beauty business. And you?'],
  ['me', 'I am Tom, I work in logistics. Not much fate here.'],
  ['them', 'Haha, you are funny. Good morning dear, did you sleep well? Have you had breakfast?'],
  ['me', 'Morning! Yes, just coffee.'],
  ['them', 'I feel I can tell you everything. I have never felt such a connection with anybody. One day we will travel the world together.'],
  ['me', 'That is sweet. Shall we do a video call tonight?'],
  ['them', 'My camera is broken, and my company does not allow it. Let us be patient, dear. We will meet when my project is finished.'],
  ['me', 'OK, a pity.'],
  ['them', 'I just made 40,000 dollars in an hour. My uncle is an analyst at a big fund in New York, he gives me inside information about the gold and crypto market.'],
  ['me', 'Wow, in one hour?'],
  ['them', 'It is short-term trading, guaranteed profit, there is no risk if you follow my uncle’s signals. I can teach you step by step. I only teach people I care about.'],
  ['me', 'I have never traded anything.'],
  ['them', 'Do not worry. Download the app from https://coinbase-pro-vip.top and register. It is a private platform, much better than the usual ones.'],
  ['me', 'Done. What now?'],
  ['them', 'Start small, deposit only 500 USDT. Buy USDT on your exchange and transfer it to the wallet address of the platform.'],
  ['me', 'I sent 500. It already shows 650!'],
  ['them', 'You see, dear? 30% profit in a day. If you invest 50,000 today you will earn 20,000 by Friday. The window closes tonight, so you must hurry.'],
  ['me', 'I do not have so much money.'],
  ['them', 'You can take a loan from the bank or borrow from a friend. It is for our future, our house. Do not tell your family, they do not understand crypto and would only hold you back.'],
  ['me', 'I took the loan. I put in 45,000. It shows 71,000 now. I would like to take some out.'],
  ['them', 'Of course honey, ask customer service of the platform.'],
  ['me', 'They say my account is frozen and I have to pay 20% tax before I can withdraw.'],
  ['them', 'That is normal, you must pay the tax first, then the account is unfrozen and all the money is released to you at once.'],
  ['me', 'Another 14,000? Can they not take it from the profit?'],
  ['them', 'No, it must be a new deposit. If you do not pay the verification fee within 24 hours, your funds will be confiscated. Please hurry dear, I can lend you half of it.'],
  ['me', 'I am not sure about this.'],
  ['them', 'Don’t you trust me? After all that we have been through? Pay the fee today, and do not talk to the bank about it, they will only block your transfer.'],
  ['me', 'Let me think.'],
];

/** @type {Said[]} */
export const CHINESE = [
  ['them', '你好，请问是李教练吗？我想咨询一下瑜伽课。'],
  ['me', '你加错人了。'],
  ['them', '不好意思，可能是朋友给错了号码。相逢就是缘分，交个朋友吧？'],
  ['me', '好吧。'],
  ['them', '亲爱的，早安，今天有没有想我？以后我们结婚了，我想和你一起开家咖啡店。'],
  ['me', '哈哈，我们还没见过面呢。要不要视频？'],
  ['them', '我在部队保密单位，不方便视频。等我忙完这个项目就去看你。'],
  ['me', '好的。'],
  ['them', '我舅舅是证券公司的分析师，有内幕消息。我跟着他在一个平台做投资，稳赚不赔，昨天又赚了八万。'],
  ['me', '真的吗？'],
  ['them', '我带你一起赚。你先下载这个APP，注册后充值500块试试，保证能提现。'],
  ['me', '充了，赚了150，也提现了。'],
  ['them', '你看吧。今晚有大行情，充值十万能翻倍，名额有限，抓紧时间。钱不够可以去贷款或者借一点。'],
  ['me', '我贷款充了十万，现在想提现，平台说账户冻结了。'],
  ['them', '正常的，要先交20%的个人所得税和保证金才能解冻提现，交了马上到账。'],
  ['me', '还要交两万多？'],
  ['them', '对，二十四小时之内不交就会被没收。这件事不要告诉家人，他们不懂投资。银行打电话问你，你就说是自己买东西。'],
  ['me', '我再想想。'],
];

/** @type {Said[]} */
export const FRIENDS = [
  ['them', 'Are you coming to the allotment on Saturday?'],
  ['me', 'Yes, after ten. I will bring the seed potatoes.'],
  ['them', 'Good. Bring gloves too. The soil is still full of stones.'],
  ['me', 'Will do. Is Jonas coming as well?'],
  ['them', 'He has to work until noon, but he wants to help with the fence afterwards.'],
  ['me', 'Nice. I could bake a cake if it does not rain.'],
  ['them', 'It never rains on Saturdays. Well, almost never.'],
  ['me', 'Ha. See you then!'],
];

const escaped = (/** @type {string} */ text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/**
 * The row of a message.
 * @param {Said} said
 * @param {number} place
 */
export function row([side, text], place) {
  const minute = String(place % 60).padStart(2, '0');
  const [tail, name] = side === 'me' ? ['out', 'You'] : ['in', 'Vivian'];
  return `<div role="row"><div data-id="3EB0${place}" data-testid="conv-msg-3EB0${place}" class="line ${tail}">
    <span data-testid="tail-${tail}"></span><div data-testid="msg-container" class="bubble"><span aria-label="${name}:"></span>
    <div class="copyable-text" data-pre-plain-text="[10:${minute}, ${13 + Math.floor(place / 10)}/11/2026] ${name}: ">
    <span class="selectable-text copyable-text" data-testid="selectable-text"><span>${escaped(text)}</span></span></div></div></div></div>`;
}

/**
 * A page with a chat in it.
 * @param {Said[]} chat
 * @param {{name?: string}} [about]
 */
export function chatPage(chat, { name = 'Vivian' } = {}) {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>WhatsApp</title><style>
    body { margin: 0; display: flex; height: 100vh; font: 15px/1.4 sans-serif; } #side { width: 30%; } #main { flex: 1; display: flex; flex-direction: column; min-width: 0; }
    [role="application"] { flex: 1; overflow-y: auto; padding: 8px 40px; background: #efeae2; } .line { display: flex; margin: 4px 0; } .out { justify-content: flex-end; }
    .bubble { max-width: 65%; padding: 6px 10px; border-radius: 8px; background: #fff; } .out .bubble { background: #d9fdd3; }</style></head><body>
    <div id="side"><div id="pane-side"><div role="grid"><div role="row"><span>${escaped(name)}</span></div></div></div></div>
    <div id="main"><header data-testid="conversation-header"><div role="button"><span data-testid="conversation-info-header-chat-title" dir="auto">${escaped(name)}</span></div></header>
    <div data-testid="conversation-panel-messages" role="application">${chat.map(row).join('\n')}</div>
    <footer><div role="textbox" contenteditable="true" data-testid="conversation-compose-box-input" aria-label="Type a message"></div></footer></div></body></html>`;
}
