"""What a change of shape must not change: the graph, the lists and the scores of a small market, taken down before.

`python -m tests.test_unchanged` writes the figures anew, after a change that is meant to change them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pytest

from pathfolio.recommender.build import Build
from pathfolio.web.library.build import rank_without_rules
from tests import ROOT

FIGURES: Final = ROOT / "tests" / "unchanged.json"
CLOSE: Final = 1e-4
"""Training ends a little differently on another processor; scores that are this close may change places."""


def figures(build: Build) -> dict[str, Any]:
    """The snapshot's hash, and everybody's list: ids and scores."""
    lists = rank_without_rules(build, build.graph.user_ids, k=10)
    by_user = {
        str(user): [[str(asset), round(float(score), 9)] for asset, score in zip(of.asset_id, of.score, strict=True)]
        for user, of in lists.groupby("user_id", sort=False)
    }
    return {"graph_hash": build.graph.content_hash, "lists": by_user}


def test_the_graph_lists_and_scores_are_as_they_were(small_build: Build) -> None:
    before, now = json.loads(FIGURES.read_text(encoding="utf-8")), figures(small_build)
    assert now["graph_hash"] == before["graph_hash"]
    assert list(now["lists"]) == list(before["lists"])
    for user, expected in before["lists"].items():
        scores = pd.Series(dict(now["lists"][user]))
        assert sorted(scores, reverse=True) == pytest.approx([score for _, score in expected], rel=CLOSE)
        for asset, score in expected:
            last = expected[-1][1]
            assert asset in scores or score == pytest.approx(last, rel=CLOSE), (user, asset)
            assert asset not in scores or scores[asset] == pytest.approx(score, rel=CLOSE), (user, asset)


if __name__ == "__main__":
    import tempfile

    from pathfolio.recommender.build import load_build
    from tests.web.site_world import build_market

    with tempfile.TemporaryDirectory() as folder:
        text = json.dumps(figures(load_build(build_market(Path(folder)))), indent=None, ensure_ascii=False)
    FIGURES.write_text(text.replace("]], ", "]],\n") + "\n", encoding="utf-8")
