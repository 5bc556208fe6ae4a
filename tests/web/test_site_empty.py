"""What is empty says why, and what would help: every list, table and chart of the site, in each language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from importlib import resources

import pytest
from flask import Flask

from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.records.adviser import Adviser
from pathfolio.explain.records.desk import Desk
from pathfolio.kg.languages import languages
from pathfolio.recommender.build import Build
from pathfolio.web.site import create_app
from pathfolio.web.site.texts import texts_of
from tests.recommender.suitability_world import rule
from tests.web.priced_site import newcomer

NOTHING_SUITS = 'kind = "concentration"\ngroup = "asset"\nlimit = 0.001\nfund_limit = 0.001\nwarn_at = 0.001'
"""Whatever is bought would be too much of the portfolio."""


def _texts_of_templates() -> set[str]:
    """Keys of all that templates show where something is empty."""
    found: set[str] = set()
    for file in (resources.files("pathfolio.web.site") / "templates").iterdir():
        for inside in re.findall(r'class="empty"[^>]*>(.*?)</(?:p|li)>', file.read_text(encoding="utf-8")):
            found |= set(re.findall(r'say\("(\w+)"', inside))
    return found


@pytest.fixture
def empty(build: Build, ledger: Ledger) -> Flask:
    """A market with few prices in which the rules let nothing through, and nobody has asked anything yet."""
    return create_app(build, desk=Desk(Adviser(build, rule(NOTHING_SUITS)), ledger))


def _addresses(build: Build) -> Mapping[str, list[str]]:
    """Each text of something empty to where it stands."""
    user, asset = str(build.graph.user_ids[0]), str(build.graph.asset_ids[0])
    new = f"/investors/{newcomer(build)}"
    return {
        "no_reports": ["/records/reports"],
        "no_records": ["/records"],
        "no_records_yet": ["/records"],
        "no_records_hint": ["/records?investor=nobody"],
        "statistics_none": ["/records/statistics"],
        "saved_none": ["/graph/saved"],
        "saved_log_none": ["/graph/saved?log=yes"],
        "catalogue_none": ["/assets?q=nosuchassetanywhere"],
        "search_nothing": ["/search?q=nosuchassetanywhere"],
        "questionnaire_empty": ["/questionnaire"],
        "told_none": [f"{new}/told"],
        "holdings_none": [new],
        "scatter_none": [f"{new}/charts"],
        "portfolio_no_closes": [f"{new}/portfolio", f"/investors/{user}/portfolio"],
        "audience_none": [f"/assets/{asset}/audience"],
        "nothing_left": [
            new, f"{new}/charts", f"{new}/portfolio", f"{new}/plan?step=construct", f"{new}/what-if",
            "/questionnaire?horizon=5",
        ],
    }  # fmt: skip


@pytest.mark.parametrize("lang", languages())
def test_what_is_empty_says_why_and_what_would_help(empty: Flask, build: Build, lang: str) -> None:
    client, texts = empty.test_client(), texts_of(lang)
    client.environ_base["HTTP_PATHFOLIO_PURPOSE"] = "test"
    for key, addresses in _addresses(build).items():
        for address in addresses:
            answer = client.get(f"{address}{'&' if '?' in address else '?'}lang={lang}")
            assert answer.status_code == 200, address
            said = texts.say(key, query="nosuchassetanywhere") if key == "search_nothing" else texts.say(key)
            assert said in unescape(answer.text), (address, key)


def test_no_empty_place_is_left_out(build: Build) -> None:
    """A template that shows another text where something is empty has to be walked here, too."""
    shown = _texts_of_templates()
    assert len(shown) > 12
    assert shown - {"trend_none", "no_profile", "no_rows"} <= set(_addresses(build))  # other markets, and a server


@pytest.mark.parametrize("lang", languages())
def test_such_texts_have_two_parts(lang: str) -> None:
    """Why it is empty, and what would help: two sentences, or two clauses."""
    for key in _texts_of_templates() - {"no_records"}:
        said = texts_of(lang).say(key, query="x") if key == "search_nothing" else texts_of(lang).say(key)
        parts = [part for part in re.split(r"[.:;。：；]\s*|, or |，即可", said) if part.strip()]
        assert len(parts) >= 2 or key == "questionnaire_empty", (lang, key, said)
