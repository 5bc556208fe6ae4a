"""The country of an asset, its own or its market's, joins it to others of the country by edges of the graph."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from pathfolio.explain.checker.check import check_explanation
from pathfolio.explain.explainer import Explainer
from pathfolio.explain.explanation import Explanation
from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import Relation
from pathfolio.recommender.account import ScoreAccount
from pathfolio.recommender.channels.attributes import SharedAttributes, attribute_matrix
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.investor_rows import InvestorRows
from tests.explain.explain_world import BUILD, DAY, tables_of

TO_MARKET = ["HOLDS", "LISTED_ON", "IN_COUNTRY", "IN_COUNTRY"]


@pytest.fixture(scope="module")
def graph() -> KnowledgeGraph:
    """The investor holds Here; two exchanges are in Taiwan, one in Japan; Note's own country is Taiwan, Both's Japan.

    No two assets are listed on the same exchange except Here and Both.
    """
    assets = pd.DataFrame(
        {
            "asset_id": ["Here", "There", "Far", "Note", "Both"],
            "kind": ["stock", "stock", "stock", "bond", "fund"],
            "market": ["TWSE", "TPEx", "TSE", None, "TWSE"],
            "country": [None, None, None, "Taiwan", "Japan"],
        }
    )
    countries = [("TWSE", "Taiwan"), ("TPEx", "Taiwan"), ("TSE", "Japan")]
    relations = pd.DataFrame(countries, columns=["source_id", "target_id"]).assign(
        relation="IN_COUNTRY", as_of="2026-01-01"
    )
    positions = pd.DataFrame({"user_id": ["u"], "asset_id": ["Here"], "as_of": ["2026-01-01"], "units": [1.0]})
    users = pd.DataFrame({"user_id": ["u"]})
    named = assets.assign(name=assets["asset_id"])
    return assemble_graph(tables_of(users=users, assets=named, relations=relations, positions=positions), DAY)


def explained(graph: KnowledgeGraph, asset: str) -> Explanation:
    """Why the asset, as far as shared attributes tell."""
    channel = SharedAttributes(graph, attribute_matrix(graph), np.ones(len(graph.assets)))
    row, investor = graph.asset_row(asset), InvestorRows.of(Interactions(graph), np.array([0]))
    parts = channel.account(investor, row - int(graph.assets[0]))
    score = sum(part.value for part in parts)
    here = graph.asset_row("Here") - int(graph.assets[0])
    assert score == pytest.approx(channel.kernel()[here, row - int(graph.assets[0])])
    return Explainer(graph, BUILD).explain(ScoreAccount(int(graph.users[0]), row, score, (), parts), 1)


@pytest.mark.parametrize(
    ("asset", "nodes", "relations"),
    [
        ("There", ["u", "Here", "TWSE", "Taiwan", "TPEx", "There"], [*TO_MARKET, "LISTED_ON"]),
        ("Note", ["u", "Here", "TWSE", "Taiwan", "Note"], TO_MARKET),
        ("Far", None, None),
        ("Both", None, None),  # a country of its own counts before its market's
    ],
)
def test_a_country_is_a_walk_over_edges_of_the_graph(
    graph: KnowledgeGraph, asset: str, nodes: list[str] | None, relations: list[str] | None
) -> None:
    found = explained(graph, asset)
    paths = [path for path in found.paths if path.channel == "country"]
    walks = [([node.id for node in path.nodes], list(path.relations)) for path in paths]
    assert walks == ([] if nodes is None else [(nodes, relations)])
    rows = {str(key): row for row, key in enumerate(graph.nodes.id)}
    for path in paths:
        for (start, end), edge in zip(pairwise(node.id for node in path.nodes), path.edges, strict=True):
            assert {edge.head, edge.tail} == {start, end}
            assert graph.edge(rows[str(edge.head)], Relation(edge.relation), rows[str(edge.tail)]) is not None
    assert check_explanation(graph, found.to_json()) == []


def test_a_walk_that_jumps_over_the_market_is_no_walk(graph: KnowledgeGraph) -> None:
    """The checker that lets the walk through would not let through one of edges that are not there."""
    printed = explained(graph, "There").to_json()
    path = next(path for path in printed["paths"] if path["channel"] == "country")
    path["edges"][3:] = [{**path["edges"][3], "head": "There"}]
    path["nodes"].pop(4)
    (problem,) = check_explanation(graph, printed)
    assert "the graph has no such edge" in problem


def test_a_country_counts_by_all_that_are_in_it(graph: KnowledgeGraph) -> None:
    """Three are in Taiwan and three are stocks, two are on TWSE, one alone on TPEx: each k counts k^-0.25."""
    here, there = (2 * 3**-0.5 + on**-0.5 for on in (2, 1))
    (part,) = (path.contribution for path in explained(graph, "There").paths if path.channel == "country")
    assert part == pytest.approx(3**-0.5 / (here * there) ** 0.5)
