"""The snapshot: one sorted vocabulary, versions and which of them are current, adjacency, hash, and its files."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathfolio.kg.compile import compile_graph
from pathfolio.kg.errors import DataError, SchemaError, UsageError
from pathfolio.kg.graph import KnowledgeGraph, to_date, to_days
from pathfolio.kg.resolve import current_versions
from pathfolio.kg.schema import ASSET_KINDS, KIND_CODE, RELATION_KINDS, RELATIONS, NodeKind, Relation, Replaces
from pathfolio.kg.storage import load_graph, save_graph

TODAY = date(2025, 1, 31)


def compiled(
    edges: list[tuple[str, str, str, str, str, int]], as_of: date = TODAY, **properties: object
) -> KnowledgeGraph:
    """A graph of (head kind, head, relation, tail kind, tail, day of January 2025), known on that day."""
    frame = pd.DataFrame(edges, columns=["head_kind", "head_id", "relation", "tail_kind", "tail_id", "day"])
    day = to_days(date(2024, 12, 31)) + frame["day"].astype(int)
    frame = frame.assign(as_of=day, known_at=day, weight=np.nan, value=np.nan, qualifier="", source="test")
    nodes = pd.DataFrame({"kind": [], "id": []})
    return compile_graph(nodes, frame.assign(**properties), as_of, name="Test")


# user u1 holds A then sells it; u2 holds A and the fund F; F's list of day 5 drops B
MARKET = [
    ("User", "u1", "HOLDS", "Stock", "A", 1),
    ("User", "u1", "HELD", "Stock", "A", 9),
    ("User", "u2", "HOLDS", "Stock", "A", 2),
    ("User", "u2", "HOLDS", "Fund", "F", 3),
    ("Fund", "F", "INVESTS_IN", "Stock", "A", 1),
    ("Fund", "F", "INVESTS_IN", "Stock", "B", 1),
    ("Fund", "F", "INVESTS_IN", "Stock", "A", 5),
    ("Stock", "A", "IN_INDUSTRY", "Industry", "Ships", 1),
    ("Stock", "A", "IN_INDUSTRY", "Industry", "Trains", 4),
    ("User", "u1", "HAS_RISK", "RiskLevel", "Low", 1),
]


@pytest.fixture
def graph() -> KnowledgeGraph:
    return compiled(MARKET)


def test_nodes_are_sorted_by_kind_and_id(graph: KnowledgeGraph) -> None:
    names = [(graph.kind_of(row).value, graph.nodes.id[row]) for row in range(len(graph))]
    assert names == [
        ("User", "u1"), ("User", "u2"), ("Stock", "A"), ("Stock", "B"), ("Fund", "F"), ("Industry", "Ships"),
        ("Industry", "Trains"), ("RiskLevel", "Low"),
    ]  # fmt: skip
    assert graph.users.tolist() == [0, 1]
    assert graph.assets.tolist() == [2, 3, 4]
    assert graph.rows(NodeKind.FUND, NodeKind.USER).tolist() == [0, 1, 4]
    assert graph.rows().tolist() == []
    assert graph.row(NodeKind.FUND, "F") == graph.asset_row("F") == 4


def test_what_is_not_there_is_named(graph: KnowledgeGraph) -> None:
    assert graph.find(NodeKind.STOCK, "F") is None
    with pytest.raises(UsageError, match="no stock 'F' in the snapshot of 2025-01-31"):
        graph.row(NodeKind.STOCK, "F")
    with pytest.raises(UsageError, match="no asset 'u1'"):
        graph.asset_row("u1")


def test_only_current_versions_are_seen(graph: KnowledgeGraph) -> None:
    assert len(graph.edges) == 10
    assert graph.counts()["edges"] == {"HOLDS": 2, "HELD": 1, "HAS_RISK": 1, "INVESTS_IN": 1, "IN_INDUSTRY": 1}
    assert graph.outgoing(Relation.INVESTS_IN).of(4).tolist() == [2]
    assert graph.incoming(Relation.HOLDS).of(2).tolist() == [1]
    assert graph.outgoing(Relation.IN_INDUSTRY).of(2).tolist() == [6]
    assert graph.triples().shape == (6, 3)


def test_an_earlier_day_is_as_it_was(graph: KnowledgeGraph) -> None:
    """On day 3 u1 still holds A, the fund has both stocks, A is a ship company and Trains is no word yet."""
    before = graph.at(date(2025, 1, 3))
    assert before.content_hash == compiled(MARKET, date(2025, 1, 3)).content_hash
    assert before.incoming(Relation.HOLDS).of(before.asset_row("A")).tolist() == [0, 1]
    assert before.find(NodeKind.INDUSTRY, "Trains") is None
    with pytest.raises(UsageError, match="up to 2025-01-31"):
        graph.at(date(2025, 2, 1))


def test_an_edge_is_found_by_its_ends(graph: KnowledgeGraph) -> None:
    at = graph.edge(0, Relation.HELD, 2)
    assert at is not None
    assert to_date(graph.edges.as_of[at]) == date(2025, 1, 9)
    assert graph.edge(0, Relation.HOLDS, 2) is None
    assert graph.edge(7, Relation.HOLDS, 0) is None


def test_the_arrays_cannot_be_changed(graph: KnowledgeGraph) -> None:
    for part in (graph.nodes, graph.edges):
        for f in fields(part):
            with pytest.raises(ValueError, match="read-only"):
                getattr(part, f.name)[0] = getattr(part, f.name)[0]


def test_networkx_has_the_current_graph(graph: KnowledgeGraph) -> None:
    opened = graph.to_networkx()
    assert opened.number_of_nodes() == 8
    assert opened.number_of_edges() == 6
    data = opened.edges[("User", "u1"), ("Stock", "A"), "HELD"]
    assert data == {"source": "test", "as_of": date(2025, 1, 9), "known_at": date(2025, 1, 9)}


# -- versions -------------------------------------------------------------------------------------------------

ends = {
    Relation.HOLDS: ("User", "Stock"),
    Relation.HELD: ("User", "Stock"),
    Relation.HAS_RISK: ("User", "RiskLevel"),
    Relation.INVESTS_IN: ("Fund", "Stock"),
    Relation.COMPETES_WITH: ("Stock", "Stock"),
}


@st.composite
def dated_edges(draw: st.DrawFn) -> list[tuple[str, str, str, str, str, int]]:
    relation = st.sampled_from(list(ends))
    rows = draw(st.lists(st.tuples(relation, st.sampled_from("abc"), st.sampled_from("xyz"), st.integers(1, 4))))
    return [(ends[r][0], head, r.value, ends[r][1], tail, day) for r, head, tail, day in rows]


def _current_by_rule(graph: KnowledgeGraph) -> list[bool]:
    """The rule of each relation, edge against edge: is there a newer one that replaces it?"""
    edges = graph.edges

    def replaced(old: int, new: int) -> bool:
        kinds = [RELATION_KINDS[edges.relation[at]] for at in (old, new)]
        position = {Relation.HOLDS, Relation.HELD}
        if kinds[0] is not kinds[1] and not set(kinds) <= position:
            return False
        rule = RELATIONS[kinds[0]].replaces
        newer = (edges.as_of[new], edges.known_at[new], new) > (edges.as_of[old], edges.known_at[old], old)
        if edges.head[old] != edges.head[new]:
            return False
        if rule is Replaces.STATEMENT and edges.as_of[new] > edges.as_of[old]:
            return True
        return bool(newer and (rule is Replaces.HEAD or edges.tail[old] == edges.tail[new]))

    return [not any(replaced(old, new) for new in range(len(edges))) for old in range(len(edges))]


@settings(max_examples=35, deadline=None)
@given(dated_edges())
def test_current_is_what_nothing_newer_replaces(edges: list[tuple[str, str, str, str, str, int]]) -> None:
    graph = compiled(edges)
    assert current_versions(graph.edges).tolist() == _current_by_rule(graph)


@settings(max_examples=35, deadline=None)
@given(dated_edges(), st.randoms(use_true_random=False))
def test_adjacency_both_ways_and_any_order_of_input(
    edges: list[tuple[str, str, str, str, str, int]], random: object
) -> None:
    graph = compiled(edges)
    for relation in ends:
        pairs = {
            (int(graph.edges.head[at]), int(graph.edges.tail[at])): int(at) for at in graph.edges_between(relation)
        }
        out, back = graph.outgoing(relation), graph.incoming(relation)
        seen = {(row, int(to)): int(e) for row in range(len(graph))
                for to, e in zip(out.of(row), out.edges_of(row), strict=True)}  # fmt: skip
        seen_back = {(int(to), row): int(e) for row in range(len(graph))
                     for to, e in zip(back.of(row), back.edges_of(row), strict=True)}  # fmt: skip
        assert seen == seen_back == pairs
        assert out.degree().sum() == len(pairs)
        assert all((np.diff(out.of(row)) > 0).all() for row in range(len(graph)))
    again = list(edges)
    random.shuffle(again)  # type: ignore[attr-defined]
    assert compiled(again + again).content_hash == graph.content_hash


def test_holding_kinds_are_neighbours_so_that_assets_are_one_range() -> None:
    codes = [KIND_CODE[kind] for kind in ASSET_KINDS]
    assert codes == list(range(codes[0], codes[0] + len(codes)))


# -- compiling ------------------------------------------------------------------------------------------------


def test_edges_to_nodes_that_are_not_known_are_left_out() -> None:
    nodes = pd.DataFrame({"kind": ["Stock"], "id": ["NEW"], "known_at": [to_days(date(2025, 3, 1))]})
    frame = pd.DataFrame({"relation": ["INVESTS_IN"], "head_kind": ["Fund"], "head_id": ["F"], "tail_kind": ["Stock"],
                          "tail_id": ["NEW"], "weight": [0.5], "value": [None], "qualifier": [""], "source": ["s"],
                          "as_of": [1], "known_at": [1]})  # fmt: skip
    assert len(compile_graph(nodes, frame, TODAY, name="x").edges) == 0
    assert len(compile_graph(nodes, frame, date(2025, 3, 1), name="x").edges) == 1


def test_a_node_that_nothing_dates_and_nothing_touches_is_left_out(graph: KnowledgeGraph) -> None:
    nodes = pd.DataFrame({"kind": ["Market", "Market"], "id": ["A", "B"], "name": ["Alpha", "Beta"]})
    frame = pd.DataFrame({"relation": ["LISTED_ON"], "head_kind": ["Stock"], "head_id": ["S"], "tail_kind": ["Market"],
                          "tail_id": ["A"], "weight": [0.5], "value": [None], "qualifier": [""], "source": ["s"],
                          "as_of": [1], "known_at": [3]})  # fmt: skip
    found = compile_graph(nodes, frame, TODAY, name="x")
    row = found.row(NodeKind.MARKET, "A")
    assert (found.nodes.name[row], found.nodes.known_at[row]) == ("Alpha", 3)
    assert found.find(NodeKind.MARKET, "B") is None


def test_a_fact_about_a_later_day_waits_for_that_day() -> None:
    """A forecast for February, known in January, is not in January's snapshot, and neither is its node."""
    edges = [("Stock", "A", "HAS_FACT", "Metric", "eps", 40)]
    known = to_days(date(2025, 1, 1))
    assert len(compiled(edges, known_at=known)) == 0
    late = compiled(edges, date(2025, 2, 28), known_at=known)
    assert len(late) == 2
    assert len(late.at(TODAY)) == 0


# -- identity and files ---------------------------------------------------------------------------------------


def test_the_hash_follows_the_content(graph: KnowledgeGraph) -> None:
    others = [compiled(MARKET, weight=0.5), compiled(MARKET, source="else"), compiled(MARKET[:-1]),
              compiled(MARKET, date(2025, 1, 30)), compiled(MARKET, qualifier="predicted")]  # fmt: skip
    hashes = {other.content_hash for other in others} | {graph.content_hash}
    assert len(hashes) == 6
    assert compiled(MARKET, value=0.0).content_hash == compiled(MARKET, value=-0.0).content_hash


def test_a_saved_graph_loads_as_it_was(graph: KnowledgeGraph, tmp_path: Path) -> None:
    save_graph(graph, tmp_path / "graph")
    loaded = load_graph(tmp_path / "graph", verify=True)
    assert loaded.content_hash == graph.content_hash
    assert (loaded.name, loaded.as_of, loaded.is_sample) == ("Test", TODAY, False)
    for ours, theirs in ((graph.nodes, loaded.nodes), (graph.edges, loaded.edges)):
        for f in fields(ours):
            assert getattr(ours, f.name).dtype == getattr(theirs, f.name).dtype, f.name
    assert loaded.counts() == graph.counts()


def test_an_empty_graph_can_be_saved(tmp_path: Path) -> None:
    empty = compiled([])
    save_graph(empty, tmp_path)
    assert load_graph(tmp_path, verify=True).content_hash == empty.content_hash


def test_a_graph_from_before_the_last_kinds_came_is_read(tmp_path: Path) -> None:
    empty = compiled([])
    save_graph(empty, tmp_path)
    about = json.loads((tmp_path / "graph.json").read_text(encoding="utf-8"))
    about["node_kinds"].pop()
    about["relation_kinds"].pop()
    (tmp_path / "graph.json").write_text(json.dumps(about), encoding="utf-8")
    assert load_graph(tmp_path, verify=True).content_hash == empty.content_hash


def _without_a_file(folder: Path) -> None:
    (folder / "edges.parquet").unlink()


def _cut_short(folder: Path) -> None:
    (folder / "nodes.parquet").write_bytes((folder / "nodes.parquet").read_bytes()[:50])


def _not_json(folder: Path) -> None:
    (folder / "graph.json").write_text("{", encoding="utf-8")


def _other_content(folder: Path) -> None:
    save_graph(compiled(MARKET[:-1]), folder / "other")
    for name in ("nodes.parquet", "edges.parquet"):
        (folder / "other" / name).replace(folder / name)


def _kinds_in_another_order(folder: Path) -> None:
    about = json.loads((folder / "graph.json").read_text(encoding="utf-8"))
    about["node_kinds"].reverse()
    (folder / "graph.json").write_text(json.dumps(about), encoding="utf-8")


def _other_schema(folder: Path) -> None:
    about = json.loads((folder / "graph.json").read_text(encoding="utf-8"))
    (folder / "graph.json").write_text(json.dumps({**about, "schema_version": 0}), encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (_without_a_file, DataError, r"no edges\.parquet here"),
        (_cut_short, DataError, "the graph is damaged"),
        (_not_json, DataError, "the graph is damaged"),
        (_other_content, DataError, "content does not have the hash"),
        (_kinds_in_another_order, SchemaError, "written with other kinds"),
        (_other_schema, SchemaError, "written with other kinds or schema 0, not"),
    ],
)
def test_a_damaged_folder_is_refused(
    graph: KnowledgeGraph, tmp_path: Path, damage: object, error: type[DataError], message: str
) -> None:
    save_graph(graph, tmp_path)
    damage(tmp_path)  # type: ignore[operator]
    with pytest.raises(error, match=message) as refusal:
        load_graph(tmp_path, verify=True)
    assert "\n" not in str(refusal.value)
