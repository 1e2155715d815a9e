// @ts-check
// Storyboard Writer: the plan of the last run, shown on the node, and edited there.
//
// The text area shows the plan. "Edit this plan" binds it to the input `edited_plan`, so that what is typed is
// what the next run uses; "Write a new one" empties that input. Works in the classic canvas and in Nodes 2.0:
// everything lives in one element, which the page may move about as it likes.

import { app } from "../../scripts/app.js";
import { addPanel, chain } from "./node_panel.js";

const NODE = "StoryboardWriter";
const RESULT = "music_video_plan";
const REMARKS = "music_video_remarks";

const WORDS = {
  en: { edit: "Edit this plan", renew: "Write a new one", empty: "The plan appears here after a run.", edited: "Your own plan: the next run uses it as it stands here." },
  ja: { edit: "このプランを編集", renew: "新しく書き直す", empty: "実行後、ここにプランが表示されます。", edited: "編集済みプラン：次の実行ではこの内容をそのまま使います。" },
  zh: { edit: "编辑此方案", renew: "重新生成", empty: "运行后，方案会显示在这里。", edited: "自定义方案：下次运行将按此内容执行。" },
};

app.registerExtension({
  name: "music_video.storyboard_plan",

  nodeCreated(node) {
    if (node.comfyClass === NODE) new PlanView(node);
  },
});

class PlanView {
  /** @param {any} node a Storyboard Writer on the canvas */
  constructor(node) {
    this.input = node.widgets?.find((widget) => widget.name === "edited_plan");
    if (!this.input) return;
    this.words = WORDS[String(app.extensionManager?.setting?.get("Comfy.Locale") ?? "en").slice(0, 2)] ?? WORDS.en;
    this.plan = "";
    this.remarks = "";
    this.build();
    addPanel(node, "music_video_plan_view", "MUSIC_VIDEO_PLAN", this.root, 150);
    hide(this.input); // it is edited here
    node.setSize([Math.max(node.size[0], 400), Math.max(node.size[1], node.computeSize()[1] + 60)]);
    chain(node, "onExecuted", (output) => this.show(output));
    chain(node, "onConfigure", () => this.refresh());
    chain(this.input, "callback", () => this.refresh());
    this.refresh();
  }

  build() {
    this.area = element("textarea", "flex:1; min-height:90px; resize:none; box-sizing:border-box; width:100%; padding:6px; border-radius:4px;" +
      "border:1px solid var(--border-color,#4e4e4e); background:var(--comfy-input-bg,#222); color:var(--input-text,#ddd); font:11px/1.4 monospace;");
    this.area.spellcheck = false;
    this.area.wrap = "off";
    this.area.addEventListener("input", () => this.write(this.area.value));
    // Typing and scrolling in the text belong to the text, not to the canvas below it.
    for (const kind of ["keydown", "keyup", "wheel", "paste", "copy", "cut"]) this.area.addEventListener(kind, (event) => event.stopPropagation());
    this.remark = element("div", "font:11px/1.4 sans-serif; color:var(--descrip-text,#999); white-space:normal;");
    this.editButton = this.button(this.words.edit, () => this.write(this.plan));
    this.renewButton = this.button(this.words.renew, () => this.write(""));
    const row = element("div", "display:flex; gap:6px;");
    row.append(this.editButton, this.renewButton);
    this.root = element("div", "display:flex; flex-direction:column; gap:6px; width:100%; height:100%; min-height:150px; box-sizing:border-box;");
    this.root.className = "music-video-plan";
    this.root.append(this.area, this.remark, row);
  }

  /** @param {string} label @param {() => void} action */
  button(label, action) {
    const button = element("button", "flex:1; padding:4px 8px; border-radius:4px; border:1px solid var(--border-color,#4e4e4e);" +
      "background:var(--comfy-input-bg,#222); color:var(--input-text,#ddd); font:12px sans-serif; cursor:pointer;");
    button.textContent = label;
    button.addEventListener("click", () => {
      action();
      this.refresh();
    });
    return button;
  }

  /** Takes the result of a run. @param {any} output */
  show(output) {
    if (!output?.[RESULT]) return;
    this.plan = output[RESULT].join("");
    this.remarks = (output[REMARKS] ?? []).join(" ");
    this.refresh();
  }

  /** @param {string} text */
  write(text) {
    this.input.value = text;
    this.refresh();
  }

  refresh() {
    const edited = String(this.input.value ?? "");
    const text = edited || this.plan;
    if (this.area.value !== text) this.area.value = text;
    this.area.readOnly = !edited;
    this.area.placeholder = this.words.empty;
    this.remark.textContent = edited ? this.words.edited : this.remarks;
    this.remark.style.display = this.remark.textContent ? "" : "none";
    setEnabled(this.editButton, Boolean(this.plan) && !edited);
    setEnabled(this.renewButton, Boolean(edited));
  }
}

/** @param {HTMLButtonElement} button @param {boolean} enabled */
function setEnabled(button, enabled) {
  button.disabled = !enabled;
  button.style.opacity = enabled ? "1" : "0.45";
}

/** Takes a widget off the node in both renderers; its value stays what it is. @param {any} widget */
function hide(widget) {
  widget.hidden = true;
  widget.options = { ...widget.options, hidden: true, canvasOnly: true };
}

/** @param {string} tag @param {string} style @returns {any} */
function element(tag, style) {
  const made = document.createElement(tag);
  made.style.cssText = style;
  return made;
}
