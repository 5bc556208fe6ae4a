"""Trained towers on later days: refreshed, saved, searched, and served without torch."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.errors import DataError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.tables import Tables
from pathfolio.recommender.evaluation.stranger import with_stranger
from pathfolio.recommender.towers.model import TowerVectors, TwoTowers
from tests import ROOT

pytest.importorskip("talib", reason="TA-Lib is not installed: pip install 'pathfolio[baselines]'")


def test_refreshing_the_same_day_changes_nothing(graph: KnowledgeGraph, trained: TwoTowers) -> None:
    again = trained.refresh(graph)
    np.testing.assert_array_equal(again.served.users, trained.served.users)
    np.testing.assert_array_equal(again.served.assets, trained.served.assets)


def test_a_stranger_and_a_later_day_are_scored(tables: Tables, graph: KnowledgeGraph, trained: TwoTowers) -> None:
    """Strangers get a list, and so does what was listed after training; known assets keep their vectors."""
    strange = trained.refresh(with_stranger(graph))
    assert np.isfinite(strange.scores(np.array([0]))).all()
    later = assemble_graph(tables, date(2026, 6, 30))
    refreshed = trained.refresh(later)
    new = [i for i, key in enumerate(later.nodes.id[later.assets]) if key not in trained.parts.vocabulary.assets]
    assert new
    assert (np.linalg.norm(refreshed.served.assets[new], axis=1) > 0).all()
    assert refreshed.scores(np.arange(5)).shape == (5, len(later.assets))


def test_what_is_saved_serves_without_torch(trained: TwoTowers, tmp_path: Path) -> None:
    trained.served.save(tmp_path / "a.npz")
    trained.served.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    code = (
        "import json, sys; from pathlib import Path; import numpy as np;"
        "from pathfolio.recommender.towers.model import TowerVectors;"
        "served = TowerVectors.load(Path(sys.argv[1]));"
        "print(json.dumps([served.scores(np.arange(4)).tolist(), sorted({'torch', 'talib'} & set(sys.modules))]))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.npz")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    scores, loaded = json.loads(done.stdout)
    assert loaded == []
    np.testing.assert_allclose(scores, trained.scores(np.arange(4)), rtol=1e-6)
    with pytest.raises(DataError, match="train them again"):
        TowerVectors.load(tmp_path / "none.npz")


def test_the_top_is_the_top_of_the_scores(trained: TwoTowers) -> None:
    users = np.arange(0, len(trained.graph.users), 11)
    scores = trained.served.scores(users)
    for k in (10, scores.shape[1] + 3):
        position, product = trained.served.top(users, k)
        expected = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        np.testing.assert_array_equal(position[:, : expected.shape[1]], expected)
        np.testing.assert_allclose(product[:, : expected.shape[1]], np.take_along_axis(scores, expected, 1), rtol=1e-5)
        assert (position[:, expected.shape[1] :] == -1).all()
