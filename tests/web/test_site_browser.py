"""The site in headless Chromium: clicking through, by keyboard alone, on a phone, on paper, and for everyone."""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from waitress.server import create_server

from pathfolio.kg.languages import language, languages
from pathfolio.recommender.build import Build
from pathfolio.web.listening import address_of, listen
from pathfolio.web.site import create_app
from pathfolio.web.site.access.samples import sample_access
from pathfolio.web.site.examples import typical_investor

sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install 'pathfolio[test]'")
pytestmark = pytest.mark.browser

CHROMIUM = os.environ.get("PATHFOLIO_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS = ["--headless", "--no-sandbox", "--disable-background-networking"]

AUDIT = """() => {
  const faults = [];
  const say = (what, node) => faults.push(what + ": " + node.outerHTML.slice(0, 120));
  const named = (node) => node.getAttribute("aria-label") || node.getAttribute("aria-labelledby")
    || node.querySelector(":scope > title") || node.getAttribute("alt");
  for (const node of document.querySelectorAll("img, svg")) {
    if (!node.closest("[aria-hidden=true]") && !named(node)) say("picture without a name", node);
  }
  for (const node of document.querySelectorAll("[aria-labelledby], [aria-describedby], [aria-controls]")) {
    for (const name of ["aria-labelledby", "aria-describedby", "aria-controls"]) {
      for (const id of (node.getAttribute(name) || "").split(" ").filter(Boolean)) {
        if (!document.getElementById(id)) say("points to nothing, " + id, node);
      }
    }
  }
  for (const node of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
    if (!node.labels.length && !node.getAttribute("aria-label")) say("field without a label", node);
  }
  for (const node of document.querySelectorAll("a, button")) {
    if (!node.hidden && !node.textContent.trim() && !node.getAttribute("aria-label")) say("nothing to read out", node);
  }
  const levels = [...document.querySelectorAll("h1, h2, h3, h4")].map((node) => Number(node.tagName[1]));
  if (levels.filter((level) => level === 1).length !== 1) faults.push("not one h1: " + levels);
  levels.forEach((level, i) => { if (i && level > levels[i - 1] + 1) faults.push("a level is skipped: " + levels); });
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  const twice = ids.filter((id, i) => ids.indexOf(id) !== i);
  if (twice.length) faults.push("ids twice: " + twice);
  for (const table of document.querySelectorAll("table")) {
    if (!table.querySelector("th")) say("table without headings", table);
  }
  return faults;
}"""
"""What axe would find first: names of pictures, labels of fields, order of headings, references that lead nowhere."""

CONTRAST = """() => {
  const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const [r, g, b, a = 1] = parse(getComputedStyle(node).backgroundColor);
      if (a > 0.99) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const faults = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    const seen = walker.currentNode.textContent.trim() && node.checkVisibility();
    if (!seen || node.closest("svg, .visually-hidden, .skip")) continue;
    const style = getComputedStyle(node);
    const pair = [luminance(parse(style.color)), luminance(behind(node))].sort((x, y) => y - x);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) faults.push(ratio.toFixed(2) + " " + node.outerHTML.slice(0, 100));
  }
  return faults;
}"""
"""WCAG 2.2, 1.4.3 (AA): text against the background behind it."""


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """The address of `app` while it runs."""
    listener = listen("127.0.0.1", 0)
    server = create_server(app, sockets=[listener], threads=4)
    threading.Thread(target=server.run, daemon=True).start()
    yield address_of(listener, "127.0.0.1")
    server.close()
    app.extensions["pathfolio_graph"].close()


@pytest.fixture(scope="module")
def address(build: Build) -> Iterator[str]:
    """Of the site as its owner sees it."""
    with serving(create_app(build)) as found:
        yield found


@pytest.fixture(scope="module")
def demo_address(build: Build) -> Iterator[str]:
    """Of the site with sample accounts."""
    with serving(create_app(build, sample_access(typical_investor(build.graph)))) as found:
        yield found


@pytest.fixture(scope="module")
def chromium() -> Iterator[sync_api.Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium: apt-get install chromium, or name one with PATHFOLIO_CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Tab:
    """A page of a fresh browser profile that collects what the console says."""

    def __init__(self, browser: sync_api.Browser, address: str, **options: object) -> None:
        settings = {"viewport": {"width": 1280, "height": 900}, "locale": "en", "base_url": address} | options
        self.context = browser.new_context(**settings)  # type: ignore[arg-type]
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def addresses(self) -> list[str]:
        """One page of each kind, found by following links from the home page."""
        self.page.goto("/")
        investor = str(self.page.locator(".tile a").first.get_attribute("href"))
        self.page.goto(investor)
        why = str(self.page.locator(".recommendation a").first.get_attribute("href"))
        self.page.goto(why)
        asset = str(self.page.locator(".crumbs a").nth(1).get_attribute("href"))
        return ["/", "/search?q=a", investor, why, asset]

    def record_addresses(self) -> list[str]:
        """The pages of records, once some lists have been shown."""
        self.addresses()
        self.page.goto("/records")
        self.page.fill("[name=purpose]", "test")
        self.page.locator("main form button").click()
        one, two = (str(self.page.locator(".records a:has(code)").nth(n).get_attribute("href")) for n in (0, 1))
        pair = f"a={one.rpartition('/')[2]}&b={two.rpartition('/')[2]}"
        pages = ["/records", "/records/statistics", one, "/records/compare"]
        return ["/records", *(f"{page}?{pair}" for page in pages)]


@pytest.fixture
def tab(chromium: sync_api.Browser, address: str) -> Iterator[Tab]:
    tab = Tab(chromium, address)
    yield tab
    tab.context.close()


def test_the_audits_find_faults(tab: Tab) -> None:
    tab.page.set_content("<h1>A</h1><h3>B</h3><svg></svg><input><a href='/'></a><p style='color: #999'>pale</p>")
    assert len(tab.page.evaluate(AUDIT)) == 4
    assert [fault[:4] for fault in tab.page.evaluate(CONTRAST)] == ["2.85"]


def test_clicking_through_from_a_name_to_the_evidence(tab: Tab) -> None:
    page = tab.page
    page.goto("/")
    page.locator(".tile a").first.click()
    name = page.locator("h1").inner_text()
    page.locator(".switch a", has_text="Funds").click()
    assert "kind=fund" in page.url
    fund = page.locator(".recommendation h3 a").first.inner_text()
    page.locator(".recommendation h3 a").first.click()
    assert page.locator("h1").inner_text() == f"Why {fund} is recommended to {name}"
    assert page.locator("svg.pf-picture").is_visible()
    page.locator(".links summary").first.click()
    assert page.locator(".links table").first.is_visible()
    page.locator(".cites a").first.click()
    assert re.search(r"#[pf][0-9a-f]{12}$", page.url)
    page.locator(".languages a", has_text="繁體中文").click()
    assert page.locator("html").get_attribute("lang") == "zh-TW"
    assert "kind=fund" in page.url
    page.locator(".crumbs a").nth(1).click()
    assert page.locator("html").get_attribute("lang") == "zh-TW"
    assert tab.errors == []


def test_by_keyboard_alone(tab: Tab) -> None:
    page = tab.page
    page.goto("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("INV00000")
    page.wait_for_selector(".suggestions li")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    chosen = page.locator("[aria-selected=true] code").inner_text()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/investors/{chosen}")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('.recommendation') !== null"):
            break
    ring = page.evaluate("getComputedStyle(document.activeElement, '::after').outlineStyle")
    assert ring == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url("**/assets/**")
    assert page.locator("h1").inner_text().startswith("Why ")
    assert tab.errors == []


def test_suggestions_close_and_the_form_works_without_them(tab: Tab) -> None:
    page = tab.page
    page.goto("/")
    page.fill("#q", "INV00000")
    page.wait_for_selector(".suggestions li")
    page.keyboard.press("Escape")
    assert page.locator(".suggestions").is_hidden()
    assert page.input_value("#q") == "INV00000"
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=INV00000")
    assert page.locator(".hits li").count() > 1


def test_everything_works_without_script(chromium: sync_api.Browser, address: str) -> None:
    tab = Tab(chromium, address, java_script_enabled=False)
    tab.page.goto("/")
    tab.page.fill("#q", "INV000002")
    tab.page.click("form button")
    tab.page.click(".hits a")
    tab.page.locator(".recommendation a").first.click()
    assert tab.page.locator("svg.pf-picture").is_visible()
    assert tab.page.locator("[data-print]").is_hidden()
    tab.context.close()


@dataclass(frozen=True)
class Visit:
    """One page of each kind, and what a browser keeps that has been there (the purpose of looking at records)."""

    urls: tuple[str, ...]
    why: str
    kept: sync_api.StorageState


@pytest.fixture(scope="module")
def visit(chromium: sync_api.Browser, address: str) -> Visit:
    tab = Tab(chromium, address)
    pages, records = tab.addresses(), tab.record_addresses()
    kept = tab.context.storage_state()
    tab.context.close()
    return Visit((*pages, *records), pages[3], kept)


@pytest.mark.parametrize("lang", languages())
def test_a_phone_scrolls_down_only(chromium: sync_api.Browser, address: str, visit: Visit, lang: str) -> None:
    tab = Tab(chromium, address, viewport={"width": 390, "height": 844}, locale=lang, storage_state=visit.kept)
    for url in visit.urls:
        tab.page.goto(url)
        assert tab.page.locator("html").get_attribute("lang") == lang
        wide = tab.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide == 0, url
        small = tab.page.evaluate(
            "[...document.querySelectorAll('main p, main li, main td')].filter(n => n.checkVisibility()"
            " && parseFloat(getComputedStyle(n).fontSize) < 12).length"
        )
        assert small == 0, url
    tab.context.close()


@pytest.mark.parametrize("lang", languages())
def test_for_everyone(chromium: sync_api.Browser, address: str, visit: Visit, lang: str) -> None:
    tab = Tab(chromium, address, locale=lang, storage_state=visit.kept, reduced_motion="reduce")
    others = [language(other).name for other in languages() if other != lang]
    for url in visit.urls:
        tab.page.goto(url)
        assert tab.page.evaluate(AUDIT) == [], url
        for scheme in ("light", "dark"):
            tab.page.emulate_media(color_scheme=scheme)
            assert tab.page.evaluate("matchMedia(`(prefers-color-scheme: dark)`).matches") == (scheme == "dark")
            assert tab.page.evaluate(CONTRAST) == [], (url, scheme)
        assert tab.page.title().endswith("· pathfolio")
        assert tab.page.locator(".languages a").all_inner_texts() == others
    assert tab.errors == []
    tab.context.close()


@pytest.mark.parametrize("lang", languages())
def test_a_recommendation_prints_on_one_page(
    chromium: sync_api.Browser, address: str, visit: Visit, lang: str, tmp_path: Path
) -> None:
    tab = Tab(chromium, address, locale=lang)
    tab.page.goto(visit.why)
    tab.page.pdf(path=str(tmp_path / "report.pdf"), prefer_css_page_size=True)
    pages = re.findall(rb"/Type\s*/Page\b", (tmp_path / "report.pdf").read_bytes())
    assert len(pages) == 1
    tab.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_each_role_are_for_everyone(chromium: sync_api.Browser, demo_address: str, scheme: str) -> None:
    tab = Tab(chromium, demo_address, color_scheme=scheme, viewport={"width": 390, "height": 844})
    page = tab.page
    for role, url in (("engineer", "/build"), ("administrator", "/accounts"), ("investor", "/")):
        page.goto("/sign-in")
        assert page.evaluate(AUDIT) == []
        assert page.evaluate(CONTRAST) == []
        page.locator(f"form:has(input[value={role}]) button").click()
        page.goto(url)
        assert page.evaluate(AUDIT) == [], url
        assert page.evaluate(CONTRAST) == [], url
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0, url
        page.locator("form.account button").click()
    assert tab.errors == []
    tab.context.close()
