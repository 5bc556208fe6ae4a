"""FAR-Trans, the retail customers of a European bank, in the layout of its publication.

Sanz-Cruzado, Droukas and McCreadie: FAR-Trans, An Investment Dataset for Financial Asset Recommendation (2024),
doi 10.5525/gla.researchdata.1658, CC-BY 4.0. The published archive has all transactions and closing prices; copies
exist that have part of the transactions and, instead of the rest, what was held on some dates: positions/DATE.csv.
A folder with either, or with both, is read.

What is made of it:

- customerType becomes the investor's segment; a Legal Entity is an institution, everyone else counts as retail (the
  bank says Professional of the self-employed and small businesses, as banks do, not in the sense of MiFID).
- riskLevel and investmentCapacity keep the prefix Predicted_, by which the source marks what was estimated;
  Not_Available is unknown. Every dated row is kept.
- A told level is of lastQuestionnaireDate, and known from the row's timestamp on. The date is that of the last
  questionnaire of the whole period: where it is later than the row, the level is of the row's own day, and of the
  questionnaire's from that day on. Of a predicted level (2000-01-01) there are no answers; it is of the row's day.
- MTF (mutual funds and ETFs) becomes fund. An asset is listed from its first row on. Where an asset has two rows of
  one date, the one with a sub-category stands (three funds are listed as shares as well). Short names like UNK_73
  stand for unknown ones and are left out.
- A market's country comes from markets.csv, `-` being unknown. An asset's own country is not in the source.
- The issuer is read from the asset's name (`pathfolio.kg.issuers`), with a source text that says so.
- limit_prices.csv is not read: its profitability is that of the whole period, which nobody knew at the time.
- net_units of 0 or less is a closed position; rows that are missing from partial copies leave some below 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from pathfolio.kg.checks import check_asset, check_keys, check_user
from pathfolio.kg.column import NOT_NEGATIVE, POSITIVE, CellType, Column
from pathfolio.kg.errors import DataError
from pathfolio.kg.issuers import shared_issuers
from pathfolio.kg.late import overruled_notes
from pathfolio.kg.raw_file import read_raw, unread_files
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.kg.sieve import Sieve, all_rejected, unused_columns
from pathfolio.kg.tables import LABEL_COLUMNS, Tables, empty_table, typed_table

NAME: Final = "FAR-Trans"
ISSUER_SOURCE: Final = f"{NAME}: issuer read from the asset's name"

_USERS = "customer_information.csv"
_ASSETS = "asset_information.csv"
_MARKETS = "markets.csv"
_TRANSACTIONS = "transactions.csv"
_PRICES = "close_prices.csv"
_POSITIONS = "positions"
_WITHHELD: Final = "limit_prices.csv"

_ID = CellType.IDENTIFIER
_TEXT = CellType.TEXT
_WORD = CellType.WORD
_DATE = CellType.DATE
_NUMBER = CellType.NUMBER
_UNKNOWN: Final = frozenset({"Not_Available", "Predicted_Not_Available"})
_CATEGORIES: Final = {"Stock": "stock", "Bond": "bond", "MTF": "fund"}
_SIDES: Final = {"Buy": "buy", "Sell": "sell"}
_CUSTOMER: Final = Column("user_id", _ID, required=True, header="customerID")
_ISIN: Final = Column("asset_id", _ID, required=True, header="ISIN")

_LAYOUT: Final = {
    _USERS: (
        _CUSTOMER,
        Column("segment", _TEXT, header="customerType"),
        Column("risk_level", _TEXT, header="riskLevel", unknown=_UNKNOWN),
        Column("capacity", _TEXT, header="investmentCapacity", unknown=_UNKNOWN),
        Column("answered", _DATE, header="lastQuestionnaireDate"),
        Column("as_of", _DATE, required=True, header="timestamp"),
    ),
    _ASSETS: (
        _ISIN,
        Column("name", _TEXT, header="assetName"),
        Column("ticker", _TEXT, header="assetShortName"),
        Column("kind", _WORD, required=True, header="assetCategory", words=_CATEGORIES),
        Column("category", _TEXT, header="assetSubCategory"),
        Column("market", _TEXT, header="marketID"),
        Column("sector", _TEXT),
        Column("industry", _TEXT),
        Column("as_of", _DATE, required=True, header="timestamp"),
    ),
    _MARKETS: (
        Column("market", _ID, required=True, header="marketID"),
        Column("name", _TEXT),
        Column("country", _TEXT, unknown=frozenset({"-"})),
    ),
    _TRANSACTIONS: (
        _CUSTOMER,
        _ISIN,
        Column("side", _WORD, required=True, header="transactionType", words=_SIDES),
        Column("date", _DATE, required=True, header="timestamp"),
        Column("units", _NUMBER, bounds=NOT_NEGATIVE),
        Column("value", _NUMBER, header="totalValue", bounds=NOT_NEGATIVE),
        Column("channel", _TEXT),
    ),
    _PRICES: (
        _ISIN,
        Column("date", _DATE, required=True, header="timestamp"),
        Column("close", _NUMBER, required=True, header="closePrice", bounds=POSITIVE),
    ),
}
_POSITION_COLUMNS: Final = (_CUSTOMER, _ISIN, Column("units", _NUMBER, required=True, header="net_units"))

_SOURCES: Final = {
    "users": f"{NAME}: customer_information",
    "assets": f"{NAME}: asset_information",
    "prices": f"{NAME}: close_prices",
}
_CAPACITIES: Final = (
    ("CAP_LT30K", "under EUR 30,000", "3 萬歐元以下"),
    ("CAP_30K_80K", "EUR 30,000 to 80,000", "3 萬至 8 萬歐元"),
    ("CAP_80K_300K", "EUR 80,000 to 300,000", "8 萬至 30 萬歐元"),
    ("CAP_GT300K", "over EUR 300,000", "30 萬歐元以上"),
)


@dataclass(frozen=True)
class FarTrans:
    """The adapter: the published archive, or a partial copy with positions."""

    name: str = "a FAR-Trans folder"
    sign: str = _ASSETS

    def look(self, path: Path) -> bool:
        """Whether the assets are there as FAR-Trans lays them out."""
        return (path / _ASSETS).is_file()

    def read(self, path: Path) -> Tables:
        """Read the archive.

        Raises:
            DataError: a file is missing or refused.
        """
        sieves = _open_files(path)
        statements = _open_statements(path)
        _check_files(sieves, statements)
        every = [*sieves.values(), *statements.values()]
        assets = _assets(sieves[_ASSETS].kept)
        frames: dict[str, Any] = {
            "users": _users(sieves[_USERS].kept),
            "assets": assets,
            "positions": _positions(statements),
            "transactions": _typed(sieves, "transactions", _TRANSACTIONS),
            "prices": _typed(sieves, "prices", _PRICES),
            "relations": pd.concat([_country_rows(sieves.get(_MARKETS)), _issuer_rows(assets)], ignore_index=True),
        }
        rest: dict[str, Any] = {name: empty_table(name) for name in ("fund_holdings", "facts", "analyst_ratings")}
        return Tables(
            **frames,
            **rest,
            name=NAME,
            origin=path,
            sources=dict(_SOURCES),
            rows_read={sieve.raw.file: sieve.raw.rows for sieve in every},
            rejected=all_rejected(every),
            labels=_labels(sieves.get(_MARKETS)),
            notes=(
                *_notes(path, sieves, statements),
                *overruled_notes(frames, {"positions": _POSITIONS, "transactions": _TRANSACTIONS}),
            ),
        )


# -- files ----------------------------------------------------------------------------------------------------


def _open_files(folder: Path) -> dict[str, Sieve]:
    if not (folder / _USERS).is_file():
        raise DataError(f"{folder}: no {_USERS}, which FAR-Trans has beside {_ASSETS}: add it")
    if not (folder / _TRANSACTIONS).is_file() and not any((folder / _POSITIONS).glob("*.csv")):
        raise DataError(f"{folder}: neither {_TRANSACTIONS} nor {_POSITIONS}/DATE.csv: add one of them")
    return {
        name: Sieve(read_raw(folder, folder / name), columns)
        for name, columns in _LAYOUT.items()
        if (folder / name).is_file()
    }


def _open_statements(folder: Path) -> dict[date, Sieve]:
    return {
        _day_of(path): Sieve(read_raw(folder, path), _POSITION_COLUMNS)
        for path in sorted((folder / _POSITIONS).glob("*.csv"))
    }


def _day_of(path: Path) -> date:
    try:
        return date.fromisoformat(path.stem)
    except ValueError:
        found = f"{_POSITIONS}/{path.name}"
        raise DataError(f"{found}: its name is not a date: call it YYYY-MM-DD.csv, or remove it") from None


def _check_files(sieves: dict[str, Sieve], statements: dict[date, Sieve]) -> None:
    """Set aside what contradicts itself or names an unknown customer or asset; refuse files that are mostly bad."""
    users = sieves[_USERS]
    assets = sieves[_ASSETS]
    check_keys(users, ("user_id", "as_of"))
    check_keys(assets, ("asset_id", "as_of"), prefer=assets.frame["category"].notna())
    users.check_half()
    assets.check_half()
    if not assets.keep.any():
        raise DataError(f"{_ASSETS}: no assets in it: add at least one row")
    if _MARKETS in sieves:
        check_keys(sieves[_MARKETS], ("market",))
    if _PRICES in sieves:
        check_keys(sieves[_PRICES], ("asset_id", "date"))
        check_asset(sieves[_PRICES], assets.kept)
    for sieve in statements.values():
        check_keys(sieve, ("user_id", "asset_id"))
    for sieve in [*statements.values(), *(sieves[name] for name in (_TRANSACTIONS,) if name in sieves)]:
        check_user(sieve, users.kept)
        check_asset(sieve, assets.kept)
    for sieve in (*sieves.values(), *statements.values()):
        sieve.check_half()


def _notes(folder: Path, sieves: dict[str, Sieve], statements: dict[date, Sieve]) -> list[str]:
    notes = unread_files(folder, (*sieves, _WITHHELD))
    notes += unused_columns([*sieves.values(), *statements.values()])
    below = sum(int((sieve.kept["units"] < 0).sum()) for sieve in statements.values())
    if below:
        notes.append(f"{_POSITIONS}: {below:,} rows have fewer than 0 units and are taken as closed positions")
    if (folder / _WITHHELD).is_file():
        notes.append(f"{_WITHHELD}: not read: its profitability is of the whole period, which nobody knew at the time")
    unnamed = sieves[_ASSETS].kept.loc[sieves[_ASSETS].kept["name"].isna(), "asset_id"].nunique()
    if unnamed:
        notes.append(f"{_ASSETS}: {unnamed:,} assets have no name; they are shown by their ISIN")
    return notes


# -- tables ---------------------------------------------------------------------------------------------------


def _typed(sieves: dict[str, Sieve], table: str, file: str) -> pd.DataFrame:
    return typed_table(table, sieves[file].kept) if file in sieves else empty_table(table)


def _users(rows: pd.DataFrame) -> pd.DataFrame:
    kind = np.where(rows["segment"] == "Legal Entity", "institution", "retail")
    rows = rows.assign(kind=pd.Series(kind, index=rows.index).where(rows["segment"].notna()))
    return typed_table("users", _answered(rows))


def _answered(rows: pd.DataFrame) -> pd.DataFrame:
    """With the day of the answers; a questionnaire after the row's day is a row of its own, unless a later one is."""
    later = rows["answered"] > rows["as_of"]
    again = rows[later].sort_values("as_of", kind="stable").drop_duplicates(["user_id", "answered"], keep="last")
    again = again.assign(as_of=again["answered"])
    told = rows.assign(answered=rows["answered"].where(~later, rows["as_of"]))
    both = pd.concat([told, again], ignore_index=True)
    return both.drop_duplicates(["user_id", "as_of"])


def _assets(rows: pd.DataFrame) -> pd.DataFrame:
    ticker = rows["ticker"].astype("str")
    first = rows.groupby("asset_id", observed=True)["as_of"].transform("min")
    known = rows.assign(ticker=ticker.mask(ticker.str.fullmatch(r"UNK_\d+", na=False)), listed=first)
    return typed_table("assets", known.assign(isin=rows["asset_id"]))


def _positions(statements: dict[date, Sieve]) -> pd.DataFrame:
    frames = [typed_table("positions", sieve.kept.assign(as_of=pd.Timestamp(day))) for day, sieve in statements.items()]
    return pd.concat(frames, ignore_index=True) if frames else empty_table("positions")


def _country_rows(markets: Sieve | None) -> pd.DataFrame:
    if markets is None:
        return empty_table("relations")
    rows = markets.kept[markets.kept["country"].notna()]
    ends = {"source_id": rows["market"], "target_id": rows["country"]}
    about = {"relation": Relation.IN_COUNTRY.value, "source": f"{NAME}: markets"}
    return typed_table("relations", pd.DataFrame({**ends, **about}))


def _issuer_rows(assets: pd.DataFrame) -> pd.DataFrame:
    first = assets.sort_values("as_of", kind="stable").drop_duplicates("asset_id").set_index("asset_id")
    shared = shared_issuers(first["name"], first["as_of"])
    about = {"relation": Relation.ISSUED_BY.value, "source": ISSUER_SOURCE}
    rows = shared.rename(columns={"issuer": "target_id"}).rename_axis("source_id").reset_index()
    return typed_table("relations", rows.assign(**about))


def _labels(markets: Sieve | None) -> pd.DataFrame:
    rows: list[Any] = [(NodeKind.CAPACITY.value, *capacity) for capacity in _CAPACITIES]
    if markets is not None:
        known = markets.kept[markets.kept["name"].notna()]
        rows += [(NodeKind.MARKET.value, *row, None) for row in zip(known["market"], known["name"], strict=True)]
    return pd.DataFrame(rows, columns=list(LABEL_COLUMNS)).astype("string")
