"""Markets for a notebook: read from a folder or from tables in memory, or made up."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, overload

from pathfolio.kg.contract import read_folder
from pathfolio.kg.errors import UsageError
from pathfolio.kg.market_frames import Frame, read_market_frames
from pathfolio.kg.sample import SampleSize, write_sample_market
from pathfolio.kg.sieve import first_problem
from pathfolio.kg.tables import Tables
from pathfolio.kg.terms import MarketTerms

_UNNAMED: Final = "market"


@overload
def read_market(source: str | Path) -> Tables: ...


@overload
def read_market(
    source: Mapping[str, Frame], *, name: str = ..., is_sample: bool = ..., terms: MarketTerms | None = ...
) -> Tables: ...


def read_market(
    source: str | Path | Mapping[str, Frame],
    *,
    name: str = "",
    is_sample: bool = False,
    terms: MarketTerms | None = None,
) -> Tables:
    """Read and check a market.

    A row that breaks the data contract is set aside in `Tables.rejected`, with a warning that tells how many there are
    and what is wrong with the first. A row of a table in memory is called by its label where the frame's index has
    whole numbers, each once, and else by its position from 0.

    Args:
        source: a market folder or a FAR-Trans folder; or the contract's tables by their names, each a pandas.DataFrame
            or a pyarrow.Table, of which only assets is required.
        name: what a market in memory is called; a folder says so itself.
        is_sample: a market in memory is made up, which everything made of it will say.
        terms: what the closes of a market in memory are adjusted for, and what money earns without risk; without them,
            figures say that the closes are as given, and there are no Sharpe ratios.

    Raises:
        DataError: the market is refused; one line with table, row, column, value and remedy.
        UsageError: `source` is neither, or a folder was given a name.

    >>> import pandas as pd
    >>> assets = pd.DataFrame({"asset_id": ["2330"], "kind": ["stock"], "name": ["TSMC"]})
    >>> read_market({"assets": assets})
    Tables(market: assets 1)
    >>> read_market({"assets": assets.drop(columns="name")})
    Traceback (most recent call last):
    pathfolio.kg.errors.DataError: assets: no column 'name' among 'asset_id, kind': add it
    """
    if isinstance(source, Mapping):
        terms = terms or MarketTerms()
        return _told(read_market_frames(source, name=name or _UNNAMED, is_sample=is_sample, terms=terms), "row")
    if not isinstance(source, str | Path):
        raise UsageError(f"a market is not a {type(source).__name__}: give a folder, or a dict of table name to frame")
    if name or is_sample or terms is not None:
        raise UsageError(
            f"{source}: a folder says itself what it is called: write name, sample and terms into its market.json"
        )
    return _told(read_folder(Path(source)), "line")


def sample_market(size: SampleSize = SampleSize(), seed: int = 7) -> Tables:  # noqa: B008 - a frozen value
    """A market of invented companies, funds and investors; the same size and seed give the same one.

    Its last day is 30 June 2026.

    >>> from pathfolio import SampleSize
    >>> sample_market(SampleSize(investors=20, stocks=40, funds=4, bonds=4, years=1)).is_sample
    True
    """
    with tempfile.TemporaryDirectory() as folder:
        write_sample_market(Path(folder), seed, size)
        return replace(read_folder(Path(folder)), origin=None)


def _told(tables: Tables, counted: str) -> Tables:
    """The tables, once a warning has told of the rows that were set aside."""
    aside = len(tables.rejected)
    if aside:
        first = first_problem(tables.rejected, counted)
        warnings.warn(f"{tables.name}: rows set aside: {aside:,} (see rejected), the first: {first}", stacklevel=3)
    return tables
