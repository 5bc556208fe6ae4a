"use strict";
// Suggestions while typing, and the print button. Every page works without this file.

const DELAY = 150;

class Suggestions {
  constructor(form) {
    this.form = form;
    this.input = form.querySelector("input[type=search]");
    this.list = document.createElement("ul");
    this.list.className = "suggestions";
    this.list.id = "suggestions";
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", form.querySelector("label").textContent);
    this.list.hidden = true;
    form.append(this.list);
    this.chosen = -1;
    this.asked = 0;
    this.timer = 0;
    for (const [name, value] of [["role", "combobox"], ["aria-expanded", "false"], ["aria-controls", "suggestions"], ["aria-autocomplete", "list"]]) {
      this.input.setAttribute(name, value);
    }
    this.input.addEventListener("input", () => this.schedule());
    this.input.addEventListener("keydown", (event) => this.key(event));
    form.addEventListener("focusout", (event) => { if (!form.contains(event.relatedTarget)) this.close(); });
  }

  schedule() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), DELAY);
  }

  async ask() {
    const query = this.input.value.trim();
    const turn = ++this.asked;
    if (!query) return this.close();
    const address = new URL(this.form.action);
    address.search = new URLSearchParams({ q: query, limit: 6, format: "json" });
    try {
      const answer = await fetch(address, { headers: { Accept: "application/json" } });
      if (answer.ok && turn === this.asked) this.show(await answer.json());
    } catch {
      this.close();
    }
  }

  show(found) {
    const options = [
      ...found.investors.map((node) => [node, "investors"]),
      ...found.assets.map((node) => [node, "assets"]),
    ];
    this.list.replaceChildren(...options.map(([node, group], at) => this.option(node, group, at)));
    this.chosen = -1;
    this.list.hidden = options.length === 0;
    this.input.setAttribute("aria-expanded", String(options.length > 0));
    this.input.removeAttribute("aria-activedescendant");
  }

  option(node, group, at) {
    const item = document.createElement("li");
    item.id = `suggestion-${at}`;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", "false");
    const name = document.createElement("span");
    name.textContent = node.name;
    const id = document.createElement("code");
    id.textContent = node.id.length > 18 ? `${node.id.slice(0, 17)}…` : node.id;
    item.append(name, id);
    const id_part = node.id.replaceAll("~", "~0").replaceAll("/", "~1");
    item.dataset.address = new URL(`/${group}/${encodeURIComponent(id_part)}`, location.href).href;
    item.addEventListener("pointerdown", (event) => { event.preventDefault(); location.assign(item.dataset.address); });
    return item;
  }

  key(event) {
    const options = [...this.list.children];
    if (event.key === "Escape" && !this.list.hidden) {
      event.preventDefault();
      this.close();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && options.length) {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.choose(options, (this.chosen + step + options.length + (this.chosen < 0 && step < 0 ? 1 : 0)) % options.length);
    } else if (event.key === "Enter" && this.chosen >= 0 && !this.list.hidden) {
      event.preventDefault();
      location.assign(options[this.chosen].dataset.address);
    }
  }

  choose(options, at) {
    this.chosen = at;
    options.forEach((option, i) => option.setAttribute("aria-selected", String(i === at)));
    options[at].scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", options[at].id);
  }

  close() {
    this.asked++;
    this.list.hidden = true;
    this.chosen = -1;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }
}

for (const form of document.querySelectorAll("[data-suggest]")) new Suggestions(form);

for (const form of document.querySelectorAll("[data-editor]")) {
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
