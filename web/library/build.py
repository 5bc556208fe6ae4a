"""Builds for a notebook, in a folder that stays or in one that goes with the process; and what the score alone says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from pathfolio.kg.progress import Progress
from pathfolio.kg.span import Positions
from pathfolio.kg.tables import Tables
from pathfolio.recommender.build import Build, BuildOptions, check_replaceable, make_build
from pathfolio.recommender.channels.own import WEIGHT, OwnChannel
from pathfolio.recommender.own_table import VectorTable, read_vectors
from pathfolio.recommender.retrieve import ranked_lines, user_position
from pathfolio.recommender.training import TrainingOptions
from pathfolio.web.library.values import a_day, ids_of, scratch_folder
from pathfolio.web.sources import from_tables


def build(  # noqa: PLR0913 - all but two have a default
    market: Tables,
    as_of: date,
    *,
    out: str | Path | None = None,
    seed: int = 7,
    embedding: str = "auto",
    vectors: str | Path | VectorTable | None = None,
    vectors_weight: float = WEIGHT,
    channels: Sequence[OwnChannel] = (),
    quiet: bool = False,
) -> Build:
    """Train everything on what was known of `market` on the day `as_of`; the same as `pathfolio build` makes.

    Own vectors and channels are sealed into the build as data: what is listed with them is gated, recorded and can be
    replayed by whoever has the build, as everything else.

    Args:
        out: the folder to make or replace; for None a temporary one, removed when the process ends.
        seed: of everything that is random.
        embedding: TransE, RotatE, ComplEx, DistMult, or auto for the best of them on an inner split.
        vectors: own vectors as a channel "own_vectors": a .parquet or .csv file or a table with the columns id, v0,
            v1, … and, where some are not of assets, kind.
        vectors_weight: how much own vectors say; the KG embedding has 0.1.
        channels: own channels (see `OwnChannel`), each shown as own_NAME.
        quiet: say nothing of the progress, which goes to standard error.

    Raises:
        DataError: a row of the vectors is refused, or none is of this market.
        UsageError: `out` is there and no build, there is no such embedding, nothing was known on that day, or a
            channel has no name of its own or gives no ties.

    An example is at `Recommender`; this one has a channel of its own, for shared listings:

    >>> import scipy.sparse as sp
    >>> from datetime import date
    >>> import pathfolio
    >>> from pathfolio.kg.schema import Relation
    >>> class Bourse:
    ...     name, weight = "bourse", 0.1
    ...
    ...     def fit(self, graph):
    ...         listed = graph.edges_between(Relation.LISTED_ON)
    ...         asset, market = graph.asset_span.position(graph.edges.head[listed]), graph.edges.tail[listed]
    ...         return sp.csr_array(([1.0] * len(asset), (asset, market)), (len(graph.assets), len(graph)))
    >>> market = pathfolio.sample_market(pathfolio.SampleSize(investors=40, stocks=40, funds=4, bonds=4, years=1))
    >>> day = date(2026, 6, 30)
    >>> build = pathfolio.build(market, day, embedding="DistMult", channels=[Bourse()], quiet=True)
    >>> build.manifest["own"], build.scorer.part_names[-1]
    ({'own_bourse': 0.1}, 'own_bourse')
    """
    folder = scratch_folder() / "build" if out is None else Path(out)
    check_replaceable(folder)
    own = None if vectors is None else read_vectors(vectors, vectors_weight)
    progress = Progress(out=None) if quiet else Progress()
    source = from_tables(market, a_day(as_of, "as_of"), progress)
    options = BuildOptions(TrainingOptions(seed, embedding))
    return make_build(source.graph, folder, options, progress, replace(source.beside(), vectors=own, channels=channels))


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
    positions = Positions(np.array([user_position(graph, user) for user in ids_of(users)], np.int64))
    lines = ranked_lines(build.scorer, positions, k, kind, include_held=include_held)
    rows = graph.asset_span.row(lines.asset)
    return pd.DataFrame(
        {
            "user_id": graph.user_ids[lines.user],
            "rank": lines.rank,
            "asset_id": graph.nodes.id[rows],
            "name": np.array([graph.display_name(row) for row in rows.tolist()], object),
            "score": lines.score,
        }
    )
