"""Figures that the asset towers read: indicators by hand, ranks, peers, and one reading for all days."""

from __future__ import annotations

from datetime import date
from itertools import islice

import numpy as np
import pandas as pd
import pytest

from pathfolio.embeddings.train import VectorOptions, train_vectors
from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import ASSET_KINDS
from pathfolio.kg.tables import Tables
from pathfolio.recommender.towers.figures import figures_of, ranked
from pathfolio.recommender.towers.indicators import (
    INDICATORS,
    STALE_DAYS,
    WINDOW,
    closes_by_asset,
    indicators,
    log_returns,
)
from pathfolio.recommender.towers.inputs import TowerInputs, Vocabulary, tower_inputs, vocabulary_of

pytest.importorskip("talib", reason="TA-Lib is not installed: pip install 'pathfolio[baselines]'")


def test_indicators_by_their_formulas() -> None:
    """Each restated in a line over a random walk of 300 closes."""
    closes = 100 * np.exp(np.cumsum(np.random.default_rng(0).normal(0, 0.01, 300)))
    found = dict(zip(INDICATORS, indicators(closes), strict=True))
    last = closes[-1]
    assert found["ma_20"] == pytest.approx(last / closes[-20:].mean() - 1)
    assert found["ma_60"] == pytest.approx(last / closes[-60:].mean() - 1)
    middle, deviation = closes[-20:].mean(), closes[-20:].std()
    assert found["bollinger_width"] == pytest.approx(4 * deviation / middle)
    assert found["bollinger_place"] == pytest.approx((last - middle + 2 * deviation) / (4 * deviation))
    gain, loss = (np.maximum(sign * np.diff(closes), 0) for sign in (1, -1))
    up, down = gain[:14].mean(), loss[:14].mean()  # Wilder's smoothing from the first fourteen moves
    for rise, fall in zip(gain[14:], loss[14:], strict=True):
        up, down = (13 * up + rise) / 14, (13 * down + fall) / 14
    assert found["rsi_14"] == pytest.approx(100 * up / (up + down))
    assert found["return_63"] == pytest.approx(last / closes[-64] - 1)
    assert found["drawdown_252"] == pytest.approx(1 - last / closes[-252:].max())
    assert found["volatility_63"] == pytest.approx(np.diff(np.log(closes[-64:])).std())
    fast, slow = (pd.Series(closes).ewm(span=n, adjust=False).mean() for n in (12, 26))
    line = fast - slow
    expected = (line - line.ewm(span=9, adjust=False).mean()).iloc[-1] / last
    assert found["macd"] == pytest.approx(expected, abs=1e-6)


def test_a_short_series_leaves_gaps_and_a_flat_one_divides_by_nothing() -> None:
    found = dict(zip(INDICATORS, indicators(np.linspace(10, 11, 30)), strict=True))
    assert np.isfinite(found["ma_20"])
    assert np.isnan([found["ma_60"], found["return_63"], found["volatility_63"]]).all()
    flat = dict(zip(INDICATORS, indicators(np.full(300, 5.0)), strict=True))
    assert np.isnan(flat["bollinger_place"])
    assert flat["return_252"] == 0
    assert (log_returns(np.full(10, 5.0)) == np.zeros(WINDOW)).all()


def test_prices_after_the_day_and_stale_ones_are_not_read() -> None:
    days = pd.date_range("2026-01-01", periods=90)
    frame = pd.concat(
        [
            pd.DataFrame({"asset_id": "A", "date": days, "close": np.arange(1.0, 91.0)}),
            pd.DataFrame({"asset_id": "B", "date": days[:20], "close": 1.0}),
        ]
    )
    day = days[59]
    found = closes_by_asset(frame, np.array(["A", "B", "C"], object), day)
    assert list(found) == [0]  # the last close of B is older than STALE_DAYS
    assert (day - days[19]).days > STALE_DAYS
    assert found[0][-1] == 60.0


def test_ranks_have_no_units() -> None:
    values = np.array([[1.0, 5.0], [100.0, np.nan], [3.0, 5.0]])
    ranks, there = ranked(values)
    # thirds of the way: 1/3, 3/3, 2/3 -> -1/3, 1, 1/3; two equal ones share places 1 and 2 of 2: 0.75 -> 0.5
    np.testing.assert_allclose(ranks, [[-1 / 3, 0.5], [1.0, 0.0], [1 / 3, 0.5]], atol=1e-6)
    assert there.tolist() == [[True, True], [True, False], [True, True]]
    np.testing.assert_array_equal(ranked(values * 1000)[0], ranks)


def test_peers_share_a_category_or_an_industry(graph: KnowledgeGraph, known: pd.DataFrame) -> None:
    table = figures_of(graph, known).table
    assert {"rating", "raters", "target", "fact expense_ratio", "days_listed", *INDICATORS} <= set(table.columns)
    own = table["peer rank of return_126"].dropna()
    assert own.between(0, 1, inclusive="right").all()
    from pathfolio.kg.schema import Relation

    industry = graph.outgoing(Relation.IN_INDUSTRY)
    asset = next(int(a) for a in own.index if len(industry.of(int(graph.assets[a]))))
    node = int(industry.of(int(graph.assets[asset]))[0])
    same = [a for a in range(len(graph.assets)) if node in industry.of(int(graph.assets[a])).tolist()]
    returns = table["return_126"].iloc[same].dropna()
    expected = (returns < returns[asset]).mean() + ((returns == returns[asset]).sum() + 1) / 2 / len(returns)
    assert own[asset] == pytest.approx(expected)


def test_each_kind_has_figures_of_its_own(read: tuple[Vocabulary, TowerInputs]) -> None:
    vocabulary, inputs = read
    stock, fund, bond = vocabulary.columns
    assert "fact pe_ratio" in stock
    assert "fact pe_ratio" not in fund
    assert "fact expense_ratio" in fund
    assert "fact expense_ratio" not in stock
    assert bond == ()  # four bonds are fewer than FEWEST: their towers read categories and the graph alone
    assert len(inputs.kinds) == len(ASSET_KINDS)
    assert sum(len(part.at) for part in inputs.kinds) == len(inputs.kind_of)


def test_vectors_of_a_later_snapshot_are_read_by_the_same_vocabulary(tables: Tables, graph: KnowledgeGraph) -> None:
    """Codes and columns are fixed in training: an unknown category reads 0, a figure that is gone reads unknown."""
    vocabulary = vocabulary_of(graph, None)
    vectors = train_vectors(graph, VectorOptions(model="DistMult", dimension=8, max_epochs=1))
    later = assemble_graph(tables, date(2026, 6, 30))
    one, two = (tower_inputs(each, vocabulary, vectors, None) for each in (graph, later))
    for a, b in zip(one.kinds, two.kinds, strict=True):
        assert a.numbers.shape[1] == b.numbers.shape[1]
        assert set(np.unique(b.categories)) <= {0, *vocabulary.codes.values()}
    assert list(islice(vocabulary.assets.values(), 2)) == [1, 2]


def test_prices_without_ta_lib_are_refused_in_one_line(
    graph: KnowledgeGraph, known: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pathfolio.recommender.towers.indicators.find_spec", lambda name: None)
    assert not figures_of(graph, None).returns.any()  # nothing to compute
    with pytest.raises(UsageError, match="indicators of prices need TA-Lib"):
        figures_of(graph, known)
