"""What stands in a store beside what is read back: names, values under names of their own, and what answers show."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.contract import read_folder
from pathfolio.kg.schema import RELATION_CODE, Relation
from pathfolio.kg.store import read_graph
from pathfolio.kg.store.bolt import Store
from pathfolio.kg.store.load import load_into
from pathfolio.kg.store.query import run_query
from pathfolio.kg.store.values import NodeValue
from tests.kg.market_files import write_market
from tests.kg.store_world import SERVERS, address_of, empty, world


@pytest.fixture(params=SERVERS)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty store."""
    with Store(address_of(request.param), patience=1.0) as connected:
        empty(connected)
        yield connected


def test_every_node_has_a_name_and_what_has_none_comes_back_without(store: Store) -> None:
    load_into(store, world())
    assert store.read("MATCH (n) WHERE n.name IS NULL RETURN count(n)") == [[0]]
    names = store.read("MATCH (n) WHERE n.id IN ['A', 'chips', 'U4'] RETURN n.id, n.name, n.name_is_id ORDER BY n.id")
    assert names == [["A", "Alpha", None], ["U4", "U4", True], ["chips", "chips", True]]
    assert read_graph(store).content_hash == world().content_hash


def test_values_stand_under_names_of_their_own(store: Store) -> None:
    load_into(store, world())
    held = "MATCH (:User {id: 'U2'})-[h:HOLDS]->(a) RETURN a.id, h.units ORDER BY a.id"
    assert store.read(held) == [["A", 10.0], ["G", 5.0]]
    rated = "MATCH (:Asset)-[r:RATED_BY]->(f) WHERE f.id = 'Broker 2' RETURN r.rating, r.target_price_usd"
    assert store.read(rated) == [["sell", 80.0]]
    told = "MATCH (:Asset {id: 'C'})-[f:HAS_FACT]->(m) RETURN m.name, f.value, f.unit"
    assert store.read(told) == [["pe", 8.0, "times"]]


def test_what_another_layout_left_is_brought_up_to_date(store: Store) -> None:
    load_into(store, world())
    store.write("MATCH (g:PathfolioGraph) REMOVE g.layout")
    store.write("MATCH (n) WHERE n.name_is_id REMOVE n.name, n.name_is_id")
    store.write("MATCH ()-[h:HOLDS]->() REMOVE h.units")
    assert read_graph(store).content_hash == world().content_hash
    assert load_into(store, world()).written == len(world().edges)
    assert store.read("MATCH (n) WHERE n.name IS NULL RETURN count(n)") == [[0]]
    assert store.read("MATCH (:User {id: 'U2'})-[h:HOLDS]->() WHERE h.units IS NULL RETURN count(h)") == [[0]]
    assert load_into(store, world()).written == 0
    assert read_graph(store).content_hash == world().content_hash


def test_money_and_trades_are_there(store: Store, tmp_path: Path) -> None:
    graph = assemble_graph(read_folder(write_market(tmp_path / "Tiny")), date(2025, 12, 31))
    load_into(store, graph)
    bought = "MATCH (:User {id: '007'})-[r:BOUGHT]->(:Asset {id: '2330'}) RETURN r.units, r.amount, toString(r.as_of)"
    assert store.read(bought) == [[2, 2000, "2025-01-10"]]
    valued = "MATCH ()-[h:HOLDS]->() WHERE h.amount IS NOT NULL RETURN count(h)"
    is_valued = (graph.edges.relation == RELATION_CODE[Relation.HOLDS]) & ~np.isnan(graph.edges.amount)
    assert store.read(valued) == [[is_valued.sum()]] != [[0]]
    assert read_graph(store).content_hash == graph.content_hash
    assert load_into(store, graph).written == 0


def test_answers_show_no_vector_unasked_and_no_day_that_nobody_gave(store: Store) -> None:
    load_into(store, world())
    store.write("MATCH (a:Asset {id: 'A'}) SET a.embedding = [0.5, 0.25]")
    asset, vector = run_query(store, "MATCH (a:Asset {id: 'A'}) RETURN a, a.embedding AS vector").rows[0]
    assert isinstance(asset, NodeValue)
    assert "embedding" not in asset.properties
    assert "known_at" not in asset.properties
    assert vector == [0.5, 0.25]
    relation = run_query(store, "MATCH (:Asset {id: 'A'})-[r:IN_INDUSTRY]->() RETURN r").rows[0][0]
    assert (relation.properties.get("as_of"), str(relation)) == (None, "[IN_INDUSTRY]")
    for name in ("as_of", "known_at"):
        assert store.read(f"MATCH (n)-[r]->() WHERE r.{name} = date('1900-01-01') RETURN count(r)") == [[0]]
        assert store.read(f"MATCH (n) WHERE n.{name} = date('1900-01-01') RETURN count(n)") == [[0]]
