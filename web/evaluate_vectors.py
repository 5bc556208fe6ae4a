"""`pathfolio evaluate DATA --vectors --fold CUT:END`: ways to make vectors, side by side."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd

from pathfolio.kg.errors import UsageError
from pathfolio.kg.spreadsheet import safe_table


def run(args: argparse.Namespace) -> None:
    """Print a table per fold, means over seeds and their spread; write a row per seed as .csv or .json.

    Raises:
        UsageError: no --fold, an unknown way, or an unknown file ending.
        DataError: the folder is refused, or nobody bought anything in the window.
    """
    from pathfolio.kg.contract import read_folder
    from pathfolio.kg.progress import Progress
    from pathfolio.recommender.evaluation.split import Fold, prepare_fold
    from pathfolio.recommender.evaluation.vectors import choose_ways, evaluate_vectors

    if not args.fold:
        raise UsageError("--vectors are made at a cut and judged by later purchases: name one with --fold CUT:END")
    for path in args.out:
        if path.suffix not in (".csv", ".json"):
            raise UsageError(f"{path}: measures of vectors are written as .csv or .json: end the name in one of them")
    ways, folds = choose_ways(args.models), [Fold.parse(text) for text in args.fold]
    progress = Progress()
    with progress.stage(f"read {args.data}"):
        tables = read_folder(args.data)
    found = [evaluate_vectors(prepare_fold(tables, fold), ways, range(args.seeds), progress) for fold in folds]
    table = pd.concat(found)
    for window, rows in table.groupby("window", sort=False):
        told = f"{window}, means over {args.seeds} seeds ± standard deviations" if args.seeds > 1 else f"{window}"
        sys.stdout.write(f"{told}\n{_over_seeds(rows).to_string()}\n")
    for path in args.out:
        _write(table, path)


def _over_seeds(rows: pd.DataFrame) -> pd.DataFrame:
    """A row per measure and a column per way: mean ± standard deviation of the sample, as text."""
    of_way = rows.drop(columns=["window", "seed"]).groupby("way", sort=False)
    mean, spread = of_way.mean(), of_way.std()
    told = {
        way: {name: _told(mean.loc[way, name], spread.loc[way, name]) for name in mean.columns} for way in mean.index
    }
    return pd.DataFrame(told)


def _told(mean: float, spread: float) -> str:
    """-, .123 or .123 ± .004."""
    if pd.isna(mean):
        return "-"
    return f"{mean:.3f}" + ("" if pd.isna(spread) else f" ± {spread:.3f}")


def _write(table: pd.DataFrame, path: Path) -> None:
    if path.suffix == ".csv":
        safe_table(table).to_csv(path, index=False, float_format="%.6f")
    else:
        table.to_json(path, orient="records", indent=1, force_ascii=False)
