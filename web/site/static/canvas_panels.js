"use strict";
// What stands beside the drawing: what is known of a node or link, filters, styles, and the tables.

const FOREVER = "9999-12-31";

function made(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

const button = (text, click, kind = "button button-small") => made("button", { type: "button", class: kind, onclick: click }, text);

class Inspector {
  constructor(root, app) {
    this.root = root;
    this.app = app;
    this.turn = 0;
  }

  nothing() {
    this.turn++;
    this.root.replaceChildren(made("p", { class: "muted" }, this.app.say.nothing_selected));
  }

  facts(properties) {
    const shown = Object.entries(properties).filter(([, value]) => value !== null && value !== "");
    return made("dl", { class: "facts" }, ...shown.flatMap(([name, value]) => [
      made("dt", {}, made("code", {}, name)),
      made("dd", {}, name === "current_until" && value === FOREVER ? this.app.say.still : this.app.number(value)),
    ]));
  }

  async node(node) {
    const turn = ++this.turn;
    const { say, scene } = this.app;
    const ways = made("div", { class: "canvas-ways" });
    const links = this.app.picture.relations.filter((tie) => keyOf(tie.head) === node.key || keyOf(tie.tail) === node.key);
    this.root.replaceChildren(
      made("h3", {}, node.name), made("p", { class: "muted" }, `${this.app.kind(node.kind)} ${node.ref.id}`),
      this.pageOf(node), this.facts(node.properties),
      made("h4", {}, say.expand), ways,
      ...(links.length ? [made("h4", {}, say.links), made("ul", { class: "canvas-links" }, ...links.map((tie) => made("li", {}, button(this.app.told(tie), () => this.app.selectTie(tie), "link-button"))))] : []),
      made("p", { class: "canvas-last" }, button(say.remove, () => this.app.remove(node))),
    );
    const found = await scene.ties(node.ref);
    if (turn === this.turn && found) ways.replaceChildren(...found.ties.map((tie) => this.way(node, tie)));
  }

  way(node, tie) {
    const { scene, say } = this.app;
    const asked = { node: node.ref, relation: tie.relation, outgoing: tie.outgoing };
    const at = scene.expansions.findIndex((each) => sameTie(each, asked));
    const arrow = tie.outgoing ? `${tie.relation} →` : `← ${tie.relation}`;
    if (at < 0) return button(`${arrow} ${this.app.number(tie.count)}`, () => scene.expand(node.ref, tie.relation, tie.outgoing).then(() => this.app.reselect()));
    const expansion = scene.expansions[at];
    const left = this.app.picture.more[at] ?? 0;
    const more = button(say.more.replace("{n}", left), () => scene.more(expansion).then(() => this.app.reselect()));
    if (expansion.most >= 50) more.disabled = true;
    const close = button("×", () => scene.close(expansion).then(() => this.app.reselect()));
    close.setAttribute("aria-label", `${say.close}: ${arrow}`);
    return made("span", { class: "canvas-open" }, made("code", {}, arrow), ...(left ? [more] : []), close);
  }

  pageOf(node) {
    const assets = this.app.root.dataset.assets;
    if (!assets || !["Stock", "Fund", "Bond"].includes(node.kind)) return "";
    const part = encodeURIComponent(node.ref.id.replaceAll("~", "~0").replaceAll("/", "~1"));
    return made("p", {}, made("a", { href: `${assets}${part}` }, this.app.say.page));
  }

  link(tie) {
    this.turn++;
    this.root.replaceChildren(
      made("h3", {}, made("code", {}, tie.relation)),
      made("p", {}, button(this.app.nameOf(tie.head), () => this.app.selectKey(keyOf(tie.head)), "link-button"), " → ", button(this.app.nameOf(tie.tail), () => this.app.selectKey(keyOf(tie.tail)), "link-button")),
      this.facts(tie.properties),
    );
  }
}

class Filters {
  constructor(field, word, changed) {
    this.field = field;
    this.word = word;
    this.changed = changed;
    this.hidden = new Set();
  }

  show(values) {
    const legend = this.field.querySelector("legend");
    this.field.hidden = !values.length;
    this.field.replaceChildren(legend, ...values.map((value) => {
      const box = made("input", { type: "checkbox", onchange: () => this.toggle(value, box.checked) });
      box.checked = !this.hidden.has(value);
      return made("label", {}, box, " ", this.word(value));
    }));
  }

  toggle(value, shown) {
    if (shown) this.hidden.delete(value);
    else this.hidden.add(value);
    this.changed();
  }
}

class Tables {
  constructor(root, app) {
    this.root = root;
    this.app = app;
  }

  show(nodes, links) {
    this.root.querySelector("#table-nodes tbody").replaceChildren(...nodes.map((node) => made("tr", {},
      made("td", {}, button(node.name, () => this.app.selectKey(node.key), "link-button")), made("td", {}, this.app.kind(node.kind)), made("td", {}, made("code", {}, node.ref.id)))));
    this.root.querySelector("#table-links tbody").replaceChildren(...links.map(({ tie }) => {
      const { weight, as_of, known_at, source } = tie.properties;
      return made("tr", {}, made("td", {}, this.app.nameOf(tie.head)), made("td", {}, button(tie.relation, () => this.app.selectTie(tie), "link-button")),
        made("td", {}, this.app.nameOf(tie.tail)), made("td", { class: "number" }, weight === undefined ? "" : this.app.number(weight)),
        ...[as_of, known_at, source].map((text) => made("td", {}, text ?? "")));
    }));
  }
}
