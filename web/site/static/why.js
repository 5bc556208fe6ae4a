"use strict";
// Answers to "why not that" and "what would change it" come onto the page; without this file each is a page of its own.
(() => {

const PATIENCE = 100;

async function answered(place, address) {
  const asked = (place.asked = {});
  place.setAttribute("aria-busy", "true");
  const waiting = setTimeout(() => { if (place.asked === asked) place.replaceChildren(said("waiting", place.dataset.working)); }, PATIENCE);
  let found = null;
  try {
    const response = await fetch(address, { headers: { Accept: "text/html" }, credentials: "same-origin" });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    found = page.querySelector("[data-answer]") ?? page.querySelector("main");
    if (found) found = document.importNode(found, true);
  } catch { found = null; }
  clearTimeout(waiting);
  if (place.asked !== asked) return;
  place.removeAttribute("aria-busy");
  place.replaceChildren(found ?? said("failure", place.dataset.failed));
}

function said(kind, text) {
  const line = document.createElement("p");
  line.className = kind;
  line.setAttribute("role", "status");
  line.textContent = text;
  return line;
}

for (const asks of document.querySelectorAll("[data-ask]")) {
  const place = document.getElementById(asks.dataset.ask);
  if (!place) continue;
  asks.addEventListener(asks.tagName === "FORM" ? "submit" : "click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    answered(place, asks.tagName === "FORM" ? `${asks.action}?${new URLSearchParams(new FormData(asks))}` : asks.href);
  });
}
})();
