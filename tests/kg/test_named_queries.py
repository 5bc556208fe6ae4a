"""Every named query, asked of a market whose answers are worked out by hand, on both servers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
import pytest

from pathfolio.kg.compile import compile_graph
from pathfolio.kg.errors import UsageError
from pathfolio.kg.schema import KIND_CODE, NodeKind
from pathfolio.kg.store.address import StoreAddress
from pathfolio.kg.store.bolt import Store
from pathfolio.kg.store.catalog import named_queries, named_query
from pathfolio.kg.store.guard import check_query
from pathfolio.kg.store.load import load_into
from pathfolio.kg.store.query import run_query
from pathfolio.kg.store.values import PathValue
from pathfolio.kg.store.vectors import VectorNote, write_vectors
from tests.kg.store_world import (
    ATTRIBUTES,
    DAY,
    FUNDS,
    POSITIONS,
    SERVERS,
    address_of,
    edge_frame,
    empty,
    node_frame,
)

D = date.fromisoformat

# as in `store_world`
SIGNALS: list[tuple[Any, ...]] = [
    ("B", "HAS_FACT", "modelled_volatility", None, 0.2, "fraction", "2024-11-29", None),
    ("B", "HAS_FACT", "modelled_volatility", None, 0.3, "fraction", "2024-12-31", None),
    ("B", "HAS_FACT", "modelled_volatility_rank", None, 2.0, "of 2", "2024-12-31", None),
    ("B", "HAS_FACT", "modelled_volatility_record", None, 0.61, "rank correlation", "2024-12-31", None),
    ("C", "HAS_FACT", "modelled_volatility", None, 0.25, "fraction", "2024-11-29", None),
]

# query, parameters, rows (of PathValues only that they are paths)
CASES: list[tuple[str, str, list[tuple[Any, ...]]]] = [
    (
        "portfolio",
        "investor=U1",
        [
            ("A", "Alpha", "Stock", 0.4, None, D("2024-09-30"), D("2024-10-15"), "positions"),
            ("F", "Fund F", "Fund", 0.4, None, D("2024-09-30"), D("2024-10-15"), "positions"),
            ("C", "Gamma", "Stock", 0.2, None, D("2024-09-30"), D("2024-10-15"), "positions"),
        ],
    ),
    (  # the statement of the end of September is known only in the middle of October
        "portfolio",
        "investor=U1 as_of=2024-10-14",
        [
            ("A", "Alpha", "Stock", 0.5, None, D("2024-01-31"), D("2024-01-31"), "positions"),
            ("F", "Fund F", "Fund", 0.3, None, D("2024-01-31"), D("2024-01-31"), "positions"),
            ("B", "Beta", "Stock", 0.2, None, D("2024-01-31"), D("2024-01-31"), "positions"),
        ],
    ),
    (
        "portfolio_changes",
        "investor=U1 since=2024-06-30",
        [
            ("C", "Gamma", "added", None, 0.2, None, None),
            ("A", "Alpha", "changed", 0.5, 0.4, None, None),
            ("F", "Fund F", "changed", 0.3, 0.4, None, None),
            ("B", "Beta", "left", 0.2, None, None, None),
        ],
    ),
    ("portfolio_changes", "investor=U1 since=2024-10-15", []),
    # 0.4 directly, and 0.4 * 0.5 through F
    ("exposure_to_asset", "investor=U1 asset=A", [(["A"], 0.4, 0.4), (["F", "A"], 0.4, 0.2)]),
    # 0.6 * 0.5 through H, 0.6 * 0.5 * 0.5 through H and F
    ("exposure_to_asset", "investor=U3 asset=A", [(["H", "A"], 0.6, 0.3), (["H", "F", "A"], 0.6, 0.15)]),
    # no weights: each of two holdings is a half; 0.5 * 0.2 through G
    ("exposure_to_asset", "investor=U2 asset=A", [(["A"], 0.5, 0.5), (["G", "A"], 0.5, 0.1)]),
    # in September F still weighed A with 0.6, and U1 F with 0.3
    (
        "exposure_to_asset",
        "investor=U1 asset=A as_of=2024-09-30",
        [(["A"], 0.5, 0.5), (["F", "A"], 0.3, 0.18)],
    ),
    ("exposure_to_industry", "investor=U1 industry=chips", [("A", "Alpha", 0.6, 2)]),
    ("exposure_to_industry", "investor=U3 industry=chips", [("A", "Alpha", 0.45, 2)]),
    # B directly with 0.2, and 0.3 * 0.4 through F; A with 0.5 + 0.3 * 0.6
    (
        "exposure_to_industry",
        "investor=U1 industry=chips as_of=2024-09-30",
        [("A", "Alpha", 0.68, 2), ("B", "Beta", 0.32, 2)],
    ),
    ("exposure_by_sector", "investor=U1", [("tech", 0.6, 1), ("finance", 0.4, 1)]),
    ("exposure_by_sector", "investor=U4", [("tech", 0.9, 1), ("unknown", 0.1, 1)]),
    ("concentration", "investor=U1", [(3, 0.4, 1.0, 0.36)]),
    ("concentration", "investor=U2", [(2, 0.5, 1.0, 0.5)]),
    (
        "fund_concentration",
        "",
        [
            ("F", "Fund F", 2, 0.5, 1.0, 0.5),
            ("H", "Fund of funds", 2, 0.5, 1.0, 0.5),
            ("G", "Fund G", 3, 0.5, 1.0, 0.38),
        ],
    ),
    ("fund_concentration", "least=3 most=1", [("G", "Fund G", 3, 0.5, 1.0, 0.38)]),
    ("overlap", "a=F b=G", [("C", "Gamma", 0.5, 0.3, 0.3), ("A", "Alpha", 0.5, 0.2, 0.2)]),
    ("overlap", "a=F b=G as_of=2024-09-30", [("A", "Alpha", 0.6, 0.2, 0.2)]),
    (
        "fund_holdings",
        "fund=F",
        [
            ("A", "Alpha", 0.5, D("2024-09-30"), D("2024-10-10"), "facts & figures"),
            ("C", "Gamma", 0.5, D("2024-09-30"), D("2024-10-10"), "facts & figures"),
        ],
    ),
    (
        "fund_changes",
        "fund=F since=2024-06-30",
        [
            ("C", "Gamma", "added", None, 0.5, 0.5),
            ("B", "Beta", "left", 0.4, None, -0.4),
            ("A", "Alpha", "changed", 0.6, 0.5, -0.1),
        ],
    ),
    (
        "funds_holding",
        "asset=A least=0.3",
        [
            ("F", "Fund F", 0.5, D("2024-09-30"), D("2024-10-10")),
            ("H", "Fund of funds", 0.5, D("2024-06-30"), D("2024-06-30")),
        ],
    ),
    (
        "holders",
        "asset=A",
        [
            ("U4", "U4", 0.9, None, D("2024-11-30")),
            ("U1", "Ann", 0.4, None, D("2024-09-30")),
            ("U2", "Bob", None, 10.0, D("2024-03-31")),
        ],
    ),
    # holders of C: U1 (with A and F) and U3 (with H)
    ("co_held", "asset=C least=1", [("A", "Alpha", 1), ("F", "Fund F", 1), ("H", "Fund of funds", 1)]),
    ("co_held", "asset=A least=2", []),
    # one common holding in 3 + 2 - 1
    ("similar_investors", "investor=U1 least=1", [("U2", 1, 2, 0.25), ("U3", 1, 2, 0.25), ("U4", 1, 2, 0.25)]),
    ("most_held", "most=2", [("A", "Alpha", "Stock", 3), ("C", "Gamma", "Stock", 2)]),
    (
        "paths",
        "a=U1 b=D",
        [
            (3, ["U1", "A", "G", "D"], ["HOLDS", "INVESTS_IN", "INVESTS_IN"], PathValue),
            (3, ["U1", "A", "U4", "D"], ["HOLDS", "HOLDS", "HOLDS"], PathValue),
            (3, ["U1", "C", "G", "D"], ["HOLDS", "INVESTS_IN", "INVESTS_IN"], PathValue),
        ],
    ),
    # before U4 and the September statement were known, there is one
    (
        "paths",
        "a=U1 b=D as_of=2024-09-30",
        [(3, ["U1", "A", "G", "D"], ["HOLDS", "INVESTS_IN", "INVESTS_IN"], PathValue)],
    ),
    ("industry_peers", "asset=A", [("chips", "B", "Beta", 0)]),
    ("industry_peers", "asset=B", [("chips", "A", "Alpha", 3)]),
    # U4: 0.9; U1: 0.4 + 0.4 * 0.5 through F; U2: a half + a half * 0.2 through G; U3: 0.6 * 0.5 through H
    (
        "issuer_failure",
        "issuer=Acme",
        [("U4", ["A"], 0.9), ("U1", ["A", "F"], 0.6), ("U2", ["A", "G"], 0.6), ("U3", ["H"], 0.3)],
    ),
    (
        "facts",
        "asset=A",
        [
            ("pe", 25.0, "times", D("2024-06-30"), D("2024-08-01"), "facts & figures"),
            ("yield", 0.01, "fraction", D("2024-06-30"), D("2024-06-30"), "facts & figures"),
        ],
    ),
    (  # the half-year's price-earnings ratio is published in August
        "facts",
        "asset=A as_of=2024-07-31",
        [
            ("pe", 20.0, "times", D("2023-12-31"), D("2024-02-01"), "facts & figures"),
            ("yield", 0.01, "fraction", D("2024-06-30"), D("2024-06-30"), "facts & figures"),
        ],
    ),
    ("stale_facts", "before=2024-01-01", [("C", "Gamma", "pe", 8.0, D("2023-06-30"), "facts & figures")]),
    (
        "stale_facts",
        "before=2024-01-01 as_of=2024-07-31",
        [
            ("C", "Gamma", "pe", 8.0, D("2023-06-30"), "facts & figures"),
            ("A", "Alpha", "pe", 20.0, D("2023-12-31"), "facts & figures"),
        ],
    ),
    (
        "signals",
        "",
        [
            ("B", "Beta", 0.3, "fraction", 2.0, "of 2", 0.61, D("2024-12-31"), "facts & figures"),
            ("C", "Gamma", 0.25, "fraction", None, None, None, D("2024-11-29"), "facts & figures"),
        ],
    ),
    (
        "signals",
        "as_of=2024-12-30 most=1",
        [("C", "Gamma", 0.25, "fraction", None, None, None, D("2024-11-29"), "facts & figures")],
    ),
    ("signals", "signal=modelled_beta", []),
    (
        "stale_funds",
        "before=2024-09-01",
        [("G", "Fund G", D("2024-06-30"), 3), ("H", "Fund of funds", D("2024-06-30"), 2)],
    ),
    (
        "unclassified",
        "",
        [
            ("D", "Delta", "Stock", 1),
            ("F", "Fund F", "Fund", 1),
            ("G", "Fund G", "Fund", 1),
            ("H", "Fund of funds", "Fund", 1),
        ],
    ),
    (
        "ratings",
        "asset=A",
        [("Broker 1", "hold", 110.0, D("2024-11-01")), ("Broker 2", "sell", 80.0, D("2024-06-01"))],
    ),
    ("holders_by_risk", "asset=A", [("low", 2), ("unknown", 1)]),
    ("holders_by_risk", "asset=A as_of=2024-11-30", [("high", 1), ("low", 1), ("unknown", 1)]),
    ("nearest", "asset=A most=2", [("B", "Beta", 0.8), ("C", "Gamma", 0.0)]),
    ("nearest", "asset=A", [("B", "Beta", 0.8), ("C", "Gamma", 0.0), ("D", "Delta", -1.0)]),
    ("late_knowledge", "asset=F days=10", []),
    (
        "late_knowledge",
        "asset=F days=9",
        [
            ("INVESTS_IN", "A", D("2024-03-31"), D("2024-04-10"), 10),
            ("INVESTS_IN", "A", D("2024-09-30"), D("2024-10-10"), 10),
            ("INVESTS_IN", "B", D("2024-03-31"), D("2024-04-10"), 10),
            ("INVESTS_IN", "C", D("2024-09-30"), D("2024-10-10"), 10),
        ],
    ),
]


@pytest.fixture(scope="module", params=SERVERS)
def loaded(request: pytest.FixtureRequest) -> Iterator[tuple[str, StoreAddress]]:
    """A server with the market in it, and vectors that lie at 0, 37, 90 and 180 degrees."""
    with Store(address_of(request.param)) as store:
        empty(store)
        load_into(
            store,
            compile_graph(node_frame(), edge_frame(POSITIONS + FUNDS + ATTRIBUTES + SIGNALS), DAY, name="signals"),
        )
        kinds = np.full(4, KIND_CODE[NodeKind.STOCK], np.int8)
        vectors = np.array([[1, 0], [0.8, 0.6], [0, 1], [-1, 0]], np.float32)
        write_vectors(store, kinds, list("ABCD"), vectors, VectorNote("build", "TransE", DAY, "none"))
    yield request.param, address_of(request.param, reader=True)


def same(found: Any, expected: Any) -> bool:
    if isinstance(expected, type):
        return isinstance(found, expected)
    if isinstance(expected, float):
        return isinstance(found, int | float) and found == pytest.approx(expected, abs=1e-6)
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    return bool(found == expected)


@pytest.mark.parametrize(("name", "words", "expected"), CASES, ids=[f"{c[0]} {c[1]}" for c in CASES])
def test_answer(loaded: tuple[str, StoreAddress], name: str, words: str, expected: list[tuple[Any, ...]]) -> None:
    query = named_query(name)
    with Store(loaded[1]) as store:
        result = run_query(store, query.text_for(store.dialect), query.values_from_words(words.split()))
    assert len(result.rows) == len(expected), result.rows
    for found, row in zip(result.rows, expected, strict=True):
        assert len(found) == len(row)
        assert all(map(same, found, row)), (found, row)


def test_every_query_is_answered_by_hand() -> None:
    assert {case[0] for case in CASES} == set(named_queries())
    assert len(named_queries()) >= 15


@pytest.mark.parametrize("query", named_queries().values(), ids=lambda query: query.name)
def test_query_is_well_described(query: Any) -> None:
    assert query.title["en"] and query.sentence["en"].endswith(".")
    example = query.values_from_words(query.example.split())
    for text in (query.text, query.neo4j):
        check_query(text, example)
        used = {word for word in text.replace(")", " ").replace("}", " ").replace(",", " ").split() if word[0] == "$"}
        assert {f"${p.name}" for p in query.parameters} == {word.strip("[]") for word in used}
    assert all("$as_of" in query.text for p in query.parameters if p.name == "as_of")


def test_wrong_parameters_are_named() -> None:
    overlap = named_query("overlap")
    with pytest.raises(UsageError, match="overlap needs -P b=…: id of the other fund"):
        overlap.values({"a": "F"})
    with pytest.raises(UsageError, match="overlap has no parameter 'c'"):
        overlap.values({"a": "F", "b": "G", "c": "H"})
    with pytest.raises(UsageError, match="'soon' is no date"):
        overlap.values({"a": "F", "b": "G", "as_of": "soon"})
    with pytest.raises(UsageError, match="no named query 'ovrlap'"):
        named_query("ovrlap")
