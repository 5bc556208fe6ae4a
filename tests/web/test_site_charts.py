"""Charts: what is drawn is what the facts say, each cell follows its rule, and a score's plain rows add up."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import quote

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient

from pathfolio.explain.explainer import Explainer
from pathfolio.explain.facts import FactBook
from pathfolio.explain.match import DIMENSIONS
from pathfolio.explain.plain_rows import plain_rows
from pathfolio.explain.wording import LANGUAGES
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.kg.span import Position
from pathfolio.recommender.build import Build
from pathfolio.web.site.invest.axes import across
from tests.web.plain_site import app, client
from tests.web.priced_site import holder, newcomer, priced, priced_app, priced_build

__all__ = ["app", "client", "priced", "priced_app", "priced_build"]  # fixtures


def charts(client: FlaskClient, user: str) -> dict:
    response = client.get(f"/investors/{user}/charts?format=json")
    assert response.status_code == 200
    found: dict = response.get_json()
    return found


def test_dots_stand_where_the_figures_say(priced: FlaskClient, priced_build: Build) -> None:
    picture = charts(priced, holder(priced_build))["picture"]
    facts = FactBook(priced_build.graph)
    dots = picture["listed"] + picture["held"]
    assert len(dots) > 5
    for dot in dots:
        own = facts.of(priced_build.graph.asset_row(dot["asset"]["id"]))
        assert dot["volatility"] == own["volatility_3y"].value
        assert dot["annual_return"] == own["annual_return_3y"].value
        assert 56 <= dot["x"] <= 706
        assert 14 <= dot["y"] <= 354
        assert dot["is_allowed"] == (None if picture["limit"] is None else dot["volatility"] < picture["limit"])
    by_risk = sorted(dots, key=lambda dot: dot["volatility"])
    assert [dot["x"] for dot in by_risk] == sorted(dot["x"] for dot in dots)
    by_return = sorted(dots, key=lambda dot: -dot["annual_return"])
    assert [dot["y"] for dot in by_return] == sorted(dot["y"] for dot in dots)


def test_the_region_is_the_levels(priced: FlaskClient, priced_app: Flask, priced_build: Build) -> None:
    rules = priced_app.extensions["pathfolio"].rules
    seen = set()
    for row in priced_build.graph.users[:40].tolist():
        user = str(priced_build.graph.nodes.id[row])
        found = charts(priced, user)
        if found["picture"] is None or found["level_class"] is None:
            continue
        limits = rules.volatility.limits
        number = int(found["level_class"]) - 1
        assert found["picture"]["limit"] == (limits[number] if number < len(limits) else None)
        seen.add(found["picture"]["limit"])
    assert len(seen) > 1


def test_each_cell_follows_its_rule(priced: FlaskClient, priced_build: Build) -> None:
    facts = FactBook(priced_build.graph)
    told = 0
    users = priced_build.graph.user_ids[:12]
    for row in [row for user in users for row in charts(priced, str(user))["rows"]]:
        cells = {cell["dimension"]: cell for cell in row["cells"]}
        assert list(cells) == list(DIMENSIONS)
        apart = cells["diversification"]
        if apart["value"] is not None:
            value = apart["value"]
            assert apart["fit"] == ("fits" if value <= 0.3 else "partly" if value <= 0.7 else "against")
        risk = cells["risk"]
        if risk["fit"] == "fits":
            assert risk["value"] <= risk["limit"]
        asset = priced_build.graph.asset_row(row["asset"]["id"])
        for dimension, metric, sign in (("performance", "annual_return_3y", -1), ("cost", "expense_ratio", 1)):
            cell = cells[dimension]
            peers = facts.peers(asset, metric)
            own = facts.of(asset).get(metric)
            if own is None:
                assert cell["fit"] == "open"
                continue
            rows = priced_build.graph.rows(priced_build.graph.kind_of(asset)).tolist()
            of_kind = [facts.of(each)[metric] for each in rows if metric in facts.of(each)]
            values = (
                np.array([float(f.value) for f in of_kind if abs(f.as_of - own.as_of).days <= 400])
                if peers is None
                else peers.values
            )
            if len(values) < 10:
                assert cell["fit"] == "open"
                continue
            assert cell["rule"] == (dimension if peers is not None else f"{dimension}_kind")
            rank = 1 + int((sign * values < sign * float(own.value)).sum())
            assert (cell["rank"], cell["of"]) == (rank, len(values))
            third = rank / len(values)
            assert cell["fit"] == ("fits" if third <= 1 / 3 else "partly" if third <= 2 / 3 else "against")
            told += 1
    assert told


@pytest.mark.parametrize("lang", LANGUAGES)
def test_pages_say_what_cannot_be_drawn(client: FlaskClient, build: Build, lang: str) -> None:
    """The other site has one year of closes."""
    user = str(build.graph.user_ids[4])
    assert charts(client, user)["picture"] is None
    page = client.get(f"/investors/{user}/charts?lang={lang}")
    assert page.status_code == 200
    assert 'class="chart scatter"' not in page.text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_pages_are_drawn_without_style_or_script_of_their_own(
    priced: FlaskClient, priced_build: Build, lang: str
) -> None:
    for user in (holder(priced_build), newcomer(priced_build)):
        page = priced.get(f"/investors/{user}/charts?lang={lang}")
        assert page.status_code == 200
        assert 'class="chart scatter"' in page.text
        assert not re.search(r"style=|<script>|onclick=", page.text)


def test_a_trend_is_on_the_page_of_an_asset_and_of_a_recommendation(priced: FlaskClient, priced_build: Build) -> None:
    graph = priced_build.graph
    asset = str(graph.nodes.id[graph.rows(NodeKind.STOCK)[3]])
    page = priced.get(f"/assets/{asset}?months=12")
    assert "data-trend=" in page.text
    assert re.search(r'months=12#trend"[^>]* aria-current="true"', page.text)
    found = priced.get(f"/assets/{asset}?months=12&format=json").get_json()["trend"]
    assert found["months"] == 12
    assert found["lines"][0]["name"] == "own"
    assert found["rows"][0]["levels"] == pytest.approx([100.0] * len(found["lines"]))
    last = found["rows"][-1]["levels"]
    assert last == pytest.approx([100 * (1 + line["change"]) for line in found["lines"]])
    assert "data-trend=" in priced.get(f"/investors/{holder(priced_build)}/assets/{asset}").text
    assert priced.get(f"/assets/{asset}?months=7").status_code == 400


def test_plain_rows_add_up_to_the_score(build: Build) -> None:
    graph = build.graph
    explainer = Explainer(graph, build.build_hash, None, build.scorer.groups)
    names = set()
    for user in range(0, 60, 6):
        for asset in (3, 30, 65):
            account = build.scorer.account(Position(user), Position(asset))
            explanation = explainer.explain(account, 1, ("en",))
            rows = plain_rows(explanation)
            assert sum(row.value for row in rows) == pytest.approx(explanation.score, abs=1e-9)
            assert len(rows) <= 7
            assert all(row.start >= 0 and row.start + row.size <= 100.01 for row in rows)
            names |= {row.name for row in rows}
    assert {"links", "demand", "model_links"} <= names


def test_axes_have_round_numbers() -> None:
    axis = across(0.0, 0.53)
    assert [tick.value for tick in axis.ticks()] == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
    assert axis.ticks()[0].at == 56
    assert np.diff([tick.at for tick in axis.ticks()]).round(0).tolist() == [123.0] * 5


def test_the_charts_know_what_was_assumed_on_what_if(priced: FlaskClient, priced_build: Build) -> None:
    graph, user = priced_build.graph, holder(priced_build)
    groups = graph.outgoing(Relation.IN_CATEGORY)
    levels = [str(graph.nodes.id[row]) for row in graph.rows(NodeKind.RISK_LEVEL)]
    before = charts(priced, user)
    listed = [graph.asset_row(row["asset"]["id"]) for row in before["rows"]]
    interest = next(str(graph.nodes.id[n]) for row in listed for n in groups.of(row).tolist())
    other = next(name for name in levels[::-1] if before["level"] is None or name != before["level"]["id"])
    page = priced.get(f"/investors/{user}/what-if?risk_level={other}&interest={quote(interest)}").text
    link = re.search(rf'href="/investors/{user}/charts\?([^"]+)"', page)
    assert link is not None
    query = unescape(link.group(1))
    found = priced.get(f"/investors/{user}/charts?{query}&format=json").get_json()
    assert (before["is_changed"], found["is_changed"], found["level"]["id"]) == (False, True, other)
    found = priced.get(f"/investors/{user}/charts?interest={quote(interest)}&format=json").get_json()
    for row in found["rows"]:
        own = {str(graph.nodes.id[n]) for n in groups.of(graph.asset_row(row["asset"]["id"])).tolist()}
        cell = next(cell for cell in row["cells"] if cell["dimension"] == "interests")
        assert (cell["rule"] == "interests_named") == (interest in own)
    assert any(cell["rule"] == "interests_named" for row in found["rows"] for cell in row["cells"])
    assert f'href="/investors/{user}/charts">' in priced.get(f"/investors/{user}/charts?{query}").text
