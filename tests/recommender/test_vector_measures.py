"""What vectors are measured by: by hand, and the ways to make them side by side on a small world."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from pathfolio.kg.errors import UsageError
from pathfolio.kg.progress import Progress
from pathfolio.kg.span import Positions
from pathfolio.recommender.evaluation.split import Fold, prepare_fold
from pathfolio.recommender.evaluation.vector_measures import LaterPurchases, overlap, purity
from pathfolio.recommender.evaluation.vectors import WAYS, choose_ways, evaluate_vectors
from pathfolio.web.cli import main
from tests.recommender.eval_world import two_tastes


def test_auc_by_hand() -> None:
    """Never had: assets 1, 2 and 3; bought: 1. It beats 2 and ties with 3: (1 + 1/2) / 2."""
    had, bought = np.array([[True, False, False, False]]), np.array([[False, True, False, False]])
    later = LaterPurchases(Positions(np.array([0])), had, bought)
    assert later.auc(np.array([[9.0, 0.5, 0.1, 0.5]])) == pytest.approx(0.75)


def test_cosine_to_holdings_by_hand() -> None:
    later = LaterPurchases(Positions(np.array([0])), np.array([[True, True, False]]), np.zeros((1, 3), bool))
    vectors = np.array([[2.0, 0.0], [0.0, 3.0], [5.0, 0.0]])
    np.testing.assert_allclose(later.by_holdings(vectors), [[0.5, 0.5, 0.5]])


def test_purity_and_overlap_of_two_directions() -> None:
    """Twelve assets east and twelve north: neighbours share the label; zeros and assets without label do not count."""
    rng = np.random.default_rng(0)
    vectors = np.repeat(np.eye(2), 12, axis=0) + rng.normal(0, 0.01, (24, 2))
    labels = np.repeat([4, 7], 12)
    assert purity(vectors, labels) == 1.0
    assert purity(np.vstack([vectors, [[0, 0], [1, 0]]]), np.append(labels, [7, -1])) == 1.0
    assert purity(vectors, np.tile([4, 7], 12)) == pytest.approx(0.5, abs=0.1)
    assert overlap(vectors, vectors * 3) == 1.0
    assert np.isnan(overlap(vectors[:5], vectors[:5])), "too few to have ten neighbours"


def test_ways_side_by_side() -> None:
    """Two tastes are easy: what knows attributes tells later purchases, and equal seeds give equal rows."""
    data = prepare_fold(two_tastes(users=80), Fold(date(2020, 5, 31), date(2020, 12, 31)))
    ways = ("distmult", "svd-normalised", "svd-co-holdings")
    first, again = (evaluate_vectors(data, ways, range(1), Progress(out=None)) for _ in range(2))
    assert first["way"].tolist() == list(ways)
    measures = first.columns.drop(["seconds", "way", "window"])
    assert first["overlap"].isna().all(), "one seed has none before it"
    np.testing.assert_array_equal(first[measures].to_numpy(), again[measures].to_numpy())
    scored = first[first["way"] != "svd-co-holdings"]
    assert (scored["auc_holdings"] > 0.6).all()
    assert ((scored["mrr"] > 0) & (scored["mrr"] <= scored["mrr_of_kind"])).all()
    assert first["mrr"].isna().sum() == 1, "co-holdings have no relations"


def test_unknown_ways(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="no way 'word2vec' to make vectors"):
        choose_ways("svd,word2vec")
    assert set(choose_ways("all")) <= set(WAYS)
    assert main(["evaluate", str(tmp_path), "--vectors"]) == 2
    assert "--fold CUT:END" in capsys.readouterr().err
