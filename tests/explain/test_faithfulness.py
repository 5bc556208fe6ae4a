"""Faithfulness is measured by scoring again: by hand on two positions, and an account that lies is found out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from pathfolio.explain.evaluation.faithfulness import (
    OURS,
    RANDOM,
    FaithfulnessOptions,
    importance_of,
    measure,
    stability,
    units_of,
)
from pathfolio.explain.evaluation.gat_explainers import (
    EXPLAINERS,
    GNN_EXPLAINER,
    GRADIENT,
    EdgeScore,
    by_gnn_explainer,
    by_paths,
)
from pathfolio.explain.evaluation.path_quality import PathQuality
from pathfolio.explain.evidence import Path as EvidencePath
from pathfolio.explain.explainer import Explainer
from pathfolio.explain.what_if import InvestorChange
from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.recommender.account import OTHER_INVESTORS, ChannelAccount, ScoreAccount, Walk
from pathfolio.recommender.build import Build
from pathfolio.web.cli import main
from tests.explain.explain_world import BUILD, CO_INVESTORS, World


@dataclass(frozen=True)
class Additive:
    """score(u, a) = 1 + sum of weights[h, a] over positions h + sum of levels[l, a] over answers l.

    The account says so, or swaps the parts where `lies`.
    """

    world: World
    weights: FloatArray
    levels: FloatArray
    lies: bool = False

    @property
    def graph(self) -> KnowledgeGraph:
        return self.world.graph

    def refresh(self, graph: KnowledgeGraph) -> Additive:
        raise NotImplementedError(graph.name)

    def positions(self, user: int) -> IntArray:
        row = int(self.graph.users[user])
        both = [self.graph.outgoing(r).of(row) for r in (Relation.HOLDS, Relation.HELD)]
        return np.sort(np.concatenate(both)).astype(np.int64) - self.graph.assets[0]

    def answers(self, user: int) -> dict[Relation, int]:
        row = int(self.graph.users[user])
        found = {r: self.graph.outgoing(r).of(row).tolist() for r in (Relation.HAS_RISK, Relation.SEEKS)}
        return {relation: levels[0] for relation, levels in found.items() if levels}

    def what_if(self, user: int, changes: Sequence[InvestorChange]) -> FloatArray:
        out = []
        for change in changes:
            held = [h for h in self.positions(user).tolist() if h not in change.without]
            levels = [level for level in (self.answers(user) | dict(change.answers)).values() if level is not None]
            out.append(1 + self.weights[held].sum(axis=0) + self.levels[levels].sum(axis=0))
        return np.array(out)

    def scores(self, users: IntArray) -> FloatArray:
        return np.concatenate([self.what_if(user, [InvestorChange()]) for user in users.tolist()])

    def account(self, user: int, asset: int) -> ScoreAccount:
        row, target = int(self.graph.users[user]), int(self.graph.assets[asset])
        steps = [((row, int(self.graph.assets[h]), target), self.weights[h, asset]) for h in self.positions(user)]
        walks = [Walk(nodes, (Relation.HOLDS, Relation.COMPETES_WITH), float(part)) for nodes, part in steps]
        for relation, level in self.answers(user).items():
            nodes = (row, level, OTHER_INVESTORS, target)
            walks.append(Walk(nodes, (relation, relation, Relation.HOLDS), float(self.levels[level, asset]), 12))
        if self.lies:
            parts = [walk.contribution for walk in walks]
            by_truth = np.argsort(np.argsort([-p for p in parts]))
            walks = [
                Walk(w.nodes, w.relations, sorted(parts)[place], w.count)
                for w, place in zip(walks, by_truth, strict=True)
            ]
        value = sum(walk.contribution for walk in walks)
        return ScoreAccount(
            row, target, 1 + value, (("base", 1.0),), (ChannelAccount("all", value, tuple(walks), 0.0),)
        )


def model_of(world: World, parts: dict[str, float], *, lies: bool = False) -> tuple[Additive, int, int]:
    """Ada's score of MediaTek, made of `parts` by id of a position or level; all others are 0."""
    n = len(world.graph.assets)
    weights, levels = np.zeros((n, n)), np.zeros((len(world.graph), n))
    asset = world.row("2454") - int(world.graph.assets[0])
    for key, part in parts.items():
        level = world.graph.find(NodeKind.RISK_LEVEL, key)
        if level is not None:
            levels[level, asset] = part
        else:
            weights[world.row(key) - int(world.graph.assets[0]), asset] = part
    user = world.row("u1") - int(world.graph.users[0])
    return Additive(world, weights, levels, lies), user, asset


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def test_a_deletion_that_leaves_no_position_is_no_comparison(world: World) -> None:
    """Whoever holds nothing is shown what beginners buy: another list, so that nothing follows for this one."""
    model, user, asset = model_of(world, {"2330": 3.0, "AF": 2.0, "2303": 1.0, "Balanced": 0.5})
    units = units_of(model, user, asset)
    assert sum(bool(unit.without) for unit in units) == 3
    found = measure(model, model, [(user, asset)], FaithfulnessOptions(draws=50, top=3))
    metrics = set(found.table["metric"])
    assert "top 1 beats random" in metrics
    assert "top 3 beats random" not in metrics, "our first three are all of the positions"


def test_curves_by_hand(world: World) -> None:
    # Ada's units: TSMC 3, UMC 0, Alpha 1, Balanced 0, Income 0. Deletion in our order: 4, 1, 0, 0, 0, 0 of 4.
    model, user, asset = model_of(world, {"2330": 3.0, "AF": 1.0})
    found = measure(model, model, [(user, asset)], FaithfulnessOptions(draws=200))
    assert len(units_of(model, user, asset)) == 5
    # trapezoids over fifths: (1 + .25) / 2 * .2 + (.25 + 0) / 2 * .2
    assert found.value(OURS, "deletion area") == pytest.approx(0.15, abs=1e-3)
    assert found.value(OURS, "insertion area") == pytest.approx((0.75 / 2 + 1.75 / 2 + 3) * 0.2, abs=1e-3)
    assert found.value(RANDOM, "deletion area") == pytest.approx(0.5, abs=0.06)
    assert found.value(RANDOM, "insertion area") == pytest.approx(0.5, abs=0.06)
    assert found.value(OURS, "drop of 1") == 3.0
    assert found.value(OURS, "top 1 beats random") == 1.0
    assert found.value(OURS, "sufficiency of 3") == pytest.approx(1.0)
    assert found.value(OURS, "paths for 80%") == 2  # 3 of 4 is 75%
    assert found.value(OURS, "sparsity") == pytest.approx(1 - 2 / 5)


def test_answers_are_units_too(world: World) -> None:
    model, user, asset = model_of(world, {"2330": 1.0, "Balanced": 2.0})
    units = units_of(model, user, asset)
    parts = importance_of(model.account(user, asset), units, model)
    assert dict(zip([u.answers for u in units], parts.tolist(), strict=False))[((Relation.HAS_RISK, None),)] == 2.0
    assert measure(model, model, [(user, asset)]).value(OURS, "drop of 1") == 2.0


def test_an_account_that_lies_is_found_out(world: World) -> None:
    parts = {"2330": 3.0, "AF": 2.0, "2303": 1.0, "Balanced": 0.5}
    honest, user, asset = model_of(world, parts)
    liar, *_ = model_of(world, parts, lies=True)
    assert liar.account(user, asset).gap < 1e-12
    true, false = (measure(model, model, [(user, asset)], FaithfulnessOptions(draws=50)) for model in (honest, liar))
    assert true.value(OURS, "top 1 beats random") == 1.0
    assert false.value(OURS, "top 1 beats random") == 0.0
    assert true.value(OURS, "deletion area") < true.value(RANDOM, "deletion area") < false.value(OURS, "deletion area")
    assert (
        false.value(OURS, "insertion area") < true.value(RANDOM, "insertion area") < true.value(OURS, "insertion area")
    )


def test_curves_fall_from_one_to_nothing(world: World) -> None:
    model, user, asset = model_of(world, {"2330": 3.0, "AF": 2.0, "2303": 1.0})
    curves = measure(model, model, [(user, asset)]).curves
    for (_, curve), part in curves.groupby(["explainer", "curve"]):
        ends = part.sort_values("share")["score"].iloc[[0, -1]].tolist()
        assert ends == pytest.approx([1.0, 0.0] if curve == "deletion" else [0.0, 1.0])


def test_stability_is_the_overlap_of_the_largest_paths(world: World) -> None:
    one, user, asset = model_of(world, {"2330": 3.0, "AF": 2.0, "2303": 1.0})
    two, *_ = model_of(world, {"2330": 1.0, "AF": 2.0, "Balanced": 3.0})
    accounts = [[model.account(user, asset)] for model in (one, two)]
    assert stability(accounts, top=3) == pytest.approx(2 / 4)
    assert stability([accounts[0], accounts[0]]) == 1.0


def test_stability_sees_one_path_where_two_channels_walk_it(world: World) -> None:
    """0.3 + 0.3 over Alpha Fund is more than 0.5 over TSMC, in whichever channel."""
    alpha = world.walk(("u1", "AF", OTHER_INVESTORS, "BF"), CO_INVESTORS, 0.3, 13)
    tsmc = world.walk(("u1", "2330", "BF"), "HOLDS INVESTS_IN", 0.5)
    one = world.account("u1", "BF", {"co_investment": [alpha], "gat": [alpha], "fund_holdings": [tsmc]})
    two = world.account("u1", "BF", {"co_investment": [structs.replace(alpha, contribution=0.6)]})
    assert stability([[one], [two]], top=1) == 1.0


# -- LIR, SEP, ETD -------------------------------------------------------------------------------------------


def paths_of_mediatek(world: World) -> dict[str, EvidencePath]:
    found = Explainer(world.graph, BUILD).explain(world.mediatek(), 1)
    return {f"{path.channel} {path.nodes[1].id}": path for path in found.paths}


def test_recency_of_the_linking_interaction(world: World) -> None:
    # UMC since 2025-12-31, TSMC and Alpha since 2026-05-31: 0 and, scaled to the largest, 1.
    quality, paths = PathQuality(world.graph), paths_of_mediatek(world)
    assert quality.linking_interaction_recency(paths["industry 2303"]) == 0.0
    assert quality.linking_interaction_recency(paths["industry 2330"]) == 1.0
    assert np.isnan(quality.linking_interaction_recency(paths["profile Balanced"]))


def test_popularity_of_the_shared_entity(world: World) -> None:
    # Industries: Banks has 1 stock and a sector, Semiconductors 16 and a sector, the most popular of its kind.
    quality, paths = PathQuality(world.graph), paths_of_mediatek(world)
    assert quality.shared_entity_popularity(paths["industry 2330"]) == 1.0
    assert np.isnan(quality.shared_entity_popularity(paths["co_investment 2330"]))


def test_moving_average_by_hand(world: World) -> None:
    # 1, 2, 4 with beta .3: 1, 1.3, 2.11; scaled: 0, .3 / 1.11, 1.
    averaged = PathQuality(world.graph)._averaged(np.array([4.0, 1.0, 2.0]))
    assert averaged.tolist() == pytest.approx([1.0, 0.0, 0.3 / 1.11])


def test_diversity_of_explanation_types(world: World) -> None:
    quality, paths = PathQuality(world.graph), paths_of_mediatek(world)
    shown = [paths["industry 2330"], paths["industry 2303"], paths["fund_holdings AF"]]
    assert quality.explanation_type_diversity(shown, types=5) == pytest.approx(2 / 3)
    lists = [[Explainer(world.graph, BUILD).explain(account, 1) for account in (world.mediatek(), world.beta())]]
    assert set(quality.of_lists(lists)) == {"LIR", "SEP", "ETD"}


# -- explainers of the attention channel ---------------------------------------------------------------------


def small_score() -> EdgeScore:
    """Two holdings; the first shares node 7 with the asset, the second nothing."""
    return EdgeScore(
        factor=2.0,
        holdings=2,
        holding=np.array([0, 0, 1]),
        weight=np.array([0.5, 0.5, 1.0]),
        base=np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 0.5]]),
        node=np.array([7, 8, 9]),
        asset_weight=np.array([0.8, 0.2]),
        asset_base=np.array([[1.0, 0.0], [0.0, 1.0]]),
        asset_node=np.array([7, 6]),
    )


def test_score_of_edges_by_hand() -> None:
    # f_1 = (.5, 1), f_2 = (0, .5), f_a = (.8, .2): 2 * ((.4 + .2) + .1)
    assert small_score().value(np.ones(7)) == pytest.approx(1.4)


def test_gradient_is_the_difference_quotient() -> None:
    score, mask = small_score(), np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3])
    for edge in range(score.size):
        step = np.zeros(score.size)
        step[edge] = 1e-6
        quotient = (score.value(mask + step) - score.value(mask - step)) / 2e-6
        assert score.gradient(mask)[edge] == pytest.approx(quotient, rel=1e-6)


def test_paths_are_the_closed_walks() -> None:
    # the one closed walk runs over node 7: 2 * .5 * .8 * |(1, 0)|^2
    assert by_paths(small_score(), np.random.default_rng(0)).tolist() == pytest.approx([0.8, 0, 0.8, 0, 0, 0.8, 0])


def test_gnn_explainer_keeps_what_carries_the_score() -> None:
    score = replace(small_score(), base=np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 0.5]]))  # node 8 says nothing
    mask = by_gnn_explainer(score, np.random.default_rng(0))
    assert mask[3] < 0.5 < mask[[0, 2, 5]].min()
    assert 0 < mask.min() < mask.max() < 1
    assert set(EXPLAINERS) == {OURS, "gradient x input", "GNNExplainer", RANDOM}


# -- the command ---------------------------------------------------------------------------------------------


def test_evaluate_explanations_of_a_build(
    small_build: Build, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, plots = tmp_path / "metrics.json", tmp_path / "plots"
    folder = str(small_build.folder)
    call = ["evaluate", folder, "--explanations", "--out", str(out), "--plots", str(plots), "--seeds", "2"]
    assert main(call) == 0
    assert "GNNExplainer" in capsys.readouterr().out
    found = json.loads(out.read_text(encoding="utf-8"))
    value = {(row["explainer"], row["metric"]): row["value"] for row in found["rows"]}
    for metric in ("validity of paths", "sentences that are true", "counterfactuals that hold"):
        assert value[OURS, metric] == 1
    assert value[OURS, "gap"] < 1e-6
    assert value[OURS, "drop of 1"] > value[RANDOM, "drop of 1"]
    assert value[OURS, "deletion area"] < value[RANDOM, "deletion area"]
    assert 0 <= value[OURS, "Jaccard of the top 3 over seeds"] <= 1
    assert {OURS, RANDOM, GRADIENT, GNN_EXPLAINER} <= {explainer for explainer, _ in value}
    assert {row["curve"] for row in found["curves"]} == {"deletion", "insertion"}
    assert (plots / "explanations.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("options", "remedy"), [([], "--fold DAY:END"), (["--out", "metrics.xls"], "end the name in .json, .csv, .txt")]
)
def test_evaluate_explanations_says_what_it_misses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], remedy: str
) -> None:
    assert main(["evaluate", str(tmp_path), "--explanations", *options]) == 2
    assert remedy in capsys.readouterr().err


def test_evaluate_needs_a_window(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(tmp_path)]) == 2
    assert "--fold TRAIN_END:TEST_END" in capsys.readouterr().err
