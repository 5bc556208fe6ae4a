"""`pathfolio evaluate DATA --robust --fold CUT:END`: where lists hold, and where they do not."""

from __future__ import annotations

import argparse
import sys

import pandas as pd

from pathfolio.kg.errors import UsageError
from pathfolio.kg.spreadsheet import safe_table


def run(args: argparse.Namespace) -> None:
    """Print every cell, the worst last, and a verdict; write the cells as .csv or .json.

    Raises:
        UsageError: no --fold, an unknown kind or market's rules, or an unknown file ending.
        DataError: the folder is refused, or nobody bought anything in a window.
    """
    from pathfolio.kg.contract import read_folder
    from pathfolio.kg.progress import Progress
    from pathfolio.recommender.evaluation.frozen import KINDS
    from pathfolio.recommender.evaluation.robust import evaluate_robust, robust_table, verdict
    from pathfolio.recommender.evaluation.split import Fold
    from pathfolio.recommender.suitability.rulefile import load_rules

    if not args.fold:
        raise UsageError("--robust compares windows: name one or more with --fold CUT:END")
    for path in args.out:
        if path.suffix not in (".csv", ".json"):
            raise UsageError(f"{path}: cells are written as .csv or .json: end the name in one of them")
    rules = load_rules(args.rules) if args.rules else None
    kinds = KINDS if args.kinds == "all" else tuple(args.kinds.split(","))
    folds = [Fold.parse(text) for text in args.fold]
    progress = Progress()
    with progress.stage(f"read {args.data}"):
        tables = read_folder(args.data)
    cells = evaluate_robust(tables, folds, rules, kinds=kinds, seeds=range(args.seeds), progress=progress)
    table = robust_table(cells)
    sys.stdout.write(f"{_shown(table)}\n\n{verdict(cells)}\n")
    for path in args.out:
        if path.suffix == ".csv":
            safe_table(table).to_csv(path, index=False, float_format="%.6f")
        else:
            table.to_json(path, orient="records", indent=1, force_ascii=False)


def _shown(table: pd.DataFrame) -> str:
    shown = table.assign(rules=table["rules"].replace("", "-"))
    numbers = dict.fromkeys(("ndcg", "spread", "best_ndcg"), "{:.3f}".format) | {"share": "{:.2f}".format}
    return str(shown.to_string(index=False, formatters=numbers))
