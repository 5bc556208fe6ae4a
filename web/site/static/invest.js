"use strict";
// Controls that take effect at once. Without this file the form's button does.

const PAUSE = 250;

for (const form of document.querySelectorAll("form[data-live]")) {
  let timer = 0, turn = 0;

  const follow = async () => {
    const own = ++turn;
    const target = document.getElementById(form.dataset.live);
    const address = new URL(form.action);
    address.search = new URLSearchParams(new FormData(form));
    target.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, { headers: { Accept: "text/html" } });
      if (own !== turn) return;
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (own !== turn) return;
      const field = document.activeElement && target.contains(document.activeElement) ? document.activeElement.name : "";
      target.replaceChildren(...page.getElementById(form.dataset.live).childNodes);
      target.removeAttribute("aria-busy");
      if (field) target.querySelector(`[name="${CSS.escape(field)}"]`)?.focus();
      history.replaceState(null, "", address);
      const told = form.querySelector("[data-told]");
      if (told) told.textContent = target.querySelector("h2")?.textContent ?? "";
    } catch {
      if (own === turn) form.submit();
    }
  };

  const soon = (event) => {
    const field = event.target;
    if (field.form !== form || (field.type === "number" && !field.checkValidity())) return;
    clearTimeout(timer);
    timer = setTimeout(follow, event.type === "change" ? 0 : PAUSE);
  };
  // Each answer is recorded, so a slide asks once it is let go, and a number once it is written.
  document.addEventListener("input", (event) => { if (event.target.matches?.("input[type=number]")) soon(event); });
  document.addEventListener("change", (event) => { if (event.target.matches?.("select, input[type=range]")) soon(event); });

  for (const field of form.querySelectorAll("input[data-slide]")) {
    const slide = document.createElement("input");
    slide.type = "range";
    slide.min = field.min;
    slide.max = field.dataset.slide;
    slide.value = field.value;
    slide.setAttribute("aria-label", form.querySelector(`label[for="${field.id}"]`).textContent);
    field.after(slide);
    slide.addEventListener("input", () => { field.value = slide.value; });
    field.addEventListener("input", () => { slide.value = field.value; });
  }
}
