"""What no table of groups tells changes no score, no explanation and nothing that models learn from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pathfolio.explain.explainer import Explainer
from pathfolio.kg.graph import Edges, IntArray, KnowledgeGraph
from pathfolio.kg.schema import RELATION_CODE, Relation
from pathfolio.recommender.build import Build
from pathfolio.recommender.channels.base import HoldingChannel
from pathfolio.recommender.channels.profile import SharedProfile
from pathfolio.recommender.disclosed import disclosed
from pathfolio.recommender.ease import ease
from pathfolio.recommender.groups import Groups
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.scorer import Scorer, assemble_scorer
from tests.explain.explain_world import BUILD
from tests.kg.random_market import ever_holders
from tests.recommender.slow_groups import (
    POSITIONS,
    TOLD,
    slow_members,
    slow_people,
)


def rewritten(graph: KnowledgeGraph, edges: IntArray, heads: IntArray) -> KnowledgeGraph:
    """The snapshot in which the positions at `edges` are those of the investors at rows `heads`."""
    head = graph.edges.head.copy()
    head[edges] = heads
    return _sorted(graph, replace(graph.edges, head=head))


def with_copy(graph: KnowledgeGraph, edge: int, tail: int) -> KnowledgeGraph:
    """The snapshot in which who has the position at `edge` has one like it of the asset at row `tail` too."""
    edges = graph.edges.take(np.append(np.arange(len(graph.edges)), edge))
    tails = edges.tail.copy()
    tails[-1] = tail
    return _sorted(graph, replace(edges, tail=tails))


def _sorted(graph: KnowledgeGraph, edges: Edges) -> KnowledgeGraph:
    key = (edges.known_at, edges.as_of, edges.tail, edges.head, edges.relation)
    return replace(graph, edges=edges.take(np.lexsort(key)))


def told_tables(groups: Groups) -> list[bytes]:
    counts = (groups.holders, groups.together.toarray(), groups.levels, groups.of_level, groups.of_level_and_asset)
    told = groups.purchases
    return [table.tobytes() for table in (*counts, told.asset, told.buyers, told.begin, told.end)]


Changed = tuple[KnowledgeGraph, set[int]]


def rare_asset_added(graph: KnowledgeGraph, rng: np.random.Generator) -> Changed:
    """An investor has one asset more, which at most nine others hold or held."""
    it = Interactions(graph)
    rare = int(rng.choice(graph.assets[it.holders <= 9]))
    edges = graph.edges_between(Relation.HOLDS)
    edge = int(rng.choice(edges[~np.isin(graph.edges.head[edges], list(ever_holders(graph, rare)))]))
    return with_copy(graph, edge, rare), {int(graph.edges.head[edge])}


def assets_swapped(graph: KnowledgeGraph, rng: np.random.Generator) -> Changed:
    """Two investors have exchanged an asset that many hold, with its days; the pairs that it makes are rare."""
    it, edges = Interactions(graph), graph.edges
    positions = np.concatenate([graph.edges_between(relation) for relation in POSITIONS])
    codes = [RELATION_CODE[relation] for relation in POSITIONS]
    while True:
        one, other = rng.choice(positions, 2, replace=False).tolist()
        users, assets = edges.head[[one, other]].tolist(), edges.tail[[one, other]].tolist()
        owners = [ever_holders(graph, asset) for asset in assets]
        if users[0] in owners[1] or users[1] in owners[0] or it.holders[assets - graph.assets[0]].min() < TOLD:
            continue
        versions = [
            np.flatnonzero(np.isin(edges.relation, codes) & (edges.head == user) & (edges.tail == asset))
            for user, asset in zip(users, assets, strict=True)
        ]
        heads = np.repeat(users[::-1], [len(part) for part in versions])
        return rewritten(graph, np.concatenate(versions), heads), set(users)


def untold_change(graph: KnowledgeGraph, kind: str, seed: int) -> Changed:
    """A change of positions that no table tells of."""
    change, rng = {"added": rare_asset_added, "swapped": assets_swapped}[kind], np.random.default_rng(seed)
    before = told_tables(Groups(Interactions(graph)))
    for _ in range(300):
        changed, users = change(graph, rng)
        if told_tables(Groups(Interactions(changed))) == before:
            return changed, users
    raise AssertionError("no change found that is not told")


def numbers(scorer: Scorer) -> list[bytes]:
    """All that the score is made of beside the investor's own row, to the last bit."""
    demand = scorer.demand
    arrays = [scorer.co_investment_weights, demand.factor, demand.recent, demand.issue, demand.holders]
    arrays += [*scorer.base.values(), scorer.channel(SharedProfile).lift]
    arrays += [channel.kernel() for channel in scorer.channels if isinstance(channel, HoldingChannel)]
    return [np.ascontiguousarray(array).tobytes() for array in arrays]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["added", "swapped"])
def test_what_no_table_tells_changes_no_score_and_no_explanation_of_others(
    kind: str, seed: int, small_build: Build
) -> None:
    graph, learned, options = small_build.graph, small_build.scorer.learned, small_build.scorer.options
    changed, users = untold_change(graph, kind, seed)
    before, after = (assemble_scorer(world, learned, options) for world in (graph, changed))
    assert not np.array_equal(ease(before.interactions.ever), ease(after.interactions.ever))
    assert numbers(before) == numbers(after)
    others = np.flatnonzero(~np.isin(graph.users, list(users)))
    assert before.scores(others).tobytes() == after.scores(others).tobytes()
    explainers = [Explainer(world, BUILD) for world in (graph, changed)]
    rng, told = np.random.default_rng(seed), 0
    for user in others.tolist():
        for asset in rng.choice(len(graph.assets), 3, replace=False).tolist():
            pages = [e.explain(s.account(user, asset), 1) for e, s in zip(explainers, (before, after), strict=True)]
            assert pages[0].to_json() == pages[1].to_json()
            told += any(path.through_others for path in pages[0].paths)
    assert told > 20


@pytest.mark.parametrize("seed", range(3))
def test_a_rare_asset_more_changes_nothing_that_models_learn_from(seed: int, small_build: Build) -> None:
    changed, _ = untold_change(small_build.graph, "added", seed)
    before, after = (disclosed(graph).edges for graph in (small_build.graph, changed))
    assert len(changed.edges) == len(small_build.graph.edges) + 1
    for name in ("relation", "head", "tail", "as_of", "known_at"):
        np.testing.assert_array_equal(getattr(before, name), getattr(after, name))


def test_what_tables_tell_does_change_the_score(small_build: Build) -> None:
    """The same comparison finds one holder less of an asset, of those who are told: it could fail."""
    graph = small_build.graph
    groups = Groups(Interactions(graph))
    asset = int(graph.assets[np.argmax(groups.holders)])
    edges = graph.edges
    gone = min(slow_people(graph, slow_members(graph, asset, *POSITIONS)))
    kept = ~((edges.tail == asset) & (edges.head == gone))
    changed = replace(graph, edges=edges.take(kept))
    learned, options = small_build.scorer.learned, small_build.scorer.options
    assert numbers(assemble_scorer(graph, learned, options)) != numbers(assemble_scorer(changed, learned, options))
