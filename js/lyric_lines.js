// @ts-check
// Lyric Aligner: the lines of the last run with their times, shown on the node.
//
// What is shown is LRC with a time for every word. "Edit these times" puts it into the input `lyrics`, whose times the next run takes as
// they are; the text that stood there is kept with the node, and "Back to the text" brings it back.

import { app } from "../../scripts/app.js";
import { addPanel, chain } from "./node_panel.js";

const NODE = "LyricAligner";
const RESULT = "music_video_lyrics";
const REMARKS = "music_video_remarks";
const PASTED = "music_video_pasted_lyrics"; // a property of the node, stored with the workflow

const WORDS = {
  en: { edit: "Edit these times", back: "Back to the text", empty: "The lines appear here after a run.", none: "No lines were found." },
  ja: { edit: "この時刻を編集", back: "元の歌詞に戻す", empty: "実行後、ここに歌詞の行が表示されます。", none: "行が見つかりませんでした。" },
  zh: { edit: "编辑这些时间", back: "恢复原文", empty: "运行后，歌词行会显示在这里。", none: "没有找到歌词行。" },
};

app.registerExtension({
  name: "music_video.lyric_lines",

  nodeCreated(node) {
    if (node.comfyClass === NODE) new LyricView(node);
  },
});

class LyricView {
  /** @param {any} node a Lyric Aligner on the canvas */
  constructor(node) {
    this.node = node;
    this.input = node.widgets?.find((widget) => widget.name === "lyrics");
    if (!this.input) return;
    this.words = WORDS[String(app.extensionManager?.setting?.get("Comfy.Locale") ?? "en").slice(0, 2)] ?? WORDS.en;
    this.lines = "";
    this.build();
    addPanel(node, "music_video_lyric_view", "MUSIC_VIDEO_LYRICS", this.root, 130);
    node.setSize([Math.max(node.size[0], 400), Math.max(node.size[1], node.computeSize()[1] + 60)]);
    chain(node, "onExecuted", (output) => this.show(output));
    chain(node, "onConfigure", () => this.refresh());
    this.refresh();
  }

  build() {
    this.area = element("textarea", "flex:1; min-height:70px; resize:none; box-sizing:border-box; width:100%; padding:6px; border-radius:4px;" +
      "border:1px solid var(--border-color,#4e4e4e); background:var(--comfy-input-bg,#222); color:var(--input-text,#ddd); font:11px/1.4 monospace;");
    this.area.readOnly = true;
    this.area.dir = "auto";
    this.area.wrap = "off";
    this.area.placeholder = this.words.empty;
    // Scrolling and copying in the text belong to the text, not to the canvas below it.
    for (const kind of ["keydown", "keyup", "wheel", "copy"]) this.area.addEventListener(kind, (event) => event.stopPropagation());
    this.remark = element("div", "font:11px/1.4 sans-serif; color:var(--descrip-text,#999); white-space:normal;");
    this.editButton = this.button(this.words.edit, () => this.edit());
    this.backButton = this.button(this.words.back, () => this.restore());
    const row = element("div", "display:flex; gap:6px;");
    row.append(this.editButton, this.backButton);
    this.root = element("div", "display:flex; flex-direction:column; gap:6px; width:100%; height:100%; min-height:130px; box-sizing:border-box;");
    this.root.className = "music-video-lyrics";
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
    this.lines = output[RESULT].join("");
    this.area.placeholder = this.words.none;
    this.remark.textContent = (output[REMARKS] ?? []).join(" ");
    this.refresh();
  }

  edit() {
    this.node.properties ??= {};
    if (this.node.properties[PASTED] === undefined) this.node.properties[PASTED] = String(this.input.value ?? "");
    this.input.value = this.lines;
  }

  restore() {
    this.input.value = this.node.properties[PASTED];
    delete this.node.properties[PASTED];
  }

  refresh() {
    if (this.area.value !== this.lines) this.area.value = this.lines;
    this.remark.style.display = this.remark.textContent ? "" : "none";
    setEnabled(this.editButton, Boolean(this.lines) && this.lines !== this.input.value);
    setEnabled(this.backButton, this.node.properties?.[PASTED] !== undefined);
  }
}

/** @param {HTMLButtonElement} button @param {boolean} enabled */
function setEnabled(button, enabled) {
  button.disabled = !enabled;
  button.style.opacity = enabled ? "1" : "0.45";
}

/** @param {string} tag @param {string} style @returns {any} */
function element(tag, style) {
  const made = document.createElement(tag);
  made.style.cssText = style;
  return made;
}
