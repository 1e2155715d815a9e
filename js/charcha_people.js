// @ts-check
// The People panel: whose consent is here, until when, for what; one click to look closer, two to withdraw.

import { drawing, element } from "./charcha_shapes.js";
import { addStyle } from "./charcha_style.js";
import { day, fill, languageOf, wordsOf } from "./charcha_words.js";

export class PeoplePanel {
  /** @param {any} desk @param {() => string} language @param {{ verify: () => void, changed: () => void }} after */
  constructor(desk, language, after) {
    this.desk = desk;
    this.language = language;
    this.after = after;
    this.opened = "";
    this.root = element("div", { class: "charcha-people" });
    // Keys and the wheel belong to the panel, not to the canvas.
    for (const kind of ["keydown", "keyup", "wheel"]) this.root.addEventListener(kind, (event) => event.stopPropagation());
  }

  /** @param {HTMLElement} place */
  render(place) {
    addStyle();
    place.replaceChildren(this.root);
    place.style.height = "100%";
    this.refresh();
  }

  async refresh() {
    const tongue = languageOf(this.language());
    const words = (this.words = wordsOf(tongue));
    this.tongue = tongue;
    this.root.lang = tongue;
    const { people } = await this.attempt(() => this.desk.people(), { people: [] });
    const head = element("div", { class: "charcha-row" }, element("h2", {}, words.people.title), this.button(words.people.refresh, () => this.refresh()));
    const list = people.length ? people.map((person) => this.card(person)) : [this.nobody()];
    this.said ??= element("p", { role: "status", style: "margin:0" });
    const check = this.button(words.people.check, () => this.check());
    this.foot = element("div", { class: "charcha-foot" }, this.said, element("div", { class: "charcha-row" }, check));
    this.root.replaceChildren(head, this.button(words.people.verify, this.after.verify, "main"), ...list, this.foot);
  }

  /** Runs a question; what goes wrong is said at the foot. @param {() => Promise<any>} question @param {any} [otherwise] */
  async attempt(question, otherwise = null) {
    try {
      this.say("");
      return await question();
    } catch (/** @type {any} */ error) {
      const words = this.words;
      this.say(error.code === "lost" ? words.problems.lost.join(". ") : words.reasons[error.code === "expired" ? "expired_receipt" : error.code] ?? error.message);
      return otherwise;
    }
  }

  /** @param {string} text */
  say(text) {
    this.said ??= element("p", { role: "status", style: "margin:0" });
    this.said.textContent = text;
  }

  /** @param {string} label @param {() => void} action @param {string} [kind] */
  button(label, action, kind = "") {
    return element("button", { class: "charcha-button", type: "button", "data-kind": kind, onclick: action }, label);
  }

  nobody() {
    const { people } = this.words;
    return element("div", { class: "charcha-empty" }, drawing("people"), element("b", {}, people.empty), element("span", {}, people.empty_note));
  }

  /** @param {any} person */
  card(person) {
    const { people } = this.words;
    const alive = person.status === "valid" || person.status === "expiring";
    const more = element("div", { class: "charcha-more", hidden: true });
    const chip = element("span", { class: "charcha-chip", "data-status": person.status }, people.status[person.status] ?? person.status);
    const note = [person.level, alive ? fill(people.until, { date: day(person.retention_until, this.tongue) }) : ""].filter(Boolean).join(" · ");
    const head = element("button", { type: "button", "aria-expanded": "false" }, element("b", {}, person.name ?? people.nameless), chip, element("small", {}, note));
    const card = element("article", { class: "charcha-person", "data-receipt": person.receipt_id }, head, more);
    head.addEventListener("click", () => {
      more.hidden = !more.hidden;
      head.setAttribute("aria-expanded", String(!more.hidden));
      this.opened = more.hidden ? "" : person.receipt_id;
      if (!more.hidden) this.fillCard(more, person, alive);
    });
    if (this.opened === person.receipt_id) {
      more.hidden = false;
      head.setAttribute("aria-expanded", "true");
      this.fillCard(more, person, alive);
    }
    return card;
  }

  /** @param {any} more @param {any} person @param {boolean} alive */
  fillCard(more, person, alive) {
    const { people, levels } = this.words;
    const facts = [
      [people.level, levels[person.level] ?? person.level],
      [people.purposes, new Intl.ListFormat(this.tongue, { type: "unit" }).format(person.purposes.map((purpose) => people.purpose[purpose] ?? purpose))],
      [people.given, day(person.given_at, this.tongue)],
      [people.ends, day(person.retention_until, this.tongue)],
      [people.pictures, alive ? person.pictures : null],
      [people.receipt, element("code", {}, person.receipt_id)],
    ].filter(([, value]) => value);
    const table = element("dl", {}, ...facts.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, typeof value === "object" ? value : String(value))]));
    const pictures = element("div", { class: "charcha-small" });
    const row = element("div", { class: "charcha-row" });
    row.append(this.button(people.export, () => this.exportAll(person)), this.button(people.withdraw, () => this.ask(row, person)));
    more.replaceChildren(table, ...(alive ? [pictures] : []), ...(alive || person.status === "damaged" ? [row] : []));
    if (alive) this.showPictures(pictures, person);
  }

  /** @param {any} place @param {any} person */
  async showPictures(place, person) {
    const shown = await this.attempt(() => this.desk.show(person.receipt_id), { pictures: [] });
    place.replaceChildren(...shown.pictures.map((picture) => element("img", { src: `data:image/jpeg;base64,${picture}`, alt: "" })));
  }

  /** @param {any} person */
  async exportAll(person) {
    const blob = await this.attempt(() => this.desk.exportAll(person.receipt_id));
    if (!blob) return;
    const link = element("a", { href: URL.createObjectURL(blob), download: `receipt-${person.receipt_id.slice(0, 8)}.zip` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  /** The second of two clicks. @param {any} row @param {any} person */
  ask(row, person) {
    const { people } = this.words;
    const before = [...row.childNodes];
    const no = this.button(people.no, () => row.replaceChildren(...before));
    row.replaceChildren(element("p", { role: "alert", style: "margin:0" }, people.really), this.button(people.yes, () => this.withdraw(person), "grave"), no);
    no.focus();
  }

  /** @param {any} person */
  async withdraw(person) {
    const deleted = await this.attempt(() => this.desk.withdraw(person.receipt_id));
    this.opened = "";
    this.after.changed();
    await this.refresh();
    if (deleted) this.say(this.report(deleted));
  }

  /** @param {any} deleted */
  report(deleted) {
    const { people } = this.words;
    const lines = [fill(people.deleted, deleted)];
    for (const kind of ["not_found", "not_deleted"]) {
      if (deleted[kind]?.length) lines.push(fill(people[kind], { files: deleted[kind].join(", ") }));
    }
    return lines.join(" ");
  }

  async check() {
    const answer = await this.attempt(() => this.desk.verifyLedger());
    if (answer) this.say(answer.whole ? this.words.people.whole : fill(this.words.people.broken, { line: answer.line }));
  }
}
