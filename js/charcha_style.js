// @ts-check
// How the verification looks: one style sheet, put into the page when it is first needed. Colours follow ComfyUI's theme.

const STYLE = `
.charcha, .charcha-people, .charcha-node {
  --charcha-back: var(--comfy-menu-bg, #1f2023);
  --charcha-field: color-mix(in srgb, var(--charcha-text) 8%, var(--charcha-back));
  --charcha-text: var(--input-text, #e8e8ea);
  --charcha-quiet: color-mix(in srgb, var(--charcha-text) 72%, var(--charcha-back));
  --charcha-line: color-mix(in srgb, var(--charcha-text) 20%, var(--charcha-back));
  --charcha-soft: color-mix(in srgb, var(--charcha-text) 6%, var(--charcha-back));
  --charcha-accent: #2563eb;
  --charcha-glow: color-mix(in srgb, #22c55e 72%, var(--charcha-text));
  --charcha-good: #16794a;
  --charcha-bad: #b4232b;
  font-family: inherit;
  color: var(--charcha-text);
}
.charcha *, .charcha-people *, .charcha-node * { box-sizing: border-box; }
.charcha [hidden], .charcha-people [hidden] { display: none !important; }
.charcha {
  width: min(780px, 94vw); max-height: 94vh; padding: 0; border: 1px solid var(--charcha-line); border-radius: 18px;
  background: var(--charcha-back); box-shadow: 0 24px 80px rgb(0 0 0 / 55%); font-size: 16px; line-height: 1.55; overflow: hidden; margin: auto;
}
.charcha[open] { display: flex; flex-direction: column; }
.charcha::backdrop { background: rgb(0 0 0 / 68%); }
.charcha-head { display: flex; align-items: center; gap: 16px; padding: 16px 16px 14px 28px; border-bottom: 1px solid var(--charcha-line); }
.charcha-head h1 { margin: 0; font-size: 17px; font-weight: 600; flex: 1; }
.charcha-stages { display: flex; gap: 6px; list-style: none; margin: 0; padding: 0; font-size: 14px; color: var(--charcha-quiet); }
.charcha-stages li { display: flex; align-items: center; gap: 6px; }
.charcha-stages li + li::before { content: ""; width: 18px; height: 1px; background: var(--charcha-line); }
.charcha-stages li[aria-current] { color: var(--charcha-text); font-weight: 600; }
.charcha-body { padding: 24px 28px 28px; overflow: auto; display: flex; flex-direction: column; gap: 18px; overscroll-behavior: contain; }
.charcha h2 { margin: 0; font-size: 23px; line-height: 1.3; font-weight: 650; text-wrap: balance; }
.charcha h2:focus, .charcha-body:focus { outline: none; }
.charcha p { margin: 0; }
.charcha-quiet { color: var(--charcha-quiet); font-size: 14.5px; }
.charcha-notice { display: grid; gap: 14px; max-height: min(38vh, 360px); overflow: auto; padding: 18px 20px; border-radius: 12px; background: var(--charcha-soft); border: 1px solid var(--charcha-line); font-size: 15px; }
.charcha-notice h3 { margin: 0 0 2px; font-size: 15px; font-weight: 650; }
.charcha-form { display: grid; grid-template-columns: 1fr 1fr; gap: 18px 28px; align-items: start; }
.charcha-form > .charcha-wide { grid-column: 1 / -1; }
@media (max-width: 640px) { .charcha-form { grid-template-columns: 1fr; } }
.charcha-field { display: grid; gap: 6px; font-weight: 600; font-size: 15px; }
.charcha-field small { font-weight: 400; color: var(--charcha-quiet); font-size: 13.5px; }
.charcha input[type=text], .charcha select {
  font: inherit; font-weight: 400; color: var(--charcha-text); background: var(--charcha-field); border: 1px solid var(--charcha-line);
  border-radius: 9px; padding: 9px 12px; width: 100%; min-height: 44px; color-scheme: light dark;
}
.charcha-head select { width: auto; min-height: 36px; padding: 4px 8px; font-size: 14px; }
.charcha fieldset { border: 0; margin: 0; padding: 0; display: grid; gap: 2px; }
.charcha legend { font-weight: 600; font-size: 15px; padding: 0; margin-bottom: 4px; }
.charcha-tick { display: flex; gap: 12px; align-items: flex-start; padding: 7px 10px; margin: 0 -10px; border-radius: 9px; cursor: pointer; }
.charcha-tick:hover { background: var(--charcha-soft); }
.charcha-tick input { appearance: auto; width: 20px; height: 20px; margin: 2px 0 0; flex: none; accent-color: var(--charcha-accent); }
.charcha-tick small { display: block; color: var(--charcha-quiet); font-size: 13.5px; }
.charcha-tick:has(input:disabled) { opacity: .6; cursor: default; }
.charcha-row { display: flex; gap: 12px; align-items: center; justify-content: flex-end; flex-wrap: wrap; }
.charcha-row > .charcha-grow { flex: 1; }
.charcha-button {
  font: inherit; font-size: 15.5px; min-height: 44px; padding: 8px 20px; border-radius: 10px; border: 1px solid var(--charcha-line);
  background: transparent; color: var(--charcha-text); cursor: pointer; display: inline-flex; gap: 8px; align-items: center; justify-content: center;
}
.charcha-button:hover { background: var(--charcha-soft); }
.charcha-button[data-kind=main] { background: var(--charcha-accent); border-color: var(--charcha-accent); color: #fff; font-weight: 600; }
.charcha-button[data-kind=main]:hover { background: #1d4fd0; }
.charcha-button[data-kind=grave] { background: var(--charcha-bad); border-color: var(--charcha-bad); color: #fff; font-weight: 600; }
.charcha-button[data-kind=quiet] { border-color: transparent; color: var(--charcha-quiet); padding-inline: 12px; }
.charcha-button:disabled { opacity: .5; cursor: default; }
.charcha :focus-visible, .charcha-people :focus-visible, .charcha-node :focus-visible { outline: 3px solid #7aa7ff; outline-offset: 2px; }
.charcha-close { font: inherit; font-size: 22px; line-height: 1; width: 40px; height: 40px; border: 0; border-radius: 10px; background: transparent; color: var(--charcha-quiet); cursor: pointer; }
.charcha-close:hover { background: var(--charcha-soft); color: var(--charcha-text); }
.charcha-trouble { color: color-mix(in srgb, #ff6b6b 72%, var(--charcha-text)); font-size: 15px; min-height: 1.55em; }
.charcha-trouble:empty { display: none; }
.charcha-tips { display: grid; gap: 10px; margin: 0; padding: 0; list-style: none; counter-reset: tip; }
.charcha-tips li { display: flex; gap: 14px; align-items: center; counter-increment: tip; }
.charcha-tips li::before { content: counter(tip); flex: none; width: 30px; height: 30px; border-radius: 50%; display: grid; place-items: center; font-size: 14px; font-weight: 650; background: var(--charcha-soft); border: 1px solid var(--charcha-line); }
.charcha-options { display: grid; grid-template-columns: 1fr 1fr; gap: 2px 28px; padding-top: 14px; border-top: 1px solid var(--charcha-line); }
@media (max-width: 640px) { .charcha-options { grid-template-columns: 1fr; } }

.charcha-drawing { display: block; }
.charcha-drawing svg { display: block; width: 100%; height: 100%; }
.charcha-arrow { stroke: var(--charcha-glow); color: var(--charcha-glow); }
.charcha-told { display: flex; align-items: center; justify-content: center; gap: 22px; min-height: 84px; }
.charcha-told .charcha-drawing { width: 84px; height: 84px; flex: none; }
.charcha-told p { font-size: clamp(24px, 3.6vw, 34px); line-height: 1.2; font-weight: 650; text-wrap: balance; }
.charcha-view { position: relative; overflow: hidden; border-radius: 16px; background: #101113; aspect-ratio: 4 / 3; width: min(100%, 61vh); margin: 0 auto; }
.charcha-view video { width: 100%; height: 100%; object-fit: cover; transform: scaleX(-1); display: block; }
.charcha-view > svg { position: absolute; inset: 0; width: 100%; height: 100%; pointer-events: none; }
.charcha-ring { fill: none; stroke: rgb(255 255 255 / 75%); stroke-width: .8; }
.charcha-held { fill: none; stroke: #4ade80; stroke-width: 2; stroke-linecap: round; transition: stroke-dashoffset .15s linear; }
.charcha-dot { position: absolute; width: 30px; height: 30px; margin: -15px 0 0 -15px; border-radius: 50%; background: #4ade80; border: 3px solid #fff; box-shadow: 0 0 0 6px rgb(74 222 128 / 35%), 0 2px 12px rgb(0 0 0 / 60%); transition: left .1s linear, top .1s linear; }
.charcha-hint { position: absolute; left: 50%; bottom: 16px; transform: translateX(-50%); padding: 8px 18px; border-radius: 99px; background: rgb(12 13 15 / 86%); color: #fff; font-size: 17px; font-weight: 600; max-width: 92%; text-align: center; }
.charcha-hint:empty { display: none; }
.charcha-fill { position: fixed; inset: 0; z-index: 1; } /* the whole screen is the lamp */
.charcha-fill .charcha-hint { bottom: 8vh; }
.charcha-progress { display: flex; gap: 10px; justify-content: center; align-items: center; }
.charcha-progress i { width: 12px; height: 12px; border-radius: 50%; border: 2px solid var(--charcha-quiet); }
.charcha-progress i[data-past] { background: var(--charcha-glow); border-color: var(--charcha-glow); }
.charcha-progress i[data-now] { width: 34px; border-radius: 8px; border-color: var(--charcha-glow); }
.charcha-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

.charcha-verdict { display: grid; justify-items: center; text-align: center; gap: 14px; padding: 20px 0 6px; }
.charcha-verdict > .charcha-drawing { width: 104px; height: 104px; }
.charcha-verdict p { max-width: 46ch; text-wrap: pretty; }
.charcha-pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(108px, 1fr)); gap: 10px; }
.charcha-pictures button { position: relative; padding: 0; border: 3px solid #4ade80; border-radius: 12px; overflow: hidden; background: #101113; cursor: pointer; aspect-ratio: 1; }
.charcha-pictures img { width: 100%; height: 100%; object-fit: cover; display: block; }
.charcha-pictures button::after { content: "✓"; position: absolute; right: 6px; bottom: 6px; width: 24px; height: 24px; border-radius: 50%; background: #16794a; color: #fff; font-size: 14px; font-weight: 700; display: grid; place-items: center; }
.charcha-pictures button[aria-pressed=false] { border-color: var(--charcha-line); }
.charcha-pictures button[aria-pressed=false] img { opacity: .3; filter: grayscale(1); }
.charcha-pictures button[aria-pressed=false]::after { content: "✕"; background: #55575d; }
.charcha-count { font-weight: 600; }

.charcha-people { height: 100%; overflow: auto; padding: 14px; display: flex; flex-direction: column; gap: 12px; font-size: 14px; line-height: 1.5; }
.charcha-people h2 { margin: 0; font-size: 16px; font-weight: 650; flex: 1; }
.charcha-people .charcha-row { gap: 8px; justify-content: flex-start; }
.charcha-people .charcha-button { font-size: 14px; min-height: 36px; padding: 5px 12px; border-radius: 8px; }
.charcha-person { border: 1px solid var(--charcha-line); border-radius: 12px; background: var(--charcha-soft); }
.charcha-person > button { all: unset; box-sizing: border-box; width: 100%; display: grid; grid-template-columns: 1fr auto; gap: 2px 10px; padding: 12px 14px; cursor: pointer; border-radius: 12px; }
.charcha-person > button:focus-visible { outline: 3px solid #7aa7ff; }
.charcha-person b { font-weight: 650; overflow-wrap: anywhere; }
.charcha-person small { color: var(--charcha-quiet); font-size: 13px; grid-column: 1 / -1; }
.charcha-chip { font-size: 12.5px; font-weight: 600; padding: 1px 10px; border-radius: 99px; white-space: nowrap; align-self: start; color: #fff; background: #55575d; }
.charcha-chip[data-status=valid] { background: var(--charcha-good); }
.charcha-chip[data-status=expiring] { background: #8a5a00; }
.charcha-chip[data-status=damaged] { background: var(--charcha-bad); }
.charcha-more { display: grid; gap: 12px; padding: 0 14px 14px; }
.charcha-more dl { display: grid; grid-template-columns: auto 1fr; gap: 4px 12px; margin: 0; }
.charcha-more dt { color: var(--charcha-quiet); }
.charcha-more dd { margin: 0; overflow-wrap: anywhere; }
.charcha-more code { font-size: 12px; user-select: all; }
.charcha-small { display: grid; grid-template-columns: repeat(auto-fill, minmax(56px, 1fr)); gap: 5px; }
.charcha-small img { width: 100%; aspect-ratio: 1; object-fit: cover; border-radius: 7px; display: block; }
.charcha-empty { display: grid; gap: 8px; justify-items: center; text-align: center; padding: 30px 10px; color: var(--charcha-quiet); }
.charcha-empty .charcha-drawing { width: 64px; height: 64px; }
.charcha-empty b { color: var(--charcha-text); }
.charcha-foot { margin-top: auto; padding-top: 12px; border-top: 1px solid var(--charcha-line); display: grid; gap: 8px; }

.charcha-node { width: 100%; height: 100%; min-height: 104px; display: flex; flex-direction: column; gap: 8px; justify-content: space-between; font-size: 12.5px; line-height: 1.4; }
.charcha-node .charcha-card { flex: 1; display: grid; grid-template-columns: 1fr auto; gap: 0 8px; align-content: center; padding: 8px 12px; border-radius: 8px; background: var(--charcha-field); border: 1px solid var(--charcha-line); }
.charcha-node .charcha-card small { grid-column: 1 / -1; color: color-mix(in srgb, var(--charcha-text) 75%, var(--charcha-field)); font-size: 11.5px; }
.charcha-node .charcha-card b { font-weight: 600; overflow-wrap: anywhere; }
.charcha-node .charcha-chip { font-size: 11px; }
.charcha-node .charcha-row { flex-wrap: nowrap; gap: 6px; }
.charcha-node .charcha-button { flex: 1; font-size: 12.5px; min-height: 30px; padding: 3px 8px; border-radius: 6px; white-space: nowrap; }
@media (prefers-reduced-motion: reduce) { .charcha *, .charcha-people * { transition: none !important; } }
`;

/** Puts the style sheet into the page, once. */
export function addStyle() {
  if (document.getElementById("charcha-style")) return;
  const sheet = document.createElement("style");
  sheet.id = "charcha-style";
  sheet.textContent = STYLE;
  document.head.append(sheet);
}
