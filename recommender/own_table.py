"""Own vectors from a file or a table: id, v0, v1, … and, for what is no asset, kind."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

from pathfolio.kg.errors import DataError, UsageError
from pathfolio.kg.schema import NODE_KINDS, NodeKind
from pathfolio.recommender.channels.own import WEIGHT, OwnVectors

VectorTable: TypeAlias = pd.DataFrame | pa.Table
_NUMBER: Final = re.compile(r"v\d+")
_OUT: Final = "leave the row out"


def read_vectors(source: str | Path | VectorTable, weight: float = WEIGHT) -> OwnVectors:
    """Read and check vectors.

    Vectors of people are refused: who is served is scored by what they hold and answered.

    Args:
        source: a .parquet or .csv file, or a table in memory, with the columns id, v0, v1, … and, where some are not
            of assets, kind (Industry, Sector, …; empty for an asset).
        weight: of the channel; the larger it is, the more the vectors say.

    Raises:
        DataError: a row is refused; one line with file, row, column, value and remedy.
        UsageError: no such file or kind of file, or a weight that is no number above 0.

    >>> read_vectors(pd.DataFrame({"id": ["2330", "2454"], "v0": [1.0, 0.5], "v1": [0.0, 2.0]})).vectors.shape
    (2, 2)
    >>> read_vectors(pd.DataFrame({"id": ["2330"], "v0": ["high"]}))
    Traceback (most recent call last):
    pathfolio.kg.errors.DataError: vectors: row 0: v0 'high': not a number: give a finite number
    """
    if not (np.isfinite(weight) and weight > 0):
        raise UsageError(f"a weight of {weight} for own vectors: give a number above 0, such as {WEIGHT}")
    name, frame, first = _table(source)
    columns = _columns(name, list(frame.columns))
    ids = frame["id"].astype(str).to_numpy(object)
    kinds = frame["kind"].fillna("").astype(str).to_numpy(object) if "kind" in frame else np.full(len(ids), "", object)
    vectors = np.empty((len(frame), len(columns)))
    for at, column in enumerate(columns):
        vectors[:, at] = pd.to_numeric(frame[column], errors="coerce")
    words = {"", *(kind.value for kind in NODE_KINDS)}
    seen = set()
    for row, (kind, key) in enumerate(zip(kinds.tolist(), ids.tolist(), strict=True)):
        where = f"{name}: row {row + first}"
        if not key or pd.isna(frame["id"].iloc[row]):
            raise DataError(f"{where}: id is empty: name the asset")
        if kind not in words:
            raise DataError(f"{where}: kind {kind!r}: no kind of node: use {', '.join(sorted(words - {''}))}")
        if kind == NodeKind.USER:
            raise DataError(f"{where}: id {key!r} is a person's: own vectors are of assets and what they have: {_OUT}")
        if (kind, key) in seen:
            raise DataError(f"{where}: id {key!r}: there twice: keep one vector of each")
        seen.add((kind, key))
        bad = np.flatnonzero(~np.isfinite(vectors[row]))
        if len(bad):
            value = frame[columns[bad[0]]].iloc[row]
            raise DataError(f"{where}: {columns[bad[0]]} {value!r}: not a number: give a finite number")
        if not vectors[row].any():
            raise DataError(f"{where}: id {key!r}: all numbers are 0, which points nowhere: {_OUT}")
    kept = np.lexsort((ids.astype(str), kinds.astype(str)))
    if not len(kept):
        raise DataError(f"{name}: no vector of an asset: give a row for each")
    return OwnVectors(tuple(kinds[kept]), tuple(ids[kept]), vectors[kept].astype(np.float32), float(weight))


def _table(source: str | Path | VectorTable) -> tuple[str, pd.DataFrame, int]:
    """What the table is called, its rows, and how the first of them is counted."""
    if isinstance(source, pd.DataFrame):
        return "vectors", source, 0
    if isinstance(source, pa.Table):
        return "vectors", source.to_pandas(), 0
    path = Path(source)
    if path.suffix not in (".parquet", ".csv"):
        raise UsageError(f"{path}: vectors are read from .parquet or .csv: name such a file")
    try:
        if path.suffix == ".parquet":
            return str(path), pd.read_parquet(path), 1
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file: name the one with the vectors") from None
    except (ValueError, pa.ArrowInvalid) as error:
        told = " ".join(str(error).split())
        raise DataError(f"{path}: cannot be read as {path.suffix} ({told}): write it anew") from None
    if not isinstance(frame.index, pd.RangeIndex):  # pandas takes the first of too many cells for a row's name
        raise DataError(f"{path}: its rows have more cells than the header: give each vector as many numbers")
    return str(path), frame, 2


def _columns(name: str, found: list[str]) -> list[str]:
    """v0, v1, … in the order of their numbers."""
    if "id" not in found:
        raise DataError(f"{name}: no column 'id' among {', '.join(map(str, found))!r}: add it")
    other = next((column for column in found if column not in ("id", "kind") and not _NUMBER.fullmatch(column)), None)
    if other is not None:
        raise DataError(f"{name}: column {other!r}: not id, kind, v0, v1, …: take it out or call it by a number")
    wanted = [f"v{at}" for at in range(sum(column not in ("id", "kind") for column in found))]
    missing = next((column for column in wanted or ["v0"] if column not in found), None)
    if missing is not None:
        raise DataError(f"{name}: no column {missing!r}: number them from v0 without a gap")
    return wanted
