"""Rows of nodes and positions among investors or assets, and the way between them."""

from __future__ import annotations

import numpy as np

from pathfolio.kg.schema import ASSET_KINDS, NodeKind, Relation
from pathfolio.kg.span import Position, Positions, Row, Rows, Span
from tests.kg.test_graph import MARKET, compiled


def test_there_and_back() -> None:
    span = Span(first=7, count=4)
    assert [span.position(span.row(Position(at))) for at in range(len(span))] == [0, 1, 2, 3]
    assert span.position(span.rows).tolist() == span.positions.tolist() == [0, 1, 2, 3]
    assert span.row(Positions(np.array([[3, 0], [1, 1]]))).tolist() == [[10, 7], [8, 8]]


def test_what_it_has() -> None:
    span = Span(first=7, count=4)
    assert span.has(Rows(np.array([6, 7, 10, 11]))).tolist() == [False, True, True, False]
    assert [Row(row) in span for row in (-2, 6, 7, 10, 11)] == [False, False, True, True, False]
    assert not Span(first=7, count=0).has(Rows(np.array([7]))).any()


def test_rows_of_edges_do_not_overflow() -> None:
    """Edges have int32 rows; positions are int64, since keys of pairs are made of them."""
    found = Span(first=2, count=3).position(np.array([4, 2], np.int32))
    assert (found.tolist(), found.dtype) == ([2, 0], np.int64)


def test_the_spans_of_a_graph() -> None:
    graph = compiled(MARKET)
    assert graph.user_span.rows.tolist() == graph.users.tolist() == graph.rows(NodeKind.USER).tolist()
    assert graph.asset_span.rows.tolist() == graph.assets.tolist() == graph.rows(*ASSET_KINDS).tolist()
    u2, fund = graph.row(NodeKind.USER, "u2"), graph.asset_row("F")
    assert graph.user_ids[graph.user_span.position(u2)] == "u2"
    assert graph.asset_ids[graph.asset_span.position(fund)] == "F"
    held = graph.asset_span.position(graph.outgoing(Relation.HOLDS).of(u2))
    assert graph.asset_ids[held].tolist() == ["A", "F"]


def test_the_spans_of_a_graph_without_investors_or_assets() -> None:
    graph = compiled([("Market", "M", "IN_COUNTRY", "Country", "C", 1)])
    assert (len(graph.user_span), len(graph.asset_span)) == (0, 0)
    assert not graph.asset_span.has(graph.rows(NodeKind.MARKET)).any()
