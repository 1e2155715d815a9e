// @ts-check
// The dialogue of a verification: consent, camera, pictures, receipt. One step at a time, each with one clear way on;
// whatever goes wrong is said in one sentence with its remedy. It knows the desk and the camera, not ComfyUI.

import { Camera, CameraProblem } from "./charcha_camera.js";
import { SessionView } from "./charcha_session.js";
import { drawing, element } from "./charcha_shapes.js";
import { addStyle } from "./charcha_style.js";
import { LANGUAGES, day, fill, languageOf, wordsOf } from "./charcha_words.js";

const LEAST = 8; // pictures that must stay; the server refuses fewer
const OUT_OF_SIGHT = 1500; // ms that the page may be hidden while the camera runs

export class CharchaDialog {
  /** @param {any} desk @param {string} language @param {{ verified?: (receiptId: string) => void, people?: () => void }} [after] */
  constructor(desk, language, after = {}) {
    addStyle();
    this.desk = desk;
    this.after = after;
    this.language = languageOf(language);
    this.words = wordsOf(this.language);
    this.choices = { relaxed: false, voice: false, follow: true, colours: false };
    this.consentId = "";
    this.name = "";
    this.root = element("dialog", { class: "charcha", "aria-labelledby": "charcha-title" });
    this.root.addEventListener("cancel", (event) => {
      event.preventDefault(); // Esc asks first where pictures would be lost
      this.leave();
    });
    // Keys belong to the dialogue, not to the canvas behind it.
    for (const kind of ["keydown", "keyup", "keypress", "paste", "copy", "wheel"]) this.root.addEventListener(kind, (event) => event.stopPropagation());
    document.addEventListener("visibilitychange", this.watchSight);
    window.addEventListener("keydown", this.catchKey, true);
  }

  async open() {
    document.body.append(this.root);
    this.root.showModal();
    await this.showConsent();
  }

  /** A key pressed while nothing here has the focus, as after a button went away. @param {KeyboardEvent} event */
  catchKey = (event) => {
    if (!this.root.open || this.root.contains(/** @type {Node} */ (event.target))) return;
    event.stopImmediatePropagation();
    if (event.key !== "Escape") return;
    event.preventDefault();
    this.leave();
  };

  watchSight = () => {
    clearTimeout(this.outOfSight);
    if (document.hidden && this.camera) this.outOfSight = setTimeout(() => this.camera?.fail("hidden"), OUT_OF_SIGHT);
  };

  // --- the frame around every step

  /** @param {number} stage 0 consent, 1 camera, 2 pictures @param {any} body @param {boolean} [choosable] whether the language can be changed here */
  frame(stage, body, choosable = false) {
    const { words } = this;
    const stages = words.stages.map((name, index) => element("li", { "aria-current": index === stage ? "step" : null }, name));
    const close = element("button", { class: "charcha-close", type: "button", "aria-label": words.close, title: words.close, onclick: () => this.leave() }, "×");
    const title = element("h1", { id: "charcha-title" }, words.title);
    const tongues = choosable ? this.languageChoice() : element("ol", { class: "charcha-stages" }, ...stages);
    this.root.lang = this.language;
    this.root.replaceChildren(element("header", { class: "charcha-head" }, title, tongues, close), body);
    const start = body.querySelector("h2") ?? body; // where reading begins
    start.setAttribute("tabindex", "-1");
    start.focus({ preventScroll: true });
    return body;
  }

  languageChoice() {
    const options = Object.entries(LANGUAGES).map(([code, name]) => element("option", { value: code, lang: code, selected: code === this.language }, name));
    const choose = (event) => {
      this.language = languageOf(event.target.value);
      this.words = wordsOf(this.language);
      this.showConsent();
    };
    return element("select", { "aria-label": this.words.language, onchange: choose }, ...options);
  }

  /** @param {string} stage @param {...any} parts */
  body(stage, ...parts) {
    return element("div", { class: "charcha-body", "data-stage": stage }, ...parts);
  }

  /** @param {string} label @param {() => void} action @param {string} [kind] "main", "quiet" or "grave" */
  button(label, action, kind = "") {
    return element("button", { class: "charcha-button", type: "button", "data-kind": kind, onclick: action }, label);
  }

  /** @param {string} name @param {string} label @param {Record<string, any>} [more] @param {string} [note] */
  tick(name, label, more = {}, note = "") {
    const box = element("input", { type: "checkbox", name, ...more });
    return element("label", { class: "charcha-tick" }, box, element("span", {}, label, note ? element("small", {}, note) : null));
  }

  /** What an error means to the person. @param {any} error */
  meaning(error) {
    if (error?.code === "lost") return this.words.problems.lost.join(". ");
    return this.words.reasons[error?.code] ?? error?.message ?? this.words.reasons.failed;
  }

  // --- consent

  async showConsent() {
    const { words } = this;
    let notice;
    try {
      notice = await this.desk.notice(this.language);
    } catch (error) {
      return this.showRefusal(this.meaning(error), () => this.showConsent());
    }
    const text = element("div", { class: "charcha-notice", tabindex: "0", role: "region", "aria-label": notice.title });
    for (const part of notice.paragraphs) text.append(element("section", {}, element("h3", {}, part.title), element("p", {}, part.text)));
    const name = element("input", { type: "text", name: "name", maxlength: "100", autocomplete: "off", spellcheck: "false", value: this.name, required: true });
    const days = notice.retention_days.map((count) => element("option", { value: count, selected: count === notice.default_days }, words.consent.days[count] ?? count));
    const retention = element("select", { name: "retention" }, ...days);
    const purposes = notice.purposes.map((purpose) => this.tick("purpose", purpose.label, { value: purpose.id }));
    const trouble = element("p", { class: "charcha-trouble", role: "alert" });
    const form = element(
      "form",
      { class: "charcha-form", id: "charcha-form", novalidate: true },
      element("fieldset", { class: "charcha-wide" }, element("legend", {}, words.consent.purposes), ...purposes),
      element("label", { class: "charcha-field" }, notice.name, name, element("small", {}, words.consent.name_note)),
      element("label", { class: "charcha-field" }, notice.retention, retention),
      element("div", { class: "charcha-wide" }, this.tick("adult", notice.adult)),
    );
    const agree = async () => {
      this.name = name.value.trim();
      const ticked = [...form.querySelectorAll("[name=purpose]:checked")].map((box) => box.value);
      const adult = form.querySelector("[name=adult]");
      const missing = !ticked.length ? ["missing_purpose", form.querySelector("[name=purpose]")] : !this.name ? ["missing_name", name] : !adult.checked ? ["missing_adult", adult] : null;
      if (missing) {
        trouble.textContent = words.consent[missing[0]];
        missing[1].focus();
        return;
      }
      try {
        await this.cancelConsent();
        const consent = { name: this.name, purposes: ticked, language: notice.language, notice_version: notice.version, retention_days: Number(retention.value), adult: true };
        this.consentId = (await this.desk.consent(consent)).consent_id;
        this.until = Date.now() + consent.retention_days * 86_400_000;
        this.showReady();
      } catch (error) {
        trouble.textContent = this.meaning(error);
      }
    };
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      agree();
    });
    const row = element("div", { class: "charcha-row" }, this.button(words.consent.cancel, () => this.leave(), "quiet"), element("button", { class: "charcha-button", type: "submit", form: "charcha-form", "data-kind": "main" }, notice.agree));
    this.frame(0, this.body("consent", element("h2", {}, notice.title), text, form, trouble, row), true);
  }

  // --- before the camera

  showReady() {
    const { ready } = this.words;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (calm) this.choices.colours = false;
    const option = (name, note, more = {}) => {
      const change = (event) => (this.choices[name] = event.target.checked);
      return this.tick(name, ready[name], { checked: this.choices[name], onchange: change, ...more }, note);
    };
    const options = element(
      "div",
      { class: "charcha-options" },
      option("relaxed", ready.relaxed_note),
      option("voice", ready.voice_note),
      option("follow", ready.follow_note),
      option("colours", calm ? ready.colours_off : ready.colours_note, { disabled: calm }),
    );
    this.trouble = element("p", { class: "charcha-trouble", role: "alert" });
    const start = this.button(ready.start, () => this.startCamera(start), "main");
    const row = element("div", { class: "charcha-row" }, this.button(ready.back, () => this.showConsent(), "quiet"), start);
    const tips = element("ul", { class: "charcha-tips" }, ...ready.tips.map((tip) => element("li", {}, tip)));
    this.frame(1, this.body("ready", element("h2", {}, ready.title), tips, options, element("p", { class: "charcha-quiet" }, ready.privacy), this.trouble, row));
    start.focus();
  }

  /** @param {any} button */
  async startCamera(button) {
    button.disabled = true;
    this.trouble?.replaceChildren(this.words.ready.starting);
    const camera = (this.camera = new Camera());
    try {
      this.tone = this.choices.voice ? new AudioContext() : null; // only a click may open one
      await camera.start();
      if (this.camera !== camera) return camera.stop(); // the dialogue was closed meanwhile
      await this.runSession(camera);
    } catch (error) {
      if (this.camera === camera) this.showTrouble(error);
    } finally {
      camera.stop();
      if (this.camera === camera) this.camera = null;
      this.tone?.close();
      this.tone = null;
      window.speechSynthesis?.cancel();
    }
  }

  /** @param {Camera} camera */
  async runSession(camera) {
    const { relaxed, follow, colours } = this.choices;
    const session = await this.desk.session(this.consentId, { relaxed, follow, colours });
    const view = new SessionView(this.words, camera.video, { swap: () => camera.swap(), stop: () => this.stopSession() }, (text, stepped) => this.speak(text, stepped));
    this.frame(1, view.root);
    const last = await camera.run(this.desk.cameraUrl(session.session_id), session.nonce, (guidance) => view.show(guidance));
    if (last.state === "refused") {
      this.showRefusal(this.words.reasons[last.reason] ?? last.reason, () => this.showReady());
      return;
    }
    view.wait();
    camera.stop();
    await this.showGallery();
  }

  stopSession() {
    const camera = this.camera;
    this.camera = null;
    camera?.stop();
    this.showReady();
  }

  /** @param {string} text @param {boolean} stepped */
  speak(text, stepped) {
    if (!this.choices.voice || !text) return;
    if (stepped) this.chime();
    const speech = window.speechSynthesis;
    if (!speech) return;
    speech.cancel();
    const sentence = new SpeechSynthesisUtterance(text);
    sentence.lang = { en: "en-US", ja: "ja-JP", zh: "zh-CN" }[this.language];
    sentence.voice = speech.getVoices().find((voice) => voice.localService && voice.lang.startsWith(this.language)) ?? null;
    speech.speak(sentence);
  }

  chime() {
    if (!this.tone) return;
    const gain = new GainNode(this.tone, { gain: 0.12 });
    gain.gain.exponentialRampToValueAtTime(0.001, this.tone.currentTime + 0.35);
    const sound = new OscillatorNode(this.tone, { frequency: 880 });
    sound.connect(gain).connect(this.tone.destination);
    sound.start();
    sound.stop(this.tone.currentTime + 0.35);
  }

  /** @param {any} error */
  showTrouble(error) {
    if (!(error instanceof CameraProblem) && error?.code !== "lost") return this.showRefusal(this.meaning(error), () => this.showReady());
    const kind = error instanceof CameraProblem ? error.kind : "lost";
    const [title, remedy] = this.words.problems[kind] ?? this.words.problems.lost;
    const text = fill(remedy, { port: location.port || "8188" });
    this.showVerdict("no_camera", title, [text], [this.button(this.words.refused.stop, () => this.leave()), this.button(this.words.refused.again, () => this.showReady(), "main")], kind);
  }

  /** @param {string} sentence @param {() => void} again */
  showRefusal(sentence, again) {
    const { refused } = this.words;
    this.showVerdict("again", refused.title, [sentence], [this.button(refused.stop, () => this.leave()), this.button(refused.again, again, "main")], "refused");
  }

  /** @param {string} picture @param {string} title @param {(string | Node)[]} texts @param {any[]} buttons @param {string} stage @param {number} [place] */
  showVerdict(picture, title, texts, buttons, stage, place = 1) {
    const said = texts.map((text, index) => element("p", { class: index ? "charcha-quiet" : "" }, text));
    const verdict = element("div", { class: "charcha-verdict", role: "alert" }, drawing(picture), element("h2", {}, title), ...said);
    this.frame(place, this.body(stage, verdict, element("div", { class: "charcha-row", style: "justify-content:center" }, ...buttons)));
    buttons.at(-1)?.focus();
  }

  // --- the pictures

  async showGallery() {
    const { gallery } = this.words;
    const { pictures } = await this.desk.gallery(this.consentId);
    const least = LEAST;
    const kept = new Set(pictures.map((picture) => picture.index));
    const count = element("span", { class: "charcha-count charcha-grow", role: "status" });
    const trouble = element("p", { class: "charcha-trouble", role: "alert" });
    const tiles = pictures.map((picture, index) => this.tile(picture, index, kept, () => update()));
    const keep = this.button(gallery.keep, () => this.keep([...kept], trouble, keep), "main");
    const row = element("div", { class: "charcha-row" }, count, this.button(gallery.discard, () => this.askDiscard(row), "quiet"), keep);
    const update = () => {
      count.textContent = fill(gallery.count, { kept: kept.size, all: pictures.length });
      trouble.textContent = kept.size < least ? fill(gallery.too_few, { least }) : "";
      keep.disabled = kept.size < least;
    };
    update();
    const text = element("p", {}, fill(gallery.text, { least }));
    this.frame(2, this.body("gallery", element("h2", {}, gallery.title), text, element("div", { class: "charcha-pictures" }, ...tiles), trouble, row));
  }

  /** @param {any} picture @param {number} index @param {Set<number>} kept @param {() => void} update */
  tile(picture, index, kept, update) {
    const label = fill(this.words.gallery.picture, { number: index + 1 });
    const button = element("button", { type: "button", "aria-pressed": "true", "aria-label": `${label}: ${picture.caption}`, title: label });
    button.append(element("img", { src: `data:image/jpeg;base64,${picture.jpeg}`, alt: "" }));
    button.addEventListener("click", () => {
      kept.has(picture.index) ? kept.delete(picture.index) : kept.add(picture.index);
      button.setAttribute("aria-pressed", String(kept.has(picture.index)));
      update();
    });
    return button;
  }

  /** @param {number[]} keep @param {any} trouble @param {any} button */
  async keep(keep, trouble, button) {
    button.disabled = true;
    try {
      const { receipt_id: receiptId } = await this.desk.finish(this.consentId, keep);
      this.consentId = "";
      this.after.verified?.(receiptId);
      await this.showDone(receiptId);
    } catch (error) {
      trouble.textContent = this.meaning(error);
      button.disabled = false;
    }
  }

  /** @param {any} row */
  askDiscard(row) {
    const { gallery } = this.words;
    const question = element("span", { class: "charcha-count charcha-grow", role: "alert" }, gallery.sure);
    const before = [...row.childNodes];
    row.replaceChildren(question, this.button(this.words.people.no, () => row.replaceChildren(...before)), this.button(gallery.yes, () => this.close(), "grave"));
  }

  /** @param {string} receiptId */
  async showDone(receiptId) {
    const { done, levels } = this.words;
    const { people } = await this.desk.people().catch(() => ({ people: [] }));
    const summary = people.find((one) => one.receipt_id === receiptId);
    const until = day(summary?.retention_until ?? new Date(this.until ?? Date.now()).toISOString(), this.language);
    const texts = [fill(done.text, { date: until }), levels[summary?.level] ?? "", done.honest, done.withdraw].filter(Boolean);
    const show = this.after.people && this.button(done.show, () => (this.close(), this.after.people?.()));
    this.showVerdict("done", done.title, texts, [show, this.button(done.close, () => this.close(), "main")].filter(Boolean), "done", 2);
  }

  // --- leaving

  /** Closes, but asks first where pictures would be lost. */
  leave() {
    const row = this.root.querySelector("[data-stage=gallery] > .charcha-row");
    if (!row) return this.close();
    if (!row.querySelector("[data-kind=grave]")) this.askDiscard(row);
  }

  close() {
    document.removeEventListener("visibilitychange", this.watchSight);
    window.removeEventListener("keydown", this.catchKey, true);
    const camera = this.camera;
    this.camera = null;
    camera?.stop();
    window.speechSynthesis?.cancel();
    this.cancelConsent();
    this.root.close();
    this.root.remove();
  }

  /** A consent that came to nothing is forgotten. */
  async cancelConsent() {
    const id = this.consentId;
    this.consentId = "";
    if (id) await this.desk.cancel(id).catch(() => {}); // the server forgets it by itself within half an hour
  }
}
