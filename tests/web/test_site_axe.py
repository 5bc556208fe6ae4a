"""Every kind of page, as every role, holds all that axe-core checks, what it calls moderate or minor included."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from importlib import resources
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

SECONDS: Final = 55.0
DESKTOP: Final = {"width": 1280, "height": 900}
PHONE: Final = {"width": 390, "height": 844}
WAYS: Final = (("en", DESKTOP), ("zh-TW", PHONE), ("zh-TW", DESKTOP), ("en", PHONE))
"""How a page is looked at: the first two always, the rest with PATHFOLIO_AXE=all, without a bound of time."""

RUN: Final = """() => axe.run(document, {resultTypes: ["violations"]}).then((found) => found.violations.map((each) =>
  each.id + " (" + each.impact + "): " + each.nodes.slice(0, 3).map((node) => node.html.slice(0, 120)).join(" | ")))"""


@pytest.fixture(scope="module")
def site(build: Build) -> Iterator[tuple[str, dict[AccountRole, list[str]]]]:
    """The address of the site with sample accounts, and one address of each kind of page that a role can open."""
    app = create_app(build, sample_access(typical_investor(build.graph)))
    app.config["TESTING"] = True
    found = {role: addresses(visitor(app, role), "en") for role in AccountRole}
    with serving(app) as address:
        yield address, found


def test_axe_finds_nothing(chromium: sync_api.Browser, site: tuple[str, dict[AccountRole, list[str]]]) -> None:
    address, pages = site
    script = resources.files(axe).joinpath("axe.min.js").read_text(encoding="utf-8")
    is_whole = os.environ.get("PATHFOLIO_AXE") == "all"
    until = time.monotonic() + (10**6 if is_whole else SECONDS)
    faults: dict[str, Any] = {}
    looked, seen = 0, set[str]()
    for lang, size in WAYS[: None if is_whole else 2]:
        for role in AccountRole:
            tab = Tab(chromium, address, viewport=size, locale=lang, extra_http_headers={"Pathfolio-Purpose": "test"})
            tab.page.goto("/sign-in")
            tab.page.locator(f"form:has(input[value={role.value}]) button").click()
            for url in pages[role]:
                kind = f"{lang} {size['width']} {url}"
                if time.monotonic() > until or kind in seen:
                    continue
                seen.add(kind)
                tab.page.goto(url)
                tab.page.evaluate(script)
                found = tab.page.evaluate(RUN)
                looked += 1
                if found:
                    faults[f"{role.value} {kind}"] = found
            tab.context.close()
    assert faults == {}
    assert looked >= 30
