"""The canvas in headless Chromium: by pointer, by keyboard, on a phone, with everything that a reader needs."""

from __future__ import annotations

import time

import pytest

from tests.web.test_site_browser import Tab, address, chromium

sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install 'pathfolio[test]'")
pytestmark = pytest.mark.browser
__all__ = ["address", "chromium"]

DAY = "document.querySelector('#canvas').canvas.picture.day"
LINKS = "document.querySelectorAll('#links > g').length"
START = 180_000
"""Milliseconds that the graph server may take to start."""


def opened(tab: Tab, fund: str) -> sync_api.Page:
    """The canvas with a fund and what it holds."""
    page = tab.page
    page.goto("/graph/canvas")
    page.fill("#find", fund)
    page.locator("#found li button").first.click()
    page.wait_for_selector(".canvas-ways button", timeout=START)
    page.locator(".canvas-ways button", has_text="INVESTS_IN →").click()
    page.wait_for_selector(".canvas-open")
    return page


def until(page: sync_api.Page, expression: str, expected: object) -> None:
    """Wait until an expression has a value."""
    end = time.monotonic() + 30
    while (found := page.evaluate(expression)) != expected:
        assert time.monotonic() < end, f"{expression} is {found}, not {expected}"
        page.wait_for_timeout(50)


def links(page: sync_api.Page) -> list[str]:
    return page.locator("#links title").all_text_contents()


def test_a_fund_is_found_opened_filtered_and_followed_in_time(chromium: sync_api.Browser, address: str) -> None:
    tab = Tab(chromium, address)
    page = opened(tab, "FUND-004")
    assert page.locator("#nodes > g").count() > 3
    drawn = links(page)
    assert any("INVESTS_IN" in each for each in drawn)
    assert int(str(page.locator("#day").get_attribute("max"))) > 1
    days = page.evaluate("document.querySelector('#canvas').canvas.scene.days")
    page.click("#day-before")
    until(page, DAY, days[-2])
    page.locator("#day").fill("0")
    until(page, DAY, days[0])
    assert links(page) != drawn
    assert page.locator("#day-shown").inner_text() in page.locator("#canvas-status").inner_text()
    page.locator("#day").fill(str(page.locator("#day").get_attribute("max")))
    until(page, LINKS, len(drawn))
    page.locator("#filter-kinds label", has_text="Stock").locator("input").uncheck()
    assert page.locator("#nodes > g[aria-label^=Stock]").count() == 0
    page.locator("#filter-kinds label", has_text="Stock").locator("input").check()
    page.select_option("#size", "weight")
    sizes = {str(each.get_attribute("r")) for each in page.locator("#nodes circle").all()}
    assert len(sizes) > 2
    page.select_option("#colour", "degree")
    assert page.locator("#nodes circle[class*=level]").count() == page.locator("#nodes > g").count()
    page.locator("#table-links button").first.evaluate("each => each.click()")
    assert {"as_of", "known_at", "source", "current_from"} <= set(page.locator("#inspector dt").all_inner_texts())
    address_now = page.url
    page.goto(address_now)  # the address holds the scene
    until(page, LINKS, len(drawn))
    assert [error for error in tab.errors if "503" not in error] == []  # while the server starts
    tab.context.close()


def test_by_keyboard_and_wheel(chromium: sync_api.Browser, address: str) -> None:
    tab = Tab(chromium, address)
    page = opened(tab, "FUND-004")
    page.focus("#drawing")
    page.keyboard.press("ArrowRight")
    first = page.evaluate("document.activeElement.dataset.key")
    page.keyboard.press("Shift+ArrowRight")
    before = page.locator(f'[data-key="{first}"]').get_attribute("transform")
    page.keyboard.press("Shift+ArrowRight")
    assert page.locator(f'[data-key="{first}"]').get_attribute("transform") != before
    page.keyboard.press("ArrowLeft")
    second = page.evaluate("document.activeElement.dataset.key")
    assert second
    assert second != first
    page.keyboard.press("Enter")
    assert page.locator("#inspector").inner_text().count(str(second).partition(":")[2]) >= 1
    scale = "document.querySelector('#world').getAttribute('transform')"
    zoomed = page.evaluate(scale)
    page.keyboard.press("+")
    assert page.evaluate(scale) != zoomed
    page.keyboard.press("0")
    page.mouse.move(500, 500)
    zoomed = page.evaluate(scale)
    page.locator("#drawing").hover()
    page.mouse.wheel(0, -300)
    until(page, f"{scale} === {zoomed!r}", expected=False)
    count = page.locator("#nodes > g").count()
    page.locator(f'[data-key="{second}"]').focus()
    page.keyboard.press("Delete")
    until(page, f"document.querySelectorAll('#nodes > g').length < {count}", expected=True)
    assert page.locator(f'[data-key="{second}"]').count() == 0
    assert tab.errors == []
    tab.context.close()


def test_the_editor_completes_from_the_schema_and_cells_lead_to_the_canvas(
    chromium: sync_api.Browser, address: str
) -> None:
    tab = Tab(chromium, address)
    page = tab.page
    page.goto("/graph")
    page.locator("label[for=query]").click()
    page.keyboard.press("Control+a")
    for typed, offered in (
        ("MATCH (f:Fun", "Fund"),
        (")-[h:INV", "INVESTS_IN"),
        ("]->(s:Stock) WHERE h.wei", "weight"),
    ):
        page.keyboard.type(typed)
        page.wait_for_selector(f".cm-tooltip-autocomplete li:has-text('{offered}')")
        page.wait_for_timeout(100)  # the editor takes no choice that was shown just now, lest a keystroke meant a line
        page.keyboard.press("Enter")
    page.keyboard.type(" > 0.01 RETURN f, s LIMIT 2")
    query = "MATCH (f:Fund)-[h:INVESTS_IN]->(s:Stock) WHERE h.weight > 0.01 RETURN f, s LIMIT 2"
    assert page.evaluate("document.querySelector('textarea[name=query]').value") == query
    plain = page.locator(".cm-content").evaluate("each => getComputedStyle(each).color")
    keyword = page.locator(".cm-line span", has_text="MATCH").evaluate("each => getComputedStyle(each).color")
    assert keyword != plain
    page.keyboard.press("Escape")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".wide-table tbody tr", timeout=START)
    page.locator(".wide-table tbody a").first.click()
    page.wait_for_selector("#nodes > g")
    assert "Fund" in page.inner_text("#inspector")
    assert [error for error in tab.errors if "503" not in error] == []
    tab.context.close()
