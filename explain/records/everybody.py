"""Everybody's list in one file: each is gated and recorded, and the file is put in place once all of them are."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from explain.ledger.canonical import canonical
from explain.ledger.ledger import RECOMMENDATION, Ledger
from explain.ledger.writer import Receipt
from explain.records.adviser import Advice, Adviser, Question
from explain.records.keep import keep
from explain.records.record import record_of
from explain.records.serve import tags_of
from kg.graph import IntArray
from kg.progress import Progress
from recommender.lists_file import check_name, lists_table, save_table

BATCH: Final = "batch"
"""The entry that names the file by its hash."""

_CHUNK: Final = 512


@dataclass(frozen=True)
class Everybody:
    """What was asked for all investors; as `Question`."""

    who: str
    through: str
    k: int = 10
    kind: str | None = None
    include_held: bool = False

    def questions(self, adviser: Adviser, users: IntArray) -> Iterator[Question]:
        """One question for each of the investors at positions `users`."""
        graph = adviser.build.graph
        for user in graph.nodes.id[graph.users[users]]:
            yield Question(user_id=str(user), explained=False, **asdict(self))


@dataclass(frozen=True)
class Batch:
    """What was written; `receipt` is that of the entry that names the file by its hash."""

    rows: int
    lists: int
    receipt: Receipt


def serve_everybody(
    adviser: Adviser, ledger: Ledger, asked: Everybody, out: Path, progress: Progress, *, workers: int = 0
) -> Batch:
    """Write user_id, rank, asset_id, score of every investor's list to `out`, once all are in the ledger.

    Args:
        workers: processes to share the work; 0 for one per core.

    Raises:
        LedgerError: they could not all be recorded; no file is written then.
        UsageError: `out` is neither .parquet nor .csv, unknown kind, or k below 1.
    """
    check_name(out)
    keep(adviser.build, adviser.rules, ledger)
    columns: tuple[list[str], list[int], list[str], list[float]] = [], [], [], []
    lists, first = 0, ""
    for chunk in _answered(_Job(adviser, asked), workers or os.cpu_count() or 1):
        records = [(zlib.decompress(each.record), each.user_id) for each in chunk]
        receipts = ledger.append_many(records, kind=RECOMMENDATION, tags=tags_of(adviser))
        lists, first = lists + len(chunk), first or receipts[0].id
        for each in chunk:
            columns[0].extend([each.user_id] * len(each.assets))
            columns[1].extend(range(1, len(each.assets) + 1))
            columns[2].extend(each.assets)
            columns[3].extend(each.scores)
        progress.update(f"recommend to {lists:,} investors")
    save_table(lists_table(*columns), out)
    with out.open("rb") as written:
        sha256 = hashlib.file_digest(written, "sha256").hexdigest()
    rows = len(columns[0])
    about = {"file": out.name, "sha256": sha256, "rows": rows, "lists": lists, "first": first, **asdict(asked)}
    return Batch(rows, lists, ledger.append(about, person=None, kind=BATCH, tags=tags_of(adviser)))


@dataclass(frozen=True)
class _Answer:
    """One investor's list, and its record as compressed canonical JSON."""

    user_id: str
    assets: list[str]
    scores: list[float]
    record: bytes


@dataclass(frozen=True)
class _Job:
    """What a worker needs to answer for a chunk of investors."""

    adviser: Adviser
    asked: Everybody

    def answers(self, users: IntArray) -> list[_Answer]:
        """Of the investors at positions `users`."""
        return [self._answer(advice) for advice in self.adviser.advise_all(self.asked.questions(self.adviser, users))]

    def _answer(self, advice: Advice) -> _Answer:
        record = zlib.compress(canonical(record_of(self.adviser, advice)), 1)
        lines = advice.lines
        return _Answer(advice.question.user_id, [li.asset_id for li in lines], [li.score for li in lines], record)


_jobs: dict[int, _Job] = {}
"""The job of a forked worker, inherited from the parent instead of being sent."""


def _answered(job: _Job, workers: int) -> Iterator[list[_Answer]]:
    n = len(job.adviser.build.graph.users)
    chunks = [np.arange(start, min(start + _CHUNK, n)) for start in range(0, n, _CHUNK)]
    if workers == 1 or len(chunks) < 4 or "fork" not in multiprocessing.get_all_start_methods():
        yield from map(job.answers, chunks)
        return
    job.answers(chunks[0][:1])  # fill what all workers share before they part
    _jobs[0] = job
    try:
        with multiprocessing.get_context("fork").Pool(workers) as pool:
            yield from pool.imap(_work, chunks)
    finally:
        _jobs.clear()


def _work(users: IntArray) -> list[_Answer]:
    return _jobs[0].answers(users)
