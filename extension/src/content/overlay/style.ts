// The look of everything that is drawn in a page: the names and colours of the daemon's page. A colour never says
// anything that a shape or a word does not.

const LIGHT = `
  color-scheme: light;
  --card: #fffefb; --ink: #1f1e22; --muted: #5d5a63; --line: #dfdbd2; --faint: #efece5; --edge: #918c84;
  --ai: #a8480a; --human: #1d5cb0; --calm: #5d5a63; --mixed: #6d4a9c; --declared: #94155c; --declared-bg: #fbe6f1;
  --signed: #1c6b3f; --solid: #1f1e22; --on-solid: #fffefb; --focus: #6a3fd1;
  --ai2: #ffd9b8; --ai1: #ffedda; --human1: #e5effd; --human2: #cbe0fb; --pointed: 255 196 0;
  --danger: #b3152a; --caution: #8a5200;`;

const DARK = `
  color-scheme: dark;
  --card: #1d1c20; --ink: #ebe9ee; --muted: #aaa6b2; --line: #36343b; --faint: #27252b; --edge: #77737f;
  --ai: #ffac6b; --human: #8dbdff; --calm: #aaa6b2; --mixed: #cdb1f5; --declared: #ff9fcd; --declared-bg: #43142d;
  --signed: #86d6a3; --solid: #ebe9ee; --on-solid: #1d1c20; --focus: #b79cff;
  --ai2: #573012; --ai1: #3a2615; --human1: #1b2a41; --human2: #1a3a63; --pointed: 255 214 70;
  --danger: #ff9aa2; --caution: #ffc46b;`;

/** Importance of ours goes before importance of the page's, so nothing that a page says of its elements reaches in. */
export const STYLE = `
:host { all: initial !important; position: absolute !important; top: 0 !important; left: 0 !important; width: 0 !important;
  height: 0 !important; z-index: 2147483647 !important; direction: ltr !important; unicode-bidi: isolate !important;
  pointer-events: none !important; }
@media print { :host { display: none !important; } }
*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }

/* What sticks out of it is paint only: nothing here makes the page longer or wider. */
.layer { position: absolute; top: 0; left: 0; width: 0; height: 0; contain: layout style; }
.layer, .corner { ${LIGHT}
  --sans: system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif;
  --serif: ui-serif, "Iowan Old Style", Charter, "Source Serif 4", "Noto Serif", Georgia, serif;
  font: 400 1em/1.5 var(--sans); color: var(--ink); }
:is(.layer, .corner):lang(zh) {
  --sans: system-ui, -apple-system, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif;
  --serif: "Songti SC", "Source Han Serif SC", "Noto Serif CJK SC", SimSun, serif; }
@media (prefers-color-scheme: dark) { .layer, .corner { ${DARK} } }
/* Beside a text the page's own ground decides. */
.on-light { ${LIGHT} }
.on-dark { ${DARK} }

.icon { width: 1em; height: 1em; flex: none; display: block; }
.cut { stroke: var(--card); }
.hole { fill: var(--card); }
[data-verdict="likely_ai"] > .icon, [data-points="ai"] > .icon { color: var(--ai); }
[data-verdict="likely_human"] > .icon, [data-points="human"] > .icon { color: var(--human); }
[data-verdict="human_signed"] > .icon { color: var(--signed); }
[data-verdict="declared_ai"] > .icon, :is([data-kind="declared"], [data-kind="watermark"])[data-points="ai"] > .icon { color: var(--declared); }
[data-verdict="mixed"] > .icon { color: var(--mixed); }
:is([data-verdict="unclear"], [data-verdict="pending"], [data-points="neither"]) > .icon { color: var(--calm); }
:focus { outline: none; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }

[data-risk="danger"] { --risk: var(--danger); }
[data-risk="caution"] { --risk: var(--caution); }
[data-risk] > .icon { color: var(--risk); }

.badge, .veil, .line, .mark, .card, .banner, .outline { position: absolute; top: 0; left: 0; }
.badge { display: grid; place-items: center; width: 18px; height: 18px; margin: 0; padding: 0; border: 1px solid var(--line); border-radius: 6px; background: var(--card); box-shadow: 0 1px 2px rgb(0 0 0 / 14%); font-size: 13px; pointer-events: none; appearance: none; contain: layout style; }
.badge[data-verdict="declared_ai"] { border-color: var(--declared); }
.badge:is(.hot, [aria-expanded="true"]) { border-color: currentcolor; box-shadow: 0 0 0 3px color-mix(in srgb, currentcolor 18%, transparent); }
.badge[data-verdict="likely_ai"] { color: var(--ai); }
.badge[data-verdict="likely_human"] { color: var(--human); }
.badge[data-verdict="human_signed"] { color: var(--signed); }
.badge[data-verdict="declared_ai"] { color: var(--declared); }
.badge[data-verdict="mixed"] { color: var(--mixed); }
.badge[data-verdict="unclear"] { color: var(--calm); }
.badge[data-risk] { color: var(--risk); border-color: var(--risk); }
/* Out of sight, but still reached by keys, which bring its text into sight. */
.out { opacity: 0; }

.veil { pointer-events: none; border-radius: 4px; opacity: 0.74; }
.veil.lifted { opacity: 0; }
.line { display: flex; align-items: center; gap: 8px; height: 32px; padding: 0 10px; overflow: hidden; border: 1px dashed var(--edge); border-radius: 9px; background: var(--card); color: var(--ink); font: 400 13px/1.3 var(--sans); text-align: start; white-space: nowrap; cursor: pointer; pointer-events: auto; }
.line > span { overflow: hidden; text-overflow: ellipsis; color: var(--muted); }
.line > u { margin-inline-start: auto; text-underline-offset: 0.2em; }
.line .icon { font-size: 13px; }
.line:hover { border-style: solid; }

.mark { pointer-events: none; border-radius: 2px; }
.mark.pointed { background: rgb(var(--pointed) / 30%); box-shadow: inset 0 -2px 0 var(--ink); }
.mark.ai2 { background: color-mix(in srgb, var(--ai) 24%, transparent); border-bottom: 2px solid var(--ai); }
.mark.ai1 { background: color-mix(in srgb, var(--ai) 10%, transparent); border-bottom: 1px dashed var(--ai); }
.mark.human1 { background: color-mix(in srgb, var(--human) 10%, transparent); border-bottom: 1px dotted var(--human); }
.mark.human2 { background: color-mix(in srgb, var(--human) 20%, transparent); border-bottom: 3px double var(--human); }

.banner { z-index: 1; display: grid; grid-template-columns: auto 1fr auto; gap: 4px 10px; align-items: center; max-width: calc(100vw - 16px); padding: 10px 12px; border: 1px solid var(--risk); border-inline-start-width: 5px; border-radius: 12px; background: var(--card); color: var(--ink); font: 400 14px/1.4 var(--sans); text-align: start; overflow-wrap: anywhere; box-shadow: 0 1px 2px rgb(0 0 0 / 12%), 0 8px 28px rgb(0 0 0 / 20%); pointer-events: none; contain: layout style; }
.banner > .icon { font-size: 20px; }
.banner p { margin: 0; }
.banner strong { color: var(--risk); font-weight: 700; }
.banner .hotline { display: block; font-weight: 600; }
.banner .quiet { margin: 0; font-family: inherit; color: inherit; }
.banner.hot .quiet { border-color: var(--ink); text-decoration: underline; text-underline-offset: 0.2em; }
.outline { pointer-events: none; border: 3px solid var(--danger); border-radius: 10px; box-shadow: 0 0 0 2px var(--card); }

.corner { position: fixed; right: 16px; bottom: 16px; }
.pill { display: flex; align-items: center; gap: 8px; margin: 0; padding: 8px 14px; max-width: calc(100vw - 32px); border: 1px solid var(--line); border-radius: 999px; background: var(--card); color: var(--ink); font: 400 13px/1.3 var(--sans); box-shadow: 0 4px 18px rgb(0 0 0 / 16%); cursor: pointer; pointer-events: auto; }
.pill > u { text-underline-offset: 0.2em; }

/* Later badges lie under an open card. */
.card { z-index: 1; width: min(24em, calc(100vw - 16px)); max-height: min(36em, calc(100vh - 16px)); overflow: auto; overscroll-behavior: contain; scrollbar-width: thin; padding: 1.125em 1.25em; border: 1px solid var(--line); border-radius: 14px; background: var(--card); color: var(--ink); font: 400 0.9375em/1.5 var(--sans); text-align: start; box-shadow: 0 1px 2px rgb(0 0 0 / 12%), 0 12px 40px rgb(0 0 0 / 22%); pointer-events: auto; cursor: auto; user-select: text; overflow-wrap: anywhere; }
.card:focus-visible { outline-width: 2px; outline-offset: 0; }
.card :is(h2, h3, h4, p, ol, ul, dl, dd, fieldset) { margin: 0; padding: 0; border: 0; }
.card :is(ol, ul) { list-style: none; }
.card button { font: inherit; color: inherit; cursor: pointer; }
.muted { color: var(--muted); }
.small { font-size: 0.8667em; }
.number { font-variant-numeric: tabular-nums; }
.head { display: grid; grid-template-columns: auto 1fr auto; gap: 0.375em 0.625em; align-items: start; }
.head > .icon { font-size: 1.1667em; margin-top: 0.19em; }
.head h2 { font: 500 1.1667em/1.35 var(--serif); letter-spacing: -0.01em; text-wrap: balance; }
:lang(zh) .head h2 { letter-spacing: 0; }
.head p { grid-column: 1 / -1; }
.head .close { width: 1.75em; height: 1.75em; margin: -0.125em -0.5em 0 0; padding: 0; display: grid; place-items: center; border: 0; border-radius: 8px; background: none; color: var(--muted); }
.close:hover { background: var(--faint); }
.card section { margin-top: 1em; padding-top: 0.875em; border-top: 1px solid var(--line); }
.card h3 { font-size: 0.8667em; font-weight: 650; letter-spacing: 0.01em; }

.card .gauge { margin-top: 0.875em; }
.gauge-value { display: flex; justify-content: space-between; gap: 1em; font-size: 0.8667em; }
.gauge-value strong { color: var(--ink); }
.scale { position: relative; height: 8px; margin: 6px 0 3px; border-radius: 4px; background: linear-gradient(to right, var(--human2), var(--faint) 40% 60%, var(--ai2)); border: 1px solid var(--line); }
.needle { position: absolute; top: -4px; width: 3px; height: 14px; margin-left: -1.5px; border-radius: 2px; background: var(--ink); }
.ends { display: flex; justify-content: space-between; }

.reasons li { display: grid; grid-template-columns: auto 1fr; gap: 0.625em; padding: 0.625em 0; }
.reasons li + li { border-top: 1px solid var(--faint); }
.reasons li > .icon { margin-top: 0.28em; font-size: 0.9em; }
.reasons h4 { font-size: 0.8667em; font-weight: 650; }
.card .reasons .foot { margin-top: 0.125em; }
.link { border: 0; padding: 0; background: none; text-decoration: underline; text-underline-offset: 0.2em; }
.card .signed h4 { display: flex; gap: 0.5em; margin-top: 0.375em; font-size: 1em; font-weight: 600; }
.signed h4 > .icon { margin-top: 0.22em; font-size: 1.125em; color: var(--calm); }
.signed.green h4 { color: var(--signed); }
.signed.green h4 > .icon { color: var(--signed); }
.facts { font-size: 0.8667em; }
.card .facts { margin-top: 0.375em; }
.facts > div { display: flex; justify-content: space-between; gap: 1em; padding: 0.3em 0; border-bottom: 1px solid var(--faint); }
.facts > div:last-child { border-bottom: 0; }
.facts dt { flex: 1 1 30%; color: var(--muted); }
.facts dd { flex: 0 1 auto; max-width: 66%; text-align: end; }
details { margin-top: 0.5em; }
summary { width: fit-content; cursor: pointer; font-size: 0.8667em; border-radius: 4px; }

.card .quotes { display: grid; gap: 0.25em; margin-top: 0.375em; }
.card .quotes li { display: block; padding: 0; border: 0; }
.quotes .link { text-align: start; }
.card.scam .facts { margin-top: 0.75em; }

.card .heat { display: grid; gap: 0.25em; margin-top: 0.375em; }
.heat li { display: flex; align-items: center; gap: 0.6em; }
.heat .mark { position: static; display: inline-block; width: 1.5em; height: 1em; border-top: 0; }
.heat .mark.mid { border: 1px solid var(--line); }

.foot-row { display: flex; flex-wrap: wrap; gap: 0.5em; align-items: center; }
.quiet { min-height: 2.25em; padding: 0.25em 0.75em; border: 1px solid var(--line); border-radius: 9px; background: var(--card); font-size: 0.9em; }
.card .quiet:hover { border-color: var(--muted); }
.card .quiet[aria-pressed="true"] { background: var(--solid); color: var(--on-solid); border-color: var(--solid); }
.card .primary { min-height: 2.25em; padding: 0.25em 0.875em; border: 0; border-radius: 9px; background: var(--solid); color: var(--on-solid); font-size: 0.9em; font-weight: 600; }
.card .primary:disabled { opacity: 0.5; cursor: default; }
.wrong { display: grid; gap: 0.625em; }
.wrong label { display: grid; gap: 0.25em; font-size: 0.8667em; color: var(--muted); }
.wrong textarea { min-height: 4em; padding: 0.5em 0.625em; border: 1px solid var(--edge); border-radius: 9px; background: var(--card); color: var(--ink); font: inherit; resize: vertical; }
.card .note { margin-top: 0.5em; }

@media (prefers-reduced-motion: no-preference) {
  .badge { transition: opacity 120ms, box-shadow 120ms; animation: appear 160ms ease-out; }
  .veil { transition: opacity 120ms; }
  .card, .banner { animation: appear 120ms ease-out; }
  @keyframes appear { from { opacity: 0; } }
}

@media (forced-colors: active) {
  .badge { border-color: CanvasText; background: Canvas; }
  .icon { color: CanvasText !important; }
  .cut { stroke: Canvas; }
  .hole { fill: Canvas; }
  .needle { background: CanvasText; }
  .card, .pill, .line, .banner, .outline { border-color: CanvasText; }
  .veil { opacity: 0; }
  .mark { forced-color-adjust: none; }
  .card .quiet[aria-pressed="true"] { forced-color-adjust: none; background: Highlight; color: HighlightText; }
}
`;
