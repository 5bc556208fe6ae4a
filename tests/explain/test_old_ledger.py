"""A ledger written before the record had a type still verifies, shows, reports and replays.

`old_ledger/format_2.tar.xz` holds the ledger with its keys and the build that it kept, `make.py`, by which commit
b3578de wrote it, and `records.json`: what its entries are called, and the SHA-256 of what that commit read in each.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
import rfc8785

from pathfolio.explain.ledger.entry import GoneError
from pathfolio.explain.ledger.held import holds
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.ledger.verify import verify_ledger, verify_record
from pathfolio.explain.records.find import Finder, Search
from pathfolio.explain.records.history import timeline
from pathfolio.explain.records.inspect import LISTS, export_case, list_records, read_record, report_on
from pathfolio.explain.records.layout import parse_record, record_text
from pathfolio.explain.records.printed import expanded
from pathfolio.explain.records.replay import find_build, replay
from pathfolio.explain.records.report import report_html
from pathfolio.explain.records.sealed import WhichBuilds, verify_builds
from pathfolio.kg.languages import languages
from pathfolio.kg.progress import Progress
from tests.explain.records_world import LOOK

OLD: Final = Path(__file__).parent / "old_ledger" / "format_2.tar.xz"
READABLE: Final = (
    "format 1, list", "list", "list, cautious", "list of funds with held", "explanation", "thrifty",
    "thrifty, from memory", "what-if", "what-if, somebody new", "bare 0",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("old")
    with tarfile.open(OLD) as archive:
        archive.extractall(made, filter="data")
    (made / "ledger").chmod(0o700)
    return made


@pytest.fixture(scope="module")
def about(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "records.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def old(folder: Path) -> Iterator[Ledger]:
    ledger = open_ledger(folder / "ledger", environ={}, clock=lambda: datetime(2026, 7, 1, tzinfo=UTC))
    yield ledger
    ledger.close()


def sha256(value: Any) -> str:
    return hashlib.sha256(rfc8785.dumps(value)).hexdigest()


def test_it_verifies(old: Ledger, about: dict[str, Any]) -> None:
    found = verify_ledger(old)
    assert (found.sound, found.expired, found.erased, len(found.keys)) == (True, 1, 3, 2)
    assert [verify_record(old, name) for name in about["said"]] == [None] * len(about["said"])


def test_its_build_is_as_it_was_sealed(old: Ledger) -> None:
    [build] = verify_builds(old, WhichBuilds.ALL, Progress(None))
    assert (build.problems, build.records > 10, build.size > 1000) == ((), True, True)


def test_every_entry_says_what_it_said(old: Ledger, about: dict[str, Any]) -> None:
    assert len(about["said"]) == 59
    for name, said in about["said"].items():
        text = old.opened(old.leaf(name))
        assert hashlib.sha256(text).hexdigest() == said["payload"]
        if "expanded" in said:
            record = parse_record(text)
            assert record_text(record) == text
            assert sha256(expanded(record)) == said["expanded"]


def test_it_is_found(old: Ledger, about: dict[str, Any]) -> None:
    records = about["records"]
    rows = list_records(old, LOOK, old.headers(kinds=LISTS))
    assert {row.id for row in rows if row.state == "readable"} > {records[name] for name in READABLE}
    assert {row.state for row in rows} == {"readable", "erased"}
    held = about["people"]["held"]
    found = Finder(old).find(Search(investor=held), LOOK).records
    assert {records[name] for name in ("list", "thrifty", "what-if")} < {each.header.id for each in found}
    assert [payload.reason for _, payload in holds(old)] == ["claim 4711"]
    events = [event.kind for event in timeline(old, old.header(records["list of funds with held"]))]
    assert events[:3] == ["build", "rules", "recommendation"]
    assert {"hold", "release"} < set(events)
    with pytest.raises(GoneError, match="deleted when its retention ended"):
        old.header(records["expired"])
    with pytest.raises(GoneError, match="the person was erased"):
        read_record(old, records["erased"], LOOK)


@pytest.mark.parametrize("name", READABLE)
def test_a_record_is_reported_and_computed_again(old: Ledger, about: dict[str, Any], name: str, tmp_path: Path) -> None:
    header, record = read_record(old, about["records"][name], LOOK)
    for lang in languages():
        html = report_html(report_on(old, header.id, LOOK, lang))
        assert header.id in html
        assert all(str(line.asset_id) in html for line in record.list)
    found = replay(old, header.id, record, find_build(old, record, None))
    assert (found.differences, found.sealed) == ((), True)
    export_case(old, header.id, LOOK, tmp_path / "case.zip")
    assert (tmp_path / "case.zip").stat().st_size > 10_000
