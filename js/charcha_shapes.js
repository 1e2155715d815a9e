// @ts-check
// What the verification's pages are made of: elements, and small drawings of what a face is asked to do.
// The drawings are mirrored like the preview: "left" points to the left of the screen.

/**
 * An element with attributes, listeners (names with "on") and children.
 * @param {string} tag @param {Record<string, any>} [attributes] @param {...(Node | string | null | undefined)} children @returns {any}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, String(value));
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

/** A drawing, invisible to screen readers. @param {string} kind a key of DRAWINGS @returns {any} */
export function drawing(kind) {
  const holder = element("span", { class: "charcha-drawing", "aria-hidden": "true" });
  holder.innerHTML = `<svg viewBox="0 0 96 96" fill="none" stroke="currentColor" stroke-width="3.5" stroke-linecap="round" stroke-linejoin="round">${DRAWINGS[kind] ?? ""}</svg>`;
  return holder;
}

const EYES = '<circle cx="40" cy="44" r="1.6" fill="currentColor"/><circle cx="56" cy="44" r="1.6" fill="currentColor"/>';
const NOSE = '<path d="M48 47v7"/>';
const MOUTH = '<path d="M41 63h14"/>';
const LEFT = '<path class="charcha-arrow" d="M17 37L5 48l12 11M5 48h11"/>';
const UP = '<path class="charcha-arrow" d="M37 13L48 2l11 11M48 2v10"/>';

/** A head whose features look aside. @param {number} x @param {number} y @param {string} [features] @param {string} [turn] */
function head(x = 0, y = 0, features = EYES + NOSE + MOUTH, turn = "") {
  return `<g ${turn}><ellipse cx="48" cy="52" rx="23" ry="28"/><g transform="translate(${x} ${y})">${features}</g></g>`;
}

/** @param {string} shape */
function mirrored(shape) {
  return `<g transform="matrix(-1 0 0 1 96 0)">${shape}</g>`;
}

/** @param {string} shape */
function flipped(shape) {
  return `<g transform="matrix(1 0 0 -1 0 100)">${shape}</g>`;
}

const TILT = head(0, 0, undefined, 'transform="rotate(-20 48 80)"') + '<path class="charcha-arrow" d="M30 8C19 11 11 18 7 28M5 15l2 14 13-5"/>';
const TURN = head(-10, 0) + LEFT;

/** @type {Record<string, string>} */
const DRAWINGS = {
  look: head(),
  turn_left: TURN,
  turn_right: mirrored(TURN),
  look_up: head(0, -9) + UP,
  look_down: head(0, 8) + flipped(UP),
  tilt_left: TILT,
  tilt_right: mirrored(TILT),
  close_eyes: head(0, 0, '<path d="M35 44q5 4 10 0M51 44q5 4 10 0"/>' + NOSE + MOUTH),
  open_mouth: head(0, 0, EYES + NOSE + '<ellipse cx="48" cy="66" rx="7" ry="8" fill="currentColor"/>'),
  smile: head(0, 0, EYES + NOSE + '<path d="M36 60q12 14 24 0"/>'),
  raise_brows: head(0, 2, EYES + NOSE + MOUTH + '<path class="charcha-arrow" d="M34 35q6-5 11-1M51 34q5-4 11 1"/>') + '<path class="charcha-arrow" d="M42 15l6-6 6 6"/>',
  come_closer: head() + '<path class="charcha-arrow" d="M8 20V8h12M8 8l11 11M88 20V8H76M88 8L77 19M8 80v12h12M8 92l11-11M88 80v12H76M88 92L77 81"/>',
  follow: head() + '<circle class="charcha-arrow" cx="82" cy="20" r="7" fill="currentColor"/><path class="charcha-arrow" stroke-dasharray="1 8" d="M48 51q10-24 26-28"/>',
  colours: '<rect x="14" y="20" width="68" height="46" rx="6"/><path d="M38 82h20M48 66v16"/><circle class="charcha-arrow" cx="48" cy="43" r="10" fill="currentColor"/>',
  done: '<circle class="charcha-arrow" cx="48" cy="48" r="38"/><path class="charcha-arrow" d="M31 49l12 13 23-26"/>',
  again: '<path d="M76 48a28 28 0 1 1-9-21"/><path class="charcha-arrow" d="M69 8v20H50"/>',
  camera: '<rect x="8" y="28" width="54" height="42" rx="8"/><path d="M62 44l26-13v36L62 54z"/>',
  no_camera: '<rect x="8" y="28" width="54" height="42" rx="8"/><path d="M62 44l26-13v36L62 54z"/><path class="charcha-arrow" d="M12 88L84 10"/>',
  people: '<circle cx="36" cy="34" r="15"/><path d="M8 82c2-20 14-28 28-28s26 8 28 28M62 20a15 15 0 0 1 2 28M72 56c9 4 15 12 16 26"/>',
};
