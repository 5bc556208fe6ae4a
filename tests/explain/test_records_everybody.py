"""Everybody's lists in one file: recorded before the file is there, by one process or several."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.ledger.verify import verify_ledger
from pathfolio.explain.records.adviser import Adviser
from pathfolio.explain.records.everybody import Everybody, serve_everybody
from pathfolio.explain.records.inspect import read_record
from pathfolio.explain.records.printed import expanded
from pathfolio.explain.records.record import record_of
from pathfolio.explain.records.replay import replay
from pathfolio.explain.records.told import ReasonsFrom, told
from pathfolio.explain.records.whole import whole
from pathfolio.kg.errors import LedgerError
from pathfolio.kg.progress import Progress
from pathfolio.recommender.build import Build
from tests.explain.ledger_world import entry_of
from tests.explain.records_world import LOOK, ask, cautious


def everybodys_lists(adviser: Adviser, ledger: Ledger, folder: Path, *, workers: int = 1) -> pd.DataFrame:
    out = folder / f"lists-{workers}.parquet"
    done = serve_everybody(adviser, ledger, Everybody("clerk", "command line", 3), out, Progress(None), workers=workers)
    table = pd.read_parquet(out)
    assert (done.rows, done.lists) == (len(table), len(adviser.build.graph.users))
    batch = entry_of(ledger, done.receipt.id)
    assert batch["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    return table


def test_everybody_s_lists(adviser: Adviser, build: Build, ledger: Ledger, tmp_path: Path) -> None:
    """The file holds each investor's gated list; each is recorded without reasons, replays, and is made whole again."""
    table = everybodys_lists(adviser, ledger, tmp_path)
    assert list(table.columns) == ["user_id", "rank", "asset_id", "score"]
    headers = ledger.headers(kinds=["recommendation"])
    assert len(headers) == len(build.graph.users)
    who = cautious(build)
    header, record = read_record(ledger, ledger.headers(person=who)[0].id, LOOK)
    alone = adviser.advise(ask(who, k=3))
    of_file = table[table["user_id"] == who]
    assert list(zip(of_file["rank"], of_file["asset_id"], of_file["score"], strict=True)) == [
        (line.rank, line.asset_id, line.score) for line in alone.lines
    ]
    assert record.candidates.columns is None
    assert all("explanation" not in item for item in expanded(record)["list"])
    assert [each["verdict"]["outcome"] for each in expanded(record)["rejected"]] == ["reject"] * len(alone.rejected)
    assert replay(ledger, header.id, record, build).same
    again = whole(ledger, record)
    assert again.reasons_from is ReasonsFrom.COMPUTED_AGAIN
    assert again.lines == told(record_of(adviser, alone)).lines
    assert verify_ledger(ledger).sound


def test_everybody_s_lists_by_several_processes(adviser: Adviser, build: Build, tmp_path: Path) -> None:
    ledgers = [open_ledger(tmp_path / name, environ={}) for name in ("one", "two")]
    tables = [
        everybodys_lists(adviser, opened, tmp_path, workers=workers)
        for opened, workers in zip(ledgers, (1, 2), strict=True)
    ]
    assert tables[0].equals(tables[1])
    assert [len(opened.headers(kinds=["recommendation"])) for opened in ledgers] == [len(build.graph.users)] * 2


def test_no_file_of_lists_that_are_not_recorded(
    adviser: Adviser, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybodys_lists(adviser, ledger, tmp_path)
    ledger.clock = lambda: datetime(2020, 1, 1, tzinfo=UTC)
    out = tmp_path / "late.parquet"
    with pytest.raises(LedgerError, match="the clock is"):
        serve_everybody(adviser, ledger, Everybody("clerk", "command line"), out, Progress(None))
    assert list(tmp_path.glob("*late*")) == []
