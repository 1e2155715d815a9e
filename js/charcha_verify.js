// @ts-check
// Charcha Verify on the page: a card and two buttons on the node, the names in its list, and the People panel.
//
// The node's value is an opaque receipt id. Names come from the server, are shown here and written nowhere: not into
// the workflow, not into the prompt. The one file of the verification that knows ComfyUI.

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { Desk } from "./charcha_desk.js";
import { CharchaDialog } from "./charcha_dialog.js";
import { PeoplePanel } from "./charcha_people.js";
import { element } from "./charcha_shapes.js";
import { addStyle } from "./charcha_style.js";
import { day, fill, languageOf, wordsOf } from "./charcha_words.js";
import { addPanel, chain } from "./node_panel.js";

const NODE = "CharchaVerify";
const NOBODY = "none";
const TAB = "music_video.people";

const desk = new Desk(api);
const language = () => String(app.extensionManager?.setting?.get("Comfy.Locale") ?? "en");
/** @type {Map<string, any>} receipt id -> what the panel knows of it */
const known = new Map();
/** @type {Set<PersonView>} */
const views = new Set();
/** @type {PeoplePanel} */
let panel;

app.registerExtension({
  name: "music_video.charcha_verify",

  setup() {
    panel = new PeoplePanel(desk, language, { verify: () => verify(), changed: refresh });
    const { people } = wordsOf(language());
    app.extensionManager.registerSidebarTab({
      id: TAB,
      icon: "pi pi-id-card",
      title: people.title,
      tooltip: people.title,
      type: "custom",
      render: (place) => panel.render(place),
    });
  },

  nodeCreated(node) {
    if (node.comfyClass === NODE) new PersonView(node);
  },

  // The list of the node's definition is empty; ours is put back after ComfyUI has read the definitions anew.
  refreshComboInNodes() {
    refresh();
  },
});

/** Opens the dialogue. @param {PersonView} [view] the node that asked for it */
function verify(view) {
  const verified = async (receiptId) => {
    await refresh(); // the list knows the name before it shows the value
    view?.choose(receiptId);
    if (panel.root.isConnected) await panel.refresh();
  };
  new CharchaDialog(desk, language(), { verified, people: showPeople }).open();
}

function showPeople() {
  if (app.extensionManager.sidebarTab?.activeSidebarTabId === TAB) return panel.refresh();
  app.extensionManager.command.execute(`Workspace.ToggleSidebarTab.${TAB}`);
}

/** Asks who is there, and shows it on every node. */
async function refresh() {
  const answer = await desk.people().catch(() => null); // the node says that it does not know
  if (answer) {
    known.clear();
    for (const person of answer.people) known.set(person.receipt_id, person);
  }
  for (const view of views) view.refresh();
}

class PersonView {
  /** @param {any} node a Charcha Verify on the canvas */
  constructor(node) {
    this.input = node.widgets?.find((widget) => widget.name === "person");
    if (!this.input) return;
    addStyle();
    this.node = node;
    this.words = wordsOf(language()).node;
    this.status = wordsOf(language()).people.status;
    this.card = element("div", { class: "charcha-card", role: "status" });
    const button = (label, action, kind = "") => element("button", { class: "charcha-button", type: "button", "data-kind": kind, onclick: action }, label);
    const row = element("div", { class: "charcha-row" }, button(this.words.verify, () => verify(this), "main"), button(this.words.people, showPeople));
    this.root = element("div", { class: "charcha-node" }, this.card, row);
    for (const kind of ["keydown", "keyup"]) this.root.addEventListener(kind, (event) => event.stopPropagation());
    this.input.options.getOptionLabel = (id) => this.label(id);
    addPanel(node, "music_video_charcha_view", "MUSIC_VIDEO_CHARCHA", this.root, 104);
    node.setSize([Math.max(node.size[0], 330), Math.max(node.size[1], node.computeSize()[1])]);
    chain(node, "onConfigure", () => this.refresh());
    chain(this.input, "callback", () => this.refresh());
    chain(node, "onRemoved", () => views.delete(this));
    views.add(this);
    this.refresh();
    refresh();
  }

  /** @param {string} receiptId */
  choose(receiptId) {
    this.input.value = receiptId;
    this.refresh();
  }

  /** What the list shows for a value. @param {string | null} id */
  label(id) {
    if (!id || id === NOBODY) return this.words.nobody;
    return known.get(id)?.name ?? `${String(id).slice(0, 8)}…`;
  }

  /** Nodes 2.0 asks for a label only when the value changes, so it is changed where the label has. @param {string} value */
  relabel(value) {
    const label = this.label(value);
    const changed = this.labelled && this.labelled.value === value && this.labelled.label !== label;
    this.labelled = { value, label };
    if (!changed) return;
    this.input.value = NOBODY;
    setTimeout(() => this.input.value === NOBODY && (this.input.value = value));
  }

  refresh() {
    const value = this.input.value || NOBODY;
    const open = [...known.values()].filter((person) => person.status === "valid" || person.status === "expiring").map((person) => person.receipt_id);
    this.input.options.values = [...new Set([NOBODY, ...open, value])];
    this.relabel(value);
    const person = known.get(value);
    const chip = person && element("span", { class: "charcha-chip", "data-status": person.status }, this.status[person.status] ?? person.status);
    const until = person && fill(this.words.until, { date: day(person.retention_until, languageOf(language())) });
    const [title, note] =
      value === NOBODY ? [this.words.nobody, this.words.nobody_note] : person ? [person.name ?? this.label(value), [person.level, until].filter(Boolean).join(" · ")] : [this.words.gone, this.words.gone_note];
    this.card.replaceChildren(element("b", {}, title), chip ?? "", element("small", {}, note));
    this.node.setDirtyCanvas?.(true, true);
  }
}
