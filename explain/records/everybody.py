"""Everybody's list in one file: each is gated and recorded, and the file is put in place once all of them are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Final

import numpy as np
import pyarrow as pa

from pathfolio.explain.batch import Choosers
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.payloads import ADVICE_CLASS, BATCH, RECOMMENDATION, Payload
from pathfolio.explain.ledger.squeeze import Squeezed
from pathfolio.explain.ledger.writer import Receipt
from pathfolio.explain.records.adviser import Adviser, Question
from pathfolio.explain.records.keep import keep
from pathfolio.explain.records.layout import record_text
from pathfolio.explain.records.record import record_of
from pathfolio.explain.records.serve import tags_of
from pathfolio.explain.records.telling import told_by_all
from pathfolio.kg.graph import FloatArray, KnowledgeGraph
from pathfolio.kg.progress import Progress
from pathfolio.kg.schema import CHOICES, NodeKind, Relation
from pathfolio.kg.span import Positions, Row
from pathfolio.kg.workers import answers
from pathfolio.recommender.lists_file import check_name, lists_table, save_table
from pathfolio.recommender.retrieve import asset_position
from pathfolio.recommender.told import ToldFact, told_investor

_CHUNK: Final = 512

Told = Mapping[str, tuple[ToldFact, ...]]
"""What investors told here, by their ids."""


@dataclass(frozen=True)
class Everybody:
    """What was asked for all investors; as `Question`."""

    who: str
    through: str
    k: int = 10
    kind: str | None = None
    include_held: bool = False
    today: date | None = None

    def questions(self, adviser: Adviser, users: Positions, told: Told = MappingProxyType({})) -> Iterator[Question]:
        """One question for each of the investors at positions `users`; `told` is what they told here, by id."""
        graph = adviser.build.graph
        for user in map(str, graph.user_ids[users]):
            yield Question(user_id=user, explained=False, told=told.get(user, ()), **asdict(self))


class BatchEntry(Payload, frozen=True, kw_only=True, omit_defaults=False):
    """The file that was written, the id of its first record, and what was asked; as `Everybody`."""

    entry_kind: ClassVar[str] = BATCH
    retention: ClassVar[str] = ADVICE_CLASS
    file: str
    sha256: str
    rows: int
    lists: int
    first: str
    who: str
    through: str
    k: int
    kind: str | None
    include_held: bool
    today: date | None


@dataclass(frozen=True)
class Batch:
    """What was written; `receipt` is that of the entry that names the file by its hash."""

    rows: int
    lists: int
    receipt: Receipt


@dataclass(frozen=True)
class Lists:
    """Everybody's lists, all of them recorded.

    Attributes:
        users, assets: (investors, k) is the shape of `assets`: positions, best first, -1 where fewer pass.
        scores: the same shape, NaN where fewer pass.
        first: id of the first record.
        told: what investors told here, as it counted for the lists.
    """

    users: Positions
    assets: Positions
    scores: FloatArray
    first: str
    told: Told

    def table(self, graph: KnowledgeGraph) -> pa.Table:
        """user_id, rank, asset_id, score; one row per line."""
        row, rank = np.nonzero(self.assets >= 0)
        users, assets = graph.user_ids[self.users[row]], graph.asset_ids[self.assets[row, rank]]
        return lists_table(users, rank + 1, assets, self.scores[row, rank])


def record_everybody(
    adviser: Adviser, ledger: Ledger, asked: Everybody, progress: Progress, *, workers: int = 0
) -> Lists:
    """Everybody's lists, once all are in the ledger.

    Args:
        workers: processes to share the work; 0 for one per core.

    Raises:
        LedgerError: they could not all be recorded, so none may be shown.
        UsageError: unknown kind, or k below 1.
    """
    keep(adviser.build, adviser.rules, ledger)
    ids, chunks = adviser.build.graph.user_ids, []
    first, done = "", 0
    told = told_by_all(ledger, adviser.build.graph.name)
    for chunk in _answered(_Job(adviser, asked, told), workers):
        records = zip(chunk.records, map(str, ids[chunk.users]), strict=True)
        receipts = ledger.append_many(list(records), kind=RECOMMENDATION, tags=tags_of(adviser))
        chunks.append(chunk)
        first, done = first or receipts[0].id, done + len(receipts)
        progress.update(f"recommend to {done:,} investors")
    return Lists(
        Positions(np.concatenate([chunk.users for chunk in chunks])),
        Positions(np.concatenate([chunk.assets for chunk in chunks])),
        np.concatenate([chunk.scores for chunk in chunks]),
        first,
        told,
    )


def choosers_of(adviser: Adviser, told: Told) -> Choosers:
    """Whose lists follow what they told here, or chose by the snapshot; with the desk that explains them."""
    graph, scorer = adviser.build.graph, adviser.build.scorer
    chose = {int(row) for relation in CHOICES for row in graph.edges.head[graph.edges_between(Relation(relation))]}
    chose |= {row for user in told if (row := graph.find(NodeKind.USER, user)) is not None}
    users = [graph.user_span.position(Row(row)) for row in sorted(chose)]
    found = {user: told_investor(scorer, user, told.get(str(graph.user_ids[user]), ())) for user in users}
    return Choosers(adviser.what_if, {user: investor for user, investor in found.items() if investor.has_chosen})


def serve_everybody(
    adviser: Adviser, ledger: Ledger, asked: Everybody, out: Path, progress: Progress, *, workers: int = 0
) -> Batch:
    """Write user_id, rank, asset_id, score of every investor's list to `out`; see `record_everybody`.

    Raises:
        LedgerError: they could not all be recorded; no file is written then.
        UsageError: `out` is neither .parquet nor .csv, unknown kind, or k below 1.
    """
    check_name(out)
    lists = record_everybody(adviser, ledger, asked, progress, workers=workers)
    table = lists.table(adviser.build.graph)
    save_table(table, out)
    with out.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    written = BatchEntry(
        file=out.name, sha256=sha256, rows=table.num_rows, lists=len(lists.users), first=lists.first, **asdict(asked)
    )
    receipt = ledger.note(written, tags=tags_of(adviser))
    return Batch(table.num_rows, len(lists.users), receipt)


@dataclass(frozen=True)
class _Chunk:
    """Lists of some investors as in `Lists`, and their records as canonical JSON."""

    users: Positions
    assets: Positions
    scores: FloatArray
    records: list[Squeezed]


@dataclass(frozen=True)
class _Job:
    """What a worker needs to answer for a chunk of investors."""

    adviser: Adviser
    asked: Everybody
    told: Told

    def answers(self, users: Positions) -> _Chunk:
        """Of the investors at positions `users`."""
        graph, shape = self.adviser.build.graph, (len(users), self.asked.k)
        assets, scores, records = Positions(np.full(shape, -1, np.int64)), np.full(shape, np.nan), []
        for row, advice in enumerate(self.adviser.advise_all(self.asked.questions(self.adviser, users, self.told))):
            n = len(advice.lines)
            assets[row, :n] = [asset_position(graph, line.asset_id) for line in advice.lines]
            scores[row, :n] = [line.score for line in advice.lines]
            records.append(Squeezed.of(record_text(record_of(self.adviser, advice))))
        return _Chunk(users, assets, scores, records)


def _answered(job: _Job, workers: int) -> Iterator[_Chunk]:
    users = job.adviser.build.graph.user_span.positions
    chunks = [Positions(users[start : start + _CHUNK]) for start in range(0, len(users), _CHUNK)]
    return answers(job.answers, chunks, workers, fewest=4, first=Positions(users[:1]))
