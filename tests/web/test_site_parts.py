"""What the site's pages are put together from: contexts, texts, search, charts; each derived by hand."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from datetime import date
from importlib import resources

import numpy as np
import pandas as pd
import pytest

from pathfolio.explain.evidence import PathNode
from pathfolio.explain.explainer import Explainer
from pathfolio.explain.waterfall import waterfall
from pathfolio.explain.wording import wording_of
from pathfolio.kg.languages import DEFAULT, tables, words
from pathfolio.kg.languages.names import Names
from pathfolio.recommender.account import ChannelAccount
from pathfolio.web.site.charts import sparkline
from pathfolio.web.site.directory import Directory
from pathfolio.web.site.pages.accounts import AccountsPage
from pathfolio.web.site.pages.assets import AssetPage
from pathfolio.web.site.pages.builds import BuildPage
from pathfolio.web.site.pages.console import ConsolePage
from pathfolio.web.site.pages.errors import ErrorPage
from pathfolio.web.site.pages.home import HomePage, SearchPage
from pathfolio.web.site.pages.investors import InvestorPage
from pathfolio.web.site.pages.recommendations import RecommendationPage
from pathfolio.web.site.pages.signin import SignInPage
from pathfolio.web.site.prices import PriceBook, PriceHistory
from pathfolio.web.site.render import Page
from tests.explain.explain_world import BUILD, World

TEMPLATES = resources.files("pathfolio.web.site").joinpath("templates")
PAGES: tuple[type[Page], ...] = (
    HomePage,
    SearchPage,
    InvestorPage,
    RecommendationPage,
    AssetPage,
    ErrorPage,
    SignInPage,
    AccountsPage,
    BuildPage,
    ConsolePage,
)


# -- contexts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.__name__)
def test_a_template_uses_exactly_the_fields_of_its_context_and_its_own_methods(page: type[Page]) -> None:
    used = set(re.findall(r"\bpage\.(\w+)", TEMPLATES.joinpath(page.template).read_text("utf-8")))
    methods = {name for name, value in vars(page).items() if callable(value) or isinstance(value, property)}
    assert used - methods == {field.name for field in fields(page)}


def test_every_text_that_a_template_says_exists() -> None:
    texts = words(DEFAULT, "site").keys() | tables(DEFAULT, "site").keys()
    for template in TEMPLATES.iterdir():
        for key in re.findall(r"""\bsay\(\s*["'](\w+)["'](?!\s*~)""", template.read_text("utf-8")):
            assert key in texts, (template.name, key)


# -- search --------------------------------------------------------------------------------------------------


class _Names:
    """Five people whose order for a query can be told by hand."""

    called = ("Ada Lin", "Lin", "Linda Ho", "Carlin Wu", "Bob Li")

    def node(self, row: int) -> PathNode:
        return PathNode(f"u{row}", "User", Names.everywhere(self.called[row]))


def test_the_closest_name_comes_first() -> None:
    directory = Directory.of(_Names(), np.arange(5))  # type: ignore[arg-type]
    # called so, begins so, has a word that begins so, contains it
    assert directory.find("LIN", 10) == ([1, 2, 0, 3], 4)
    assert directory.find("lin ada", 10) == ([0], 1)
    assert directory.find("u4", 10) == ([4], 1)
    assert directory.find("  ", 10) == ([], 0)
    assert directory.find("li", 2) == ([1, 2], 5)


# -- the figures behind the charts ---------------------------------------------------------------------------


def test_prices_after_the_snapshots_day_are_never_shown() -> None:
    days = pd.date_range("2026-05-01", periods=60)
    frame = pd.DataFrame({"asset_id": "A", "date": days, "close": np.arange(1.0, 61.0)})
    book = PriceBook.of(frame, date(2026, 5, 30))
    history = book.history("A", "TWD")
    assert history is not None
    assert (history.last_day, history.closes[-1]) == (date(2026, 5, 30), 30.0)
    assert history.change == 29.0
    assert book.history("B", "TWD") is None
    assert PriceBook.of(None, date(2026, 5, 30)).history("A", "TWD") is None


def test_a_price_line_ends_where_the_prices_end() -> None:
    days = np.arange("2026-01-01", "2026-01-04", dtype="datetime64[D]")
    line = sparkline(PriceHistory(days, np.array([10.0, 30.0, 20.0]), "USD"))
    # a box of 600 by 120 with 4 free above and below: 10 at the bottom, 30 at the top, 20 half way
    assert line.line == "M0.0 116.0 L300.0 4.0 L600.0 60.0"
    assert (line.low, line.high) == (10.0, 30.0)


def test_a_waterfall_ends_at_the_score() -> None:
    world = World()
    account = world.account("u1", "2882", {"market": [], "gat": []})
    parts = (ChannelAccount("market", 0.5, (), 0.5), ChannelAccount("gat", -0.2, (), -0.2))
    account = replace(account, base=(("popularity", 0.001), ("new_issue", 0.1)), channels=parts, score=0.401)
    fall = waterfall(Explainer(world.graph, BUILD).explain(account, 0, ["en"]), wording_of("en"))
    # 0.001 of 0.801 is small and has no bar; it goes from 0.001 to 0.101 to 0.601 to 0.401, and 0.601 is the width
    assert [(row.part.name, row.part.value) for row in fall.rows] == [
        ("New issue", 0.1),
        ("Shared market", 0.5),
        ("Graph attention", -0.2),
    ]
    assert [(row.start, row.size) for row in fall.rows] == [(0.17, 16.64), (16.81, 83.19), (66.72, 33.28)]
    assert fall.small_value == 0.001
    assert sum(row.part.value for row in fall.rows) + fall.small_value == pytest.approx(account.score, abs=1e-12)
