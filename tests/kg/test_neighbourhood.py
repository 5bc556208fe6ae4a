"""Pictures of a small market, on both servers: neighbours, what is left out, and how it changes from day to day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np
import pytest

from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import NODE_KINDS, RELATION_KINDS, UNDATED, NodeKind, Relation
from pathfolio.kg.store import neighbourhood
from pathfolio.kg.store.answer import Limits
from pathfolio.kg.store.bolt import Store
from pathfolio.kg.store.lifetimes import lifetimes
from pathfolio.kg.store.load import load_into
from pathfolio.kg.store.neighbourhood import Expansion, GraphPicture, GraphScene, NodeRef, Tie, picture_of, ties_of
from pathfolio.kg.store.query import QueryResult, run_query
from tests.kg.store_world import DAY, SERVERS, address_of, empty, world

FUND = NodeRef(NodeKind.FUND, "F")
HOLDINGS = Expansion(FUND, Relation.INVESTS_IN, outgoing=True)


@pytest.fixture(scope="module", params=SERVERS)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    with Store(address_of(request.param)) as writer:
        empty(writer)
        load_into(writer, world())
        with Store(address_of(request.param, reader=True)) as reader:
            yield reader
        empty(writer)


def draw(store: Store, scene: GraphScene, day: date = DAY) -> GraphPicture:
    def ask(text: str, parameters: dict[str, object]) -> QueryResult:
        return run_query(store, text, parameters, Limits())

    return picture_of(ask, scene, day, DAY)


def _current(graph: KnowledgeGraph, day: date) -> set[tuple[str, str, str, date]]:
    """Head, relation, tail and the fact's own day of what was current on a day, from the snapshot."""
    start, until = lifetimes(graph)
    number = (day - date(1970, 1, 1)).days
    edges, ids = graph.edges, graph.nodes.id
    at = np.flatnonzero((start <= number) & (number < until))
    return {
        (
            str(ids[edges.head[e]]),
            RELATION_KINDS[edges.relation[e]].value,
            str(ids[edges.tail[e]]),
            date(1970, 1, 1) + timedelta(int(edges.as_of[e])),
        )
        for e in at.tolist()
    }


def test_a_picture_on_each_day_is_the_graph_of_that_day(store: Store) -> None:
    graph = world()
    everything = tuple(
        NodeRef(NODE_KINDS[kind], str(key)) for kind, key in zip(graph.nodes.kind, graph.nodes.id, strict=True)
    )
    whole = draw(store, GraphScene(everything))
    assert [node.ref for node in whole.nodes] == list(everything)
    assert len(whole.days) > 3
    seen = set()
    for day in whole.days:
        found = draw(store, GraphScene(everything), day)
        drawn = {
            (each.head.id, each.relation.value, each.tail.id, each.properties.get("as_of", UNDATED))
            for each in found.relations
        }
        assert drawn == _current(graph, day)
        assert all(
            each.properties["current_from"] <= day < each.properties["current_until"] for each in found.relations
        )
        seen.add(frozenset(drawn))
    assert len(seen) == len(whole.days)  # each of them is a day on which something changed


def test_an_expansion_brings_the_weightiest_and_says_how_many_are_left(store: Store) -> None:
    graph = world()
    held = sorted(tail for head, relation, tail, _ in _current(graph, DAY) if (head, relation) == ("F", "INVESTS_IN"))
    picture = draw(store, GraphScene((FUND,), (HOLDINGS,)))
    assert sorted(node.ref.id for node in picture.nodes) == sorted(["F", *held])
    assert picture.more == (0,)
    one = draw(store, GraphScene((FUND,), (Expansion(FUND, Relation.INVESTS_IN, outgoing=True, most=1),)))
    weight = {each.tail.id: each.properties["weight"] for each in picture.relations if each.head == FUND}
    assert [node.ref.id for node in one.nodes[1:]] == [min(weight, key=lambda key: (-weight[key], key))]
    assert one.more == (len(held) - 1,)
    assert one.days == tuple(sorted(set(one.days)))
    other_way = draw(store, GraphScene((FUND,), (Expansion(FUND, Relation.HOLDS, outgoing=False),)))
    holders = {head for head, relation, tail, _ in _current(graph, DAY) if (relation, tail) == ("HOLDS", "F")}
    assert {node.ref.id for node in other_way.nodes} == {"F", *holders}


def test_ties_say_what_there_is_to_expand(store: Store) -> None:
    def ask(text: str, parameters: dict[str, object]) -> QueryResult:
        return run_query(store, text, parameters, Limits())

    current = _current(world(), DAY)
    expected = []
    for outgoing in (True, False):
        for relation in Relation:
            at = [each for each in current if each[1] == relation and each[0 if outgoing else 2] == "F"]
            expected += [Tie(relation, outgoing, len(at))] if at else []
    assert list(ties_of(ask, FUND, DAY)) == expected


def test_what_is_not_there_is_left_out_and_what_is_too_much_is_cut(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = NodeRef(NodeKind.FUND, "'}) DETACH DELETE n //")
    assert [node.ref for node in draw(store, GraphScene((nobody, FUND, FUND))).nodes] == [FUND]
    assert draw(store, GraphScene((nobody,), (Expansion(nobody, Relation.INVESTS_IN, outgoing=True),))).more == (0,)
    monkeypatch.setattr(neighbourhood, "MOST_NODES", 2)
    cut = draw(store, GraphScene((FUND,), (HOLDINGS,)))
    assert (len(cut.nodes), cut.cut) == (2, True)
    with pytest.raises(UsageError, match="3 nodes: a picture has 2 at most"):
        draw(store, GraphScene((FUND, nobody, NodeRef(NodeKind.STOCK, "A"))))
    with pytest.raises(UsageError, match="41 expansions"):
        draw(store, GraphScene((FUND,), (HOLDINGS,) * 41))
