"""Every kind of page, as every role, holds all that axe-core checks, what it calls moderate or minor included."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from importlib import resources
from itertools import zip_longest
from typing import Any, Final

import pytest

from pathfolio.recommender.build import Build
from pathfolio.web.site import create_app
from pathfolio.web.site.access.roles import AccountRole
from pathfolio.web.site.access.samples import sample_access
from pathfolio.web.site.examples import typical_investor
from tests.web.crawling import addresses, visitor
from tests.web.test_site_browser import Tab, chromium, serving

__all__ = ["chromium"]  # a fixture

sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install 'pathfolio[test]'")
axe = pytest.importorskip("axe_playwright_python", reason="no axe: pip install 'pathfolio[test]'")
pytestmark = pytest.mark.browser

SECONDS: Final = 45.0
FEWEST: Final = 6
"""Page states that are looked at in that time even where much else is at work."""

WAYS: Final = (("en", (1280, 900)), ("zh-TW", (390, 844)), ("zh-TW", (1280, 900)), ("en", (390, 844)))
"""Language and screen: the first two within `SECONDS`; all, of every page, with PATHFOLIO_AXE=all."""

RUN: Final = """() => axe.run(document, {resultTypes: ["violations"]}).then((found) => found.violations.map((each) =>
  each.id + " (" + each.impact + "): " + each.nodes.slice(0, 3).map((node) => node.html.slice(0, 120)).join(" | ")))"""

Pages = list[tuple[AccountRole, str]]


@pytest.fixture(scope="module")
def site(build: Build) -> Iterator[tuple[str, Pages]]:
    """The address of the site with sample accounts, and an address of each kind of page, role by role in turn."""
    app = create_app(build, sample_access(typical_investor(build.graph)))
    app.config["TESTING"] = True
    with serving(app) as address:
        found = [[(role, url) for url in addresses(visitor(app, role), "en")] for role in AccountRole]
        yield address, [each for turn in zip_longest(*found) for each in turn if each is not None]


def test_axe_finds_nothing(chromium: sync_api.Browser, site: tuple[str, Pages]) -> None:
    address, pages = site
    script = resources.files(axe).joinpath("axe.min.js").read_text(encoding="utf-8")
    is_whole = os.environ.get("PATHFOLIO_AXE") == "all"
    until = time.monotonic() + (86_400 if is_whole else SECONDS)
    faults: dict[str, Any] = {}
    looked = 0
    for lang, (width, height) in WAYS[: None if is_whole else 2]:
        tabs = {role: tab_of(chromium, address, role, lang, width, height) for role in AccountRole}
        for role, url in pages:
            if time.monotonic() > until:
                break
            page = tabs[role].page
            page.goto(url, wait_until="load")
            page.evaluate(script)
            found = page.evaluate(RUN)
            looked += 1
            if found:
                faults[f"{role.value} {lang} {width} {url}"] = found
        for tab in tabs.values():
            tab.context.close()
    assert faults == {}
    assert looked >= FEWEST


def tab_of(browser: sync_api.Browser, address: str, role: AccountRole, lang: str, width: int, height: int) -> Tab:
    """A tab in which the sample's account of a role has signed in."""
    size, purpose = {"width": width, "height": height}, {"Pathfolio-Purpose": "test"}
    tab = Tab(browser, address, viewport=size, locale=lang, extra_http_headers=purpose)
    tab.page.goto("/sign-in")
    tab.page.locator(f"form:has(input[value={role.value}]) button").click()
    return tab
