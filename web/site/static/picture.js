"use strict";
// Pictures that are moved, zoomed and expanded by neighbours. Without this file they stand still, and nodes are links.
(() => {

const SVG = "http://www.w3.org/2000/svg";
const [CARD, TALL, GAP, STEP, NEAREST] = [184, 46, 16, 1.25, 140];

const drawn = (name, attributes = {}, ...inside) => {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...inside);
  return node;
};

class Movable {
  constructor(root) {
    this.root = root;
    this.svg = root.querySelector("svg");
    this.say = JSON.parse(root.dataset.move);
    const { x, y, width, height } = this.svg.viewBox.baseVal;
    this.whole = { x, y, w: width, h: height };
    this.rows = new Map();
    root.classList.add("movable");
    this.note = root.appendChild(Object.assign(document.createElement("p"), { className: "edge-note", hidden: true }));
    this.status = root.appendChild(Object.assign(document.createElement("p"), { className: "visually-hidden" }));
    this.status.setAttribute("role", "status");
    this.tools();
    this.listen();
    for (const node of this.svg.querySelectorAll("[data-ref]")) this.expandable(node);
    this.notes(this.svg);
    this.start();
  }

  // On a narrow screen the picture begins at its left, large enough to be read.
  start() {
    this.size();
    const wide = Math.min(this.whole.w, Math.max(this.root.clientWidth * 1.05, 340));
    this.narrow = wide < this.whole.w * 0.6;
    if (!this.narrow) return this.look(this.whole);
    const high = (wide * this.svg.clientHeight) / this.svg.clientWidth;
    this.look({ x: this.whole.x, y: this.whole.y + Math.max(0, (this.whole.h - high) / 2), w: wide, h: high });
  }

  // As high as the whole picture asks for, within the window.
  size() {
    const high = (this.whole.h * this.svg.clientWidth) / this.whole.w;
    this.svg.style.height = `${Math.round(Math.max(320, Math.min(high, innerHeight * 0.85)))}px`;
  }

  tools() {
    const bar = Object.assign(document.createElement("p"), { className: "picture-tools no-print" });
    bar.setAttribute("role", "group");
    bar.setAttribute("aria-label", this.say.tools);
    for (const [text, name, act] of [["+", "in", () => this.zoom(1 / STEP)], ["−", "out", () => this.zoom(STEP)], ["⤢", "fit", () => this.look(this.whole)]]) {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "button button-small", textContent: text, title: this.say[name] });
      button.setAttribute("aria-label", this.say[name]);
      button.addEventListener("click", act);
      bar.append(button);
    }
    bar.append(Object.assign(document.createElement("span"), { className: "muted", textContent: this.say.hint }));
    this.root.before(bar);
  }

  look(view) {
    this.view = view;
    this.svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.w} ${view.h}`);
  }

  zoom(by, at = null) {
    const { x, y, w, h } = this.view;
    const wide = Math.max(NEAREST, Math.min(w * by, this.whole.w * 2));
    const [px, py] = at ?? [x + w / 2, y + h / 2];
    const share = wide / w;
    this.look({ x: px - (px - x) * share, y: py - (py - y) * share, w: wide, h: h * share });
  }

  move(dx, dy) {
    const { x, y, w, h } = this.view;
    const most = (at, size, from, whole) => Math.max(from - size * 0.8, Math.min(at, from + whole - size * 0.2));
    this.look({ x: most(x + dx, w, this.whole.x, this.whole.w), y: most(y + dy, h, this.whole.y, this.whole.h), w, h });
  }

  point(event) {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.svg.getScreenCTM().inverse());
    return [at.x, at.y];
  }

  listen() {
    let from = null;
    this.svg.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      from = { x: event.clientX, y: event.clientY, dragged: false };
    });
    addEventListener("pointermove", (event) => {
      if (!from) return;
      const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
      if (!from.dragged && Math.hypot(dx, dy) < 4) return;
      if (!from.dragged) this.hush();
      const scale = 1 / this.svg.getScreenCTM().a;
      this.move(-dx * scale, -dy * scale);
      from = { x: event.clientX, y: event.clientY, dragged: true };
      this.root.classList.add("dragging");
    });
    const end = () => {
      if (from?.dragged) this.svg.addEventListener("click", (event) => event.preventDefault(), { once: true, capture: true });
      if (from?.dragged) setTimeout(() => this.svg.dispatchEvent(new MouseEvent("click", { cancelable: true })));
      from = null;
      this.root.classList.remove("dragging");
    };
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
    this.svg.addEventListener("dragstart", (event) => event.preventDefault());
    this.svg.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.zoom(event.deltaY > 0 ? STEP : 1 / STEP, this.point(event));
    }, { passive: false });
    this.root.addEventListener("keydown", (event) => {
      const by = this.view.w / 10;
      const acts = {
        "+": () => this.zoom(1 / STEP), "=": () => this.zoom(1 / STEP), "-": () => this.zoom(STEP), 0: () => this.look(this.whole),
        ArrowLeft: () => this.move(-by, 0), ArrowRight: () => this.move(by, 0), ArrowUp: () => this.move(0, -by), ArrowDown: () => this.move(0, by),
      };
      if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in acts)) return;
      event.preventDefault();
      acts[event.key]();
    });
    this.svg.addEventListener("focusin", (event) => this.show(event.target.closest("[data-ref], .edge, .expander") ?? event.target));
  }

  // What has the focus comes into view.
  show(node) {
    const box = node.getBBox?.();
    if (!box || !node.matches(":focus-visible")) return;
    const { x, y, w, h } = this.view;
    const [cx, cy] = [box.x + box.width / 2, box.y + box.height / 2];
    if (cx < x || cx > x + w || cy < y || cy > y + h) this.look({ ...this.view, x: cx - w / 2, y: cy - h / 2 });
  }

  // -- what edges say ----------------------------------------------------------------------------------------

  notes(within) {
    for (const edge of within.querySelectorAll(".edge")) {
      edge.querySelector("title")?.remove();
      const tell = (x, y) => {
        const box = this.root.getBoundingClientRect();
        this.note.textContent = edge.getAttribute("aria-label");
        this.note.hidden = false;
        const left = Math.max(4, Math.min(x - box.left + 12, box.width - this.note.offsetWidth - 8));
        this.note.style.left = `${left + this.root.scrollLeft}px`;
        this.note.style.top = `${Math.min(y - box.top + 14, box.height - this.note.offsetHeight - 4)}px`;
      };
      edge.addEventListener("pointermove", (event) => tell(event.clientX, event.clientY));
      edge.addEventListener("pointerleave", () => this.hush());
      edge.addEventListener("focus", () => {
        const box = edge.getBoundingClientRect();
        tell(box.left + box.width / 2, box.top + box.height / 2);
      });
      edge.addEventListener("blur", () => this.hush());
      edge.addEventListener("keydown", (event) => { if (event.key === "Escape") this.hush(); });
    }
  }

  hush() { this.note.hidden = true; }

  // -- neighbours --------------------------------------------------------------------------------------------

  expandable(node) {
    const { ref } = node.dataset;
    if (ref.startsWith("User:")) return;
    const box = node.getBBox();
    const name = node.dataset.name ?? node.querySelector("title")?.textContent ?? ref;
    const label = this.say.neighbours.replace("{name}", name);
    const [cx, cy] = node.dataset.dot ? [box.x + box.width / 2 + 13, box.y + 3] : [box.x + box.width - 13, box.y + 13];
    const button = drawn("g", { class: "expander", tabindex: "0", role: "button", "aria-expanded": "false", "aria-label": label, transform: `translate(${cx} ${cy})` },
      drawn("title"), drawn("circle", { r: 9 }), drawn("path", { d: "M-4 0H4M0 -4V4" }));
    button.firstChild.textContent = label;
    const act = (event) => { event.preventDefault(); event.stopPropagation(); this.toggle(button, ref, box); };
    button.addEventListener("click", act);
    button.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") act(event); });
    this.svg.append(button);
  }

  async toggle(button, ref, box) {
    if (this.rows.has(ref)) {
      this.rows.get(ref)?.lines.remove();
      this.rows.get(ref)?.remove();
      this.rows.delete(ref);
      button.setAttribute("aria-expanded", "false");
      this.arrange();
      return;
    }
    this.rows.set(ref, null);
    this.svg.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(`/neighbours?node=${encodeURIComponent(ref)}&format=json`, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(answer.status);
      const found = await answer.json();
      if (!this.rows.has(ref)) return;
      this.rows.set(ref, this.row(found, box));
      button.setAttribute("aria-expanded", "true");
      const more = found.more ? this.say.more.replace("{n}", found.more) : "";
      this.status.textContent = found.neighbours.length ? `${found.neighbours.map((each) => each.node.name).join(", ")}. ${more}` : this.say.none;
      this.arrange();
    } catch {
      this.rows.delete(ref);
      this.status.textContent = this.say.failed;
    } finally {
      this.svg.removeAttribute("aria-busy");
    }
  }

  row({ neighbours, more }, box) {
    const group = drawn("g", { class: "neighbours" });
    group.lines = this.svg.insertBefore(drawn("g", { class: "neighbour-edges" }), this.svg.querySelector("g"));
    group.source = [box.x + box.width / 2, box.y + box.height];
    group.cells = [];
    for (const each of neighbours) {
      const edge = drawn("g", { class: "edge", tabindex: "0", role: "img", "aria-label": `${each.said} · ${each.node.name}` }, drawn("path", { class: "edge-hit" }), drawn("path", { class: "tie-new" }));
      const card = drawn("g", { class: "node-text" }, drawn("title"), drawn("rect", { class: "card", width: CARD, height: TALL, rx: 8 }),
        drawn("text", { class: "kind", x: 11, y: 17 }), drawn("text", { class: "name", x: 11, y: 35 }));
      const [title, , kind, name] = card.children;
      title.textContent = each.node.name;
      kind.textContent = each.kind_text;
      name.textContent = short(each.node.name);
      const link = each.address ? drawn("a", { href: each.address, class: "node" }, card) : card;
      group.cells.push([edge, link]);
      group.lines.append(edge);
      group.append(link);
    }
    const last = more ? this.say.more.replace("{n}", more) : neighbours.length ? "" : this.say.none;
    if (last) {
      group.rest = drawn("text", { class: "label" });
      group.rest.textContent = last;
      group.append(group.rest);
    }
    this.svg.append(group);
    this.notes(group.lines);
    return group;
  }

  // Rows of neighbours stand below the picture, one below the other.
  arrange() {
    this.first ??= { ...this.whole };
    const { y, h } = this.first;
    const [x, w] = this.narrow ? [Math.max(this.first.x, this.view.x), this.view.w] : [this.first.x, this.first.w];
    const across = Math.max(1, Math.floor((w + GAP) / (CARD + GAP)));
    let top = y + h + 40;
    for (const group of this.rows.values()) {
      if (!group) continue;
      group.cells.forEach(([edge, link], at) => {
        const [left, upper] = [x + GAP / 2 + (at % across) * (CARD + GAP), top + Math.floor(at / across) * (TALL + GAP)];
        link.setAttribute("transform", `translate(${left} ${upper})`);
        const [sx, sy] = group.source;
        const [ex, middle] = [left + CARD / 2, (sy + upper) / 2];
        for (const path of edge.children) path.setAttribute("d", `M${sx} ${sy}C${sx} ${middle} ${ex} ${middle} ${ex} ${upper}`);
      });
      top += Math.ceil(group.cells.length / across) * (TALL + GAP);
      group.rest?.setAttribute("transform", `translate(${x + GAP / 2} ${top + 6})`);
      top += 26;
    }
    const any = [...this.rows.values()].some(Boolean);
    this.whole = any ? { ...this.first, h: top - y } : { ...this.first };
    if (!this.narrow) {
      this.size();
      return this.look(this.whole);
    }
    if (any) this.look({ ...this.view, x, y: Math.min(y + h - 60, top - this.view.h) });
  }
}

function short(name) {
  let width = 0;
  for (let at = 0; at < name.length; at++) {
    width += name.charCodeAt(at) > 0x2e7f ? 13 : 7.4;
    if (width > CARD - 26) return `${name.slice(0, at)}…`;
  }
  return name;
}

for (const root of document.querySelectorAll("[data-move]")) if (root.querySelector("svg")) new Movable(root);
})();
