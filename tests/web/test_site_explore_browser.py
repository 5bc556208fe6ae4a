"""Following, comparing, pictures and why-not in a real browser: by mouse, by keyboard and on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pathfolio.recommender.build import Build
from pathfolio.web.site import create_app
from pathfolio.web.site.access.samples import sample_access
from tests.web.test_site_browser import AUDIT, CONTRAST, Tab, chromium, serving, sync_api

__all__ = ["chromium"]  # fixtures
pytestmark = pytest.mark.browser

SIZES = [("en", 1280), ("zh-TW", 390)]


@pytest.fixture
def own(build: Build) -> str:
    return str(build.graph.user_ids[3])


@pytest.fixture
def address(build: Build, own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Of a site with sample accounts and a ledger of its own, since what is told moves lists."""
    monkeypatch.setenv("PATHFOLIO_LEDGER", str(tmp_path / "ledger"))
    with serving(create_app(build, sample_access(own))) as found:
        yield found


def signed_in(browser: sync_api.Browser, address: str, lang: str, width: int, **more: object) -> Tab:
    tab = Tab(browser, address, locale=lang, viewport={"width": width, "height": 844}, **more)
    tab.page.set_default_timeout(10_000)
    tab.page.goto(f"/sign-in?lang={lang}")
    tab.page.locator("form:has(input[value=investor]) button").click()
    tab.page.wait_for_load_state()
    return tab


def audited(tab: Tab) -> None:
    assert tab.page.evaluate(AUDIT) == []
    assert tab.page.evaluate(CONTRAST) == []
    assert tab.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert tab.errors == []


def ranked(tab: Tab) -> list[str | None]:
    """What stands on the list, from the first; read once the page is there whole: an answer comes in pieces."""
    tab.page.wait_for_load_state()
    return [each.get_attribute("value") for each in tab.page.locator("button[name=follow]").all()]


@pytest.mark.parametrize(("lang", "width"), SIZES[:1])
@pytest.mark.parametrize("scripts", [False])
def test_follow_and_dismiss_by_mouse_and_take_back_by_keyboard(
    chromium: sync_api.Browser, address: str, own: str, lang: str, width: int, scripts: bool
) -> None:
    tab = signed_in(chromium, address, lang, width, java_script_enabled=scripts)
    tab.page.goto(f"/investors/{own}")
    first = ranked(tab)
    tab.page.locator("button[name=follow]").nth(1).click()
    tab.page.locator(f'.told-chips button[name=unfollow][value="{first[1]}"]').wait_for()
    tab.page.locator("button[name=dismiss]").nth(0).click()
    tab.page.locator(".told-chips button[name=undismiss]").wait_for()
    assert first[1] not in ranked(tab) and ranked(tab) != first
    if scripts:
        audited(tab)
    for name in ("unfollow", "undismiss"):
        tab.page.locator(f".told-chips button[name={name}]").focus()
        tab.page.keyboard.press("Enter")
        tab.page.locator(f".told-chips button[name={name}]").wait_for(state="detached")
    assert ranked(tab) == first


@pytest.mark.parametrize(("lang", "width"), SIZES)
def test_the_picture_is_moved_zoomed_told_of_and_expanded(
    chromium: sync_api.Browser, address: str, own: str, lang: str, width: int
) -> None:
    tab = signed_in(chromium, address, lang, width)
    tab.page.goto(f"/investors/{own}")
    tab.page.locator("h3 a.card-link").first.click()
    svg = tab.page.locator(".picture svg").first
    svg.scroll_into_view_if_needed()

    def view() -> list[float]:
        return [float(each) for each in str(svg.get_attribute("viewBox")).split()]

    start = view()
    tab.page.locator(".picture-tools button").nth(0).click()
    assert view()[2] < start[2]
    tab.page.locator(".picture").focus()
    tab.page.keyboard.press("ArrowRight")
    moved = view()
    assert moved[0] > start[0]
    box = svg.bounding_box()
    assert box is not None
    tab.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 8)
    tab.page.mouse.down()
    tab.page.mouse.move(box["x"] + box["width"] / 2 + 60, box["y"] + box["height"] - 30, steps=4)
    tab.page.mouse.up()
    assert view()[0] < moved[0]
    tab.page.locator(".picture").focus()
    tab.page.keyboard.press("0")
    edge = tab.page.locator(".picture .edge").first
    edge.focus()
    note = tab.page.locator(".edge-note")
    assert re.search(r"20\d\d-\d\d-\d\d", note.inner_text()) and note.is_visible()
    tab.page.keyboard.press("Escape")
    assert note.is_hidden()
    edge.hover(force=True)
    before = tab.page.locator(".picture a.node").count()
    expander = tab.page.locator(".picture .expander").first
    expander.focus()
    tab.page.keyboard.press("Enter")
    tab.page.locator(".expander[aria-expanded=true]").wait_for()
    assert before < tab.page.locator(".picture a.node").count() <= before + 12
    audited(tab)
    tab.page.locator(".picture .expander").first.press("Enter")
    assert tab.page.locator(".picture a.node").count() == before
    tab.page.locator(".picture a.node").first.focus()
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_url("**/assets**")
    assert tab.errors == []


@pytest.mark.parametrize(("lang", "width"), SIZES)
def test_why_not_that_and_what_would_change_it_come_onto_the_page_or_say_that_they_work(
    chromium: sync_api.Browser, address: str, own: str, lang: str, width: int
) -> None:
    tab = signed_in(chromium, address, lang, width)
    tab.page.goto(f"/investors/{own}")
    tab.page.locator("h3 a.card-link").first.click()
    answer = tab.page.locator("#why-answer")
    tab.page.route("**/changes**", lambda route: (tab.page.wait_for_timeout(2000), route.continue_()))
    tab.page.locator("a[data-ask]").click()
    answer.locator(".waiting").wait_for(timeout=2000)
    answer.locator("[data-answer] .lede-line").wait_for()
    tab.page.locator(".why-form input[name=other]").fill("fund")
    tab.page.keyboard.press("Enter")
    answer.locator(".why-table").wait_for()
    audited(tab)
    tab.page.route("**/instead-of**", lambda route: route.abort())
    tab.page.keyboard.press("Enter")
    answer.locator(".failure").wait_for()


@pytest.mark.parametrize(("lang", "width"), SIZES)
def test_without_scripts_they_are_pages(
    chromium: sync_api.Browser, address: str, own: str, lang: str, width: int
) -> None:
    tab = signed_in(chromium, address, lang, width, java_script_enabled=False)
    tab.page.goto(f"/investors/{own}")
    tab.page.locator("h3 a.card-link").first.click()
    why = tab.page.url
    tab.page.locator("a[data-ask]").click()
    assert tab.page.locator("h1").count() == 1 and tab.page.locator(".lede-line").count() == 1
    tab.page.goto(why)
    tab.page.locator(".why-form input[name=other]").fill("fund")
    tab.page.keyboard.press("Enter")
    tab.page.locator(".why-table").wait_for()
    tab.page.goto(why)
    tab.page.locator(".picture a.node").first.click(force=True)
    tab.page.wait_for_url("**/assets**")
