// @ts-check
// What our nodes' own panels have in common: a piece of page on a node that is never saved with it, its text and buttons, and calls that
// follow the node's own.

import { app } from "../../scripts/app.js";

const BORDER = "border-radius:4px; border:1px solid var(--border-color,#4e4e4e);";
const INPUT = "background:var(--comfy-input-bg,#222); color:var(--input-text,#ddd);";
const IN_A_TEXT = ["keydown", "keyup", "wheel", "paste", "copy", "cut"];

/** The words of the page's language, English where there are none. @template T @param {Record<string, T>} words @returns {T} */
export function inPageLanguage(words) {
  return words[String(app.extensionManager?.setting?.get("Comfy.Locale") ?? "en").slice(0, 2)] ?? words.en;
}

/**
 * Puts `root` on a node as a widget that no workflow stores.
 * @param {any} node @param {string} name @param {string} type @param {HTMLElement} root @param {number} height at least, in pixels
 */
export function addPanel(node, name, type, root, height) {
  const widget = node.addDOMWidget(name, type, root, {
    getValue: () => "",
    setValue: () => {},
    getMinHeight: () => height,
    hideOnZoom: false,
    serialize: false,
  });
  widget.serialize = false;
}

/** Calls `after` after the object's own method. @param {any} object @param {string} name @param {(...values: any[]) => void} after */
export function chain(object, name, after) {
  const before = object[name];
  object[name] = function (...values) {
    const result = before?.apply(this, values);
    after(...values);
    return result;
  };
}

/** Makes a node at least so large. @param {any} node @param {number} width @param {number} height */
export function growNode(node, width, height) {
  node.setSize([Math.max(node.size[0], width), Math.max(node.size[1], height)]);
}

/**
 * A box of text that fills its panel; only read until `readOnly` is taken off.
 * @param {string} font in CSS @param {number} height at least, in pixels @returns {HTMLTextAreaElement}
 */
export function makeTextArea(font, height) {
  const area = document.createElement("textarea");
  area.style.cssText = `flex:1; width:100%; height:100%; min-height:${height}px; resize:none; box-sizing:border-box; padding:6px; ${BORDER} ${INPUT} font:${font};`;
  area.readOnly = true;
  // Typing, scrolling and copying in the text belong to the text, not to the canvas below it.
  for (const kind of IN_A_TEXT) area.addEventListener(kind, (event) => event.stopPropagation());
  return area;
}

/** A button that shares its row with others. @param {string} label @param {() => void} action */
export function makeButton(label, action) {
  const button = element("button", `flex:1; padding:4px 8px; ${BORDER} ${INPUT} font:12px sans-serif; cursor:pointer;`);
  button.textContent = label;
  button.addEventListener("click", action);
  return button;
}

/** @param {HTMLButtonElement} button @param {boolean} enabled */
export function setEnabled(button, enabled) {
  button.disabled = !enabled;
  button.style.opacity = enabled ? "1" : "0.45";
}

/** A line of small print that is not there while it is empty. */
export function makeRemark() {
  return element("div", "display:none; font:11px/1.4 sans-serif; color:var(--descrip-text,#999); white-space:normal;");
}

/** @param {HTMLElement} remark @param {string} text */
export function setRemark(remark, text) {
  remark.textContent = text;
  remark.style.display = text ? "" : "none";
}

/** A text, small print and a row of buttons, one under the other. @param {HTMLElement} area @param {HTMLElement} remark @param {HTMLElement[]} buttons @param {number} height at least, in pixels */
export function stackPanel(area, remark, buttons, height) {
  const row = element("div", "display:flex; gap:6px;");
  row.append(...buttons);
  const root = element("div", `display:flex; flex-direction:column; gap:6px; width:100%; height:100%; min-height:${height}px; box-sizing:border-box;`);
  root.append(area, remark, row);
  return root;
}

/** @param {string} tag @param {string} style @returns {any} */
function element(tag, style) {
  const made = document.createElement(tag);
  made.style.cssText = style;
  return made;
}
