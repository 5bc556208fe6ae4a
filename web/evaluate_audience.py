"""`pathfolio evaluate DATA --rolling CUT:END --audience`: whom a new issue suits, against who then bought it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd

from pathfolio.kg.errors import UsageError
from pathfolio.kg.spreadsheet import safe_table


def run(args: argparse.Namespace) -> None:
    """Print the table of each window; write them all as .csv or .json.

    Raises:
        UsageError: no --rolling window, an unknown file ending, or more than one model.
        DataError: the folder is refused, or the window has nothing to learn from or to score on.
    """
    from pathfolio.kg.contract import read_folder
    from pathfolio.kg.progress import Progress
    from pathfolio.recommender.evaluation.mornings import prepare_rolling
    from pathfolio.recommender.evaluation.new_issues import evaluate_audience, to_text
    from pathfolio.recommender.evaluation.registry import choose_models
    from pathfolio.recommender.evaluation.split import Fold

    if not args.rolling:
        raise UsageError("--audience looks at new issues day by day: name a window with --rolling CUT:END")
    for path in args.out:
        if path.suffix not in (".csv", ".json"):
            raise UsageError(f"{path}: audiences are written as .csv or .json: end the name in one of them")
    (spec,) = choose_models("pathfolio" if args.models == "all" else args.models.split(",")[0], rolling=True)
    progress = Progress()
    with progress.stage(f"read {args.data}"):
        tables = read_folder(args.data)
    windows = [prepare_rolling(tables, Fold.parse(text)) for text in args.rolling]
    found = [evaluate_audience(window, spec, progress=progress) for window in windows]
    sys.stdout.write("\n".join(to_text(table) for table in found))
    for path in args.out:
        _write(pd.concat(found), path)


def _write(table: pd.DataFrame, path: Path) -> None:
    if path.suffix == ".csv":
        safe_table(table).to_csv(path, index=False, float_format="%.6f")
    else:
        table.to_json(path, orient="records", indent=1, force_ascii=False)
