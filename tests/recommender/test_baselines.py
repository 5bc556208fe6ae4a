"""One behaviour suite for every baseline, and each formula restated."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import partial
from inspect import signature
from math import log

import numpy as np
import pandas as pd
import pytest

from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.recommender.baselines.als import SHRINKAGE, fit_als
from pathfolio.recommender.baselines.content import attribute_matrix
from pathfolio.recommender.baselines.ease import fit_ease, fit_weekly_ease
from pathfolio.recommender.baselines.item_knn import fit_item_knn
from pathfolio.recommender.baselines.lambdamart import fit_lambdamart
from pathfolio.recommender.baselines.lightgcn import LightGcnOptions, fit_lightgcn
from pathfolio.recommender.baselines.popularity import fit_popularity, fit_recent
from pathfolio.recommender.baselines.rp3beta import fit_rp3beta
from pathfolio.recommender.baselines.segments import fit_segment
from pathfolio.recommender.baselines.slim import fit_slim
from pathfolio.recommender.baselines.user_knn import fit_user_knn
from pathfolio.recommender.evaluation.registry import MODELS, ModelSpec, choose_models
from pathfolio.recommender.evaluation.stranger import with_stranger
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.model import Model
from tests.recommender.eval_world import assets, make_tables, positions, trades, two_tastes

WORLD = two_tastes()
STEPS = 40


def briefly(spec: ModelSpec) -> ModelSpec:
    """With fewer updates, for what takes a number of them: so small a world is soon learned."""
    return replace(spec, fit=partial(spec.fit, steps=STEPS)) if "steps" in signature(spec.fit).parameters else spec


BASELINES = [briefly(spec) for spec in MODELS.values() if spec.baseline]
IMPERSONAL = {"random", "popularity", "recent"}
NO_NEIGHBOURS = IMPERSONAL | {"segment", "recent-segment"}


@pytest.fixture(scope="module")
def graph() -> KnowledgeGraph:
    return assemble_graph(WORLD, date(2020, 6, 30))


@pytest.fixture(scope="module")
def later() -> KnowledgeGraph:
    """Half a year on: a new investor, new assets, more positions."""
    return assemble_graph(WORLD, date(2020, 12, 31))


@pytest.fixture(scope="module", params=BASELINES, ids=lambda spec: spec.name)
def fitted(request: pytest.FixtureRequest, graph: KnowledgeGraph) -> tuple[ModelSpec, Model]:
    spec: ModelSpec = request.param
    if not spec.available:
        pytest.skip(f"{spec.needs} is not installed")
    return spec, spec.fit(graph, 7)


def everyone(graph: KnowledgeGraph) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.arange(len(graph.users), dtype=np.int64)


def besides(names: set[str]) -> list[ModelSpec]:
    """The baselines other than these."""
    return [spec for spec in BASELINES if spec.name not in names]


class TestEveryBaseline:
    def test_scores_every_asset_for_every_investor(
        self, fitted: tuple[ModelSpec, Model], graph: KnowledgeGraph
    ) -> None:
        scores = fitted[1].scores(everyone(graph))
        assert scores.shape == (60, 20) and scores.dtype == np.float64
        assert np.isfinite(scores).all()
        assert fitted[1].graph is graph
        assert fitted[1].scores(np.zeros(0, np.int64)).shape == (0, 20)

    def test_the_same_seed_gives_the_same_scores(self, fitted: tuple[ModelSpec, Model], graph: KnowledgeGraph) -> None:
        again = fitted[0].fit(graph, 7).scores(everyone(graph))
        np.testing.assert_array_equal(again, fitted[1].scores(everyone(graph)))

    def test_an_investors_scores_do_not_depend_on_who_else_is_asked_for(
        self, fitted: tuple[ModelSpec, Model], graph: KnowledgeGraph
    ) -> None:
        together = fitted[1].scores(everyone(graph))
        for user in (0, 41):
            alone = fitted[1].scores(np.array([user]))[0]
            np.testing.assert_allclose(alone, together[user], rtol=1e-9, atol=1e-12)

    def test_refreshing_with_the_same_snapshot_changes_nothing(
        self, fitted: tuple[ModelSpec, Model], graph: KnowledgeGraph
    ) -> None:
        same = fitted[1].refresh(graph).scores(everyone(graph))
        np.testing.assert_allclose(same, fitted[1].scores(everyone(graph)), rtol=1e-9, atol=1e-12)

    def test_refreshing_takes_in_new_investors_and_assets(
        self, fitted: tuple[ModelSpec, Model], later: KnowledgeGraph
    ) -> None:
        model = fitted[1].refresh(later)
        scores = model.scores(everyone(later))
        assert scores.shape == (61, 24) and np.isfinite(scores).all()
        assert model.graph is later

    def test_a_stranger_gets_scores_and_nobody_elses_change(
        self, fitted: tuple[ModelSpec, Model], graph: KnowledgeGraph
    ) -> None:
        scores = fitted[1].refresh(with_stranger(graph)).scores(np.arange(61))
        assert np.isfinite(scores[0]).all()
        np.testing.assert_allclose(scores[1:], fitted[1].scores(everyone(graph)), rtol=1e-9, atol=1e-9)

    @pytest.mark.parametrize("fitted", besides(IMPERSONAL), ids=lambda spec: spec.name, indirect=True)
    def test_personal_ones_rank_the_own_taste_first(
        self, fitted: tuple[ModelSpec, Model], graph: KnowledgeGraph
    ) -> None:
        ever = Interactions(graph).ever.toarray() > 0
        scores = np.where(ever, -np.inf, fitted[1].scores(everyone(graph)))
        best = graph.nodes.id[graph.assets][scores.argmax(axis=1)]
        taste = ["AB"[int(user[1:]) % 2] for user in graph.nodes.id[graph.users]]
        right = np.mean([name[0] == own for name, own in zip(best, taste, strict=True)])
        assert right >= 0.95

    @pytest.mark.parametrize("fitted", besides(NO_NEIGHBOURS), ids=lambda spec: spec.name, indirect=True)
    def test_those_who_learn_from_positions_follow_new_ones(
        self, fitted: tuple[ModelSpec, Model], graph: KnowledgeGraph
    ) -> None:
        mover = "u000"  # likes A; now buys four of B
        more = trades(*(f"2020-06-20 {mover} buy B0{number}" for number in range(4)))
        table = make_tables(transactions=more).transactions
        world = replace(WORLD, transactions=pd.concat([WORLD.transactions, table], ignore_index=True))
        moved = fitted[1].refresh(assemble_graph(world, date(2020, 6, 30)))
        is_b = np.array([name.startswith("B") for name in graph.nodes.id[graph.assets]])
        before, after = (model.scores(np.array([0]))[0] for model in (fitted[1], moved))
        lead = [score[is_b].mean() - score[~is_b].mean() for score in (before, after)]
        assert lead[1] > lead[0] + 0.1 * np.ptp(before)


# -- formulas ---------------------------------------------------------------------------------------------------

HAND = make_tables(
    users=[
        {"user_id": "ann", "risk_level": "High", "segment": "Mass"},
        {"user_id": "bob", "risk_level": "High", "segment": "Mass"},
        {"user_id": "cat", "risk_level": "Low", "segment": "Mass"},
    ],
    assets=assets("A stock Steel 2019-01-01", "B stock Steel 2019-01-01", "C fund Gold 2019-01-01"),
    positions=positions("2020-01-01", "ann:A", "ann:B", "bob:A", "cat:C")
    + positions("2020-03-01", "ann:A", "ann:B", "bob:A", "bob:C", "cat:C"),
    transactions=trades("2020-03-20 cat buy A"),
)
HELD = np.array([[1, 1, 0], [1, 0, 1], [1, 0, 1]], float)  # ann, bob, cat by A, B, C; C is a fund and comes last


@pytest.fixture(scope="module")
def hand() -> KnowledgeGraph:
    graph = assemble_graph(HAND, date(2020, 3, 31))
    assert Interactions(graph).ever.toarray().tolist() == HELD.tolist()
    return graph


THREE = np.arange(3)


def test_popularity_counts_investors(hand: KnowledgeGraph) -> None:
    assert fit_popularity(hand).scores(THREE).tolist() == [[3, 1, 2]] * 3


def test_recent_counts_purchases_of_thirty_days_and_a_statements_share(hand: KnowledgeGraph) -> None:
    scores = fit_recent(hand).scores(THREE)[0]
    # cat bought A on 20 March. bob's C is in the statement of 1 March, bought in the 60 days since 1 January
    # (2020 is a leap year), of which none lies in the 30 days that end on 31 March.
    assert scores == pytest.approx([1 + 3e-4, 1e-4, 2e-4])
    nearer = fit_recent(hand.at(date(2020, 3, 16))).scores(THREE)[0]
    # on 16 March the window starts on 15 February, 15 of the 60 days before the statement; cat has not bought yet
    assert nearer == pytest.approx([2e-4, 1e-4, 15 / 60 + 2e-4])


def test_segment_counts_within_risk_level_and_segment(hand: KnowledgeGraph) -> None:
    high, low, all_of_them = np.array([2, 1, 1]), np.array([1, 0, 1]), np.array([3, 1, 2])
    extra = 0.05 * all_of_them + 1e-4 * all_of_them
    assert fit_segment(hand).scores(THREE) == pytest.approx(np.stack([high + extra, high + extra, low + extra]))


def test_ease_is_a_ridge_regression_of_each_asset_on_the_others(hand: KnowledgeGraph) -> None:
    weights = fit_ease(hand, penalty=2.0).weights
    for target in range(3):
        others = [asset for asset in range(3) if asset != target]
        X, y = HELD[:, others], HELD[:, target]
        expected = np.linalg.solve(X.T @ X + 2.0 * np.eye(2), X.T @ y)
        assert weights[others, target] == pytest.approx(expected)
    assert fit_ease(hand).scores(THREE) == pytest.approx(HELD @ fit_ease(hand).weights)


def test_weekly_ease_is_fitted_again_at_the_first_refresh_and_a_week_later() -> None:
    days = [date(2020, 6, 30), date(2020, 7, 20), date(2020, 7, 26), date(2020, 7, 27)]
    graphs = [assemble_graph(WORLD, day) for day in days]
    first = fit_weekly_ease(graphs[0]).refresh(graphs[1])
    assert first.model.weights == pytest.approx(fit_ease(graphs[1]).weights)
    second = first.refresh(graphs[2])
    assert second.fitted_on == first.fitted_on
    assert second.refresh(graphs[3]).model.weights == pytest.approx(fit_ease(graphs[3]).weights)


def test_item_knn_by_hand(hand: KnowledgeGraph) -> None:
    weights = fit_item_knn(hand, neighbours=1, shrink=2.0, damping=0.5).weights
    a_b, a_c = 1 / (3**0.5 * 1 + 2), 2 / ((3 * 2) ** 0.5 + 2)
    assert weights == pytest.approx(np.array([[0, a_b, a_c], [0, 0, 0], [a_c, 0, 0]]))


def test_user_knn_by_hand(hand: KnowledgeGraph) -> None:
    scores = fit_user_knn(hand, neighbours=10, shrink=1.0, damping=0.5).scores(THREE)
    ann_bob, bob_cat = 1 / (2 + 1), 2 / (2 + 1)
    near = np.array([[0, ann_bob, ann_bob], [ann_bob, 0, bob_cat], [ann_bob, bob_cat, 0]])
    assert scores == pytest.approx(near @ HELD)


def test_rp3beta_is_a_random_walk_of_three_steps(hand: KnowledgeGraph) -> None:
    to_user, to_asset = HELD.T / HELD.sum(0)[:, None], HELD / HELD.sum(1)[:, None]
    walk = to_user @ to_asset / HELD.sum(0)[None, :] ** 0.5
    np.fill_diagonal(walk, 0)
    assert fit_rp3beta(hand, alpha=1.0, beta=0.5).weights == pytest.approx(walk)


def test_slim_meets_the_conditions_of_its_optimum(graph: KnowledgeGraph) -> None:
    l1, l2 = 1.0, 5.0
    weights = fit_slim(graph, l1=l1, l2=l2).weights
    X = Interactions(graph).ever.toarray()
    slope = X.T @ (X @ weights - X) + l2 * weights + l1
    off = ~np.eye(len(weights), dtype=bool)
    assert (weights >= 0).all() and (np.diag(weights) == 0).all()
    assert np.abs(slope[(weights > 1e-3) & off]).max() < 0.02
    assert slope[(weights == 0) & off].min() > -0.02
    assert ((weights > 1e-3) & off).sum() > 50


def test_content_similarity_is_a_cosine_of_rarity_weighted_attributes(hand: KnowledgeGraph) -> None:
    vectors = attribute_matrix(hand).toarray()
    rarity = {"class stock": 1 / log(3), "steel": 1 / log(3), "class fund": 1 / log(2), "gold": 1 / log(2)}
    assert rarity["gold"] > rarity["steel"]
    assert vectors @ vectors.T == pytest.approx(np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]]))


def test_als_folds_an_investor_in_by_the_papers_equation(graph: KnowledgeGraph) -> None:
    pytest.importorskip("implicit")
    model = fit_als(graph, 3, factors=4, confidence=5.0)
    X, Y = Interactions(graph).ever.toarray(), model.factors
    assert model.penalty == pytest.approx(SHRINKAGE * 5.0 * np.linalg.norm(X, 2))
    for user in (0, 17):
        C = np.diag(np.where(X[user] > 0, 5.0, 1.0))
        x = np.linalg.solve(Y.T @ C @ Y + model.penalty * np.eye(4), Y.T @ C @ X[user])
        assert model.scores(np.array([user]))[0] == pytest.approx(Y @ x)


def test_lightgcn_scores_are_dot_products_of_means_over_layers(graph: KnowledgeGraph) -> None:
    model = fit_lightgcn(graph, 1, options=LightGcnOptions(dimension=8, layers=2, steps=5))
    X = Interactions(graph).ever.toarray()
    over = X / np.sqrt(np.maximum(X.sum(1, keepdims=True), 1) * np.maximum(X.sum(0, keepdims=True), 1))
    u1, a1 = over @ model.assets, over.T @ model.users
    u2, a2 = over @ a1, over.T @ u1
    users, items = (model.users + u1 + u2) / 3, (model.assets + a1 + a2) / 3
    assert model.scores(everyone(graph)) == pytest.approx(users @ items.T)


def test_lambdamart_learns_from_a_held_out_fifth_where_nothing_older_is_known() -> None:
    pytest.importorskip("lightgbm")
    graph = assemble_graph(WORLD, date(2020, 1, 1))
    assert np.ptp(fit_lambdamart(graph, 0).scores(everyone(graph))) > 0


# -- registry ---------------------------------------------------------------------------------------------------


def test_models_are_chosen_by_name_and_unknown_names_are_refused() -> None:
    assert [spec.name for spec in choose_models("ease,popularity,ease")] == ["ease", "popularity"]
    with pytest.raises(UsageError, match="no model 'eese': choose all, or from"):
        choose_models("ease,eese")
    everything = {spec.name for spec in choose_models("all")}
    assert {"random", "popularity", "recent", "segment", "content", "item-knn", "user-knn", "rp3beta"} <= everything
    assert {"ease", "ease-2000", "slim"} <= everything and "ease-weekly" not in everything
    assert "ease-weekly" in {spec.name for spec in choose_models("all", rolling=True)}


def test_a_model_whose_package_is_missing_is_left_out_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pathfolio.recommender.evaluation.registry.find_spec", lambda name: None)
    assert "ials" not in {spec.name for spec in choose_models("all")}
    with pytest.raises(UsageError, match=r"model ials needs implicit: pip install 'pathfolio\[baselines\]'"):
        choose_models("ials")


def test_every_baseline_says_what_it_does_and_who_published_it() -> None:
    for spec in BASELINES:
        assert spec.about and (spec.paper or spec.name == "random")
