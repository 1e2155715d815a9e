// @ts-check
// Video Report: the text of the last run, shown on the node above its plot.

import { app } from "../../scripts/app.js";
import { addPanel, chain } from "./node_panel.js";

const NODE = "VideoReport";
const SIZE = [520, 640]; // room for the text and the plot below it

const WORDS = {
  en: "The report appears here after a run.",
  ja: "実行後、ここにレポートが表示されます。",
  zh: "运行后，报告会显示在这里。",
};

app.registerExtension({
  name: "music_video.video_report",

  nodeCreated(node) {
    if (node.comfyClass === NODE) showReports(node);
  },
});

/** Puts the text on a node. @param {any} node a Video Report on the canvas */
function showReports(node) {
  const area = document.createElement("textarea");
  area.className = "music-video-report";
  area.style.cssText = "width:100%; height:100%; min-height:200px; resize:none; box-sizing:border-box; padding:6px; border-radius:4px;" +
    "border:1px solid var(--border-color,#4e4e4e); background:var(--comfy-input-bg,#222); color:var(--input-text,#ddd); font:11px/1.5 sans-serif;";
  area.readOnly = true;
  area.placeholder = WORDS[String(app.extensionManager?.setting?.get("Comfy.Locale") ?? "en").slice(0, 2)] ?? WORDS.en;
  // Scrolling and copying in the text belong to the text, not to the canvas below it.
  for (const kind of ["keydown", "keyup", "wheel", "copy"]) area.addEventListener(kind, (event) => event.stopPropagation());
  addPanel(node, "music_video_report_view", "MUSIC_VIDEO_REPORT", area, 200);
  node.setSize([Math.max(node.size[0], SIZE[0]), Math.max(node.size[1], SIZE[1])]);
  chain(node, "onExecuted", (output) => {
    if (output?.text) area.value = output.text.join("");
  });
}
