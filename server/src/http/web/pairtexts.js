// @ts-check
// What the page "Pair a browser extension" says, in English and simplified Chinese.

export const PAIR_EN = {
  pairTitle: 'Pair a browser extension',
  pairTagline: 'Only an extension that you let in here can use this machine’s model.',
  lockedPair: 'So that nothing lets an extension in behind your back, this page needs a link that works once. If a page of bonafide is open in another tab, go there: what waits is shown on it. This prints a new link:',
  lockedTerminal: 'Or answer at the terminal:',
  pairWaiting: 'A browser extension asks to be paired.',
  pairLook: 'Compare its code',
  pairNobody: 'No extension is waiting. Choose “Pair” in its popup; its request then appears here.',
  pairAsks: 'A browser extension asks to be let in',
  pairChromium: 'In Chromium, Chrome or a browser made of it, with the id',
  pairFirefox: 'In Firefox, with the internal id',
  pairCompare: 'Let it in only if its popup shows exactly this code now. If it shows another one, or you have not just asked for this, refuse.',
  pairMay: 'It may then have texts judged, have signatures checked, and ask you to sign a text. It can’t sign by itself. You can end this in its settings, or with “bonafide token revoke”.',
  pairYes: 'The codes are the same: let it in',
  pairNo: 'Refuse',
  pairDone: 'The extension is let in. You can go back to it.',
  pairRefused: 'The extension was refused.',
};

export const PAIR_ZH = {
  pairTitle: '配对浏览器扩展',
  pairTagline: '只有您在这里准许的扩展才能使用本机的模型。',
  lockedPair: '为了不让任何扩展背着您获得准许，此页面需要一次性链接。如果 bonafide 的页面已在另一个标签页中打开，请到那里：等待中的请求会显示在上面。用下面的命令可以得到新的链接：',
  lockedTerminal: '也可以在终端回答：',
  pairWaiting: '有浏览器扩展请求配对。',
  pairLook: '核对配对码',
  pairNobody: '没有等待中的扩展。请在扩展的弹出窗口中选择“配对”，请求随后会显示在这里。',
  pairAsks: '有浏览器扩展请求准许',
  pairChromium: '位于 Chromium、Chrome 或同类浏览器，扩展 ID：',
  pairFirefox: '位于 Firefox，内部 UUID：',
  pairCompare: '只有当扩展的弹出窗口此刻显示完全相同的配对码时，才可准许。如果显示的不同，或您刚才没有要求配对，请拒绝。',
  pairMay: '准许后，它可以让本机分析文本、核对签名，并请您为文本签名，但不能自行签名。您可以在扩展的设置中或用 bonafide token revoke 结束配对。',
  pairYes: '配对码相同，准许',
  pairNo: '拒绝',
  pairDone: '已准许此扩展，您可以回到扩展。',
  pairRefused: '已拒绝此扩展。',
};

/**
 * The daemon's errors about pairing in Chinese, by code.
 * @type {Record<string, [string, string]>}
 */
export const PAIR_ERRORS_ZH = {
  pairing_over: ['此扩展不再等待，或已重新提出请求。', '请在扩展的弹出窗口中重新配对，并核对新的配对码。'],
  tokens_unwritable: ['无法保存访问许可。后台程序的说明：', ''],
};
