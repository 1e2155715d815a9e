// @ts-check
// The time before the camera: the person sees themselves, one instruction, one hint, how far they are. It shows the
// server's guidance and decides nothing.

import { drawing, element } from "./charcha_shapes.js";
import { fill } from "./charcha_words.js";

const OVAL = { x: 50, y: 36, rx: 17.5, ry: 24.5 }; // of a picture 100 wide and 75 high

export class SessionView {
  /** @param {any} words @param {HTMLVideoElement} video @param {{ swap: () => void, stop: () => void }} wishes @param {(text: string, step: boolean) => void} speak */
  constructor(words, video, wishes, speak) {
    this.words = words;
    this.speak = speak;
    this.said = "";
    this.step = 0;
    this.picture = element("span");
    this.text = element("p");
    this.told = element("div", { class: "charcha-told" }, this.picture, this.text);
    this.aloud = element("div", { class: "charcha-hidden", role: "status", "aria-live": "assertive" });
    this.hint = element("div", { class: "charcha-hint", role: "status", "aria-live": "polite" });
    this.dot = element("div", { class: "charcha-dot", hidden: true });
    this.colour = element("div", { class: "charcha-fill", hidden: true }, element("div", { class: "charcha-hint" }, words.session.colours));
    video.setAttribute("aria-label", words.session.preview);
    this.view = element("div", { class: "charcha-view" }, video, oval(), this.dot, this.hint);
    video.addEventListener("loadedmetadata", () => this.fit(video));
    if (video.videoWidth) this.fit(video);
    video.play().catch(() => {}); // a video stops when it is moved
    this.held = this.view.querySelector(".charcha-held");
    this.progress = element("div", { class: "charcha-progress", role: "img" });
    this.swapButton = element("button", { class: "charcha-button", type: "button", onclick: wishes.swap });
    const stop = element("button", { class: "charcha-button", type: "button", onclick: wishes.stop }, words.session.stop);
    this.row = element("div", { class: "charcha-row" }, element("div", { class: "charcha-grow" }, this.progress), this.swapButton, stop);
    this.root = element("div", { class: "charcha-body", "data-stage": "session" }, this.colour, this.told, this.view, this.row, this.aloud);
    this.show({ state: "neutral", step: 0, steps: 0, progress: 0 });
  }

  /** A wide camera is cut to 4:3, as much as is needed for the face. @param {HTMLVideoElement} video */
  fit(video) {
    const shape = Math.min(Math.max(video.videoWidth / video.videoHeight, 1), 16 / 9);
    this.view.style.aspectRatio = String(shape);
    this.view.style.width = `min(100%, ${Math.round(46 * shape)}vh)`;
    const svg = this.view.querySelector("svg");
    svg.setAttribute("viewBox", `${50 - 37.5 * shape} 0 ${75 * shape} 75`);
  }

  /** @param {any} guidance */
  show(guidance) {
    if (guidance.trouble) {
      this.hint.textContent = this.words.reasons[guidance.trouble.code] ?? guidance.trouble.sentence;
      return;
    }
    this.tell(guidance);
    this.hint.textContent = guidance.hint ? this.words.hints[guidance.hint] ?? "" : "";
    const held = Math.min(1, Math.max(0, guidance.progress ?? 0));
    this.held.style.strokeDashoffset = String(1 - held);
    this.held.style.opacity = held ? "1" : "0"; // a round line of no length would still be a dot
    this.dot.hidden = !guidance.dot;
    if (guidance.dot) {
      this.dot.style.left = `${guidance.dot[0] * 100}%`;
      this.dot.style.top = `${guidance.dot[1] * 100}%`;
    }
    this.colour.hidden = !guidance.colour;
    this.colour.style.background = guidance.colour ?? "";
    this.showSteps(guidance);
    this.swapButton.textContent = `${this.words.session.swap} (${fill(this.words.session.left, { left: guidance.swaps_left ?? 0 })})`;
    this.swapButton.hidden = guidance.state !== "action" || !guidance.swaps_left;
    Object.assign(this.root.dataset, { state: guidance.state, action: guidance.action ?? "", dot: (guidance.dot ?? []).join(",") });
  }

  /** The instruction, drawn, written and said when it changes. @param {any} guidance */
  tell(guidance) {
    const { session, actions } = this.words;
    const told = { neutral: session.look, action: actions[guidance.action], follow: session.follow, colours: session.colours, done: session.done }[guidance.state] ?? "";
    const stepped = guidance.step > this.step;
    this.step = guidance.step ?? 0;
    if (told === this.said) return;
    this.said = told;
    this.text.textContent = told;
    this.aloud.textContent = told;
    this.picture.replaceChildren(drawing(guidance.state === "neutral" ? "look" : guidance.action ?? guidance.state));
    this.speak(told, stepped);
  }

  /** @param {any} guidance */
  showSteps(guidance) {
    const key = `${guidance.step}/${guidance.steps}`;
    if (this.progress.dataset.key === key) return;
    this.progress.dataset.key = key;
    const dots = Array.from({ length: guidance.steps ?? 0 }, (_, index) => element("i", { "data-past": index < guidance.step, "data-now": index === guidance.step }));
    this.progress.replaceChildren(...dots);
    this.progress.setAttribute("aria-label", fill(this.words.session.step, { step: Math.min((guidance.step ?? 0) + 1, guidance.steps), steps: guidance.steps }));
  }

  /** The last picture was taken; the server chooses. */
  wait() {
    this.text.textContent = this.words.session.done;
    this.hint.textContent = this.words.session.choosing;
  }
}

/** The oval that the face belongs in, darkness around it, and a second line that grows with the progress. */
function oval() {
  const { x, y, rx, ry } = OVAL;
  const shape = `cx="${x}" cy="${y}" rx="${rx}" ry="${ry}"`;
  const holder = element("div");
  holder.innerHTML = `<svg viewBox="0 0 100 75" preserveAspectRatio="xMidYMid slice" aria-hidden="true">
    <mask id="charcha-mask"><rect x="-50" y="-10" width="200" height="100" fill="#fff"/><ellipse ${shape} fill="#000"/></mask>
    <rect x="-50" y="-10" width="200" height="100" fill="rgb(0 0 0 / 38%)" mask="url(#charcha-mask)"/>
    <ellipse class="charcha-ring" ${shape}/>
    <path class="charcha-held" d="M${x} ${y - ry}a${rx} ${ry} 0 0 1 0 ${2 * ry}a${rx} ${ry} 0 0 1 0 ${-2 * ry}" pathLength="1" stroke-dasharray="1" stroke-dashoffset="1" opacity="0"/></svg>`;
  return holder.firstElementChild;
}
