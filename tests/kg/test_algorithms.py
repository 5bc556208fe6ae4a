"""Algorithms against other libraries, definitions written down slowly, and what a table must be."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from itertools import islice, pairwise
from typing import Any

import igraph
import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from pathfolio.kg.algorithms.excerpt import Excerpt, excerpt_of
from pathfolio.kg.algorithms.fastrp import fast_random_projection
from pathfolio.kg.algorithms.run import ALGORITHMS, algorithm_of, described, run_algorithm
from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.languages import languages
from pathfolio.kg.people import without_investors
from tests.kg.random_market import DAY, random_market

Key = tuple[str, str]
SEEDS = st.integers(0, 10_000)
GIVEN: dict[str, dict[str, str]] = {"paths": {"source": "a0", "target": "a1", "k": "60"}}


def slowly(graph: KnowledgeGraph) -> nx.MultiDiGraph[Key]:
    """The graph that algorithms see by default, from `to_networkx`: no investors, no figures, nothing without a tie."""
    whole = without_investors(graph).to_networkx()
    seen: nx.MultiDiGraph[Key] = nx.MultiDiGraph()
    for head, tail, relation, about in whole.edges(keys=True, data=True):
        if relation not in ("HAS_FACT", "RATED_BY"):
            seen.add_edge(head, tail, relation, weight=about.get("weight", 1.0))
    return seen


def simple(seen: nx.MultiDiGraph[Key]) -> nx.Graph[Key]:
    graph = nx.Graph(seen.to_undirected())
    graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    return graph


def table(graph: KnowledgeGraph, name: str, **given: str) -> list[tuple[Any, ...]]:
    found = run_algorithm(graph, algorithm_of(name, GIVEN.get(name, {}) | given), 10**6)
    assert found.cut is None
    return list(found.rows)


def scores(graph: KnowledgeGraph, name: str, **given: str) -> dict[Key, float]:
    rows = table(graph, name, **given)
    assert [row[3] for row in rows] == sorted((row[3] for row in rows), reverse=True)
    return {(kind, node_id): score for kind, node_id, _name, score in rows}


@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, directed=st.booleans())
def test_pagerank_is_networkx_own(seed: int, directed: bool) -> None:
    graph = random_market(seed)
    seen = slowly(graph)
    counted = nx.DiGraph() if directed else nx.Graph()
    for head, tail, _ in seen.edges(keys=True):
        if directed or head != tail:
            before = counted.get_edge_data(head, tail, {"weight": 0})["weight"]
            counted.add_edge(head, tail, weight=before + 1)
    counted.add_nodes_from(seen)
    found = scores(graph, "pagerank", directed=str(directed).lower())
    assert found == pytest.approx(nx.pagerank(counted, tol=1e-10, max_iter=1000), abs=1e-7)
    assert sum(found.values()) == pytest.approx(1)


def test_pagerank_from_one_node_favours_what_is_near() -> None:
    graph = random_market(3, assets=20, edges=120)
    seen = simple(slowly(graph))
    start = ("Stock", "a0")
    found = scores(graph, "pagerank", start="a0")
    away = nx.single_source_shortest_path_length(seen, start)
    assert max(found, key=lambda key: found[key]) == start
    assert all(found[key] < 1e-12 for key in found if key not in away)


@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, directed=st.booleans())
def test_betweenness_is_that_of_networkx_and_igraph(seed: int, directed: bool) -> None:
    graph = random_market(seed)
    seen = nx.DiGraph(slowly(graph)) if directed else simple(slowly(graph))
    found = scores(graph, "betweenness", sources="0", directed=str(directed).lower())
    assert found == pytest.approx(nx.betweenness_centrality(seen), abs=1e-12)
    names = list(seen)
    number = {key: at for at, key in enumerate(names)}
    other = igraph.Graph(len(names), [(number[a], number[b]) for a, b in seen.edges], directed=directed)
    pairs = (len(names) - 1) * (len(names) - 2) / (1 if directed else 2)
    if pairs:
        both = np.array(other.betweenness(directed=directed)) / pairs
        assert found == pytest.approx(dict(zip(names, both, strict=True)), abs=1e-12)


def test_betweenness_of_some_sources_is_near() -> None:
    graph = random_market(11, assets=120, labels=12, edges=900)
    whole = scores(graph, "betweenness", sources="0")
    part = scores(graph, "betweenness", sources=str(len(whole) // 2), seed="5")
    assert np.corrcoef([whole[key] for key in whole], [part[key] for key in whole])[0, 1] > 0.95
    assert scores(graph, "betweenness", sources=str(len(whole) // 2), seed="6") != part


@pytest.mark.parametrize("name", ["louvain", "leiden"])
def test_communities_are_found_where_there_are_some(name: str) -> None:
    """Modularity is near igraph's best, each community hangs together, sizes are told right."""
    graph = random_market(2, assets=200, labels=20, edges=1200)
    seen = simple(slowly(graph))
    rows = table(graph, name)
    groups: dict[int, set[Key]] = {}
    for kind, node_id, _name, community, size in rows:
        groups.setdefault(community, set()).add((kind, node_id))
        assert size == sum(row[3] == community for row in rows)
    assert set().union(*groups.values()) == set(seen)
    counted = nx.Graph()
    for head, tail, _ in slowly(graph).edges(keys=True):
        if head != tail:
            counted.add_edge(head, tail, weight=counted.get_edge_data(head, tail, {"weight": 0})["weight"] + 1)
    reached = nx.community.modularity(counted, groups.values())
    names = list(counted)
    number = {key: at for at, key in enumerate(names)}
    ties = [(number[a], number[b]) for a, b in counted.edges]
    weights = [about["weight"] for _, _, about in counted.edges(data=True)]
    best = max(igraph.Graph(len(names), ties).community_multilevel(weights).modularity for _ in range(5))
    assert reached > best - 0.03
    assert [row[4] for row in rows] == sorted((row[4] for row in rows), reverse=True)
    if name == "leiden":
        assert all(nx.is_connected(counted.subgraph(group)) for group in groups.values())


def test_two_cliques_are_two_communities() -> None:
    ties = np.kron(np.eye(2), np.ones((5, 5))) - np.eye(10)
    ties[0, 5] = ties[5, 0] = 1
    excerpt = excerpt_of(without_investors(random_market(2, assets=60, edges=500)), "", "", weighted=False)
    small = Excerpt(excerpt.graph, excerpt.rows[:10], excerpt.relations, sp.csr_array(np.triu(ties)))
    for name in ("louvain", "leiden"):
        rows = list(algorithm_of(name, {}).run(small).rows)
        named = [small.named(place)[:2] for place in range(10)]
        groups = [{row[:2] for row in rows if row[3] == community} for community in (0, 1)]
        assert sorted(map(sorted, groups)) == sorted([sorted(named[:5]), sorted(named[5:])]), name


@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, measure=st.sampled_from(["jaccard", "overlap"]), k=st.integers(1, 5))
def test_similarity_is_that_of_the_sets_of_neighbours(seed: int, measure: str, k: int) -> None:
    graph = random_market(seed)
    seen = simple(slowly(graph))
    stocks = [key for key in seen if key[0] == "Stock"]
    if not stocks:
        return
    found: dict[Key, list[tuple[Key, float, int]]] = {}
    for kind, node_id, _n, other_kind, other_id, _m, alike, common in table(
        graph, "similarity", measure=measure, k=str(k)
    ):
        found.setdefault((kind, node_id), []).append(((other_kind, other_id), alike, common))
    for stock in stocks:
        mine = set(seen[stock])
        wanted = []
        for other in stocks:
            theirs = set(seen[other])
            if other != stock and mine & theirs:
                whole = len(mine | theirs) if measure == "jaccard" else min(len(mine), len(theirs))
                wanted.append((len(mine & theirs) / whole, len(mine & theirs)))
        told = found.get(stock, [])
        assert [(alike, common) for _, alike, common in told] == sorted(wanted, reverse=True)[:k]
        for other, alike, common in told:
            assert common == len(mine & set(seen[other])), (alike, other)


def test_similarity_of_one_node_and_from_a_least_value() -> None:
    graph = random_market(8, assets=40, labels=8, edges=300)
    whole = [row for row in table(graph, "similarity", k="1000") if row[1] == "a0"]
    assert table(graph, "similarity", of="a0", k="1000") == whole
    assert table(graph, "similarity", of="Stock:a0", k="1000", least="0.5") == [row for row in whole if row[6] >= 0.5]
    kinds = {row[0] for row in table(graph, "similarity", of="Fund")}
    assert kinds == {"Fund"}


def test_fastrp_is_the_formula_of_the_paper() -> None:
    """One node's vector after each step is the mean of its neighbours', which begin as projections by degree."""
    rng = np.random.default_rng(1)
    ties = np.triu(rng.random((12, 12)) < 0.3, 1).astype(float)
    ties = ties + ties.T
    ties[0, 1] = ties[1, 0] = 1
    found = fast_random_projection(sp.csr_array(ties), 8, [0.0, 2.0], -0.5, 7)
    degree = np.maximum(ties.sum(axis=1), np.finfo(float).tiny)
    drawn = np.random.default_rng(7).integers(0, 6, (12, 8))
    at = np.sqrt(3) * ((drawn == 0) * 1.0 - (drawn == 1)) * np.power(degree / degree.sum(), -0.5)[:, None]
    for _ in range(2):
        at = np.array([at[ties[row] > 0].mean(axis=0) if ties[row].any() else np.zeros(8) for row in range(12)])
    length = np.linalg.norm(at, axis=1, keepdims=True)
    np.testing.assert_allclose(found, 2 * np.divide(at, length, out=np.zeros_like(at), where=length > 0), atol=1e-12)


def test_fastrp_brings_alike_nodes_near() -> None:
    """The most alike stock by neighbours is nearer, by the vectors, than stocks that have none in common."""
    graph = random_market(4, assets=150, labels=15, edges=900)
    vectors = {(row[0], row[1]): np.array(row[3]) for row in table(graph, "fastrp", dimension="256", steps="0,1,1")}
    unit = {key: vector / max(np.linalg.norm(vector), 1e-12) for key, vector in vectors.items()}
    best = {(row[0], row[1]): (row[3], row[4]) for row in table(graph, "similarity", k="1")}
    near = np.mean([unit[one] @ unit[other] for one, other in best.items()])
    stocks = [key for key in unit if key[0] == "Stock"]
    rng = np.random.default_rng(0)
    far = np.mean([unit[stocks[a]] @ unit[stocks[b]] for a, b in rng.integers(0, len(stocks), (500, 2)) if a != b])
    assert near > far + 0.2
    assert {len(vector) for vector in vectors.values()} == {256}


@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, k=st.integers(1, 6))
def test_paths_are_the_shortest_there_are(seed: int, k: int) -> None:
    graph = random_market(seed)
    many = slowly(graph)
    seen = simple(many)
    named = {key[1]: key for key in seen if key[0] in ("Stock", "Fund", "Bond")}
    if len(named) < 2:
        return
    one, other = sorted(named)[:2]
    paths: dict[int, list[tuple[Any, ...]]] = {}
    for row in table(graph, "paths", source=one, target=other, k=str(k)):
        paths.setdefault(row[0], []).append(row)
    walks = [[(row[3], row[4]) for row in rows] for rows in paths.values()]
    tied = nx.has_path(seen, named[one], named[other])
    wanted = list(islice(nx.shortest_simple_paths(seen, named[one], named[other]), k)) if tied else []
    assert [len(walk) for walk in walks] == [len(walk) for walk in wanted]
    assert len({tuple(walk) for walk in walks}) == len(walks)
    for rows, walk in zip(paths.values(), walks, strict=True):
        assert (walk[0], walk[-1], rows[0][2]) == (named[one], named[other], None)
        for (before, after), row in zip(pairwise(walk), rows[1:], strict=True):
            backwards = row[2].startswith("<-")
            head, tail = (after, before) if backwards else (before, after)
            assert many.has_edge(head, tail, row[2].removeprefix("<-"))


def test_paths_go_by_the_relations_chosen_only() -> None:
    graph = random_market(21, assets=10, edges=400)
    named = set(slowly(graph).edges(keys=True))
    both = next((h, t) for h, t, r in named if r == "SUPPLIES" and (h, t, "COMPETES_WITH") in named and h != t)
    for relation in ("SUPPLIES", "COMPETES_WITH"):
        rows = table(graph, "paths", source=both[0][1], target=both[1][1], k="1", relations=relation)
        assert [row[2] for row in rows] == [None, relation]


@pytest.mark.parametrize("name", ALGORITHMS)
def test_nobody_is_seen_unless_asked_for(name: str) -> None:
    """A table is the same, to the last bit, whoever holds what: it cannot tell of anybody."""
    graph = random_market(9, users=40, assets=12, edges=600)
    alone = without_investors(graph)
    mine, bare = (run_algorithm(each, algorithm_of(name, GIVEN.get(name, {}))) for each in (graph, alone))
    assert (mine.columns, mine.rows) == (bare.columns, bare.rows)
    assert not any("User" in row for row in mine.rows)
    everybody = run_algorithm(graph, algorithm_of(name, GIVEN.get(name, {})), investors=True)
    assert everybody.rows != mine.rows


@pytest.mark.parametrize("name", ALGORITHMS)
def test_the_same_call_gives_the_same_table(name: str) -> None:
    """In another process, too, whose hashes are salted otherwise."""
    graph = random_market(10, assets=30, edges=300)
    code = (
        "from tests.kg.test_algorithms import *\n"
        f"print(json.dumps(table(random_market(10, assets=30, edges=300), {name!r})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == json.loads(json.dumps(table(graph, name)))


def test_weights_days_and_kinds_count() -> None:
    graph = random_market(12, assets=30, edges=400)
    assert scores(graph, "pagerank", weighted="true") != scores(graph, "pagerank")
    day = DAY - timedelta(100)
    assert table(graph, "pagerank", as_of=day.isoformat()) == table(without_investors(graph).at(day), "pagerank")
    kinds = {row[0] for row in table(graph, "pagerank", kinds="Fund, Stock", relations="INVESTS_IN")}
    assert kinds == {"Fund", "Stock"}
    assert len(run_algorithm(graph, algorithm_of("pagerank", {}), 3).rows) == 3
    assert run_algorithm(graph, algorithm_of("pagerank", {}), 3).cut == "3 rows"


WRONG = [
    ("hits", {}, "no algorithm 'hits': choose pagerank, betweenness"),
    ("pagerank", {"dampin": "0.5"}, "pagerank has no option 'dampin': it has as_of, damping"),
    ("pagerank", {"damping": "1"}, r"damping: '1' will not do: Expected `float` < 1.0"),
    ("pagerank", {"damping": "much"}, "damping: 'much' will not do: Expected `float`"),
    ("pagerank", {"as_of": "soon"}, "as_of: 'soon' will not do: Invalid RFC3339"),
    ("pagerank", {"as_of": "2099-01-01"}, "this snapshot knows the world up to"),
    ("pagerank", {"relations": "LIKES"}, "'LIKES' is no kind of relation: choose among HOLDS"),
    ("pagerank", {"kinds": "Cow"}, "'Cow' is no kind of node: choose among User, Stock"),
    ("pagerank", {"relations": "HOLDS"}, "no relation is left of .*: it has INVESTS_IN"),
    ("pagerank", {"start": "nobody"}, "no asset 'nobody'"),
    ("similarity", {"of": "User"}, "no User has a relation among those chosen"),
    ("similarity", {"measure": "cosine"}, "measure: 'cosine' will not do: Invalid enum value"),
    ("fastrp", {"steps": "0, x"}, "steps: '0, x' are no weights: write 1 to 10 numbers as 0, 1, 1"),
    ("fastrp", {"steps": "0,nan"}, "are no weights"),
    ("fastrp", {"dimension": "100000"}, "Expected `int` <= 1024"),
    ("paths", {"source": "a0"}, "paths needs -P target=…: where they end"),
    ("paths", {"source": "a0", "target": "a0"}, "a0 and a0 are the same"),
]


@pytest.mark.parametrize(("name", "given", "message"), WRONG)
def test_wrong_calls(name: str, given: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message) as told:
        run_algorithm(random_market(1), algorithm_of(name, given))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_each_option_is_told_in_each_language(name: str) -> None:
    about = described(name)
    for lang in languages():
        assert about.title[lang] and about.sentence[lang]
        assert all(option.about[lang] for option in about.options)
    assert {"relations", "kinds", "as_of", "weighted"} < {option.name for option in about.options}
