// @ts-check
// Storyboard Writer: the plan of the last run, shown on the node, and edited there.
//
// The text area shows the plan. "Edit this plan" binds it to the input `edited_plan`, so that what is typed is
// what the next run uses; "Write a new one" empties that input. Works in the classic canvas and in Nodes 2.0:
// everything lives in one element, which the page may move about as it likes.

import { app } from "../../scripts/app.js";
import { addPanel, chain, growNode, inPageLanguage, makeButton, makeRemark, makeTextArea, setEnabled, setRemark, stackPanel } from "./node_panel.js";

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
    this.words = inPageLanguage(WORDS);
    this.plan = "";
    this.remarks = "";
    this.build();
    addPanel(node, "music_video_plan_view", "MUSIC_VIDEO_PLAN", this.root, 150);
    hide(this.input); // it is edited here
    growNode(node, 400, node.computeSize()[1] + 60);
    chain(node, "onExecuted", (output) => this.show(output));
    chain(node, "onConfigure", () => this.refresh());
    chain(this.input, "callback", () => this.refresh());
    this.refresh();
  }

  build() {
    this.area = makeTextArea("11px/1.4 monospace", 90);
    this.area.spellcheck = false;
    this.area.wrap = "off";
    this.area.placeholder = this.words.empty;
    this.area.addEventListener("input", () => this.write(this.area.value));
    this.remark = makeRemark();
    this.editButton = makeButton(this.words.edit, () => this.write(this.plan));
    this.renewButton = makeButton(this.words.renew, () => this.write(""));
    this.root = stackPanel(this.area, this.remark, [this.editButton, this.renewButton], 150);
    this.root.className = "music-video-plan";
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
    setRemark(this.remark, edited ? this.words.edited : this.remarks);
    setEnabled(this.editButton, Boolean(this.plan) && !edited);
    setEnabled(this.renewButton, Boolean(edited));
  }
}

/** Takes a widget off the node in both renderers; its value stays what it is. @param {any} widget */
function hide(widget) {
  widget.hidden = true;
  widget.options = { ...widget.options, hidden: true, canvasOnly: true };
}
