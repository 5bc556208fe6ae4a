"""The page of a portfolio: its figures are the library's, controls move them, and what is not known is said."""

from __future__ import annotations

import time

import pytest
from flask import Flask
from flask.testing import FlaskClient

from pathfolio.explain.wording import LANGUAGES
from pathfolio.kg.schema import NodeKind
from pathfolio.recommender.build import Build
from pathfolio.recommender.portfolio.book import PortfolioBook
from tests.web.plain_site import app, client
from tests.web.priced_site import holder, newcomer, priced, priced_app, priced_build

__all__ = ["app", "client", "priced", "priced_app", "priced_build"]  # fixtures


def asked(client: FlaskClient, user: str, query: str = "") -> dict:
    response = client.get(f"/investors/{user}/portfolio?format=json&{query}")
    assert response.status_code == 200, response.text
    found: dict = response.get_json()
    return found


def test_the_figures_are_those_of_the_book(priced: FlaskClient, priced_app: Flask, priced_build: Build) -> None:
    user = holder(priced_build)
    found = asked(priced, user, "budget=25")
    book: PortfolioBook = priced_app.extensions["pathfolio"].portfolios
    held = book.investor(priced_build.graph.row(NodeKind.USER, user))
    own = book.figures(held.held, held.share)
    assert own is not None
    told = {row["name"]: row["before"] for row in found["figures"]}
    assert told == {name: getattr(own, name) for name in told}
    assert sum(each["part"] for each in found["purchases"]) == pytest.approx(1)
    assert sum(each["of_portfolio"] for each in found["purchases"]) == pytest.approx(0.25 / 1.25)
    assert {each["part"] for each in found["purchases"]} == {0.1}


def test_no_budget_leaves_the_portfolio_as_it_is(priced: FlaskClient, priced_build: Build) -> None:
    found = asked(priced, holder(priced_build), "budget=0")
    for row in found["figures"]:
        assert row["after"] == row["before"]


@pytest.mark.parametrize("split", ["minimum_variance", "risk_parity", "mean_variance"])
def test_a_division_by_the_library_gives_each_part_its_reason(
    priced: FlaskClient, priced_build: Build, split: str
) -> None:
    pytest.importorskip("skfolio")
    found = asked(priced, holder(priced_build), f"split={split}")
    assert sum(each["part"] for each in found["purchases"]) == pytest.approx(1, abs=1e-4)
    assert len({each["part"] for each in found["purchases"]}) > 2
    assert all(each["why"] for each in found["purchases"])


def test_own_amounts_make_the_budget(priced: FlaskClient, priced_build: Build) -> None:
    user = holder(priced_build)
    first, second, *_ = [each["asset"]["id"] for each in asked(priced, user)["purchases"]]
    found = asked(priced, user, f"split=own&amount:{first}=30&amount:{second}=10&amount:nothing=5")
    parts = {each["asset"]["id"]: each["part"] for each in found["purchases"] if each["part"]}
    assert parts == {first: pytest.approx(0.75), second: pytest.approx(0.25)}
    odd = asked(priced, user, f"split=own&amount:{first}=-3&amount:{second}=nan")
    assert sum(each["part"] for each in odd["purchases"]) == 0


def test_other_answers_give_another_list(priced: FlaskClient, priced_build: Build) -> None:
    user = holder(priced_build)
    before = asked(priced, user)
    levels = [level["id"] for level in before["controls"]["fields"][0]["levels"]]
    lists = []
    for level in levels:
        found = asked(priced, user, f"risk_level={level}")
        chosen = found["controls"]["fields"][0]["chosen"]
        assert chosen == level
        assert found["controls"]["is_changed"] == (level != before["controls"]["fields"][0]["chosen"])
        lists.append(tuple(each["asset"]["id"] for each in found["purchases"]))
    assert len(set(lists)) > 1
    assert priced.get(f"/investors/{user}/portfolio?risk_level=nothing").status_code == 400
    assert priced.get(f"/investors/{user}/portfolio?split=nothing").status_code == 400


def test_who_holds_nothing_sees_what_the_list_alone_would_be(priced: FlaskClient, priced_build: Build) -> None:
    user = newcomer(priced_build)
    found = asked(priced, user)
    assert found["weighting"] == "none"
    assert {row["before"] for row in found["figures"]} == {None}
    assert sum(each["of_portfolio"] for each in found["purchases"]) == pytest.approx(1)
    assert "Nothing is held yet" in priced.get(f"/investors/{user}/portfolio").text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_says_what_is_missing(client: FlaskClient, build: Build, lang: str) -> None:
    """The other site has one year of closes: nothing is told of three."""
    user = str(build.graph.user_ids[4])
    page = client.get(f"/investors/{user}/portfolio?lang={lang}")
    assert page.status_code == 200
    found = asked(client, user)
    assert (found["since"], found["covered"]) == (None, [None, None])
    assert {row["after"] for row in found["figures"]} == {None}
    assert found["unpriced"]
    assert found["mixes"][0]["parts"]
    assert "&amp;lt;" not in page.text
    assert "&amp;amp;" not in page.text


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("split", ["equal", "risk_parity", "own"])
def test_every_way_is_a_page(priced: FlaskClient, priced_build: Build, lang: str, split: str) -> None:
    page = priced.get(f"/investors/{holder(priced_build)}/portfolio?split={split}&lang={lang}")
    assert page.status_code == 200
    assert "style=" not in page.text
    assert "<script>" not in page.text


def test_new_figures_come_quickly(priced: FlaskClient, priced_app: Flask, priced_build: Build) -> None:
    """Generous, for a machine that does other things; measured at 35 ms."""
    user = holder(priced_build)
    priced_app.extensions["pathfolio"].warm_up()
    asked(priced, user)
    times = []
    for budget in range(10, 30, 2):
        begun = time.perf_counter()
        asked(priced, user, f"budget={budget}")
        times.append(time.perf_counter() - begun)
    assert sorted(times)[len(times) // 2] < 1.0


def test_without_the_library_sums_are_divided_equally(
    priced: FlaskClient, priced_build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("recommender.portfolio.allocate", "web.site.pages.portfolio", "web.site.pages.plan"):
        monkeypatch.setattr(f"pathfolio.{module}.can_allocate", lambda: False)
    user = holder(priced_build)
    page = priced.get(f"/investors/{user}/portfolio?split=risk_parity")
    assert page.status_code == 200
    assert 'value="risk_parity"' not in page.text
    assert 'value="own"' in page.text
    found = asked(priced, user, "split=risk_parity")
    assert {each["part"] for each in found["purchases"]} == {0.1}
    assert priced.get(f"/investors/{user}/plan?step=construct").status_code == 200
