"use strict";
// The drawing: nodes and links as SVG, laid out by forces, moved and zoomed by pointer, touch, wheel and keyboard.

const COLOURS = 7;
const [SMALLEST, USUAL, LARGEST] = [6, 10, 22];
const STEP = 24;
const MOST_NAMES = 60;

const shortened = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

function drawn(name, attributes = {}, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  return element;
}

class Drawing {
  constructor(svg, say, act) {
    this.svg = svg;
    this.say = say;
    this.act = act;
    this.places = new Map();
    this.nodes = [];
    this.links = [];
    this.measure();
    window.addEventListener("resize", () => { this.measure(); this.fit(); });
    this.zoom = DrawingKit.zoom().scaleExtent([0.2, 8])
      .on("zoom", (event) => svg.querySelector("#world").setAttribute("transform", event.transform));
    DrawingKit.select(svg).call(this.zoom).on("dblclick.zoom", null);
    svg.addEventListener("keydown", (event) => this.key(event));
  }

  // One unit of the drawing is one pixel at the usual zoom, so that names are as large on a phone.
  measure() {
    this.width = this.svg.clientWidth || 900;
    this.height = this.svg.clientHeight || 560;
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
  }

  // nodes: {key, ref, name, kind, size 0..1, colour}; links: {head, tail (keys), relation, weight, tie}
  show(nodes, links, fresh) {
    const focused = document.activeElement?.dataset?.key;
    this.nodes = nodes;
    this.links = links;
    this.layOut(fresh);
    this.svg.querySelector("#links").replaceChildren(...links.map((link) => this.link(link)));
    this.svg.querySelector("#nodes").replaceChildren(...nodes.map((node) => this.node(node)));
    this.place();
    this.svg.querySelector(`[data-key="${CSS.escape(focused ?? "")}"]`)?.focus();
  }

  layOut(fresh) {
    const unplaced = this.nodes.filter((node) => !this.places.has(node.key));
    const known = fresh ? [] : this.nodes.filter((node) => this.places.has(node.key));
    if (!unplaced.length && !fresh) return;
    for (const node of this.nodes) Object.assign(node, this.places.get(node.key) ?? this.beside(node));
    for (const node of known) Object.assign(node, { fx: node.x, fy: node.y });
    const ties = this.links.map((link) => ({ source: link.head, target: link.tail }));
    DrawingKit.forceSimulation(this.nodes)
      .force("tie", DrawingKit.forceLink(ties).id((node) => node.key).distance(130).strength(0.4))
      .force("apart", DrawingKit.forceManyBody().strength(-700))
      .force("room", DrawingKit.forceCollide(52))
      .force("x", DrawingKit.forceX(this.width / 2).strength(this.slack(this.height / this.width)))
      .force("y", DrawingKit.forceY(this.height / 2).strength(this.slack(this.width / this.height)))
      .stop().tick(300);
    for (const node of this.nodes) this.places.set(node.key, { x: node.x, y: node.y });
    this.fit();
  }

  // How strongly nodes are drawn to the middle along a side: the less, the longer that side is.
  slack(shorter) { return 0.06 * Math.max(0.5, Math.min(2, shorter)); }

  // A drawing whose places were all saved is laid out by nobody, so it is fitted when it is first there.
  fitOnce() {
    if (this.fitted || !this.nodes.length) return;
    this.fitted = true;
    this.fit();
  }

  // Where a new node begins: by a neighbour that has a place, else in the middle; never two in the same place.
  beside(node) {
    const tie = this.links.find((link) => (link.head === node.key && this.places.has(link.tail)) || (link.tail === node.key && this.places.has(link.head)));
    const by = tie ? this.places.get(tie.head === node.key ? tie.tail : tie.head) : { x: this.width / 2, y: this.height / 2 };
    const at = this.nodes.indexOf(node);
    return { x: by.x + 60 * Math.cos(2.4 * at), y: by.y + 60 * Math.sin(2.4 * at) };
  }

  radius(node) {
    return node.size === null ? USUAL : SMALLEST + (LARGEST - SMALLEST) * Math.sqrt(node.size);
  }

  node(node) {
    const group = drawn("g", { class: "canvas-node", role: "button", tabindex: "-1", "aria-label": node.label, "data-key": node.key });
    group.append(drawn("title", {}, node.label), drawn("circle", { r: this.radius(node), class: `dot ${node.colour}` }));
    if (this.nodes.length <= MOST_NAMES) group.append(drawn("text", { class: "dot-name", y: this.radius(node) + 13 }, shortened(node.name, 22)));
    group.addEventListener("click", () => this.act.select(node));
    group.addEventListener("focus", () => group.classList.add("focused"));
    group.addEventListener("blur", () => group.classList.remove("focused"));
    DrawingKit.select(group).call(DrawingKit.drag().clickDistance(4)
      .container(() => this.svg.querySelector("#world"))
      .subject(() => ({ ...this.places.get(node.key) }))
      .on("drag", (event) => this.move(node.key, event.x, event.y))
      .on("end", () => this.act.moved()));
    return group;
  }

  link(link) {
    const group = drawn("g", { class: "canvas-link", "data-link": link.key });
    group.append(drawn("title", {}, link.label), drawn("path", { class: "tie-reach" }));
    group.append(drawn("path", { class: `tie tie-${link.width}`, "marker-end": "url(#tip)" }));
    if (this.links.length <= 14) group.append(drawn("text", { class: "tie-name" }, link.relation));
    group.addEventListener("click", () => this.act.selectLink(link));
    return group;
  }

  place() {
    const nodes = new Map(this.nodes.map((node) => [node.key, node]));
    for (const group of this.svg.querySelectorAll("#nodes > g")) {
      const { x, y } = this.places.get(group.dataset.key);
      group.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
    }
    this.svg.querySelectorAll("#links > g").forEach((group, at) => {
      const link = this.links[at];
      const [head, tail] = [this.places.get(link.head), this.places.get(link.tail)];
      const length = Math.hypot(tail.x - head.x, tail.y - head.y) || 1;
      const [across, down] = [(tail.x - head.x) / length, (tail.y - head.y) / length];
      const [start, end] = [this.radius(nodes.get(link.head)) + 2, this.radius(nodes.get(link.tail)) + 3];
      // several links between the same two nodes bend apart
      const bend = link.bend * 26;
      const middle = { x: (head.x + tail.x) / 2 - down * bend, y: (head.y + tail.y) / 2 + across * bend };
      const path = `M${head.x + across * start} ${head.y + down * start} Q${middle.x} ${middle.y} ${tail.x - across * end} ${tail.y - down * end}`;
      for (const line of group.querySelectorAll("path")) line.setAttribute("d", path);
      const text = group.querySelector("text");
      text?.setAttribute("x", middle.x);
      text?.setAttribute("y", middle.y);
    });
  }

  move(key, x, y) {
    this.places.set(key, { x, y });
    this.place();
  }

  mark(key) {
    for (const group of this.svg.querySelectorAll(".selected")) group.classList.remove("selected");
    this.svg.querySelector(`[data-key="${CSS.escape(key)}"], [data-link="${CSS.escape(key)}"]`)?.classList.add("selected");
  }

  zoomBy(factor) { DrawingKit.select(this.svg).call(this.zoom.scaleBy, factor); }

  fit() {
    const places = this.nodes.map((node) => this.places.get(node.key));
    if (!places.length) return DrawingKit.select(this.svg).call(this.zoom.transform, DrawingKit.zoomIdentity);
    const [left, right] = [Math.min(...places.map((p) => p.x)) - 80, Math.max(...places.map((p) => p.x)) + 80];
    const [top, bottom] = [Math.min(...places.map((p) => p.y)) - 40, Math.max(...places.map((p) => p.y)) + 50];
    const scale = Math.min(1.6, this.width / (right - left), this.height / (bottom - top));
    const middle = DrawingKit.zoomIdentity.translate(this.width / 2, this.height / 2).scale(scale).translate(-(left + right) / 2, -(top + bottom) / 2);
    return DrawingKit.select(this.svg).call(this.zoom.transform, middle);
  }

  key(event) {
    const focused = this.nodes.find((node) => node.key === event.target.dataset?.key);
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const step = steps[event.key];
    if (step && event.shiftKey && focused) {
      const { x, y } = this.places.get(focused.key);
      this.move(focused.key, x + step[0] * STEP, y + step[1] * STEP);
      this.act.moved();
    } else if (step) this.focus(this.towards(focused, step));
    else if (event.key === "+" || event.key === "=") this.zoomBy(1.3);
    else if (event.key === "-") this.zoomBy(1 / 1.3);
    else if (event.key === "0") this.fit();
    else if ((event.key === "Enter" || event.key === " ") && focused) this.act.select(focused);
    else if ((event.key === "Delete" || event.key === "Backspace") && focused) this.act.remove(focused);
    else return;
    event.preventDefault();
  }

  // The nearest node that lies in a direction from the one that has the focus.
  towards(focused, [across, down]) {
    if (!focused) return this.nodes[0];
    const from = this.places.get(focused.key);
    let best = null;
    let least = Infinity;
    for (const node of this.nodes) {
      const at = this.places.get(node.key);
      const along = (at.x - from.x) * across + (at.y - from.y) * down;
      const aside = Math.abs((at.x - from.x) * down) + Math.abs((at.y - from.y) * across);
      if (along > 1 && along + 2 * aside < least) [best, least] = [node, along + 2 * aside];
    }
    return best;
  }

  focus(node) {
    if (node) this.svg.querySelector(`[data-key="${CSS.escape(node.key)}"]`)?.focus();
  }
}
