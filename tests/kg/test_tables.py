"""Reading market folders: what is kept as it is, what is set aside and why, and what is refused."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pathfolio.kg.contract import read_folder, read_report, write_rejected
from pathfolio.kg.errors import DataError
from pathfolio.kg.tables import COLUMNS, DATE_COLUMNS, NUMBER_COLUMNS, REJECTED_COLUMNS, Tables
from tests.kg.market_files import ASSETS_ALONE, FILES, MANY, kept_and_rejected, write_market


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    return read_folder(write_market(tmp_path / "Tiny"))


# -- what is there is kept ------------------------------------------------------------------------------------


def test_every_table_has_the_columns_and_types_of_the_contract(tables: Tables) -> None:
    for name, columns in COLUMNS.items():
        frame = getattr(tables, name)
        assert tuple(frame.columns) == columns
        for column in columns:
            is_date, is_number = column in DATE_COLUMNS, column in NUMBER_COLUMNS
            expected = "datetime64[s]" if is_date else "float64" if is_number else "string"
            assert str(frame[column].dtype) == expected, (name, column)
    assert tables.rows_read == {f"{name}.csv": text.count("\n") - 1 for name, text in FILES.items()}
    assert tables.rejected.empty
    assert tables.notes == ()


def test_only_the_empty_cell_is_missing(tables: Tables) -> None:
    assert set(tables.assets["asset_id"]) == {"2330", "0050", "00400A", "NA", "NaN"}
    assert tables.assets.set_index("asset_id")["ticker"].to_dict()["NA"] == "NA"
    assert set(tables.users["user_id"]) == {"None", "007", "null"}
    assert tables.analyst_ratings["analyst_firm"].tolist() == ["N/A Research"]
    assert tables.users["objective"].isna().tolist() == [False, True, True, True]
    assert pd.isna(tables.facts["source"][1])


def test_names_and_leading_zeros_are_intact(tables: Tables) -> None:
    assets = tables.assets.set_index("asset_id")
    assert assets.loc["0050", "name_local"] == "元大台灣50"
    assert assets.loc["00400A", "name_local"] == "主動高息"
    assert tables.users["name"][0] == "王小明"


def test_words_are_read_in_any_case_and_dates_and_numbers_as_such(tables: Tables) -> None:
    assert tables.transactions["side"].tolist() == ["buy", "buy", "sell"]
    assert tables.relations["relation"].tolist() == ["SUPPLIES", "IN_COUNTRY", "IN_SECTOR"]
    assert tables.positions["known_at"].tolist()[:1] == [pd.Timestamp("2024-07-15")]
    assert tables.assets["expense_ratio"].tolist()[1] == 0.0043


def test_equal_transactions_are_two_transactions(tables: Tables) -> None:
    assert len(tables.transactions) == 3


def test_only_assets_is_required(tmp_path: Path) -> None:
    tables = read_folder(write_market(tmp_path, **ASSETS_ALONE))
    assert len(tables.assets) == 5
    assert all(getattr(tables, name).empty for name in FILES if name != "assets")


def test_columns_stand_in_any_order_and_unknown_ones_are_noted(tmp_path: Path) -> None:
    users = "shoe_size,as_of,user_id\n43,2024-01-01, u1 \n"
    folder = write_market(tmp_path, users=users, positions=None, transactions=None)
    (folder / "position.csv").write_text("user_id\nu1\n", encoding="utf-8")
    tables = read_folder(folder)
    assert tables.users[["user_id", "as_of"]].values.tolist() == [["u1", pd.Timestamp("2024-01-01")]]
    assert "users.csv: not read: shoe_size" in tables.notes
    assert any("position.csv" in note for note in tables.notes)


def test_spreadsheet_habits_do_no_harm(tmp_path: Path) -> None:
    """A byte order mark, Windows line ends, quotes around everything, empty lines and rows of commas."""
    text = (
        '\ufeff"asset_id","kind","name"\r\n"2330","Stock","TSMC, Hsinchu"\r\n\r\n,,\r\n"A","fund","The ""A"" fund"\r\n'
    )
    tables = read_folder(write_market(tmp_path, **ASSETS_ALONE, assets=text))
    assert tables.assets["name"].tolist() == ["TSMC, Hsinchu", 'The "A" fund']
    assert tables.rows_read == {"assets.csv": 2}
    assert tables.rejected.empty


def test_a_time_of_day_is_left_off(tmp_path: Path) -> None:
    prices = "asset_id,date,close\n2330,2025-06-27T13:30:00+08:00,1055\n2330,2025-06-30 00:00:00,1060\n"
    assert read_folder(write_market(tmp_path, prices=prices)).prices["date"].tolist() == [
        pd.Timestamp("2025-06-27"),
        pd.Timestamp("2025-06-30"),
    ]


@pytest.mark.parametrize("as_text", [True, False], ids=["as text", "typed"])
def test_parquet_says_the_same_as_csv(tmp_path: Path, as_text: bool) -> None:
    from_csv = read_folder(write_market(tmp_path / "csv"))
    (tmp_path / "parquet").mkdir()
    for name in FILES:
        frame = pd.read_csv(tmp_path / "csv" / f"{name}.csv", dtype="string", keep_default_na=False, na_values=[""])
        if not as_text:
            for column in frame:
                if column in DATE_COLUMNS:
                    frame[column] = pd.to_datetime(frame[column])
                elif column in NUMBER_COLUMNS:
                    frame[column] = pd.to_numeric(frame[column]).astype("float64")
                else:
                    frame[column] = frame[column].astype("category")
        frame.to_parquet(tmp_path / "parquet" / f"{name}.parquet")
    from_parquet = read_folder(tmp_path / "parquet")
    for name in FILES:
        pd.testing.assert_frame_equal(getattr(from_csv, name), getattr(from_parquet, name))


def test_parquet_identifiers_may_be_whole_numbers(tmp_path: Path) -> None:
    folder = write_market(tmp_path, **dict.fromkeys(FILES))
    pq.write_table(pa.table({"asset_id": [2330], "kind": ["stock"], "name": ["TSMC"]}), folder / "assets.parquet")
    assert read_folder(folder).assets["asset_id"].tolist() == ["2330"]


def test_the_market_says_what_it_is_called(tmp_path: Path) -> None:
    folder = write_market(tmp_path / "folder")
    assert (read_folder(folder).name, read_folder(folder).is_sample) == ("folder", False)
    (folder / "market.json").write_text('{"name": "Sample market", "sample": true}', encoding="utf-8")
    assert (read_folder(folder).name, read_folder(folder).is_sample) == ("Sample market", True)


# -- files are refused ----------------------------------------------------------------------------------------

REFUSED = [
    ("users", "name,kind\nAda,retail\n", "users.csv, line 1: no column 'user_id' among 'name, kind'"),
    ("prices", "asset_id,date\n2330,2025-01-01\n", "prices.csv, line 1: no column 'close'"),
    ("assets", "asset_id;kind;name\n2330;stock;TSMC\n", "separate the columns with commas"),
    ("assets", b"", "assets.csv: the file is empty"),
    ("prices", b"\n\n", "prices.csv: the file is empty"),
    ("users", b"user_id,name\nu1,Ada\nu2,Jos\xe9\n", "users.csv, line 3, column 2: byte 0xe9 is not UTF-8"),
    ("users", "user_id\nu1\n".encode("utf-16"), "users.csv, line 1, column 1: byte 0xff is not UTF-8"),
    ("users", "user_id,name,name\nu1,Ada,Ada\n", "users.csv, line 1: column 'name' is there twice"),
    ("assets", "asset_id,kind,name\n", "assets.csv: no assets in it"),
    ("users", 'user_id,name\nu1,"Ada\nu2,Eve\n', "users.csv, line 2: a quotation mark that opens in this record"),
    ("users", '"user_id,name\nu1,Ada\n', "users.csv"),
    ("facts", "asset_id,metric,value,as_of\n2330,pe,high,2024-01-01\n", "facts.csv, line 2, column value: 'high' not"),
]


@pytest.mark.parametrize(("table", "content", "message"), REFUSED, ids=[message[:50] for *_, message in REFUSED])
def test_a_file_that_cannot_be_used_is_refused_in_one_line(
    tmp_path: Path, table: str, content: str | bytes, message: str
) -> None:
    with pytest.raises(DataError) as refusal:
        read_folder(write_market(tmp_path, **{table: content}))
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert refusal.value.exit_code == 3


def test_a_file_that_is_mostly_bad_is_refused_with_its_first_problem(tmp_path: Path) -> None:
    prices = "asset_id,date,close\n2330,2025-06-27,1\n2330,27.06.2025,1\n2330,28.06.2025,1\n"
    with pytest.raises(DataError, match=r"^prices\.csv, line 3, column date: '27\.06\.2025' not a date: .*2 of 3 rows"):
        read_folder(write_market(tmp_path, prices=prices))
    half = prices + "2330,2025-06-28,1\n"
    assert kept_and_rejected(read_folder(write_market(tmp_path, prices=half)))["prices.csv"] == (2, 2)


def test_damaged_or_mistyped_parquet_is_refused(tmp_path: Path) -> None:
    folder = write_market(tmp_path, prices=None)
    (folder / "prices.parquet").write_bytes(b"PAR1 this is not Parquet")
    with pytest.raises(DataError, match=r"^prices\.parquet: not readable as Parquet"):
        read_folder(folder)
    day = pd.Timestamp("2025-01-01")
    for column, values in {"asset_id": [2330.0], "date": [20250101], "close": [True]}.items():
        frame = pd.DataFrame({"asset_id": ["2330"], "date": [day], "close": [1.0], column: values})
        frame.to_parquet(folder / "prices.parquet")
        with pytest.raises(DataError, match=rf"^prices\.parquet, column {column}: it is stored as"):
            read_folder(folder)


def test_folders_of_no_layout_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        read_folder(tmp_path / "absent")
    with pytest.raises(DataError, match=r"neither layout \(it holds nothing\)"):
        read_folder(tmp_path)
    write_market(tmp_path / "inner")
    with pytest.raises(DataError, match=r"neither layout \(it holds inner\).*inner is one"):
        read_folder(tmp_path)
    with pytest.raises(DataError, match="a file, not a folder"):
        read_folder(tmp_path / "inner" / "assets.csv")
    (tmp_path / "inner" / "asset_information.csv").write_text("ISIN\n", encoding="utf-8")
    with pytest.raises(DataError, match="both a market folder and a FAR-Trans folder"):
        read_folder(tmp_path / "inner")


def test_a_table_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    folder = write_market(tmp_path)
    pd.DataFrame({"user_id": ["u"]}).to_parquet(folder / "users.parquet")
    with pytest.raises(DataError, match=r"both users\.csv and users\.parquet"):
        read_folder(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"{", "line 1, column 2: not JSON"), (b"[]", "write it as"), (b'{"name": 7}', "write it as"), (b"\xff", "UTF-8")],
)
def test_a_bad_market_json_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    folder = write_market(tmp_path)
    (folder / "market.json").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_folder(folder)


# -- the report -----------------------------------------------------------------------------------------------


def test_the_report_counts_what_was_set_aside(tmp_path: Path) -> None:
    prices = FILES["prices"] + MANY["prices"] + "2330,2021-02-03,,,,0,\n2330,2021-02-04,,,,-1,\nX,2021-02-04,,,,1,\n"
    tables = read_folder(write_market(tmp_path, prices=prices))
    report = read_report(tables)
    assert report["rows_read"] == sum(tables.rows_read.values())
    assert report["rows_set_aside"] == 3
    about = report["files"]["prices.csv"]
    assert (about["rows_read"], about["rows_set_aside"]) == (16, 3)
    assert [(p["column"], p["problem"], p["rows"]) for p in about["problems"]] == [
        ("close", "not above 0", 2),
        ("asset_id", "no such asset", 1),
    ]
    assert report["files"]["users.csv"] == {"rows_read": 4, "rows_set_aside": 0, "problems": []}


def test_rejected_rows_are_written_as_csv(tmp_path: Path) -> None:
    positions = FILES["positions"] + '"No\nne",2330,2021-02-03,,1,1,0.1\nNone,台積電,2021-02-03,,1,1,0.1\n'
    tables = read_folder(write_market(tmp_path, positions=positions))
    write_rejected(tables, tmp_path / "rejected.csv")
    with (tmp_path / "rejected.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0]) == REJECTED_COLUMNS
    assert [row[:4] for row in rows[1:]] == [
        ["positions.csv", "5", "user_id", "No\nne"],
        ["positions.csv", "7", "asset_id", "台積電"],
    ]
    write_rejected(read_folder(write_market(tmp_path)), tmp_path / "rejected.csv")
    assert (tmp_path / "rejected.csv").read_text(encoding="utf-8") == ",".join(REJECTED_COLUMNS) + "\n"


def test_odd_values_are_noted_and_kept(tmp_path: Path) -> None:
    """Three holders at 100 a unit and one at 100,000; a close above the day's high."""
    users = "user_id\na\nb\nc\nd\n"
    positions = "user_id,asset_id,as_of,units,value\n" + "".join(f"{u},NA,2024-06-30,2,200\n" for u in "abc")
    prices = FILES["prices"] + "2330,2025-07-01,10,11,9,12,5\n"
    folder = write_market(
        tmp_path, users=users, positions=f"{positions}d,NA,2024-06-30,2,200000\n", prices=prices, transactions=None
    )
    tables = read_folder(folder)
    assert (len(tables.positions), len(tables.prices)) == (4, 4)
    assert tables.rejected.empty
    assert [note.split(" ")[1] for note in tables.notes] == ["1", "1"]


# -- real data ------------------------------------------------------------------------------------------------


@pytest.mark.realdata
def test_the_american_market_loads(real_data: Path) -> None:
    tables = read_folder(real_data / "us-2025")
    assert {name: len(getattr(tables, name)) for name in ("users", "assets", "prices")} == {
        "users": 379,
        "assets": 5134,
        "prices": 404758,
    }
    assert tables.assets.loc[tables.assets["asset_id"] == "NA", "name"].tolist() == [
        "Nano Labs Ltd Class A Ordinary Shares"
    ]
    assert tables.users["user_id"][0] == "0000003520"
    aside = tables.rejected.merge(pd.Series(["facts.csv", "positions.csv"], name="file"))
    assert len(aside) == len(tables.rejected)
    assert set(tables.rejected.loc[tables.rejected["file"] == "facts.csv", "problem"]) == {
        "many times the market value of that day, as if it were in another currency"
    }
    assert all(sum(counts) == tables.rows_read[file] for file, counts in kept_and_rejected(tables).items())


@pytest.mark.realdata
def test_the_taiwanese_market_loads(real_data: Path) -> None:
    tables = read_folder(real_data / "tw-2026")
    assets = tables.assets.set_index("asset_id")
    assert len(assets) == 2038
    assert assets.loc["2330", ["name", "kind", "country"]].tolist() == ["台積電", "stock", "Taiwan"]
    assert assets.loc["00400A", "name"] == "主動國泰動能高息"
    assert (tables.prices["close"] > 0).all()
    assert tables.rejected["problem"].tolist() == ["not above 0"] * 8
    assert all(sum(counts) == tables.rows_read[file] for file, counts in kept_and_rejected(tables).items())
