"""Ranking metrics, bootstrap and backtest against formulas restated in one line."""

from __future__ import annotations

from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathfolio.recommender.evaluation.bootstrap import Bootstrap
from pathfolio.recommender.evaluation.metrics import (
    USER_METRICS,
    coverage,
    gini,
    hits_of,
    ndcg,
    novelty,
    reciprocal_rank,
    share_that_fits,
    user_metrics,
)

LISTS = st.lists(st.lists(st.booleans(), min_size=10, max_size=10), min_size=1, max_size=6)


def test_ndcg_counts_all_that_was_bought_not_only_what_fits_into_the_list() -> None:
    hits = np.array([[True, False, True]])
    gain, ideal = 1 / log2(2) + 1 / log2(4), 1 / log2(2) + 1 / log2(3) + 1 / log2(4)
    assert ndcg(hits, np.array([7]), 3)[0] == pytest.approx(gain / ideal)
    assert ndcg(hits, np.array([2]), 3)[0] == pytest.approx(gain / (1 / log2(2) + 1 / log2(3)))


def test_user_metrics_by_hand() -> None:
    hits = np.zeros((2, 10), bool)
    hits[0, [1, 6]] = True
    found = user_metrics(hits, np.array([4, 1]))
    ideal = sum(1 / log2(rank + 1) for rank in range(1, 5))
    assert found["ndcg@5"].tolist() == pytest.approx([1 / log2(3) / ideal, 0])
    assert found["ndcg@10"].tolist() == pytest.approx([(1 / log2(3) + 1 / log2(8)) / ideal, 0])
    assert found["precision@10"].tolist() == [0.2, 0]
    assert found["recall@10"].tolist() == [0.5, 0]
    assert found["hit@10"].tolist() == [1, 0]
    assert found["mrr@10"].tolist() == [0.5, 0]


@given(LISTS, st.integers(0, 5))
def test_metrics_stay_between_zero_and_one_and_reward_moving_a_hit_up(rows: list[list[bool]], more: int) -> None:
    hits = np.array(rows)
    relevant = np.maximum(hits.sum(axis=1) + more, 1)
    found = user_metrics(hits, relevant)
    assert list(found) == list(USER_METRICS)
    assert all(((v >= 0) & (v <= 1 + 1e-12)).all() for v in found.values())
    best = np.sort(hits, axis=1)[:, ::-1]
    assert (ndcg(best, relevant, 10) >= found["ndcg@10"] - 1e-12).all()
    assert (reciprocal_rank(best) >= found["mrr@10"]).all()


@given(LISTS)
def test_a_list_of_all_that_was_bought_on_top_is_perfect(rows: list[list[bool]]) -> None:
    best = np.sort(np.array(rows), axis=1)[:, ::-1]
    bought = best.sum(axis=1)
    assert ndcg(best, np.maximum(bought, 1), 10).tolist() == pytest.approx((bought > 0).astype(float).tolist())


def test_hits_ignore_the_empty_places_of_a_list() -> None:
    relevant = np.array([[True, False, True]])
    assert hits_of(np.array([[2, -1, 1]]), relevant).tolist() == [[True, False, False]]


def test_coverage_novelty_and_gini_by_hand() -> None:
    lists = np.array([[0, 1], [0, -1]])
    assert coverage(lists, 4) == 0.5
    bits = [-log2(4 / 10), -log2(1 / 10), -log2(4 / 10)]
    assert novelty(lists, np.array([3.0, 0.0, 9.0, 9.0]), 9) == pytest.approx(sum(bits) / 3)
    counts = [0, 0, 1, 2]  # how often each of four assets is listed, ascending
    pairs = sum(abs(a - b) for a in counts for b in counts)
    assert gini(lists, 4) == pytest.approx(pairs / (2 * 4 * sum(counts)))


def test_share_that_fits_counts_known_entries_only() -> None:
    fits = np.array([[1.0, 0.0, np.nan], [np.nan, np.nan, np.nan]])
    assert share_that_fits(np.array([[0, 1, 2], [0, 1, -1]]), fits) == 0.5
    assert np.isnan(share_that_fits(np.array([[2]]), fits[:1]))


def test_bootstrap_finds_the_known_error_of_a_mean() -> None:
    values = np.random.default_rng(0).normal(5, 2, 400)
    found = Bootstrap(np.arange(400), seed=1).estimate(values)
    assert found.mean == pytest.approx(values.mean())
    assert found.error == pytest.approx(values.std() / 20, rel=0.1)
    assert found.low == pytest.approx(found.mean - 1.96 * found.error, abs=0.05)
    assert found == Bootstrap(np.arange(400), seed=1).estimate(values)


def test_bootstrap_draws_all_events_of_an_investor_together() -> None:
    values = np.repeat(np.random.default_rng(0).normal(0, 1, 50), 8)
    apart = Bootstrap(np.arange(400)).estimate(values)
    together = Bootstrap(np.repeat(np.arange(50), 8)).estimate(values)
    assert together.error == pytest.approx(apart.error * 8**0.5, rel=0.2)


def test_paired_difference_of_two_models_that_differ_by_a_constant_is_certain() -> None:
    draws = Bootstrap(np.arange(30), seed=3)
    first = np.random.default_rng(0).random(30)
    found = draws.estimate(first + 0.25 - first)
    assert (found.low, found.high) == pytest.approx((0.25, 0.25))
