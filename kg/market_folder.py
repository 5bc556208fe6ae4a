"""A market: one table of the data contract per CSV or Parquet file of a folder, of which only assets is required."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from pathfolio.kg.checks import (
    check_asset,
    check_facts,
    check_fund_holdings,
    check_keys,
    check_positions,
    check_prices,
    check_relations,
    check_user,
    odd_values,
)
from pathfolio.kg.errors import DataError
from pathfolio.kg.late import overruled_notes
from pathfolio.kg.raw_file import RawFile, read_raw, unread_files
from pathfolio.kg.sieve import Sieve, all_rejected, unused_columns
from pathfolio.kg.tables import COLUMNS, LAYOUT, Tables, empty_table, typed_table
from pathfolio.kg.terms import MarketTerms, terms_of

ABOUT_FILE: Final = "market.json"
"""Optional: {"name": what the data set is called, "sample": true where it is made up}, and the market's terms
(`pathfolio.kg.terms.terms_of`)."""

KEYS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "users": ("user_id", "as_of"),
        "assets": ("asset_id", "as_of"),
        "positions": ("user_id", "asset_id", "as_of", "known_at"),
        "fund_holdings": ("fund_id", "asset_id", "as_of", "known_at"),
        "prices": ("asset_id", "date"),
        "facts": ("asset_id", "metric", "as_of", "known_at", "source"),
        "relations": ("source_id", "relation", "target_id", "as_of", "known_at", "source"),
        "analyst_ratings": ("asset_id", "date", "analyst_firm"),
    }
)
"""What may occur once in each table. A later `known_at` is a correction, not a conflict; transactions have no key:
two equal purchases on one day are two purchases."""


def table_files(folder: Path) -> dict[str, Path]:
    """The files of `folder` that are tables of the contract.

    Raises:
        DataError: a table is there both as CSV and as Parquet.
    """
    found = {}
    for name in COLUMNS:
        paths = [path for path in (folder / f"{name}.csv", folder / f"{name}.parquet") if path.is_file()]
        if len(paths) > 1:
            raise DataError(f"{folder}: both {paths[0].name} and {paths[1].name}: keep one of the two")
        if paths:
            found[name] = paths[0]
    return found


@dataclass(frozen=True)
class MarketFolder:
    """The adapter of the contract's own layout."""

    name: str = "a market folder"
    sign: str = "assets.csv or assets.parquet"

    def look(self, path: Path) -> bool:
        """Whether there is a table of assets."""
        return any((path / f"assets.{suffix}").is_file() for suffix in ("csv", "parquet"))

    def read(self, path: Path) -> Tables:
        """Read every table that is there.

        Raises:
            DataError: a file is refused: empty, not UTF-8, without a required column, or most of its rows are bad.
        """
        about = _read_about(path)
        files = table_files(path)
        return checked_tables(
            {name: read_raw(path, file) for name, file in files.items()},
            name=str(about.get("name") or path.resolve().name),
            origin=path,
            is_sample=bool(about.get("sample", False)),
            notes=unread_files(path, (file.name for file in files.values())),
            terms=_terms(about),
        )


def checked_tables(
    found: Mapping[str, RawFile],
    *,
    name: str,
    is_sample: bool,
    origin: Path | None = None,
    notes: Iterable[str] = (),
    terms: MarketTerms = MarketTerms(),  # noqa: B008 - a frozen value
) -> Tables:
    """The tables of a market as they were found, checked; rows that break the contract are set aside.

    Args:
        found: by the contract's name of the table; assets is one of them.
        name: what the market is called.
        notes: what to say of it in the build's report first.
        terms: what the closes mean.

    Raises:
        DataError: a table is refused: without a required column, or most of its rows are bad.
    """
    sieves = {table: Sieve(raw, LAYOUT[table]) for table, raw in found.items()}
    for table, sieve in sieves.items():
        if table in KEYS:
            check_keys(sieve, KEYS[table])
    _check_rows(sieves)
    for table, sieve in sieves.items():
        sieve.check_half()
        if table == "assets" and not sieve.keep.any():
            raise DataError(f"{sieve.raw.file}: no assets in it: add at least one row")
    frames: dict[str, Any] = {
        table: typed_table(table, sieves[table].kept) if table in sieves else empty_table(table) for table in COLUMNS
    }
    return Tables(
        **frames,
        name=name,
        origin=origin,
        is_sample=is_sample,
        rows_read={sieve.raw.file: sieve.raw.rows for sieve in sieves.values()},
        rejected=all_rejected(sieves.values()),
        notes=(
            *notes,
            *unused_columns(sieves.values()),
            *odd_values(sieves),
            *overruled_notes(frames, {table: sieve.raw.file for table, sieve in sieves.items()}),
        ),
        terms=terms,
    )


def _check_rows(sieves: dict[str, Sieve]) -> None:
    """Set aside what contradicts itself, and what names an asset or investor that is not kept."""
    assets = sieves["assets"].kept
    users = sieves["users"].kept if "users" in sieves else None
    for name, sieve in sieves.items():
        if name in ("positions", "transactions") and users is not None:
            check_user(sieve, users)
        if name not in ("users", "assets", "relations"):
            check_asset(sieve, assets)
        if name == "positions":
            check_positions(sieve)
        elif name == "fund_holdings":
            check_fund_holdings(sieve, assets)
        elif name == "prices":
            check_prices(sieve)
        elif name == "facts":
            check_facts(sieve)
        elif name == "relations":
            check_relations(sieve, assets, _investors(sieves))


def _investors(sieves: dict[str, Sieve]) -> set[str]:
    """Every investor that a table names."""
    named = [sieves[name].kept["user_id"] for name in ("users", "positions", "transactions") if name in sieves]
    return set().union(*named)


def _read_about(folder: Path) -> dict[str, Any]:
    path = folder / ABOUT_FILE
    if not path.is_file():
        return {}
    try:
        about = json.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise DataError(f"{ABOUT_FILE}: not UTF-8: save the file as UTF-8") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise DataError(f"{ABOUT_FILE}, {where}: not JSON ({error.msg}): correct it, or remove the file") from None
    types = {"name": str, "sample": bool}
    if not isinstance(about, dict) or any(not isinstance(about.get(key, kind()), kind) for key, kind in types.items()):
        raise DataError(f'{ABOUT_FILE}: write it as {{"name": "a name", "sample": false}}, or remove the file')
    return about


def _terms(about: Mapping[str, Any]) -> MarketTerms:
    try:
        return terms_of(about)
    except ValueError as error:
        raise DataError(f"{ABOUT_FILE}: write {error}, or leave it out") from None
