"""Writing a sample market as a market folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from pathfolio.kg.sample.bonds import GOVERNMENT_YIELD
from pathfolio.kg.sample.market import SampleMarket
from pathfolio.kg.sample.names import CURRENCIES
from pathfolio.kg.sample.size import SampleSize
from pathfolio.kg.sample.tables import market_tables
from pathfolio.kg.tables import COLUMNS, DATE_COLUMNS

NAME: Final = "Sample market (generated)"

TERMS: Final[Mapping[str, object]] = MappingProxyType(
    {
        "adjusted_for": ["splits", "dividends"],
        "risk_free": dict(zip(CURRENCIES, GOVERNMENT_YIELD, strict=True)),
    }
)
"""The market's terms: without risk, money earns what its government's bonds yield."""

_DECIMALS: Final = MappingProxyType(
    {
        ("assets", "expense_ratio"): 4,
        ("users", "birth_year"): 0,
        ("positions", "units"): 0,
        ("positions", "value"): 2,
        ("positions", "weight"): 6,
        ("transactions", "units"): 0,
        ("transactions", "value"): 2,
        ("fund_holdings", "weight"): 4,
        ("prices", "close"): 2,
        ("prices", "volume"): 0,
        ("facts", "value"): 6,
        ("relations", "weight"): 2,
        ("analyst_ratings", "target_price_usd"): 2,
    }
)
"""Digits after the decimal point of every column of numbers."""


def write_sample_market(folder: Path, seed: int = 7, size: SampleSize = SampleSize()) -> None:  # noqa: B008 - a frozen value
    """Write the sample market of `seed` into `folder`, which is made if need be; files of the same names are replaced.

    The same seed and size give the same bytes. See `pathfolio.kg.sample` for the model and for what is in the files.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in market_tables(SampleMarket.generate(seed, size)).items():
        table = _arrow(name, frame)
        if name == "prices":
            pq.write_table(table, folder / "prices.parquet", compression="zstd")
        else:
            _write_csv(table, folder / f"{name}.csv")
    text = json.dumps({"name": NAME, "sample": True, **TERMS}, indent=2)
    (folder / "market.json").write_text(text + "\n", encoding="utf-8")


def _arrow(name: str, frame: pd.DataFrame) -> pa.Table:
    """The contract's columns that the frame has, in its order; numbers rounded to what the file shows."""
    columns = [c for c in COLUMNS[name] if c in frame]
    return pa.table({c: _column(name, c, frame[c]) for c in columns})


def _column(table: str, column: str, values: pd.Series) -> pa.ChunkedArray | pa.Array:
    array = pa.Array.from_pandas(values)
    if column in DATE_COLUMNS:
        return array.cast(pa.date32())
    if (table, column) not in _DECIMALS:
        return array
    decimals = _DECIMALS[table, column]
    rounded = pc.round(array.cast(pa.float64()), decimals)
    return rounded if table == "prices" else rounded.cast(pa.decimal128(24, decimals))


def _write_csv(table: pa.Table, path: Path) -> None:
    with path.open("wb") as file:
        file.write((",".join(table.column_names) + "\n").encode())
        pcsv.write_csv(table, file, pcsv.WriteOptions(include_header=False, quoting_style="none"))
