"""Builds for a notebook, in a folder that stays or in one that goes with the process; and what the score alone says."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from pathfolio.kg.progress import Progress
from pathfolio.kg.tables import Tables
from pathfolio.recommender.build import Build, BuildOptions, check_replaceable, make_build
from pathfolio.recommender.retrieve import ranked_lines, user_position
from pathfolio.recommender.training import TrainingOptions
from pathfolio.web.library.values import a_day, ids_of, scratch_folder
from pathfolio.web.sources import from_tables


def build(
    market: Tables,
    as_of: date,
    *,
    out: str | Path | None = None,
    seed: int = 7,
    embedding: str = "auto",
    quiet: bool = False,
) -> Build:
    """Train everything on what was known of `market` on the day `as_of`; the same as `pathfolio build` makes.

    Args:
        out: the folder to make or replace; for None a temporary one, removed when the process ends.
        seed: of everything that is random.
        embedding: TransE, RotatE, ComplEx, DistMult, or auto for the best of them on an inner split.
        quiet: say nothing of the progress, which goes to standard error.

    Raises:
        UsageError: `out` is there and no build, there is no such embedding, or nothing was known on that day.

    An example is at `Recommender`.
    """
    folder = scratch_folder() / "build" if out is None else Path(out)
    check_replaceable(folder)
    progress = Progress(out=None) if quiet else Progress()
    source = from_tables(market, a_day(as_of, "as_of"), progress)
    options = BuildOptions(TrainingOptions(seed, embedding))
    return make_build(source.graph, folder, options, progress, source.beside())


def rank_without_rules(
    build: Build, users: Iterable[str], k: int = 10, kind: str | None = None, *, include_held: bool = False
) -> pd.DataFrame:
    """The assets that score highest for each investor: user_id, rank, asset_id, name, score.

    No suitability rule is asked and nothing is recorded, so this is for research, not for investors: they are to be
    shown what `Recommender.recommend` lists.

    Args:
        users: ids of investors.
        kind: stock, fund or bond; for None all.
        include_held: rank what an investor holds or ever held, too.

    Raises:
        UsageError: unknown investor or kind, or k below 1.
    """
    graph = build.graph
    positions = np.array([user_position(graph, user) for user in ids_of(users)], np.int64)
    lines = ranked_lines(build.scorer, positions, k, kind, include_held=include_held)
    rows = graph.assets[lines.asset]
    return pd.DataFrame(
        {
            "user_id": graph.nodes.id[graph.users[lines.user]],
            "rank": lines.rank,
            "asset_id": graph.nodes.id[rows],
            "name": np.array([graph.display_name(row) for row in rows.tolist()], object),
            "score": lines.score,
        }
    )
