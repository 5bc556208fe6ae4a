"""The evidence of every investor's list as one Parquet file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from pathfolio.explain.evidence import OTHERS_KEY, stable_id
from pathfolio.explain.explanation import Explanation
from pathfolio.explain.what_if_list import WhatIfDesk
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.progress import Progress
from pathfolio.kg.span import Position, Positions, Row
from pathfolio.kg.workers import answers
from pathfolio.recommender.account import ChannelAccount, ScoreAccount
from pathfolio.recommender.assumed import AssumedInvestor
from pathfolio.recommender.model import ExplainedModel
from pathfolio.recommender.retrieve import rank_assets

SCHEMA: Final = pa.schema(
    [
        ("user_id", pa.string()),
        ("asset_id", pa.string()),
        ("rank", pa.int32()),
        ("path_id", pa.string()),
        ("channel", pa.string()),
        ("contribution", pa.float64()),
        ("nodes", pa.list_(pa.string())),
        ("relations", pa.list_(pa.string())),
    ]
)
"""One row per path. `nodes` are ids from the investor to the asset, null where other investors are summed up."""

USERS_PER_CHUNK: Final = 512


EvidenceRow = tuple[str, str, int, str, str, float, list[str | None], list[str]]


@dataclass(frozen=True)
class EvidenceRows:
    """Turns accounts into rows; path ids are those of `pathfolio.explain.tracer`.

    Attributes:
        ids, keys: of each node row, and at the end, where `OTHER_INVESTORS` points, of other investors.
    """

    ids: list[str | None] = field(repr=False)
    keys: list[str] = field(repr=False)

    @classmethod
    def of(cls, graph: KnowledgeGraph) -> EvidenceRows:
        """For the accounts of one snapshot."""
        ids = graph.nodes.id.tolist()
        keys = [f"{graph.kind_of(Row(row))}:{key}" for row, key in enumerate(ids)]
        return cls([*ids, None], [*keys, OTHERS_KEY])

    def rows(self, account: ScoreAccount, rank: int) -> Iterator[EvidenceRow]:
        """The account's paths in the order of `SCHEMA`."""
        user = str(self.ids[account.user])
        asset = str(self.ids[account.asset])
        for channel in account.channels:
            name = channel.name
            for (nodes, relations), contribution in self._merged(channel).items():
                identity = stable_id("p", name, *[self.keys[row] for row in nodes], *relations)
                ids = [self.ids[row] for row in nodes]
                yield user, asset, rank, identity, name, contribution, ids, list(relations)

    @staticmethod
    def of_explanation(found: Explanation) -> Iterator[EvidenceRow]:
        """The same rows of a score that is explained already."""
        for path in found.paths:
            ids = [node.id for node in path.nodes]
            who = found.user_id, found.asset_id, found.rank
            yield *who, path.id, path.channel, path.contribution, ids, list(path.relations)

    def _merged(self, channel: ChannelAccount) -> dict[tuple[tuple[int, ...], tuple[str, ...]], float]:
        """What the channel's walks add, by their nodes and relations."""
        merged: dict[tuple[tuple[int, ...], tuple[str, ...]], float] = {}
        for walk in channel.walks:
            key = (walk.nodes, walk.relations)
            merged[key] = merged.get(key, 0.0) + walk.contribution
        return merged


@dataclass(frozen=True)
class Choosers:
    """Investors whose lists follow what they told or chose, not positions and the snapshot's answers alone.

    Attributes:
        desk: explains their scores, as it does to them.
        investors: by position.
    """

    desk: WhatIfDesk
    investors: Mapping[Position, AssumedInvestor]


def explain_all(  # noqa: PLR0913 - all but three have a default
    model: ExplainedModel,
    out: Path,
    progress: Progress,
    *,
    k: int = 10,
    kind: str | None = None,
    lists: Positions | None = None,
    choosers: Choosers | None = None,
    workers: int = 0,
) -> int:
    """Write the paths of every investor's `k` best assets to `out`; returns how many rows there are.

    Args:
        lists: (investors, k) positions of the assets to explain, best first, -1 for none; the best by score where
            none are given.
        choosers: of whom the model's own account would leave out what they told.
        workers: processes to share the work; 0 for one per core.

    Raises:
        UsageError: unknown kind, or k below 1.
    """
    n = len(model.graph.users)
    users = model.graph.user_span.positions
    chunks = [Positions(users[start : start + USERS_PER_CHUNK]) for start in range(0, n, USERS_PER_CHUNK)]
    job = _EvidenceJob(model, EvidenceRows.of(model.graph), k, kind, lists, choosers)
    rows = 0
    with pq.ParquetWriter(out, SCHEMA, compression="zstd") as writer:
        tables = answers(job.table, chunks, workers, first=Positions(users[:1]))
        for done, table in enumerate(tables, 1):
            writer.write_table(table)
            rows += table.num_rows
            progress.update(f"explain {min(done * USERS_PER_CHUNK, n):,} of {n:,} investors")
    return rows


@dataclass(frozen=True)
class _EvidenceJob:
    """What a worker needs to explain a chunk of investors."""

    model: ExplainedModel
    evidence: EvidenceRows
    k: int
    kind: str | None
    lists: Positions | None
    choosers: Choosers | None

    def table(self, users: Positions) -> pa.Table:
        """The rows of the investors at positions `users`."""
        rows: list[EvidenceRow] = []
        for chunk, assets in self._listed(users):
            for user, line in zip(chunk.tolist(), assets.tolist(), strict=True):
                for rank, asset in enumerate(line, 1):
                    if asset >= 0:
                        rows += self._rows(user, asset, rank)
        columns = zip(*rows, strict=True) if rows else ([] for _ in SCHEMA)
        return pa.table([pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)

    def _rows(self, user: Position, asset: Position, rank: int) -> Iterator[EvidenceRow]:
        investor = None if self.choosers is None else self.choosers.investors.get(user)
        if self.choosers is None or investor is None:
            return self.evidence.rows(self.model.account(user, asset), rank)
        return self.evidence.of_explanation(self.choosers.desk.explain(investor, asset, rank, ()))

    def _listed(self, users: Positions) -> Iterator[tuple[Positions, Positions]]:
        if self.lists is not None:
            yield users, Positions(self.lists[users])
            return
        for chunk, assets, _ in rank_assets(self.model, users, self.k, self.kind, include_held=False):
            yield chunk, assets
