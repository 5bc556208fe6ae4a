"""Whatever is done to the tables: a refusal in one line, or every row accounted for and all that is kept valid."""

from __future__ import annotations

import csv
import io
import tempfile
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.contract import read_folder, read_report, write_rejected
from pathfolio.kg.errors import DataError
from pathfolio.kg.market_folder import KEYS
from pathfolio.kg.tables import Tables
from tests.kg.market_files import FILES, kept_and_rejected, write_market

QUIET = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])

ODD_CELLS = [
    "", " ", "NA", "nan", "-1", "2", "1e400", "0x1F", "1,5", "١٢", "2025-02-30", "2025-13-01", "9999-12-31",
    "stock", "sell", "SUPPLIES", "HOLDS", "2330", "0050", "NaN", "007", "TWSE", '"', "a\nb", "a\r\nb", "\x00", "台積電",
    "\u200b", "None", "Semiconductors", "1/2", "inf", "-0", "+5", ".5", "5.", "2024-06-30T10:00", "x" * 300,
]  # fmt: skip
cells = st.one_of(st.sampled_from(ODD_CELLS), st.text(st.characters(exclude_categories=["Cs"]), max_size=8))


def _records(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def _text(records: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(records)
    return out.getvalue()


@st.composite
def broken_tables(draw: st.DrawFn) -> dict[str, str]:
    """Some tables with cells replaced, rows repeated, shortened or lengthened, and columns renamed."""
    changed = {}
    for name in draw(st.lists(st.sampled_from(sorted(FILES)), min_size=1, max_size=3, unique=True)):
        records = _records(FILES[name])
        for _ in range(draw(st.integers(1, 4))):
            row = draw(st.integers(0 if draw(st.integers(0, 9)) == 0 else 1, len(records) - 1))
            record = records[row]
            action = draw(st.sampled_from(["cell", "cell", "cell", "repeat", "shorten", "lengthen"]))
            if action == "cell" and record:
                record[draw(st.integers(0, len(record) - 1))] = draw(cells)
            elif action == "repeat":
                records.append(list(record))
            elif action == "shorten":
                del record[-1:]
            else:
                record.append(draw(cells))
        changed[name] = _text(records)
    return changed


def _check(tables: Tables) -> None:
    _check_counts(tables)
    _check_contract(tables)
    report = read_report(tables)
    assert report["rows_set_aside"] == len(tables.rejected)
    assert sum(p["rows"] for about in report["files"].values() for p in about["problems"]) == len(tables.rejected)


def _check_counts(tables: Tables) -> None:
    for file, (kept, aside) in kept_and_rejected(tables).items():
        assert kept + aside == tables.rows_read[file], file
        assert 2 * aside <= tables.rows_read[file]
    assert (tables.rejected[["problem", "remedy"]] != "").all(axis=None)
    assert not tables.rejected.duplicated(["file", "line"]).any()


def _check_contract(tables: Tables) -> None:
    known = set(tables.assets["asset_id"])
    for name, key in KEYS.items():
        assert not getattr(tables, name).duplicated(list(key)).any(), name
    for name in ("positions", "transactions", "fund_holdings", "prices", "facts", "analyst_ratings"):
        assert set(getattr(tables, name)["asset_id"]) <= known
    for name in ("positions", "fund_holdings", "relations"):
        weight = getattr(tables, name)["weight"].dropna()
        assert weight.between(0, 1).all()
    for name in FILES:
        numbers = getattr(tables, name).select_dtypes("float64").to_numpy()
        assert not np.isinf(numbers).any()


@QUIET
@given(broken_tables())
def test_no_row_is_lost_in_a_broken_folder(changed: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = write_market(Path(name), **changed)
        try:
            tables = read_folder(folder)
        except DataError as refusal:
            assert len(str(refusal).splitlines()) == 1
            return
        _check(tables)
        for table, text in changed.items():
            filled = [record for record in _records(text)[1:] if any(cell.strip(" \t\r\n") for cell in record)]
            given_up = [record for record in _records(text)[1:] if record and not any(c.strip() for c in record)]
            rows = tables.rows_read[f"{table}.csv"]
            assert len(filled) <= rows <= len(filled) + len(given_up)
        write_rejected(tables, folder / "rejected.csv")
        again = pd.read_csv(folder / "rejected.csv", dtype=str, keep_default_na=False)
        assert len(again) == len(tables.rejected)
        graph = assemble_graph(tables, date(2026, 1, 1))
        assert len(graph.assets) <= len(tables.assets)


@QUIET
@given(st.sampled_from(sorted(FILES)), st.data())
def test_damaged_bytes_are_refused_or_accounted_for(name: str, data: st.DataObject) -> None:
    damaged = bytearray(FILES[name].encode())
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        action = data.draw(st.sampled_from(["flip", "insert", "cut"]))
        if action == "flip":
            damaged[at] = data.draw(st.integers(0, 255))
        elif action == "insert":
            damaged[at:at] = data.draw(st.binary(max_size=4))
        else:
            del damaged[at : at + data.draw(st.integers(1, 30))]
        damaged = damaged or bytearray(b"\n")
    with tempfile.TemporaryDirectory() as folder:
        try:
            _check(read_folder(write_market(Path(folder), **{name: bytes(damaged)})))
        except DataError as refusal:
            assert len(str(refusal).splitlines()) == 1


@QUIET
@given(st.sampled_from(["assets.csv", "assets.parquet", "asset_information.csv"]), st.binary(max_size=200))
def test_any_bytes_at_all_are_refused_in_one_line(file: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / file).write_bytes(content)
        (folder / "customer_information.csv").write_text("customerID,timestamp\nc,2020-01-01\n", encoding="utf-8")
        (folder / "transactions.csv").write_text("customerID,ISIN,transactionType,timestamp\n", encoding="utf-8")
        try:
            read_folder(folder)
        except DataError as refusal:
            assert len(str(refusal).splitlines()) == 1
        else:
            raise AssertionError("nothing of this is a table")
