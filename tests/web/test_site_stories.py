"""What each role comes for, from signing in to leaving, in a real browser: by mouse in English, by keyboard in
traditional and with fingers on a phone in simplified Chinese; one browser and one server for all."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import Final

import pytest
from flask import Flask

from pathfolio.kg.languages import languages
from pathfolio.recommender.build import Build
from pathfolio.web.site import create_app
from pathfolio.web.site.access.roles import AccountRole
from pathfolio.web.site.access.samples import sample_access
from pathfolio.web.site.pages.plan import STEPS
from tests.web.priced_site import holder, priced_build
from tests.web.test_site_browser import AUDIT, CONTRAST, Tab, chromium, serving, sync_api
from tests.web.test_site_canvas_browser import DAY, LINKS, START, opened, until
from tests.web.test_site_list_browser import VALUES, in_order

__all__ = ["chromium", "priced_build"]  # fixtures
pytestmark = pytest.mark.browser

WITH_AXE: Final = os.environ.get("PATHFOLIO_AXE") == "all"


@dataclass(frozen=True)
class Way:
    """How a person goes about the site: in which language, on which screen, with what they press buttons."""

    lang: str
    width: int
    hand: str

    @property
    def is_phone(self) -> bool:
        """Whether lists are cards."""
        return self.width < 800


HANDS: Final = (("mouse", 1280), ("keyboard", 1280), ("finger", 390))
WAYS: Final = (
    [Way(lang, width, hand) for lang in languages() for hand, width in HANDS]
    if WITH_AXE
    else [Way("en", 1280, "mouse"), Way("zh-TW", 1280, "keyboard"), Way("zh-CN", 390, "finger")]
)
"""Each language by each hand with PATHFOLIO_AXE=all."""


@dataclass
class Story:
    """A person of a role who has signed in.

    Attributes:
        own: the investor whom the sample's account of an investor is.
        other: another one.
    """

    tab: Tab
    way: Way
    own: str
    other: str

    @property
    def page(self) -> sync_api.Page:
        """What they see."""
        return self.tab.page

    def press(self, what: str | sync_api.Locator) -> None:
        """Press the first of what is found, as this person presses."""
        found = (self.page.locator(what) if isinstance(what, str) else what).first
        if self.way.hand == "keyboard":
            found.focus()
            self.page.keyboard.press("Enter")
        elif self.way.hand == "finger":
            found.tap()
        else:
            found.click()

    def goes(self, what: str | sync_api.Locator, to: str | re.Pattern[str]) -> None:
        """Press what leads to another page, and be there."""
        self.press(what)
        self.page.wait_for_url(to)

    def signs_in(self, role: AccountRole) -> None:
        """At the sample's sign-in page, in their language."""
        self.page.goto("/sign-in")
        self.goes(f"form:has(input[value={role.value}]) button", re.compile(r"/$"))
        assert self.page.locator("html").get_attribute("lang") == self.way.lang

    def looks(self, *, expected: tuple[str, ...] = ()) -> None:
        """The page is one for everybody, as wide as the screen, and its console is empty but for what is expected."""
        page = self.page
        page.wait_for_load_state()
        assert page.evaluate(AUDIT) == [], page.url
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate(CONTRAST) == [], (page.url, scheme)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, page.url
        assert [error for error in self.tab.errors if not any(part in error for part in expected)] == []
        if WITH_AXE:
            page.evaluate(resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
            from tests.web.test_site_axe import RUN

            assert page.evaluate(RUN) == [], page.url

    @cached_property
    def list_url(self) -> str:
        """Of their own list."""
        return f"/investors/{self.own}"


@pytest.fixture(scope="module")
def people(priced_build: Build) -> tuple[str, str]:
    """An investor who holds assets, and another."""
    own = holder(priced_build)
    return own, next(str(user) for user in priced_build.graph.user_ids if str(user) != own)


@pytest.fixture(scope="module")
def stories_app(priced_build: Build, people: tuple[str, str]) -> Flask:
    return create_app(priced_build, sample_access(people[0]))


@pytest.fixture(scope="module")
def address(stories_app: Flask) -> Iterator[str]:
    with serving(stories_app) as found:
        yield found


@pytest.fixture(params=WAYS, ids=lambda way: f"{way.lang}-{way.hand}")
def story(
    request: pytest.FixtureRequest, chromium: sync_api.Browser, address: str, people: tuple[str, str]
) -> Iterator[Story]:
    way: Way = request.param
    size = {"width": way.width, "height": 844}
    tab = Tab(
        chromium, address, locale=way.lang, viewport=size, has_touch=way.hand == "finger", reduced_motion="reduce"
    )
    tab.page.set_default_timeout(20_000)
    yield Story(tab, way, *people)
    tab.context.close()


# -- an investor ---------------------------------------------------------------------------------------------


def test_an_investor_reads_sorts_follows_and_takes_back(story: Story) -> None:
    page = story.page
    story.signs_in(AccountRole.INVESTOR)
    story.goes(f'main a[href="{story.list_url}"]', f"**{story.list_url}")
    if story.way.is_phone:
        page.locator("#sort").select_option("year_change")
        page.locator("[name=order]:visible").select_option("down")
        story.goes(".sort-form button", "**sort=year_change**")
    else:
        story.press("th a[data-sort=year_change]")
        assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"
    assert in_order(page.evaluate(VALUES, "year_change"), down=True)
    story.looks()
    page.goto(story.list_url)
    first = ranked(story)
    story.press(page.locator("button[name=follow]").nth(1))
    page.locator(f'.told-chips button[name=unfollow][value="{first[1]}"]').wait_for()
    story.press("button[name=dismiss]")
    page.locator(".told-chips button[name=undismiss]").wait_for()
    assert first[1] not in ranked(story)
    story.looks()
    for name in ("unfollow", "undismiss"):
        story.press(f".told-chips button[name={name}]")
        page.locator(f".told-chips button[name={name}]").wait_for(state="detached")
    assert ranked(story) == first


def ranked(story: Story) -> list[str | None]:
    """What stands on the list, from the first; read once the page is there whole: an answer comes in pieces."""
    story.page.wait_for_load_state()
    return [each.get_attribute("value") for each in story.page.locator("button[name=follow]").all()]


def test_an_investor_asks_what_if_saves_answers_and_plans(story: Story) -> None:
    page = story.page
    story.signs_in(AccountRole.INVESTOR)
    page.goto(story.list_url)
    story.goes("nav.workspace a[href$=what-if]", "**/what-if")
    story.goes(".what-if-line button[name=follow]", "**follow=**")
    assert page.locator(".chip-follow").count() == 1
    story.looks()
    story.goes("nav.workspace a[href$=told]", "**/told")
    years = {"mouse": "3", "keyboard": "5", "finger": "10"}[story.way.hand]
    page.locator("#horizon").select_option(years)
    story.press("form[action$='/answers'] button[type=submit]")
    page.locator(".told-status").wait_for()
    page.goto(f"{story.list_url}/told")
    assert page.locator("#horizon").input_value() == years
    story.looks()
    story.goes("nav.workspace a[href$=portfolio]", "**/portfolio")
    before = page.locator(".compare").inner_text()
    page.locator("input[type=range]").press("End")
    page.wait_for_function("text => document.querySelector('.compare').innerText !== text", arg=before)
    assert "budget=100" in page.url
    story.looks()
    story.goes("nav.workspace a[href$=plan]", "**/plan")
    for at, step in enumerate(STEPS):
        if at:
            story.press(page.locator(".plan-steps a").nth(at))
            page.locator(f".plan-steps li:nth-child({at + 1}) a[aria-current=step]").wait_for()
        assert page.locator("#step-title").inner_text().startswith(f"{at + 1}."), step
        story.looks()


def test_an_investor_reads_charts_and_asks_why(story: Story) -> None:
    page = story.page
    story.signs_in(AccountRole.INVESTOR)
    page.goto(f"{story.list_url}/charts")
    story.press(".panel details summary")
    assert page.locator(".panel details table").first.is_visible()
    story.looks()
    page.goto(story.list_url)
    story.goes("h3 a.card-link", "**/assets/**")
    drawing = page.locator("#trend-figure > svg")
    drawing.focus()
    page.keyboard.press("Home")
    first = page.locator("[data-told]").inner_text()
    page.keyboard.press("ArrowRight")
    assert page.locator("[data-told]").inner_text() != first
    picture_is_moved_and_expanded(story)
    story.press("a[data-ask]")
    page.locator("#why-answer [data-answer] .lede-line").wait_for()
    page.locator(".why-form input[name=other]").fill("fund")
    page.keyboard.press("Enter")
    page.locator("#why-answer .why-table").wait_for()
    story.looks()


def picture_is_moved_and_expanded(story: Story) -> None:
    page = story.page
    svg = page.locator(".picture svg").first

    def view() -> list[float]:
        return [float(each) for each in str(svg.get_attribute("viewBox")).split()]

    start = view()
    story.press(".picture-tools button")
    assert view()[2] < start[2]
    page.locator(".picture").focus()
    page.keyboard.press("ArrowRight")
    assert view()[0] > start[0]
    page.keyboard.press("0")
    before = page.locator(".picture a.node").count()
    story.press(page.locator(".picture .expander").first)
    page.locator(".expander[aria-expanded=true]").wait_for()
    assert before < page.locator(".picture a.node").count() <= before + 12
    assert page.evaluate(INSIDE) == [], "neighbours that run off the picture"


INSIDE: Final = """() => { const svg = document.querySelector(".picture svg").getBoundingClientRect();
  return [...document.querySelectorAll(".picture a.node")].filter((node) => { const box = node.getBoundingClientRect();
    return box.left < svg.left - 1 || box.right > svg.right + 1 || box.top < svg.top - 1 || box.bottom > svg.bottom + 1;
  }).map((node) => node.textContent.trim()); }"""


def test_an_investor_compares_assets(story: Story) -> None:
    page = story.page
    story.signs_in(AccountRole.INVESTOR)
    story.goes("header a[href='/assets']", "**/assets")
    page.locator("#kind").select_option("Fund")
    story.goes(".filters button[type=submit]", "**kind=Fund**")
    for at in (0, 1, 2):
        page.locator(".pick input").nth(at).check()
    story.goes("button[form=compare]", "**/assets/compare**")
    assert page.locator(".side-by-side th[scope=col]").count() == 3
    story.looks()


# -- those who work here -------------------------------------------------------------------------------------


def test_an_adviser_reads_of_another_and_finds_the_record(story: Story) -> None:
    page = story.page
    story.signs_in(AccountRole.COMPLIANCE)
    page.goto(f"/investors/{story.other}/charts")
    page.fill("[name=purpose]", "Meeting 7")
    story.press("main form button[type=submit]")
    page.locator("nav.workspace").wait_for()
    for each in ("", "/charts", "/portfolio", "/plan?step=manage"):
        page.goto(f"/investors/{story.other}{each}")
        said = page.locator("main").inner_text()
        assert not re.search(r"\b[Yy]ours?\b|\b[Yy]ou\b|您|你", said), each
        story.looks(expected=("428",))
    page.goto("/records")
    page.fill("#investor", story.other)
    page.keyboard.press("Enter")
    page.wait_for_url("**investor=**")
    story.goes(".records a:has(code)", re.compile(r"/records/[0-9a-f]{16}"))
    page.locator(".proof-state.sound").wait_for()
    story.looks(expected=("428",))
    with page.expect_download() as download:
        story.press("a[href*='/case']")
    assert re.fullmatch(r"case-[0-9a-f]{16}\.zip", download.value.suggested_filename)
    link = str(page.locator("a[href*='report.html']").first.get_attribute("href"))
    report = page.request.get(link, headers={"Accept-Language": story.way.lang})
    assert report.ok and f'lang="{story.way.lang}"' in report.text()


def test_an_analyst_asks_the_graph_and_moves_a_drawing(story: Story) -> None:
    page = story.page
    story.signs_in(AccountRole.ANALYST)
    page.goto("/graph")
    page.locator("label[for=query]").click()
    page.keyboard.press("Control+a")
    page.keyboard.type("MATCH (f:Fund)-[h:INVESTS_IN]->(s:Stock) RETURN f, h, s LIMIT 4")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#answer", timeout=START)
    assert page.locator(".wide-table tbody tr").count() == 4
    assert page.locator(".graph .tie").count() >= 1
    story.looks(expected=("503",))
    opened(story.tab, "FUND-004")
    drawn = page.evaluate(LINKS)
    days = page.evaluate("document.querySelector('#canvas').canvas.scene.days")
    story.press("#day-before")
    until(page, DAY, days[-2])
    story.press("#day-after")
    until(page, LINKS, drawn)
    page.locator("#tables summary").click()
    story.looks(expected=("503",))


def test_an_administrator_ends_access_and_gives_it_back(story: Story) -> None:
    page = story.page
    story.signs_in(AccountRole.ADMINISTRATOR)
    story.goes("header a[href='/accounts']", "**/accounts")
    story.looks()
    change = page.locator("form[action$='/engineer']:has([name=enabled]), form[action*='engineer']").first
    for state in ("yes", "no"):
        story.press(change.locator("button"))
        change.locator(f"[name=enabled][value={state}]").wait_for(state="attached")
    story.press("form.account button")
    page.wait_for_url("**/sign-in")


def test_an_engineer_reads_how_the_build_was_made(story: Story) -> None:
    story.signs_in(AccountRole.ENGINEER)
    story.goes("header a[href='/build']", "**/build")
    story.looks()


LONG: Final = "Donaudampfschifffahrtsgesellschaftskapit"
"""A word of forty letters."""

RENAME: Final = """(word) => { for (const node of document.querySelectorAll(
  "h1, h3 a, th a, td a, .badge, .line-what, .crumbs a, dd, .reasons li, .compare th, .chip, .node text")) {
  const text = [...node.childNodes].find((each) => each.nodeType === 3 && each.textContent.trim());
  if (text) text.textContent = word; } }"""


@pytest.mark.parametrize(
    "each", ["", "/charts", "/portfolio", "/plan?step=construct", "/told", "/what-if", "WHY", "ASSETS"]
)
def test_a_word_of_forty_letters_fits_at_200_percent_on_a_phone(
    chromium: sync_api.Browser, address: str, people: tuple[str, str], each: str
) -> None:
    """390 pixels at 200 % are 195: names of assets, industries and investors break in place of widening the page."""
    tab = Tab(chromium, address, viewport={"width": 195, "height": 422})
    page = tab.page
    page.goto("/sign-in")
    page.locator("form:has(input[value=investor]) button").click()
    page.wait_for_load_state()
    page.goto("/assets" if each == "ASSETS" else f"/investors/{people[0]}{each.removeprefix('WHY')}")
    if each == "WHY":
        page.goto(str(page.locator("h3 a.card-link").first.get_attribute("href")))
    page.evaluate(RENAME, LONG)
    assert len(LONG) == 40
    assert LONG in page.locator("main").inner_text()
    found = page.evaluate(WIDE)
    assert not found, "\n".join(found)
    tab.context.close()


WIDE: Final = """() => document.documentElement.scrollWidth <= innerWidth ? [] : [
  ...document.querySelectorAll("body *")]
  .filter((node) => node.getBoundingClientRect().right > innerWidth + 1 && node.checkVisibility())
  .filter((node) => !node.closest("svg, .wide-table, .picture, .workspace"))
  .map((node) => `${node.tagName}.${node.className} ends at ${Math.round(node.getBoundingClientRect().right)}`)"""
