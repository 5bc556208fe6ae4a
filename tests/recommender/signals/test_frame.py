"""Panels, labels, splits, losses and the evaluator, against figures that were computed by hand or another way."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from pathfolio.kg.errors import DataError, UsageError
from pathfolio.kg.progress import Progress
from pathfolio.recommender.signals.cross_section import daily_rank_ic
from pathfolio.recommender.signals.evaluate import SignalTest, evaluated
from pathfolio.recommender.signals.features import features_of
from pathfolio.recommender.signals.inference import deflated_sharpe, expected_best_sharpe, newey_west, series_mean
from pathfolio.recommender.signals.labels import Target, labels_of
from pathfolio.recommender.signals.losses import qlike
from pathfolio.recommender.signals.model import options_of
from pathfolio.recommender.signals.output import to_json, written
from pathfolio.recommender.signals.panel import panel_of
from pathfolio.recommender.signals.plots import plot_records
from pathfolio.recommender.signals.read import read_panel
from pathfolio.recommender.signals.registry import SIGNAL_MODELS, chosen_models
from pathfolio.recommender.signals.splits import EMBARGO, hv_block, splitter_of, walk_forward
from pathfolio.recommender.signals.trading import TradingTerms, earned
from tests.recommender.signals.worlds import ASSETS, DAYS, panel

SILENT = Progress(out=None)


def small(closes: list[float]) -> pd.DataFrame:
    days = pd.bdate_range("2024-01-01", periods=len(closes))
    return pd.DataFrame({"asset_id": "A", "date": days, "close": closes})


def test_a_panel_is_read_only_and_knows_gaps() -> None:
    frame = pd.concat([small([10.0, 11.0, 12.1]), small([5.0, 6.0, 7.0]).iloc[1:].assign(asset_id="B")])
    made = panel_of("x", frame)
    assert made.values.shape[:2] == (3, 2)
    np.testing.assert_allclose(made["return"][:, 0], [np.nan, 0.1, 0.1], rtol=1e-6)
    assert np.isnan(made["close"][0, 1])
    with pytest.raises(ValueError, match="read-only"):
        made.values[0, 0, 0] = 1.0
    assert len(made.until(date(2024, 1, 2)).days) == 2
    with pytest.raises(DataError, match="first day"):
        made.until(date(2023, 1, 1))


def test_returns_are_bought_at_the_next_close() -> None:
    made = panel_of("x", small([100.0, 101.0, 110.0, 99.0, 120.0]))
    labels = labels_of(made, Target.RETURN, 2)
    np.testing.assert_allclose(labels.values[0, 0], 99 / 101 - 1, rtol=1e-5)
    np.testing.assert_allclose(labels.values[1, 0], 120 / 110 - 1, rtol=1e-5)
    assert np.isnan(labels.values[2:]).all()
    assert labels.ends == 3


def test_variance_is_of_the_days_that_follow() -> None:
    made = panel_of("x", small([100.0, 110.0, 99.0, 99.0]))
    labels = labels_of(made, Target.VOLATILITY, 2)
    np.testing.assert_allclose(labels.values[0, 0], (0.1**2 + 0.1**2) / 2, rtol=1e-5)
    np.testing.assert_allclose(labels.values[1, 0], 0.1**2 / 2, rtol=1e-5)


def test_beta_of_what_follows_is_a_regression() -> None:
    made = panel()
    labels, returns, market = labels_of(made, Target.BETA, 63), made["return"], made.market_returns
    expected = np.polyfit(market[301:364], returns[301:364, 7], 1)[0]
    np.testing.assert_allclose(labels.values[300, 7], expected, rtol=1e-6)


def test_taiwan_s_returns_are_of_the_reference_price(tmp_path: Path) -> None:
    bars = {"open": [10.0, 10.5, 9.0], "close": [10.0, 11.0, 9.9], "change": [0.0, 1.0, 0.5]}
    frame = small([0.0] * 3).assign(**bars, ex_date=[False, False, True])
    frame.to_parquet(tmp_path / "bars.parquet")
    found = read_panel(tmp_path / "bars.parquet")["return"][:, 0]
    np.testing.assert_allclose(found, [0.0, 0.1, 0.1], rtol=1e-5)


def test_adjusted_and_wide_tables(tmp_path: Path) -> None:
    small([10.0, 5.0, 6.0]).assign(close_adjusted=[5.0, 5.0, 6.0]).to_parquet(tmp_path / "adjusted.parquet")
    np.testing.assert_allclose(read_panel(tmp_path / "adjusted.parquet")["return"][1:, 0], [0, 0.2], rtol=1e-5)
    wide = pd.DataFrame({"date": ["2024-01-01", "2024-01-02"], "A": [1.0, 1.1], "B": [2.0, np.nan]})
    wide.to_csv(tmp_path / "wide.csv", index=False)
    found = read_panel(tmp_path / "wide.csv")
    assert found.assets.tolist() == ["A", "B"]
    np.testing.assert_allclose(found["return"][1, 0], 0.1, rtol=1e-5)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("asset_id,close\nA,1\n", "columns asset_id, close"),
        ("date,A\nsoon,1\n", "row 1, column date: 'soon' is no date"),
    ],
)
def test_a_table_of_something_else_is_refused_in_a_line(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(DataError, match=said):
        read_panel(tmp_path / "x.csv")
    with pytest.raises(DataError, match="no such file"):
        read_panel(tmp_path / "y.csv")


def test_walking_forward_no_label_reaches_into_the_test() -> None:
    days = panel().days
    for fold in walk_forward(days, 300, DAYS, 6):
        assert np.flatnonzero(fold.train).max() + 6 + EMBARGO < np.flatnonzero(fold.test).min()
    assert sum(fold.test.sum() for fold in walk_forward(days, 300, DAYS, 6)) == DAYS - 300


def test_hv_blocks_leave_gaps_on_both_sides() -> None:
    for fold in hv_block(panel().days, 0, DAYS, 6):
        train, test = np.flatnonzero(fold.train), np.flatnonzero(fold.test)
        assert np.abs(train[:, None] - test[None, :]).min() == 6 + EMBARGO + 1


def test_random_folds_are_refused_with_the_reason() -> None:
    with pytest.raises(UsageError, match="share their labels"):
        splitter_of("random")
    with pytest.raises(UsageError, match="walk-forward or hv-block"):
        splitter_of("other")


def test_qlike_is_lowest_at_the_truth() -> None:
    truth = np.random.default_rng(0).chisquare(1, 20000) * 2e-4
    means = [qlike(np.full(len(truth), f), truth).mean() for f in (1e-4, 1.5e-4, 2e-4, 2.5e-4, 4e-4)]
    assert int(np.argmin(means)) == 2


def test_rank_ic_is_spearman_s() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 30)).round(1), rng.normal(size=(2, 30)).round(1)
    found = daily_rank_ic(x, y, np.ones((2, 30), bool))
    np.testing.assert_allclose(found, [spearmanr(a, b).statistic for a, b in zip(x, y, strict=True)])


def test_newey_west_is_statsmodels() -> None:
    api = pytest.importorskip("statsmodels.api")
    series = np.random.default_rng(0).normal(size=300).cumsum() * 0.1
    fitted = api.OLS(series, np.ones(300)).fit(cov_type="HAC", cov_kwds={"maxlags": 7, "use_correction": False})
    np.testing.assert_allclose(newey_west(series, 7), fitted.bse[0])


def test_an_interval_covers_the_mean_and_widens_with_dependence() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0.1, 1, 1000)
    alike = np.repeat(noise[::20], 20)
    one, other = series_mean(noise, 1), series_mean(alike, 20)
    assert one.low < 0.1 < one.high
    assert other.high - other.low > 2 * (one.high - one.low)


def test_more_trials_deflate_the_sharpe_ratio() -> None:
    returns = np.random.default_rng(0).normal(0.001, 0.01, 500)
    ratios = np.array([0.1, 0.0, -0.1])
    few, many = (deflated_sharpe(returns, expected_best_sharpe(ratios, n)) for n in (2, 1000))
    assert many < few


def test_a_decile_that_is_told_the_truth_earns_and_pays_for_its_trades() -> None:
    market = panel()
    labels = labels_of(market, Target.RETURN, 5)
    found = earned(market, labels.values, market.universe, 5, TradingTerms())
    assert np.nanmean(found.gross) > 0.002
    free = earned(market, labels.values, market.universe, 5, TradingTerms(round_trip=0.0))
    np.testing.assert_allclose(np.nanmean(free.gross - found.net), found.turnover * 0.00585, rtol=1e-6)
    still = earned(market, np.tile(np.arange(ASSETS, dtype=float), (DAYS, 1)), market.universe, 5, TradingTerms())
    assert still.turnover < 0.01


def test_there_are_28_features_and_the_last_day_has_them() -> None:
    found = features_of(panel())
    assert found.values.shape[1] == len(set(found.names)) == 28
    assert found.day.max() == DAYS - 1
    assert np.abs(found.values).max() <= 0.5


def test_the_evaluator_writes_every_format_and_plots(tmp_path: Path) -> None:
    market = panel(reverts=0.1)
    models = chosen_models("reversal,ewma,har,beta-vasicek")
    records = evaluated(market, models, SignalTest(date(2021, 9, 1), None, (1, 5)), SILENT)
    found = json.loads(to_json(records))
    assert set(found) == {"reversal", "ewma", "har", "beta-vasicek"}
    assert found["reversal"]["1"]["rank_ic"] > 0.1
    assert found["ewma"]["5"]["rank_ic_low"] < found["ewma"]["5"]["rank_ic"] < found["ewma"]["5"]["rank_ic_high"]
    assert found["har"]["1"]["dm_qlike"] is not None
    assert found["ewma"]["1"]["coverage"] == 1
    for ending in ("txt", "csv", "tex"):
        assert "reversal" in written(records, tmp_path / f"x.{ending}")
    with pytest.raises(UsageError, match="end the name in"):
        written(records, tmp_path / "x.doc")
    assert all(path.stat().st_size > 1000 for path in plot_records(records, market, tmp_path / "plots"))


def test_each_model_is_one_short_file_with_paper_equation_and_options() -> None:
    for model in SIGNAL_MODELS.values():
        file = Path(str(sys.modules[model.__module__].__file__))
        assert len(file.read_text().splitlines()) <= 150
        assert model.paper and model.equation and model.about
        assert all(told for _, told in options_of(model).values())


def test_options_of_models_are_checked() -> None:
    assert chosen_models("reversal", {"reversal": {"days": "3"}})[0] == SIGNAL_MODELS["reversal"](days=3)
    for options, said in (({"reversal": {"x": "1"}}, "has no option"), ({"reversal": {"days": "-1"}}, "above 0")):
        with pytest.raises(UsageError, match=said):
            chosen_models("reversal", options)
    assert not chosen_models("master", {"master": {"gated": "false"}})[0].gated
    with pytest.raises(UsageError, match="true or false"):
        chosen_models("master", {"master": {"gated": "no"}})
    with pytest.raises(UsageError, match="no model 'x'"):
        chosen_models("x")


def test_days_that_a_panel_does_not_have_are_refused() -> None:
    with pytest.raises(UsageError, match="it has 2020-01-01 to"):
        evaluated(panel(), chosen_models("reversal"), SignalTest(date(2030, 1, 1)), SILENT)


@pytest.mark.realdata
def test_taiwan_s_panel_has_the_known_marks(real_data: Path) -> None:
    path = real_data / "panels" / "twse_ohlcv_2003_2013.parquet"
    if not path.is_file():
        pytest.skip(f"no {path.name}")
    market = read_panel(path)
    assert 280 < market.universe[250:].sum(axis=1).mean() < 530
    asked = SignalTest(date(2008, 1, 1), None, (5,))
    found = {r.model: r.metrics for r in evaluated(market, chosen_models("reversal,low-volatility"), asked, SILENT)}
    assert found["reversal"]["rank_ic"] == pytest.approx(0.039, abs=0.004)
    assert found["low-volatility"]["rank_ic"] == pytest.approx(0.043, abs=0.004)
