"""What a user waits for: the command line, one explained recommendation, everybody's lists."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from pathfolio.explain.explainer import Explainer
from pathfolio.kg.span import Positions
from pathfolio.recommender.build import Build
from pathfolio.recommender.lists_file import write_lists
from pathfolio.recommender.retrieve import asset_position, rank_for
from pathfolio.web.benchmarks.measured import Measured, seconds


def help_text(_build: Build) -> list[Measured]:
    """`pathfolio --help` against an empty Python program."""
    ours = seconds(
        lambda: _python("from pathfolio.web.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass")
    )
    empty = seconds(lambda: _python("pass"))
    return [Measured("pathfolio --help", ours, "s", "python -c pass", empty)]


def lists(build: Build) -> list[Measured]:
    """Everybody's top ten into Parquet, against scoring alone."""
    scorer = build.scorer
    users = build.graph.user_span.positions
    chunks = [Positions(users[start : start + 2048]) for start in range(0, len(users), 2048)]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "recs.parquet"
        ours = seconds(lambda: write_lists(scorer, out, 10, None, include_held=False), runs=3)
    scoring = seconds(lambda: [scorer.scores(chunk) for chunk in chunks], runs=3)
    return [Measured(f"recommend --all -k 10, {len(users):,} investors", ours, "s", "scores alone", scoring)]


def explained(build: Build) -> list[Measured]:
    """One investor's list with the explanation of its first asset, against the list alone."""
    scorer = build.scorer
    explainer = Explainer(build.graph, build.build_hash)
    held = np.flatnonzero(np.diff(scorer.interactions.ever.indptr) > 0)
    users = iter(np.random.default_rng(0).permutation(held).tolist() * 10)

    def one(*, explain: bool) -> None:
        user = next(users)
        user_id = str(build.graph.user_ids[user])
        best = rank_for(scorer, user_id, 10)[0]
        if explain:
            asset = asset_position(build.graph, best.asset_id)
            explainer.explain(scorer.account(user, asset), 1)

    ours = seconds(lambda: one(explain=True), runs=100, warm=5)
    alone = seconds(lambda: one(explain=False), runs=100)
    return [Measured("list and explanation of its first asset", ours * 1e3, "ms", "the list alone", alone * 1e3)]


def _python(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)  # noqa: S603
