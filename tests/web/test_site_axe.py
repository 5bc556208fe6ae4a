"""Every kind of page, as every role, holds all that axe-core checks, what it calls moderate or minor included."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from importlib import resources
from itertools import product, zip_longest
from typing import Any, Final
from urllib.parse import quote

import pytest

from pathfolio.kg.languages import languages
from pathfolio.recommender.build import Build
from pathfolio.web.site import create_app
from pathfolio.web.site.access.roles import AccountRole
from pathfolio.web.site.access.samples import sample_access
from pathfolio.web.site.examples import typical_investor
from pathfolio.web.site.pages.plan import STEPS
from tests.web.crawling import addresses, visitor
from tests.web.test_site_browser import Tab, chromium, serving

__all__ = ["chromium"]  # a fixture

sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install 'pathfolio[test]'")
axe = pytest.importorskip("axe_playwright_python", reason="no axe: pip install 'pathfolio[test]'")
pytestmark = pytest.mark.browser

SECONDS: Final = 45.0
FEWEST: Final = 6
"""Page states that are looked at in that time even where much else is at work."""

SIZES: Final = ((1280, 900), (390, 844))
SAMPLE: Final = (("en", SIZES[0]), ("zh-TW", SIZES[1]))
"""Language and screen that are looked at within `SECONDS`; each with each, of every page, with PATHFOLIO_AXE=all."""

RUN: Final = """() => axe.run(document, {resultTypes: ["violations"]}).then((found) => found.violations.map((each) =>
  each.id + " (" + each.impact + "): " + each.nodes.slice(0, 3).map((node) => node.html.slice(0, 120)).join(" | ")))"""
OPEN: Final = """() => { const folded = [...document.querySelectorAll("details:not([open])")];
  folded.forEach((each) => { each.open = true; }); return folded.length; }"""

Pages = list[tuple[AccountRole, str]]


def empty_and_refused(role: AccountRole, own: str, asset: str) -> list[str]:
    """States that no link leads to: steps, a list that changes, a search without a find, what is refused or absent."""
    workspace = f"/investors/{own}"
    steps = [f"{workspace}/plan?step={step}" for step in STEPS]
    return {
        AccountRole.INVESTOR: [
            f"{workspace}/what-if?follow={asset}",
            *steps,
            f"{workspace}/portfolio?split=own",
            f"{workspace}/portfolio?budget=x",
        ],
        AccountRole.COMPLIANCE: [*steps, "/records?investor=zzzz", "/investors/nobody", "/assets?q=zzzz"],
        AccountRole.ANALYST: ["/graph/canvas?find=zzzz", "/records", workspace],
        AccountRole.ENGINEER: ["/assets/nothing", "/accounts"],
        AccountRole.ADMINISTRATOR: ["/build", "/assets/compare"],
    }[role]


@pytest.fixture(scope="module")
def site(build: Build) -> Iterator[tuple[str, Pages]]:
    """The address of the site with sample accounts, and an address of each kind of page, role by role in turn."""
    own = typical_investor(build.graph)
    asset = quote(str(build.graph.asset_ids[-1]), safe="")
    app = create_app(build, sample_access(own))
    app.config["TESTING"] = True
    with serving(app) as address:
        found = [
            [(role, url) for url in (*addresses(visitor(app, role), "en"), *empty_and_refused(role, own, asset))]
            for role in AccountRole
        ]
        yield address, [each for turn in zip_longest(*found) for each in turn if each is not None]


def states(page: sync_api.Page, script: str) -> Iterator[tuple[str, list[Any]]]:
    """What axe finds on a page as it comes, and once more with all that is folded away opened."""
    page.evaluate(script)
    yield "as it comes", page.evaluate(RUN)
    if page.evaluate(OPEN):
        yield "opened", page.evaluate(RUN)


def test_axe_finds_nothing(chromium: sync_api.Browser, site: tuple[str, Pages]) -> None:
    address, pages = site
    script = resources.files(axe).joinpath("axe.min.js").read_text(encoding="utf-8")
    is_whole = os.environ.get("PATHFOLIO_AXE") == "all"
    until = time.monotonic() + (86_400 if is_whole else SECONDS)
    faults: dict[str, Any] = {}
    looked: Counter[str] = Counter()
    for lang, size in sorted(product(languages(), SIZES), key=SAMPLE.__contains__)[::-1] if is_whole else SAMPLE:
        tabs = {role: tab_of(chromium, address, role, lang, *size) for role in AccountRole}
        for role, url in pages:
            if time.monotonic() > until:
                break
            page = tabs[role].page
            page.goto(url, wait_until="load")
            for state, found in states(page, script):
                looked[f"{role.value} {state}"] += 1
                if found:
                    faults[f"{role.value} {lang} {size[0]} {url} {state}"] = found
                    sys.stderr.write(f"{role.value} {lang} {size[0]} {url} {state}: {found}\n")
        for tab in tabs.values():
            tab.context.close()
        sys.stderr.write(f"{lang} {size[0]}: {looked.total()} page states so far\n")
    sys.stderr.write(f"{looked.total()} page states: {dict(looked)}\n")
    assert faults == {}
    assert looked.total() >= FEWEST


def tab_of(browser: sync_api.Browser, address: str, role: AccountRole, lang: str, width: int, height: int) -> Tab:
    """A tab in which the sample's account of a role has signed in."""
    size, purpose = {"width": width, "height": height}, {"Pathfolio-Purpose": "test"}
    tab = Tab(browser, address, viewport=size, locale=lang, extra_http_headers=purpose)
    tab.page.goto("/sign-in")
    tab.page.locator(f"form:has(input[value={role.value}]) button").click()
    tab.page.wait_for_load_state()
    return tab
