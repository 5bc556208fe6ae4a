"""Pictures: nodes are links, edges say their source and days, and neighbours are never people."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask.testing import FlaskClient

from pathfolio.explain.wording import LANGUAGES
from pathfolio.kg.graph import to_date
from pathfolio.kg.schema import ASSET_KINDS, OF_INVESTORS, RELATIONS, NodeKind, Relation, Role
from pathfolio.recommender.build import Build
from pathfolio.web.site.pages.neighbours import MOST
from tests.web.plain_site import app, client
from tests.web.site_pages import first_recommendation, investors, page_of

__all__ = ["app", "client"]  # fixtures


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_node_of_a_path_picture_leads_somewhere_and_every_edge_says_who_and_when(
    client: FlaskClient, build: Build, lang: str
) -> None:
    user = investors(build)[1]
    why = first_recommendation(client, user)
    html = page_of(client, f"{why}{'&' if '?' in why else '?'}lang={lang}")
    svg = re.search(r'<svg class="pf-picture.*?</svg>', html, re.DOTALL)
    assert svg is not None
    cards = svg.group().count('<rect class="card')
    links = re.findall(r'<a href="([^"]+)" class="node"', svg.group())
    people = len(re.findall(r'class="card[^"]*end"', svg.group())) - 1 + svg.group().count("<title>User")
    summed = cards - len(links)
    assert links and summed >= 1 and people >= 0  # the investor, and others, who are summed up, lead nowhere
    for address in dict.fromkeys(map(unescape, links)):
        assert client.get(address).status_code == 200, address
    said = re.findall(r'<g class="edge" tabindex="0" role="img" aria-label="([^"]+)"', svg.group())
    assert said and all(re.search(r"20\d\d-\d\d-\d\d", each) for each in said)


def test_neighbours_are_of_the_graph_bounded_and_none_is_a_person(client: FlaskClient, build: Build) -> None:
    graph = build.graph
    fund = max(graph.rows(NodeKind.FUND).tolist(), key=lambda row: len(graph.outgoing(Relation.INVESTS_IN).of(row)))
    others = [(NodeKind.STOCK, 4), (NodeKind.MARKET, 0), (NodeKind.RISK_RATING, 0)]
    told = [each for each in Relation if each not in OF_INVESTORS and RELATIONS[each].role is not Role.FACT]
    for row in (fund, *(graph.rows(kind)[at] for kind, at in others)):
        kind, key = graph.kind_of(row), str(graph.nodes.id[row])
        found = client.get("/neighbours", query_string={"node": f"{kind}:{key}", "format": "json"}).json
        assert 0 < len(found["neighbours"]) <= MOST
        for each in found["neighbours"]:
            assert each["node"]["kind"] != "User" and each["relation"] not in OF_INVESTORS
            other = graph.row(NodeKind(each["node"]["kind"]), each["node"]["id"])
            ends = (row, other) if each["forward"] else (other, row)
            edge = graph.edge(ends[0], Relation(each["relation"]), ends[1])
            assert edge is not None and graph.edges.source[edge] == each["source"]
            assert to_date(graph.edges.as_of[edge]).isoformat() == each["as_of"]
            assert client.get(each["address"]).status_code == 200
            assert (each["address"].startswith("/assets/")) == (each["node"]["kind"] in {k.value for k in ASSET_KINDS})
        edges = sum(len(of(each).of(row)) for each in told for of in (graph.outgoing, graph.incoming))
        assert len(found["neighbours"]) + found["more"] == edges
    for name in (f"User:{investors(build)[1]}", "User:nobody", "Fund:nothing", "nonsense", ""):
        assert client.get("/neighbours", query_string={"node": name}).status_code == 404
    level = graph.rows(NodeKind.RISK_LEVEL)[0]
    found = client.get("/neighbours", query_string={"node": f"RiskLevel:{graph.nodes.id[level]}"}).json
    assert found["neighbours"] == [] and found["more"] == 0
