"""Counterfactuals are the smallest there are, hold when scored again, and are said in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathfolio.explain.contrast import contrast, contrast_as_text
from pathfolio.explain.counterfactual import SearchOptions, what_brings_it_on, what_takes_it_off
from pathfolio.explain.errors import ExplanationError
from pathfolio.explain.explainer import Explainer
from pathfolio.explain.what_if import InvestorChange, WhatIf
from pathfolio.explain.what_if_text import tell
from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph, Mask
from pathfolio.kg.schema import PROFILE_RELATIONS, RELATIONS, NodeKind, Relation
from pathfolio.recommender.account import OTHER_INVESTORS
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.ranking import place_of
from pathfolio.recommender.retrieve import candidates
from tests.explain.explain_world import BUILD, CO_INVESTORS, World
from tests.kg.random_market import random_market


@dataclass(frozen=True)
class Toy:
    """score(a) = sum over positions h of weights[h, a] / (number of positions) + sum over levels of levels[l, a]."""

    graph: KnowledgeGraph
    weights: FloatArray
    levels: FloatArray

    def positions(self, user: int) -> IntArray:
        return np.sort(self.interactions.ever[[user]].indices).astype(np.int64)

    @cached_property
    def interactions(self) -> Interactions:
        return Interactions(self.graph)

    def answers(self, user: int) -> dict[Relation, int]:
        row = int(self.graph.users[user])
        found = {r: self.graph.outgoing(r).of(row).tolist() for r in PROFILE_RELATIONS}
        return {relation: levels[0] for relation, levels in found.items() if levels}

    def what_if(self, user: int, changes: Sequence[InvestorChange]) -> FloatArray:
        out = []
        for change in changes:
            held = [h for h in self.positions(user).tolist() if h not in change.without]
            answers = self.answers(user) | dict(change.answers)
            levels = [level for level in answers.values() if level is not None]
            out.append(self.weights[held].sum(axis=0) / max(len(held), 1) + self.levels[levels].sum(axis=0))
        return np.array(out)

    def listed(self, user: int, kind: str | None, changes: Sequence[InvestorChange]) -> Mask:
        eligible = candidates(self.graph, kind).copy()
        eligible[self.positions(user)] = False
        return np.tile(eligible, (len(changes), 1))


def toy(seed: int, *, spread: float = 1.0) -> Toy:
    graph, rng = random_market(seed, users=4, assets=12, labels=3, edges=150), np.random.default_rng(seed)
    n = len(graph.assets)
    return Toy(graph, rng.normal(size=(n, n)), spread * rng.normal(size=(len(graph), n)))


def places(model: WhatIf, user: int, asset: int, change: InvestorChange) -> int:
    allowed = np.ones(len(model.graph.assets), bool)
    allowed[model.positions(user)] = False
    return place_of(model.what_if(user, [change])[0], allowed, asset, model.graph.asset_ids)


def subsets(parts: Sequence[InvestorChange]) -> chain[tuple[InvestorChange, ...]]:
    return chain.from_iterable(combinations(parts, size) for size in range(1, len(parts) + 1))


def joined(parts: Sequence[InvestorChange]) -> InvestorChange:
    without: frozenset[int] = frozenset().union(*(part.without for part in parts))
    return InvestorChange(without, tuple(answer for part in parts for answer in part.answers))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_taking_off_is_as_small_as_can_be(seed: int, k: int) -> None:
    model, options = toy(seed), SearchOptions(k=k, most_changes=20, most_scored=10**6)
    for user in range(len(model.graph.users)):
        parts = [InvestorChange(frozenset({h})) for h in model.positions(user).tolist()]
        parts += [InvestorChange(answers=((relation, None),)) for relation in model.answers(user)]
        if len(parts) > 10:
            continue
        for asset in range(0, len(model.graph.assets), 3):
            before = places(model, user, asset, InvestorChange())
            found = what_takes_it_off(model, user, asset, options)
            assert found.before == before
            assert found.is_smallest
            assert found.holds(model)
            does = (len(s) for s in subsets(parts) if places(model, user, asset, joined(s)) > k)
            expected = next(iter(does), 0) if 1 <= before <= k else 0
            assert found.size == expected


class OnlyFromPositions(Toy):
    """As `Toy`, but nothing may be listed without the first of the investor's positions."""

    def listed(self, user: int, kind: str | None, changes: Sequence[InvestorChange]) -> Mask:
        first = self.positions(user)[:1].tolist()
        return super().listed(user, kind, changes) & np.array([[first[0] not in c.without] for c in changes])


def test_what_no_path_leads_to_any_more_is_off_the_list() -> None:
    """The position without which no asset may be listed takes off whatever comes first, and that holds."""
    found, world = 0, toy(1)
    model = OnlyFromPositions(world.graph, world.weights, world.levels)
    for user in range(len(model.graph.users)):
        for asset in range(len(model.graph.assets)):
            result = what_takes_it_off(model, user, asset, SearchOptions(k=len(model.graph.assets)))
            if result.before:
                assert result.change == InvestorChange(frozenset(model.positions(user)[:1].tolist()))
                assert result.holds(model)
                found += 1
    assert found > 10


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_bringing_on_is_as_small_as_can_be(seed: int, k: int) -> None:
    model = toy(seed, spread=0.4)
    options = SearchOptions(k=k, most_changes=2, most_scored=10**6)
    for user in range(len(model.graph.users)):
        answers = model.answers(user)
        parts = [
            InvestorChange(answers=((relation, level),))
            for relation in PROFILE_RELATIONS
            for level in (*model.graph.rows(*RELATIONS[relation].tails).tolist(), None)
            if level != answers.get(relation)
        ]
        for asset in range(0, len(model.graph.assets), 4):
            before = places(model, user, asset, InvestorChange())
            found = what_brings_it_on(model, user, asset, options)
            assert found.holds(model)
            if before <= k:
                assert found.change is None
                continue
            pairs = [s for s in subsets(parts[:]) if len(s) == 1] + [
                pair for pair in combinations(parts, 2) if pair[0].answers[0][0] != pair[1].answers[0][0]
            ]
            does = [len(s) for s in pairs if 1 <= places(model, user, asset, joined(s)) <= k]
            if does:
                assert found.is_smallest
                assert found.size == does[0]
            elif found.change is not None:
                assert not found.is_smallest
                assert found.size > 2


def test_a_bound_on_the_search_is_admitted() -> None:
    admitted = 0
    for seed in range(15):
        model = toy(seed)
        for user in range(len(model.graph.users)):
            for asset in range(len(model.graph.assets)):
                free = what_takes_it_off(model, user, asset, SearchOptions(k=2, most_changes=20, most_scored=10**6))
                bound = what_takes_it_off(model, user, asset, SearchOptions(k=2, most_changes=20, most_scored=5))
                assert bound.holds(model)
                if bound.is_smallest:
                    assert bound.size == free.size
                else:
                    assert bound.size >= free.size or bound.change is None
                    admitted += 1
                    assert "stopped after" in tell(bound, model)
    assert admitted > 20


class Ada:
    """Ada's toy: MediaTek is first because of TSMC and the Alpha Fund, or of her risk level."""

    def __init__(self) -> None:
        self.world = World()
        graph, n = self.world.graph, len(self.world.graph.assets)
        weights, levels = np.zeros((n, n)), np.zeros((len(graph), n))
        self.mediatek, self.ase = self.position("2454"), self.position("3711")
        weights[self.position("2330"), self.mediatek] = 3.0
        weights[self.position("AF"), self.mediatek] = 3.0
        weights[self.position("2303"), self.position("2882")] = 1.5
        levels[self.world.row("Aggressive", NodeKind.RISK_LEVEL), self.ase] = 9.0
        levels[self.world.row("Balanced", NodeKind.RISK_LEVEL), self.position("2882")] = 0.4
        self.model = Toy(graph, weights, levels)
        self.user = int(graph.row(NodeKind.USER, "u1") - graph.users[0])

    def position(self, asset: str) -> int:
        return self.world.row(asset) - int(self.world.graph.assets[0])


@pytest.fixture(scope="module")
def ada() -> Ada:
    return Ada()


def test_what_takes_mediatek_off(ada: Ada) -> None:
    # MediaTek scores (3 + 3) / 3 = 2, Cathay 1.5 / 3 + 0.4 = 0.9. Without TSMC: 3 / 2 against 1.5 / 2 + 0.4 = 1.15;
    # without both: 0 against 1.5 + 0.4.
    found = what_takes_it_off(ada.model, ada.user, ada.mediatek, SearchOptions(k=1))
    assert found.change == InvestorChange(frozenset({ada.position("2330"), ada.position("AF")}))
    assert (found.before, found.is_smallest) == (1, True)
    assert tell(found, ada.model) == (
        "Without TSMC and Alpha Fund among your positions, this stock would not be among your first 1: "
        f"it would be number {found.after} instead of number 1."
    )
    assert tell(found, ada.model, "zh-TW") == (
        "若您的持有紀錄中沒有「台積電」及「Alpha Fund」，這檔股票就不會在您的前 1 名內："
        f"它會排在第 {found.after} 名，而非第 1 名。"
    )


def test_what_brings_ase_on(ada: Ada) -> None:
    found = what_brings_it_on(ada.model, ada.user, ada.ase, SearchOptions(k=1))
    aggressive = ada.world.row("Aggressive", NodeKind.RISK_LEVEL)
    assert found.change == InvestorChange(answers=((Relation.HAS_RISK, aggressive),))
    assert found.after == 1
    assert tell(found, ada.model).startswith("If your risk level were Aggressive instead of Balanced, this stock would")
    assert tell(found, ada.model, "zh-TW").startswith("若您的風險屬性為「積極型」，而非「平衡型」，這檔股票就會")


def test_nothing_to_change_is_said(ada: Ada) -> None:
    off = what_takes_it_off(ada.model, ada.user, ada.ase, SearchOptions(k=1))
    assert (off.change, tell(off, ada.model)[-42:]) == (None, "first 1, so there is nothing to take away.")
    on = what_brings_it_on(ada.model, ada.user, ada.mediatek, SearchOptions(k=1))
    assert tell(on, ada.model) == "This stock is among your first 1 already."
    never = what_brings_it_on(ada.model, ada.user, ada.position("S5"), SearchOptions(k=1))
    assert (never.change, never.is_smallest) == (None, True)
    assert tell(never, ada.model).startswith(
        "No change of your answers alone would bring this stock among your first 1"
    )
    held = what_brings_it_on(ada.model, ada.user, ada.position("2330"), SearchOptions(k=1))
    assert tell(held, ada.model) == "You hold or held this stock, so it is not on your list."


# -- contrast ------------------------------------------------------------------------------------------------


def test_contrast_shows_the_parts_that_make_the_difference() -> None:
    world = World()
    explainer = Explainer(world.graph, BUILD)
    found = contrast(explainer.explain(world.mediatek(), 1), explainer.explain(world.ase(), 2))
    # ASE: 0.4 learned on no path and 0.2 of a supplier; MediaTek: 0.5 of co-investors through TSMC and so on.
    assert found.gap == pytest.approx(1.09 - 0.65)
    assert sum(d.gap for d in found.differences) == pytest.approx(found.gap)
    first, second, *_ = found.differences
    assert (first.part, first.via and first.via.name, first.first, first.second) == ("co_investment", "TSMC", 0.5, 0.0)
    assert (second.part, second.via, second.first, second.second) == ("gat", None, -0.01, 0.4)
    text = contrast_as_text(found, most=2)
    assert text.splitlines()[0] == "Why MediaTek (1.090) and not ASE (0.650)"
    assert text.splitlines()[1].split() == [found.first.asset_id, found.second.asset_id, "difference"]
    assert text.splitlines()[3].startswith("  Graph attention: remainder, on no path that can be shown  ")
    assert text.splitlines()[2].split() == [
        *["What", "co-investors", "hold,", "through", "TSMC"],
        "+0.500",
        "+0.000",
        "+0.500",
    ]
    assert contrast_as_text(found, "zh-TW").startswith("為什麼是聯發科（1.090），而不是日月光（0.650）")
    assert found.to_json()["differences"][0]["via"]["id"] == "2330"


def test_two_investors_are_not_contrasted() -> None:
    world = World()
    walk = world.walk(("u2", "AF", OTHER_INVESTORS, "BF"), CO_INVESTORS, 0.1, 12)
    explainer = Explainer(world.graph, BUILD)
    other = explainer.explain(world.account("u2", "BF", {"co_investment": [walk]}), 1)
    with pytest.raises(ExplanationError, match="two investors"):
        contrast(explainer.explain(world.mediatek(), 1), other)
