"use strict";
// A trend: what lies under the pointer, or is chosen by arrow keys, is read out below it; another range takes its
// place without asking for the whole page. Without this file the links of the ranges do that.

const SVG = "http://www.w3.org/2000/svg";

const follow = (figure) => {
  const { days, x, levels } = JSON.parse(figure.dataset.trend);
  const svg = figure.querySelector("svg");
  const told = figure.querySelector("[data-told]");
  const names = [...figure.querySelectorAll("[data-line]")].map((node) => node.textContent);
  const cursor = document.createElementNS(SVG, "path");
  cursor.setAttribute("class", "cursor");
  svg.append(cursor);
  let at = days.length - 1;

  const show = (place) => {
    at = Math.min(Math.max(place, 0), days.length - 1);
    cursor.setAttribute("d", `M${x[at]} 14V354`);
    const parts = names.map((name, line) => {
      const part = document.createElement("span");
      const level = document.createElement("b");
      level.textContent = levels[line][at].toLocaleString(document.documentElement.lang, { minimumFractionDigits: 1 });
      part.append(` · ${name} `, level);
      return part;
    });
    told.replaceChildren(days[at], ...parts);
  };

  const nearest = (event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    let best = 0;
    x.forEach((place, i) => { if (Math.abs(place - point.x) < Math.abs(x[best] - point.x)) best = i; });
    return best;
  };

  svg.addEventListener("pointermove", (event) => show(nearest(event)));
  svg.addEventListener("pointerdown", (event) => show(nearest(event)));
  svg.addEventListener("pointerleave", () => { cursor.removeAttribute("d"); told.replaceChildren(); });
  svg.setAttribute("tabindex", "0");
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20, Home: -days.length, End: days.length }[event.key];
    if (!step) return;
    event.preventDefault();
    told.removeAttribute("aria-hidden");
    told.setAttribute("role", "status");
    show(at + step);
  });
};

for (const figure of document.querySelectorAll("[data-trend]")) follow(figure);

for (const ranges of document.querySelectorAll("[data-ranges]")) {
  ranges.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-from]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    const old = document.getElementById(ranges.dataset.ranges);
    old.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(link.dataset.from, { headers: { Accept: "text/html" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = document.adoptNode(page.getElementById(ranges.dataset.ranges));
      old.replaceWith(fresh);
      if (fresh.dataset.trend) follow(fresh);
      for (const each of ranges.querySelectorAll("a")) each.removeAttribute("aria-current");
      link.setAttribute("aria-current", "true");
    } catch {
      location.assign(link.href);
    }
  });
}
