// @ts-check
// Video Report: the text of the last run, shown on the node above its plot.

import { app } from "../../scripts/app.js";
import { addPanel, chain, growNode, inPageLanguage, makeTextArea } from "./node_panel.js";

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
  const area = makeTextArea("11px/1.5 sans-serif", 200);
  area.className = "music-video-report";
  area.placeholder = inPageLanguage(WORDS);
  addPanel(node, "music_video_report_view", "MUSIC_VIDEO_REPORT", area, 200);
  growNode(node, SIZE[0], SIZE[1]);
  chain(node, "onExecuted", (output) => {
    if (output?.text) area.value = output.text.join("");
  });
}
