"""The workspace in headless Chromium: controls that take effect at once, a trend read off, on a phone, on paper."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
from flask import Flask

from pathfolio.kg.languages import languages
from pathfolio.kg.schema import NodeKind
from pathfolio.recommender.build import Build
from pathfolio.web.site.pages.plan import STEPS
from tests.web.priced_site import holder, priced_app, priced_build
from tests.web.test_site_axe import RUN
from tests.web.test_site_browser import AUDIT, CONTRAST, Tab, chromium, serving

__all__ = ["chromium", "priced_app", "priced_build"]  # fixtures

sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install 'pathfolio[test]'")
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(priced_app: Flask) -> Iterator[str]:
    with serving(priced_app) as found:
        yield found


def every_page(build: Build) -> list[str]:
    """Those of `pages`, and all steps of the plan."""
    plan = f"/investors/{holder(build)}/plan?step="
    return [*pages(build), *(plan + step for step in STEPS), pages(build)[1].replace("risk_parity", "own")]


def pages(build: Build) -> list[str]:
    user = holder(build)
    asset = str(build.graph.nodes.id[build.graph.rows(NodeKind.STOCK)[3]])
    return [f"/investors/{user}/{page}" for page in ("charts", "portfolio?split=risk_parity")] + [
        f"/investors/{user}/assets/{asset}"
    ]


def test_a_control_changes_the_figures_without_leaving_the_page(
    chromium: sync_api.Browser, address: str, priced_build: Build
) -> None:
    tab = Tab(chromium, address)
    page = tab.page
    page.goto(pages(priced_build)[1], wait_until="networkidle")
    page.evaluate("window.stayed = true")
    before = page.locator(".compare").inner_text()
    slide = page.locator("input[type=range]")
    slide.focus()
    slide.press("End")
    page.wait_for_function("text => document.querySelector('.compare').innerText !== text", arg=before)
    assert page.locator("#budget").input_value() == "100"
    assert "budget=100" in page.url
    page.select_option("#split", "own")
    page.wait_for_selector("input.amount")
    page.locator("input.amount").first.fill("50")
    page.wait_for_function("() => document.querySelector('.purchases td').innerText.startsWith('100')")
    assert page.evaluate("window.stayed")
    assert tab.errors == []
    tab.context.close()


def test_controls_work_without_script(chromium: sync_api.Browser, address: str, priced_build: Build) -> None:
    tab = Tab(chromium, address, java_script_enabled=False)
    page = tab.page
    page.goto(pages(priced_build)[1])
    before = page.locator(".compare").inner_text()
    page.fill("#budget", "90")
    page.locator(".controls-do button").click()
    assert page.locator(".compare").inner_text() != before
    tab.context.close()


def test_a_trend_is_read_off_by_mouse_and_keyboard(
    chromium: sync_api.Browser, address: str, priced_build: Build
) -> None:
    tab = Tab(chromium, address)
    page = tab.page
    page.goto(pages(priced_build)[2], wait_until="networkidle")
    page.evaluate("window.stayed = true")
    drawing = page.locator("#trend-figure > svg")
    drawing.scroll_into_view_if_needed()
    drawing.hover(position={"x": 300, "y": 100})
    assert page.locator("[data-told]").inner_text().startswith("20")
    drawing.focus()
    page.keyboard.press("Home")
    first = page.locator("[data-told]").inner_text()
    page.keyboard.press("ArrowRight")
    assert page.locator("[data-told]").inner_text() != first
    page.locator(".ranges a").nth(3).click()
    page.wait_for_selector(".ranges a:nth-child(4)[aria-current]")
    page.locator("#trend-figure > svg").focus()
    page.keyboard.press("Home")
    assert page.locator("[data-told]").inner_text()[:4] == "2025"
    assert page.evaluate("window.stayed")
    assert tab.errors == []
    tab.context.close()


@pytest.mark.parametrize("lang", languages())
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_are_for_everybody(
    chromium: sync_api.Browser, address: str, priced_build: Build, lang: str, width: int
) -> None:
    tab = Tab(chromium, address, locale=lang, viewport={"width": width, "height": 800})
    axe = pytest.importorskip("axe_playwright_python", reason="no axe: pip install 'pathfolio[test]'")
    script = resources.files(axe).joinpath("axe.min.js").read_text(encoding="utf-8")
    for each in every_page(priced_build):
        tab.page.goto(each, wait_until="networkidle")
        if lang != "zh-CN":
            tab.page.evaluate(script)
            assert tab.page.evaluate(RUN) == [], each
        assert tab.page.evaluate(AUDIT) == [], each
        assert tab.page.evaluate(CONTRAST) == [], each
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= width, each
    assert tab.errors == []
    tab.context.close()


def test_charts_print(chromium: sync_api.Browser, address: str, priced_build: Build, tmp_path: Path) -> None:
    tab = Tab(chromium, address)
    tab.page.goto(pages(priced_build)[0])
    tab.page.pdf(path=str(tmp_path / "charts.pdf"), prefer_css_page_size=True)
    pypdf = pytest.importorskip("pypdf")
    text = "\n".join(page.extract_text() for page in pypdf.PdfReader(str(tmp_path / "charts.pdf")).pages)
    assert "Return against risk" in text
    assert "correlation" in text
    assert "As a table" in text
    assert "which rules" in text
    assert "the best third" in text, "what is folded away on the screen stands on paper"
    tab.context.close()
