"""`pathfolio evaluate DATA --worth --fold CUT:END`: lists as portfolios, and what an order by risk costs in nDCG."""

from __future__ import annotations

import argparse
import sys

from pathfolio.kg.errors import UsageError
from pathfolio.kg.spreadsheet import safe_table


def run(args: argparse.Namespace) -> None:
    """Print the table; write it as .csv or .json, and the trade-off as a picture.

    Raises:
        UsageError: no --fold, an unknown model, or an unknown file ending.
        DataError: the folder is refused, has no closes about a cut, or nobody bought anything in a window.
    """
    from pathfolio.kg.contract import read_folder
    from pathfolio.kg.progress import Progress
    from pathfolio.recommender.evaluation.registry import choose_models
    from pathfolio.recommender.evaluation.robust import OURS, SIMPLE
    from pathfolio.recommender.evaluation.split import Fold
    from pathfolio.recommender.evaluation.worth import evaluate_worth, worth_table, worth_text

    if not args.fold:
        raise UsageError("--worth looks at prices after a cut: name one or more with --fold CUT:END")
    for path in args.out:
        if path.suffix not in (".csv", ".json"):
            raise UsageError(f"{path}: figures are written as .csv or .json: end the name in one of them")
    models = choose_models(",".join((OURS, *SIMPLE)) if args.models == "all" else args.models)
    folds = [Fold.parse(text) for text in args.fold]
    progress = Progress()
    with progress.stage(f"read {args.data}"):
        tables = read_folder(args.data)
    table = worth_table(evaluate_worth(tables, folds, models, progress=progress))
    sys.stdout.write(f"{worth_text(table)}\n")
    for path in args.out:
        if path.suffix == ".csv":
            safe_table(table).to_csv(path, index=False, float_format="%.6f")
        else:
            table.to_json(path, orient="records", indent=1, force_ascii=False)
    if args.plots:
        from pathfolio.recommender.evaluation.worth_plot import plot_tradeoff

        plot_tradeoff(table, args.plots)
