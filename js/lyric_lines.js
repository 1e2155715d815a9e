// @ts-check
// Lyric Aligner: the lines of the last run with their times, shown on the node.
//
// What is shown is LRC with a time for every word. "Edit these times" puts it into the input `lyrics`, whose times the next run takes as
// they are; the text that stood there is kept with the node, and "Back to the text" brings it back.

import { app } from "../../scripts/app.js";
import { addPanel, chain, growNode, inPageLanguage, makeButton, makeRemark, makeTextArea, setEnabled, setRemark, stackPanel } from "./node_panel.js";

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
    this.words = inPageLanguage(WORDS);
    this.lines = "";
    this.build();
    addPanel(node, "music_video_lyric_view", "MUSIC_VIDEO_LYRICS", this.root, 130);
    growNode(node, 400, node.computeSize()[1] + 60);
    chain(node, "onExecuted", (output) => this.show(output));
    chain(node, "onConfigure", () => this.refresh());
    this.refresh();
  }

  build() {
    this.area = makeTextArea("11px/1.4 monospace", 70);
    this.area.dir = "auto";
    this.area.wrap = "off";
    this.area.placeholder = this.words.empty;
    this.remark = makeRemark();
    this.editButton = makeButton(this.words.edit, () => this.edit());
    this.backButton = makeButton(this.words.back, () => this.restore());
    this.root = stackPanel(this.area, this.remark, [this.editButton, this.backButton], 130);
    this.root.className = "music-video-lyrics";
  }

  /** Takes the result of a run. @param {any} output */
  show(output) {
    if (!output?.[RESULT]) return;
    this.lines = output[RESULT].join("");
    this.area.placeholder = this.words.none;
    setRemark(this.remark, (output[REMARKS] ?? []).join(" "));
    this.refresh();
  }

  edit() {
    this.node.properties ??= {};
    if (this.node.properties[PASTED] === undefined) this.node.properties[PASTED] = String(this.input.value ?? "");
    this.input.value = this.lines;
    this.refresh();
  }

  restore() {
    this.input.value = this.node.properties[PASTED];
    delete this.node.properties[PASTED];
    this.refresh();
  }

  refresh() {
    if (this.area.value !== this.lines) this.area.value = this.lines;
    setEnabled(this.editButton, Boolean(this.lines) && this.lines !== this.input.value);
    setEnabled(this.backButton, this.node.properties?.[PASTED] !== undefined);
  }
}
