"use strict";
// What is on the canvas: nodes, expansions and a day, as the server takes them, and the picture that it makes of them.

const KEPT_PICTURES = 60;
const START_DELAY = 3000;

const keyOf = (ref) => `${ref.kind}:${ref.id}`;
const sameTie = (a, b) => keyOf(a.node) === keyOf(b.node) && a.relation === b.relation && a.outgoing === b.outgoing;

class Scene {
  constructor(root, changed, failed) {
    this.changed = changed;
    this.failed = failed;
    this.last = root.dataset.last;
    this.pictures = new Map();
    this.turn = 0;
    this.clear();
    this.take(JSON.parse(root.dataset.scene));
  }

  clear() {
    this.nodes = [];
    this.expansions = [];
    this.day = null;
    this.days = [];
    this.picture = null;
  }

  take(asked) {
    this.nodes = asked.nodes ?? [];
    this.expansions = asked.expansions ?? [];
    this.day = asked.day ?? null;
  }

  get asked() {
    return { nodes: this.nodes, expansions: this.expansions, day: this.day };
  }

  add(ref) {
    if (!this.nodes.some((each) => keyOf(each) === keyOf(ref))) this.nodes.push(ref);
    return this.refresh();
  }

  remove(ref) {
    this.nodes = this.nodes.filter((each) => keyOf(each) !== keyOf(ref));
    this.expansions = this.expansions.filter((each) => keyOf(each.node) !== keyOf(ref));
    // what an expansion brought would come back with it: the others stay as nodes of their own
    const brought = this.picture?.nodes.map((each) => each.ref).filter((each) => keyOf(each) !== keyOf(ref)) ?? [];
    const bringing = this.expansions.filter((each) => this.brings(each, ref));
    if (bringing.length) {
      this.expansions = this.expansions.filter((each) => !bringing.includes(each));
      this.nodes = brought;
    }
    return this.refresh();
  }

  brings(expansion, ref) {
    const [from, to] = expansion.outgoing ? ["head", "tail"] : ["tail", "head"];
    return this.picture?.relations.some((tie) => tie.relation === expansion.relation
      && keyOf(tie[from]) === keyOf(expansion.node) && keyOf(tie[to]) === keyOf(ref));
  }

  expand(node, relation, outgoing) {
    this.expansions.push({ node, relation, outgoing, most: 20 });
    return this.refresh();
  }

  more(expansion) {
    expansion.most = Math.min(expansion.most + 20, 50);
    return this.refresh();
  }

  close(expansion) {
    this.expansions = this.expansions.filter((each) => !sameTie(each, expansion));
    return this.refresh();
  }

  async refresh() {
    const turn = ++this.turn;
    if (!this.nodes.length) {
      this.clear();
      return this.changed();
    }
    const asked = JSON.stringify(this.asked);
    const picture = this.pictures.get(asked) ?? await this.fetch("/graph/picture", asked, () => turn === this.turn);
    if (turn !== this.turn || !picture) return undefined;
    this.pictures.set(asked, picture);
    if (this.pictures.size > KEPT_PICTURES) this.pictures.delete(this.pictures.keys().next().value);
    this.picture = picture;
    this.gather(picture.days);
    return this.changed();
  }

  // Other days have other neighbours, whose links come and go on days of their own: all that were met stay, and the last.
  gather(days) {
    const scene = JSON.stringify([this.nodes, this.expansions]);
    if (scene !== this.daysOf) this.days = [];
    this.daysOf = scene;
    this.days = [...new Set([...this.days, ...days, this.last])].sort();
  }

  ties(ref) {
    const given = new URLSearchParams({ kind: ref.kind, id: ref.id, day: this.day ?? "" });
    return this.fetch(`/graph/ties?${given}`);
  }

  find(query, kind) {
    return this.fetch(`/graph/find?${new URLSearchParams({ q: query, kind })}`);
  }

  // The JSON of an answer; null where there is none, which has been told. A server that starts is asked again.
  async fetch(address, body, wanted = () => true) {
    const headers = { Accept: "application/json" };
    const how = body === undefined ? { headers } : { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body };
    for (;;) {
      let answer;
      try {
        answer = await fetch(address, how);
      } catch (error) {
        this.failed(error.message);
        return null;
      }
      const found = await answer.json().catch(() => ({}));
      if (answer.ok) {
        this.failed("");
        return found;
      }
      this.failed([found.error ?? found.title, found.remedy].filter(Boolean).join(": ") || answer.statusText);
      if (answer.status !== 503 || !wanted()) return null;
      await new Promise((resolve) => { setTimeout(resolve, START_DELAY); });
    }
  }
}
