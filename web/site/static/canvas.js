"use strict";
// The canvas: it ties scene, drawing and panels together. Without this file the page shows tables.

const FIND_DELAY = 200;
const DAY_DELAY = 120;

class Canvas {
  constructor(root) {
    this.root = root;
    this.say = JSON.parse(root.dataset.texts);
    this.kinds = JSON.parse(root.dataset.kinds);
    this.selected = "";
    const at = (id) => root.querySelector(`#${id}`);
    this.at = at;
    for (const part of root.querySelectorAll(".canvas-script")) part.hidden = false;
    at("tables").open = false;
    this.drawing = new Drawing(at("drawing"), this.say, {
      select: (node) => this.selectKey(node.key), selectLink: (link) => this.selectTie(link.tie),
      remove: (node) => this.remove(node), moved: () => this.keep(),
    });
    this.inspector = new Inspector(at("inspector"), this);
    this.tables = new Tables(at("tables"), this);
    this.byKind = new Filters(at("filter-kinds"), (kind) => this.kind(kind), () => this.show());
    this.byRelation = new Filters(at("filter-relations"), (relation) => relation, () => this.show());
    this.scene = new Scene(root, () => this.show(), (why) => this.fail(why));
    this.wear(JSON.parse(root.dataset.look));
    this.listen();
    this.scene.refresh().then(() => { if (this.scene.nodes.length === 1) this.selectKey(keyOf(this.scene.nodes[0])); });
  }

  get picture() { return this.scene.picture ?? { nodes: [], relations: [], more: [], days: [], day: this.scene.last }; }

  kind(kind) { return this.kinds[kind] ?? kind; }

  number(value) { return typeof value === "number" ? value.toLocaleString(this.root.dataset.lang, { maximumSignificantDigits: 5 }) : String(value); }

  nameOf(ref) { return this.picture.nodes.find((node) => keyOf(node.ref) === keyOf(ref))?.name ?? ref.id; }

  told(tie) { return `${this.nameOf(tie.head)} ${tie.relation} ${this.nameOf(tie.tail)}`; }

  fail(why) {
    const problem = this.at("canvas-problem");
    problem.hidden = !why;
    problem.textContent = why;
  }

  // -- what is done ------------------------------------------------------------------------------------------

  listen() {
    const [find, kind, day] = [this.at("find"), this.at("find-kind"), this.at("day")];
    const search = () => { clearTimeout(this.finding); this.finding = setTimeout(() => this.find(find.value, kind.value), FIND_DELAY); };
    find.addEventListener("input", search);
    kind.addEventListener("change", search);
    find.form.addEventListener("submit", (event) => { event.preventDefault(); search(); });
    day.addEventListener("input", () => this.goTo(Number(day.value)));
    this.at("day-before").addEventListener("click", () => this.goTo(Number(day.value) - 1));
    this.at("day-after").addEventListener("click", () => this.goTo(Number(day.value) + 1));
    for (const select of [this.at("size"), this.at("colour")]) select.addEventListener("change", () => { this.wanted = {}; this.show(); });
    this.root.querySelector("[data-save]").addEventListener("submit", (event) => {
      event.target.elements.scene.value = JSON.stringify(this.scene.asked);
      event.target.elements.look.value = JSON.stringify(this.look);
    });
    const acts = {
      zoomIn: () => this.drawing.zoomBy(1.3), zoomOut: () => this.drawing.zoomBy(1 / 1.3), fit: () => this.drawing.fit(),
      tidy: () => this.show(true), clear: () => { this.scene.clear(); this.select(""); this.show(); },
    };
    for (const tool of this.root.querySelectorAll("[data-act]")) tool.addEventListener("click", acts[tool.dataset.act]);
  }

  async find(query, kind) {
    const box = this.at("found");
    box.hidden = !query.trim();
    if (box.hidden) return;
    const found = await this.scene.find(query, kind);
    if (!found || query !== this.at("find").value) return;
    box.querySelector("ul").replaceChildren(...found.nodes.map((each) => made("li", {}, button(each.name, () => this.put(each.ref)), " ", made("span", { class: "muted" }, `${this.kind(each.ref.kind)} ${each.detail}`))));
    box.querySelector("p").textContent = found.nodes.length ? (found.more ? this.say.found_more.replace("{n}", this.number(found.more)) : "") : this.say.found_none;
  }

  async put(ref) {
    await this.scene.add(ref);
    this.selectKey(keyOf(ref));
  }

  async remove(node) {
    this.select("");
    await this.scene.remove(node.ref);
    this.at("drawing").focus();
  }

  goTo(at) {
    const { days } = this.scene;
    const day = days[Math.max(0, Math.min(at, days.length - 1))];
    if (!day) return;
    this.scene.day = day;
    this.showDay(day);
    clearTimeout(this.going);
    this.going = setTimeout(() => this.scene.refresh().then(() => this.reselect()), DAY_DELAY);
  }

  selectKey(key) {
    const node = this.shown?.find((each) => each.key === key);
    if (node) {
      this.select(key);
      this.inspector.node(node);
    }
  }

  selectTie(tie) {
    this.select(this.links.find((link) => link.tie === tie)?.key ?? "");
    this.inspector.link(tie);
  }

  select(key) {
    this.selected = key;
    this.drawing.mark(key);
    if (!key) this.inspector.nothing();
  }

  reselect() {
    const node = this.shown.find((each) => each.key === this.selected);
    const link = this.links.find((each) => each.key === this.selected);
    if (node) this.selectKey(node.key);
    else if (link) this.selectTie(link.tie);
    else this.select("");
  }

  // -- what is shown -----------------------------------------------------------------------------------------

  show(fresh = false) {
    const { nodes, relations, day, cut } = this.picture;
    this.byKind.show([...new Set(nodes.map((node) => node.ref.kind))]);
    this.byRelation.show([...new Set(relations.map((tie) => tie.relation))]);
    this.shown = nodes.filter((node) => !this.byKind.hidden.has(node.ref.kind)).map((node) => ({ key: keyOf(node.ref), ref: node.ref, kind: node.ref.kind, name: node.name, properties: node.properties }));
    const there = new Set(this.shown.map((node) => node.key));
    const ties = relations.filter((tie) => !this.byRelation.hidden.has(tie.relation) && there.has(keyOf(tie.head)) && there.has(keyOf(tie.tail)));
    this.links = ties.map((tie) => this.linkOf(tie));
    this.bend();
    this.style();
    this.drawing.show(this.shown, this.links.filter((link) => link.head !== link.tail), fresh);
    this.drawing.mark(this.selected);
    this.tables.show(this.shown, this.links);
    this.at("canvas-empty").hidden = this.shown.length > 0;
    this.showDays(this.scene.days, day);
    this.at("canvas-status").textContent = nodes.length ? [this.say.status.replace("{nodes}", this.shown.length).replace("{relations}", this.links.length).replace("{day}", day), cut ? this.say.cut : ""].join(" ") : "";
    this.keep();
  }

  linkOf(tie) {
    const weight = tie.properties.weight;
    const { as_of: asOf } = tie.properties;
    const width = typeof weight !== "number" ? 1 : weight < 0.02 ? 1 : weight < 0.05 ? 2 : weight < 0.15 ? 3 : 4;
    const [head, tail] = [keyOf(tie.head), keyOf(tie.tail)];
    const label = [this.told(tie), typeof weight === "number" ? this.number(weight) : "", asOf].filter(Boolean).join(", ");
    return { key: `${head} ${tie.relation} ${tail} ${asOf}`, head, tail, relation: tie.relation, width, label, tie };
  }

  bend() {
    const seen = new Map();
    for (const link of this.links) {
      const pair = [link.head, link.tail].sort().join(" ");
      const count = seen.get(pair) ?? 0;
      link.bend = (count % 2 ? -1 : 1) * Math.ceil(count / 2);
      if (link.head > link.tail) link.bend = -link.bend;
      seen.set(pair, count + 1);
    }
  }

  measures() {
    const degree = new Map();
    const weight = new Map();
    for (const { head, tail, tie } of this.links) {
      for (const key of [head, tail]) {
        degree.set(key, (degree.get(key) ?? 0) + 1);
        weight.set(key, (weight.get(key) ?? 0) + (tie.properties.weight ?? 0));
      }
    }
    const out = { degree: (node) => degree.get(node.key) ?? 0, weight: (node) => weight.get(node.key) ?? 0 };
    for (const node of this.shown) {
      for (const [name, value] of Object.entries(node.properties)) if (typeof value === "number") out[`.${name}`] ??= (each) => each.properties[name] ?? null;
    }
    return out;
  }

  style() {
    const measures = this.measures();
    const named = { "": this.say.by_nothing, kind: this.say.by_kind, degree: this.say.by_degree, weight: this.say.by_weight };
    const choices = (first) => [first, ...Object.keys(measures)].map((each) => [each, named[each] ?? each.slice(1)]);
    const [size, colour] = [this.choose("size", choices("")), this.choose("colour", choices("kind"))];
    const kinds = [...new Set(this.shown.map((node) => node.kind))];
    const share = (measure) => {
      const values = this.shown.map(measure).filter((value) => value !== null);
      const [least, most] = [Math.min(...values), Math.max(...values)];
      return (node) => (measure(node) === null ? 0 : most > least ? (measure(node) - least) / (most - least) : 0.5);
    };
    const sizes = size ? share(measures[size]) : () => null;
    const levels = colour === "kind" ? null : share(measures[colour]);
    for (const node of this.shown) {
      node.size = sizes(node);
      node.colour = levels ? `level-${Math.min(4, Math.floor(levels(node) * 5))}` : `dot-${kinds.indexOf(node.kind) % COLOURS}`;
      const told = [size, colour].filter((each) => each && each !== "kind").map((each) => `${named[each] ?? each.slice(1)} ${this.number(measures[each](node) ?? "–")}`);
      node.label = [`${this.kind(node.kind)}: ${node.name} (${node.ref.id})`, ...told].join(", ");
    }
    this.at("legend").replaceChildren(...(levels ? [] : kinds.map((kind, at) => made("li", {}, made("span", { class: `swatch dot-${at % COLOURS}` }), this.kind(kind)))));
  }

  get look() {
    const places = [...this.drawing.places].filter(([key]) => this.shown.some((node) => node.key === key));
    return {
      places: Object.fromEntries(places.map(([key, { x, y }]) => [key, [Math.round(x), Math.round(y)]])),
      hidden: [...this.byKind.hidden, ...this.byRelation.hidden], size: this.at("size").value, colour: this.at("colour").value,
    };
  }

  // Take on a look that was saved, before the first picture.
  wear({ places = {}, hidden = [], size = "", colour = "kind" }) {
    for (const [key, [x, y]] of Object.entries(places)) this.drawing.places.set(key, { x, y });
    for (const filter of [this.byKind, this.byRelation]) for (const each of hidden) filter.hidden.add(each);
    this.wanted = { size, colour };
  }

  // Offer choices in a select; the one that was chosen stays where it is still offered.
  choose(id, choices) {
    const select = this.at(id);
    const wish = select.value || this.wanted[id];
    const chosen = choices.some(([value]) => value === wish) ? wish : choices[0][0];
    select.replaceChildren(...choices.map(([value, text]) => made("option", { value }, text)));
    select.value = chosen;
    return chosen;
  }

  showDays(days, day) {
    const slider = this.at("day");
    slider.max = Math.max(days.length - 1, 0);
    slider.value = Math.max(days.findLastIndex((each) => each <= day), 0);
    for (const control of [slider, this.at("day-before"), this.at("day-after")]) control.disabled = days.length < 2;
    this.showDay(day);
  }

  showDay(day) {
    this.at("day").setAttribute("aria-valuetext", day);
    this.at("day-shown").textContent = day;
  }

  // Keep the scene in the address, so that it can be reloaded and sent on.
  keep() {
    const address = new URL(location.href);
    this.drawing.fitOnce();
    address.search = this.scene.nodes.length ? new URLSearchParams({ scene: JSON.stringify(this.scene.asked) }) : "";
    history.replaceState(null, "", address);
  }
}

for (const root of document.querySelectorAll("#canvas")) root.canvas = new Canvas(root);
