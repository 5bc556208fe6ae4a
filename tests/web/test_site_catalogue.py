"""The index of assets, assets side by side, and why one is listed and not another."""

from __future__ import annotations

import re
from html import unescape

import numpy as np
import pytest
from flask.testing import FlaskClient

from pathfolio.explain.evidence import PathNode
from pathfolio.explain.wording import LANGUAGES
from pathfolio.kg.languages.names import Names
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.recommender.build import Build
from pathfolio.web.site.prices import PriceHistory
from pathfolio.web.site.rebased import HEIGHT, WIDTH, rebased
from tests.web.plain_site import app, client
from tests.web.site_pages import investors, links, page_of, twin_of

__all__ = ["app", "client"]  # fixtures


def ids_of(twin: dict[str, object]) -> list[str]:
    return [line["asset"]["id"] for line in twin["lines"]]  # type: ignore[index, attr-defined]


def every(client: FlaskClient, address: str) -> list[str]:
    first = twin_of(client, address)
    more = [twin_of(client, f"{address}&page={page}") for page in range(2, first["pages"] + 1)]
    return [each for twin in (first, *more) for each in ids_of(twin)]


def test_all_assets_are_there_once_in_pages(client: FlaskClient, build: Build) -> None:
    found = every(client, "/assets?sort=name")
    assert sorted(found) == sorted(map(str, build.graph.asset_ids))
    assert twin_of(client, "/assets")["count"] == len(found) and len(ids_of(twin_of(client, "/assets"))) == 25
    assert ids_of(twin_of(client, "/assets?page=99999")) == found[75:]


def test_filters_are_what_the_graph_says(client: FlaskClient, build: Build) -> None:
    graph = build.graph
    industry = graph.outgoing(Relation.IN_INDUSTRY).neighbour[0]
    having = set(map(str, graph.nodes.id[graph.incoming(Relation.IN_INDUSTRY).of(industry)]))
    name = str(graph.nodes.id[industry])
    for address in ("industry", "node"):
        value = name if address == "industry" else f"Industry:{name}"
        answer = client.get("/assets", query_string={address: value, "format": "json"}).json
        assert set(ids_of(answer)) == having
    funds = every(client, "/assets?kind=Fund")
    assert set(funds) == set(map(str, graph.nodes.id[graph.rows(NodeKind.FUND)]))
    usd = set(map(str, graph.asset_ids[graph.nodes.currency[graph.assets] == "USD"]))
    assert set(every(client, "/assets?currency=USD")) == usd
    assert set(every(client, "/assets?currency=USD&kind=Fund")) == usd & set(funds)
    options = re.search(r'<select id="risk".*?</select>', page_of(client, "/assets"), re.DOTALL)
    assert options is not None
    for risk in re.findall(r'value="([^"]+)"', options.group()):
        lines = twin_of(client, f"/assets?risk={risk}")["lines"]
        assert lines and {line["risk"]["value"] for line in lines} == {float(risk)}
    assert every(client, "/assets?node=User:INV000002") == []
    assert client.get("/assets?kind=%3Cscript%3E").status_code == 200


def test_sorting_puts_what_is_not_known_last_either_way(client: FlaskClient) -> None:
    for order in ("up", "down"):
        lines = [
            line
            for page in (1, 2, 3, 4)
            for line in twin_of(client, f"/assets?sort=expense&order={order}&page={page}")["lines"]
        ]
        costs = [next((f["value"] for f in line["facts"] if f["metric"] == "expense_ratio"), None) for line in lines]
        known = [cost for cost in costs if cost is not None]
        assert known == sorted(known, reverse=order == "down") and known
        assert costs[: len(known)] == known


def test_no_investor_can_be_found_in_it(client: FlaskClient, build: Build) -> None:
    person = str(build.graph.nodes.name[build.graph.users[2]])
    assert twin_of(client, f"/assets?q={person.replace(' ', '+')}")["count"] == 0


@pytest.mark.parametrize("lang", LANGUAGES)
def test_side_by_side_has_the_figures_of_each_page_with_their_days(
    client: FlaskClient, build: Build, lang: str
) -> None:
    ids = [
        str(build.graph.nodes.id[build.graph.rows(kind)[1]]) for kind in (NodeKind.STOCK, NodeKind.FUND, NodeKind.BOND)
    ]
    address = "/assets/compare?" + "&".join(f"asset={each}" for each in ids)
    page = page_of(client, f"{address}&lang={lang}")
    found = twin_of(client, address)
    assert [line["asset"]["id"] for line in found["lines"]] == ids
    for at, asset in enumerate(ids):
        own = {fact["metric"]: fact for fact in twin_of(client, f"/assets/{asset}")["profile"]["facts"]}
        for figure in found["figures"]:
            assert figure["facts"][at] == own.get(figure["metric"])
    assert page.count('<path class="rebased-line rebased-') == 2 * len(found["chart"]["lines"])
    five = "&".join(f"asset={each}" for each in map(str, build.graph.asset_ids[1:6]))
    assert len(twin_of(client, f"/assets/compare?{five}")["lines"]) == 4
    assert client.get("/assets/compare?asset=nothing").status_code == 404
    added = twin_of(client, f"/assets/compare?asset={ids[0]}&find={ids[1]}")
    assert [line["asset"]["id"] for line in added["lines"]] == ids[:2]


def test_rebased_lines_begin_at_a_hundred_on_the_first_common_day() -> None:
    days = np.arange("2026-01-01", "2026-02-10", dtype="datetime64[D]")
    node = PathNode("A", "Stock", Names({"en": "A"}))
    rising, flat = np.linspace(50, 100, 30), np.full(40, 7.0)
    chart = rebased([(node, PriceHistory(days[10:], rising, "USD")), (node, PriceHistory(days, flat, "USD"))])
    assert chart is not None
    assert (str(chart.first_day), str(chart.last_day)) == ("2026-01-11", "2026-02-09")
    assert [round(line.last, 6) for line in chart.lines] == [200.0, 100.0]
    assert chart.lines[0].path.startswith(f"M0.0 {HEIGHT - 10:.1f} ") and chart.lines[0].path.endswith(
        f"{WIDTH:.1f} 10.0"
    )
    assert [tick.level for tick in chart.ticks] == [100.0, 150.0, 200.0]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_why_this_and_not_that_adds_up_and_is_recorded(client: FlaskClient, build: Build, lang: str) -> None:
    user = investors(build)[1]
    shown = links(page_of(client, f"/investors/{user}"), rf"/investors/{user}/assets/")
    first, second = [link.rpartition("/")[2] for link in dict.fromkeys(shown)][:2]
    address = f"/investors/{user}/assets/{first}/instead-of?other={second}"
    answer = client.get(f"{address}&lang={lang}")
    assert answer.status_code == 200 and answer.headers["Pathfolio-Record"] in answer.text
    found = twin_of(client, address)
    assert (found["first"]["id"], found["second"]["id"]) == (first, second)
    rest = found["rest"]["gap"] if found["rest"] else 0.0
    assert sum(line["gap"] for line in found["lines"]) + rest == pytest.approx(found["scores"][0] - found["scores"][1])
    whole = twin_of(client, f"/investors/{user}/assets/{first}")
    assert found["scores"][0] == pytest.approx(whole["score"])
    nothing = page_of(client, f"/investors/{user}/assets/{first}/instead-of?other=no+such+thing&lang={lang}")
    assert "no such thing" in nothing


def test_what_would_change_it_is_what_the_command_line_says(client: FlaskClient, build: Build) -> None:
    user = investors(build)[1]
    asset = re.findall(rf'href="/investors/{user}/assets/([^"?/]+)', page_of(client, f"/investors/{user}"))[0]
    found = twin_of(client, f"/investors/{user}/assets/{asset}/changes")
    assert found["takes_off"] and found["text"] and found["scored"] > 1
    page = page_of(client, f"/investors/{user}/assets/{asset}/changes")
    assert found["text"] in unescape(page)
    assert f"/investors/{user}/assets/{asset}/changes" in page_of(client, f"/investors/{user}/assets/{asset}")
