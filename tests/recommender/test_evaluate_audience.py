"""Audiences of new issues: measures by hand and by a library, who is ranked, and that taste is found."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from pathfolio.recommender.evaluation.mornings import prepare_rolling
from pathfolio.recommender.evaluation.new_issues import (
    BASELINES,
    COLUMNS,
    auc,
    evaluate_audience,
    precision_at_n,
    to_text,
)
from pathfolio.recommender.evaluation.registry import MODELS
from pathfolio.recommender.evaluation.split import Fold
from pathfolio.web.cli import main
from tests.recommender.eval_world import assets, make_tables, positions, trades, two_tastes

WINDOW = Fold(date(2020, 6, 30), date(2020, 12, 31))


def test_auc_is_the_librarys() -> None:
    rng = np.random.default_rng(0)
    scores, relevant = rng.integers(0, 6, 200).astype(float), rng.random(200) < 0.2
    assert auc(scores, relevant) == pytest.approx(roc_auc_score(relevant, scores))


def test_ties_at_the_end_of_the_list_count_in_part() -> None:
    scores, relevant = np.array([5.0, 1.0, 1.0, 1.0, 0.0]), np.array([True, True, False, False, True])
    assert precision_at_n(scores, relevant) == pytest.approx((1 + 2 / 3) / 3)


def test_who_is_ranked_and_who_buys() -> None:
    """N is listed on 1 July; dee had it early and eve holds nothing that morning; cat's purchase is too late."""
    tables = make_tables(
        assets=assets("A stock X 2019-01-01", "B stock Y 2019-01-01", "N stock X 2020-07-01"),
        positions=positions("2020-01-01", "ann:A", "bob:B", "cat:B", "dee:A"),
        transactions=trades(
            "2020-07-02 dee buy N", "2020-07-03 ann buy N", "2020-07-05 eve buy N", "2020-09-01 cat buy N"
        ),
    )
    found = evaluate_audience(prepare_rolling(tables, WINDOW), MODELS["content"], min_buyers=1)
    assert list(found.columns) == list(COLUMNS)
    assert set(found["asset_id"]) == {"N"}
    assert found["day"].unique().tolist() == ["2020-07-02"]
    assert (found["investors"].unique().tolist(), found["buyers"].unique().tolist()) == ([4], [2])
    content = found[found["model"] == "content"].iloc[0]
    assert (content["auc"], content["precision"]) == (1.0, 1.0)  # ann and dee hold A, of N's sector


def test_taste_is_found_and_rules_stand_beside_it() -> None:
    found = evaluate_audience(prepare_rolling(two_tastes(), WINDOW), MODELS["content"], min_buyers=5)
    assert set(found["model"]) == {"content", *BASELINES}
    by_model = found.groupby("model")["auc"].mean()
    assert by_model["content"] > 0.7 > by_model["activity"]
    assert "mean over" in to_text(found)
    assert "no new issue" in to_text(found.iloc[:0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--fold", "2020-06-30:2020-12-31"], "--rolling CUT:END"),
        (["--rolling", "2020-06-30:2020-12-31", "--out", "a.tex"], ".csv or .json"),
    ],
)
def test_wrong_calls_say_what_is_right(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(tmp_path), "--audience", *options]) == 2
    assert message in capsys.readouterr().err
