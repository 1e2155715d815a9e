// @ts-check
// What our nodes' own panels have in common: a piece of page on a node that is never saved with it, and calls that follow the node's own.

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
