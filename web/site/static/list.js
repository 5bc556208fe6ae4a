"use strict";
// Sorts a list where it stands, without asking the site again. Without this file the links of its headings do.

for (const table of document.querySelectorAll("table[data-sortable]")) {
  const headings = [...table.tHead.querySelectorAll("th")];
  const value = (body, name) => {
    if (name === "rank") return Number(body.dataset.rank);
    const text = body.querySelector(`[data-column="${name}"]`).dataset.value;
    return text === undefined ? null : Number(text);
  };
  table.tHead.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-sort]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    const heading = link.closest("th");
    const before = heading.getAttribute("aria-sort");
    const order = before ? (before === "ascending" ? -1 : 1) : (link.dataset.sort === "rank" ? 1 : -1);
    const rows = [...table.tBodies].map((body) => [value(body, link.dataset.sort), Number(body.dataset.rank), body]);
    rows.sort(([a, rank], [b, other]) => (a === null) - (b === null) || (a === null ? 0 : order * (a - b)) || rank - other);
    table.append(...rows.map(([, , body]) => body));
    for (const each of headings) each.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", order > 0 ? "ascending" : "descending");
  });
}
