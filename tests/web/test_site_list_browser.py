"""The list in headless Chromium: sorted where it stands, without scripts, by keyboard, on a phone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pathfolio.recommender.build import Build
from pathfolio.web.site import create_app
from tests.web.test_site_browser import Tab, chromium, serving

__all__ = ["chromium"]  # a fixture

sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install 'pathfolio[test]'")
pytestmark = pytest.mark.browser

LIST = "/investors/INV000003"
VALUES = """(name) => [...document.querySelectorAll(`[data-column=${name}]`)]
  .map((cell) => cell.dataset.value === undefined ? null : Number(cell.dataset.value))"""


@pytest.fixture(scope="module")
def address(build: Build) -> Iterator[str]:
    with serving(create_app(build)) as found:
        yield found


def in_order(values: list[float | None], *, down: bool) -> bool:
    known = [value for value in values if value is not None]
    return values == sorted(known, reverse=down) + [None] * (len(values) - len(known))


def test_a_heading_sorts_where_the_list_stands(chromium: sync_api.Browser, address: str) -> None:
    tab = Tab(chromium, address)
    page = tab.page
    page.goto(LIST, wait_until="networkidle")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))  # the icon is asked for when the browser likes
    heading = page.locator("th a[data-sort=year_change]")
    heading.click()
    assert in_order(page.evaluate(VALUES, "year_change"), down=True)
    heading.focus()
    page.keyboard.press("Enter")
    assert in_order(page.evaluate(VALUES, "year_change"), down=False)
    assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    page.locator("th a[data-sort=rank]").click()
    ranks = page.eval_on_selector_all("tbody[data-rank]", "all => all.map((each) => Number(each.dataset.rank))")
    assert ranks == sorted(ranks)
    assert ([url for url in asked if "/mark.svg" not in url], tab.errors) == ([], [])
    tab.context.close()


def test_columns_and_sorting_work_without_script(chromium: sync_api.Browser, address: str) -> None:
    tab = Tab(chromium, address, java_script_enabled=False)
    page = tab.page
    page.goto(LIST)
    with page.expect_navigation():
        page.locator("th a[data-sort=price]").click()
    cells = page.locator("[data-column=price]")
    prices = [cells.nth(n).get_attribute("data-value") for n in range(cells.count())]
    assert in_order([None if price is None else float(price) for price in prices], down=True)
    page.locator(".columns-choice summary").click()
    page.locator("[name=columns][value=sharpe]").uncheck()
    page.locator("[name=columns][value=score]").check()
    with page.expect_navigation():
        page.locator(".columns-choice button").click()
    assert page.locator("th a[data-sort=score]").count() == 1
    assert page.locator("th a[data-sort=sharpe]").count() == 0
    page.goto("/investors/INV000004")
    assert page.locator("th a[data-sort=score]").count() == 1
    tab.context.close()
