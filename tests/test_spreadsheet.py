"""CSV of every command and page: no spreadsheet takes a cell for a formula, and no number is changed."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow.csv
import pytest

from pathfolio.explain.records.adviser import Adviser
from pathfolio.kg.contract import read_folder, write_rejected
from pathfolio.kg.spreadsheet import safe_cell, safe_table
from pathfolio.kg.store.query import QueryResult
from pathfolio.recommender.evaluation.output import to_csv
from pathfolio.recommender.lists_file import lists_table, save_table
from pathfolio.web.commands.audience import COLUMNS
from pathfolio.web.commands.audience import as_csv as audience_csv
from pathfolio.web.cypher_formats import as_csv as answer_csv
from pathfolio.web.list_formats import as_csv as list_csv
from tests.explain.records_world import ask, investors
from tests.kg.market_files import FILES, MANY, write_market
from tests.linear import MOST, growth

FORMULAS = (
    "=1+1",
    "+1+1",
    "-1-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "＝1",
    '=HYPERLINK("http://x","y")',
    "--1",
    "+",
    "-",
)
PLAIN = ("", "A", "a=b", "-0.5", "+3", "-1e-7", ".5", "-.5", "1.", "2330", "2026-06-30", "台積電", "'quoted", "  ")


@pytest.mark.parametrize("text", FORMULAS)
def test_what_begins_as_a_formula_has_an_apostrophe(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", [*PLAIN, -0.5, 7, None, True, -(2**60)])
def test_everything_else_stays_as_it_is(value: object) -> None:
    assert safe_cell(value) is value


@pytest.mark.parametrize("piece", ["1", " ", "-", "1.", "1e"])
def test_a_cell_is_read_once(piece: str) -> None:
    assert growth(lambda text: [safe_cell(text) for _ in range(5)], lambda n: "-" + piece * n + "x", 100_000) < MOST


def rows_of(text: str | bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text if isinstance(text, str) else text.decode(), newline="")))


def test_answers_of_queries() -> None:
    found = rows_of(answer_csv(QueryResult(("=a", "b"), (("=1+1", -0.5), ("-7", ["=x"]), (None, -3)), None, 0.0)))
    assert found == [["'=a", "b"], ["'=1+1", "-0.5"], ["-7", '["=x"]'], ["", "-3"]]


def test_lists_of_one_and_of_all(adviser: Adviser, tmp_path: Path) -> None:
    advice = adviser.advise(ask(investors(adviser.build)[1], k=2))
    lines = tuple(replace(line, name="@evil", asset_id="-A", score=-line.score) for line in advice.lines)
    for row in rows_of(list_csv(replace(advice, lines=lines), adviser.build))[1:]:
        assert (row[2], row[4]) == ("'-A", "'@evil")
        assert float(row[5]) < 0
    save_table(lists_table(["=u", "u"], [1, 2], ["+x", "-5"], [-0.5, 1e-7]), tmp_path / "lists.csv")
    saved = pyarrow.csv.read_csv(tmp_path / "lists.csv", convert_options=pyarrow.csv.ConvertOptions())
    assert saved["user_id"].to_pylist() == ["'=u", "u"]
    assert saved["asset_id"].to_pylist() == ["'+x", "-5"]
    assert saved["score"].to_pylist() == [-0.5, 1e-7]


def test_audiences() -> None:
    person = dict(zip(COLUMNS, (1, -0.5, "=u", "+n", ["=1", "2"]), strict=True))
    assert rows_of(audience_csv([person]))[1:] == [["1", "-0.5", "'=u", "'+n", "'=1 2"]]


def test_rows_set_aside_and_figures(tmp_path: Path) -> None:
    write_market(tmp_path, assets=FILES["assets"] + MANY["assets"] + "X,=cmd,Coin,,,,,,,,,\n")
    write_rejected(read_folder(tmp_path), tmp_path / "rejected.csv")
    assert "'=cmd" in (tmp_path / "rejected.csv").read_text(encoding="utf-8")
    table = pd.DataFrame({"model": ["=a", "b"], "ndcg": [-0.5, 0.25]})
    assert rows_of(to_csv(table)) == [["model", "ndcg"], ["'=a", "-0.500000"], ["b", "0.250000"]]
    assert safe_table(table[["ndcg"]]).equals(table[["ndcg"]])
