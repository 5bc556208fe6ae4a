"""Rows that break the contract: each is set aside with file, line, column, value and remedy; the others stay."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pathfolio.kg.contract import read_folder
from tests.kg.market_files import ASSETS_ALONE, FILES, MANY, write_market

LAST = {
    "users": "last person,,,,,,\n",
    "assets": "last asset,stock,Last,,,,,,,,,\n",
    "positions": "None,2330,2031-01-01,,1,1,0.5\n",
    "transactions": "None,2330,2031-01-10,buy,1,1,\n",
    "fund_holdings": "0050,2330,2031-01-01,0.5,\n",
    "prices": "2330,2031-01-01,1,1,1,1,1\n",
    "facts": "2330,pe_ratio,1,ratio,2031-01-01,,\n",
    "relations": "2330,SUPPLIES,NA,,2031-01-01,,\n",
    "analyst_ratings": "NA,2031-01-01,A firm,Buy,\n",
}
"""One more good row of each table, to stand after the bad one."""

BAD_ROWS = [
    ("users", "u9,,robot,,,,", "kind", "robot", "unknown word"),
    ("users", "u9,,,,,80,", "birth_year", "80", "not a year of birth"),
    ("users", ",Nobody,,,,,", "user_id", "", "empty"),
    ("users", "007,Eve,,,,,2024-01-01", "user_id, as_of", "007, 2024-01-01 (first on line 3)", "a second row"),
    ("assets", f"X,stock,{'N' * 1001},,,,,,,,,", "name", f"{'N' * 199}…", "longer than 1,000 characters"),
    ("assets", "X,crypto,Coin,,,,,,,,,", "kind", "crypto", "unknown word"),
    ("assets", "X,stock,,,,,,,,,,", "name", "", "empty"),
    ("assets", "X,fund,Fund,,,,,,,,,4.3", "expense_ratio", "4.3", "not a fraction between 0 and 1"),
    ("assets", "X,stock,A share,,,,,,,,1994-13-05,", "listed", "1994-13-05", "not a date"),
    ("assets", "2330,stock,TSMC,台積電,2330,TWSE,Taiwan,Technology,Semiconductors,,1994-09-05,", "asset_id, as_of",
     "2330, (empty) (first on line 2)", "the same row again"),
    ("positions", "None,2330,2021-02-30,,1,1,0.1", "as_of", "2021-02-30", "not a date"),
    ("positions", "None,2330,30/06/2021,,1,1,0.1", "as_of", "30/06/2021", "not a date"),
    ("positions", "None,2330,0021-02-03,,1,1,0.1", "as_of", "0021-02-03", "outside 1900 to 2199"),
    ("positions", "None,2330,2021-02-03,,ten,1,0.1", "units", "ten", "not a number"),
    ("positions", 'None,2330,2021-02-03,,"1,000",1,0.1', "units", "1,000", "not a number"),
    ("positions", "None,2330,2021-02-03,,NaN,1,0.1", "units", "NaN", "not a number"),
    ("positions", "None,2330,2021-02-03,,inf,1,0.1", "units", "inf", "not a number"),
    ("positions", "None,2330,2021-02-03,,1e999,1,0.1", "units", "1e999", "not a number"),
    ("positions", "None,2330,2021-02-03,,-4,1,0.1", "units", "-4", "below 0"),
    ("positions", "None,2330,2021-02-03,,0,500,0.1", "value", "500.0", "worth something"),
    ("positions", "None,2330,2021-02-03,,1,1,-0.1", "weight", "-0.1", "not a fraction between 0 and 1"),
    ("positions", "None,2330,2021-02-03,,1,1,10", "weight", "10", "not a fraction between 0 and 1"),
    ("positions", "None,2331,2021-02-03,,1,1,0.1", "asset_id", "2331", "no such asset"),
    ("positions", "Bob,2330,2021-02-03,,1,1,0.1", "user_id", "Bob", "no such investor"),
    ("positions", "None,2330,2021-02-03,2021-02-02,1,1,0.1", "known_at", "2021-02-02", "before as_of"),
    ("positions", "None,2330,2010-01-01,,2,1,0.5", "user_id, asset_id, as_of, known_at",
     "None, 2330, 2010-01-01, (empty) (first on line 5)", "a second row"),
    ("positions", "None,2330,2021-02-03,,1", "", "5 cells: None,2330,2021-02-03,,1", "the row does not have 7 cells"),
    ("positions", "None,2330,2021-02-03,,1,1,0.1,x", "", "8 cells: None,2330,2021-02-03,,1,1,0.1,x", "the row does"),
    ("positions", '"No\nne",2330,2021-02-03,,1,1,0.1', "user_id", "No\nne", "has a line break"),
    ("transactions", "None,2330,2021-02-03,hold,1,1,", "side", "hold", "unknown word"),
    ("transactions", "None,2330,2021-02-03,sell,-1,1,", "units", "-1", "below 0"),
    ("transactions", "None,2330,,sell,1,1,", "date", "", "empty"),
    ("fund_holdings", "0050,2330,2021-02-03,,", "weight", "", "empty"),
    ("fund_holdings", "0050,2330,2021-02-03,5.5,", "weight", "5.5", "not a fraction between 0 and 1"),
    ("fund_holdings", "2330,NA,2021-02-03,0.5,", "fund_id", "2330", "an asset, but not a fund"),
    ("fund_holdings", "0051,NA,2021-02-03,0.5,", "fund_id", "0051", "no such asset"),
    ("fund_holdings", "0050,0050,2021-02-03,0.5,", "asset_id", "0050", "a fund that holds itself"),
    ("prices", "2330,2021-02-03,,,,0,", "close", "0", "not above 0"),
    ("prices", "2330,2021-02-03,9,8,9,9,", "high", "8.0", "below the day's low"),
    ("prices", "2331,2021-02-03,,,,5,", "asset_id", "2331", "no such asset"),
    ("prices", "2330,2025-06-27,1050,1060,1045,1055,25000000", "asset_id, date",
     "2330, 2025-06-27 (first on line 2)", "the same row again"),
    ("facts", "2330,pe_ratio,high,ratio,2021-02-03,,", "value", "high", "not a number"),
    ("facts", "2330,,1,ratio,2021-02-03,,", "metric", "", "empty"),
    ("facts", "2330,free_cash_flow,9e16,TWD,2025-03-31,,", "value", "9e+16", "many times the market value"),
    ("relations", "2330,LIKES,NA,,,,", "relation", "LIKES", "unknown word"),
    ("relations", "2330,SUPPLIES,MSFT,,,,", "target_id", "MSFT", "not a known Stock or Fund or Bond"),
    ("relations", "2330,INVESTS_IN,NA,,,,", "source_id", "2330", "not a known Fund"),
    ("relations", "TWSX,IN_COUNTRY,Taiwan,,,,", "source_id", "TWSX", "not a known Stock or Fund or Bond or Market"),
    ("relations", "Bob,HOLDS,2330,,,,", "source_id", "Bob", "not a known User"),
    ("relations", "2330,COMPETES_WITH,2330,,,,", "target_id", "2330", "the same as source_id"),
    ("relations", "2330,COMPETES_WITH,NA,1.5,,,", "weight", "1.5", "not a fraction between 0 and 1"),
    ("analyst_ratings", "NA,2025-05-02,,Buy,", "analyst_firm", "", "empty"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "row", "column", "value", "problem"), BAD_ROWS, ids=lambda cell: str(cell)[:40])
def test_a_bad_row_is_set_aside_and_the_others_stay(
    tmp_path: Path, table: str, row: str, column: str, value: str, problem: str
) -> None:
    good = FILES[table] + MANY[table]
    clean = read_folder(write_market(tmp_path / "clean", **{table: good + LAST[table]}))
    assert clean.rejected.empty
    tables = read_folder(write_market(tmp_path / "bad", **{table: f"{good}{row}\n{LAST[table]}"}))
    (found,) = tables.rejected.to_dict("records")
    assert found["file"] == f"{table}.csv"
    assert found["line"] == good.count("\n") + 1
    assert (found["column"], found["value"]) == (column, value)
    assert found["problem"].startswith(problem)
    assert found["remedy"]
    pd.testing.assert_frame_equal(getattr(tables, table), getattr(clean, table))
    assert tables.rows_read[f"{table}.csv"] == clean.rows_read[f"{table}.csv"] + 1


def test_lines_are_counted_through_cells_that_span_several(tmp_path: Path) -> None:
    assets = (
        "asset_id,kind,name\n"  # line 1
        '2330,stock,"Taiwan\nSemiconductor\r\nManufacturing"\n'  # lines 2 to 4
        "\n"  # line 5
        "A,stock,A\n"  # line 6
        'B,stock,"x\n"\n'  # lines 7 and 8
        "C,rock,C\n"  # line 9
        "D,stock\n"  # line 10
        "E,stock,E\n"  # line 11
        "F,sock,F\n"  # line 12
    )
    tables = read_folder(write_market(tmp_path, **ASSETS_ALONE, assets=assets))
    assert tables.rejected[["line", "value"]].values.tolist() == [[9, "rock"], [10, "2 cells: D,stock"], [12, "sock"]]
    assert tables.rows_read == {"assets.csv": 7}
    assert tables.assets["name"][0] == "Taiwan\nSemiconductor\r\nManufacturing"


def test_a_row_that_leans_on_a_bad_row_falls_with_it(tmp_path: Path) -> None:
    assets = FILES["assets"].replace("NA,stock", "NA,rock")
    relations = FILES["relations"]
    positions = FILES["positions"] + MANY["positions"]
    tables = read_folder(write_market(tmp_path, assets=assets, positions=positions, relations=relations,
                                      analyst_ratings=None))  # fmt: skip
    aside = tables.rejected.groupby("file").size().to_dict()
    assert aside == {"assets.csv": 1, "positions.csv": 1, "fund_holdings.csv": 1, "prices.csv": 1, "relations.csv": 1}


def test_a_row_is_set_aside_once_for_its_first_fault(tmp_path: Path) -> None:
    positions = FILES["positions"] + "Bob,2331,never,,-1,-1,7\n"
    rejected = read_folder(write_market(tmp_path, positions=positions)).rejected
    assert rejected[["line", "column", "value"]].values.tolist() == [[5, "as_of", "never"]]


def test_long_values_are_cut(tmp_path: Path) -> None:
    users = FILES["users"] + f"u9,,{'x' * 5000},,,,\n"
    value = read_folder(write_market(tmp_path, users=users)).rejected["value"][0]
    assert len(value) == 200
    assert value.endswith("…")
