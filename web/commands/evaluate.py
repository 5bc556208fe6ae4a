"""`pathfolio evaluate`: ranking quality on temporal folds or day by day, beside baselines."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pathfolio.web.advice import add_rules

if TYPE_CHECKING:
    from pathfolio.kg.progress import Progress
    from pathfolio.kg.tables import Tables
    from pathfolio.recommender.evaluation.frozen import FoldResult
    from pathfolio.recommender.evaluation.registry import ModelSpec
    from pathfolio.recommender.evaluation.rolling import RollingResult
    from pathfolio.recommender.evaluation.split import Fold


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("data", type=Path, metavar="DATA", help="a market folder or a FAR-Trans folder")
    window = parser.add_mutually_exclusive_group()
    window.add_argument(
        "--fold",
        action="append",
        metavar="TRAIN_END:TEST_END",
        help="fit on what was known on TRAIN_END, test on new purchases until TEST_END; may be repeated",
    )
    window.add_argument(
        "--rolling", action="append", metavar="CUT:END", help="fit on CUT, then a list every morning until END"
    )
    parser.add_argument(
        "--explanations",
        action="store_true",
        help="measure explanations instead, of a build or at the fold's TRAIN_END",
    )
    parser.add_argument(
        "--ablation", action="store_true", help="instead of other models: each part of the score left out, and alone"
    )
    parser.add_argument(
        "--towers", action="store_true", help="the score with the two towers too, as `build --towers` serves it"
    )
    parser.add_argument(
        "--audience", action="store_true", help="with --rolling: who buys each new issue, instead of what each buys"
    )
    parser.add_argument(
        "--vectors",
        action="store_true",
        help="with --fold: ways to make vectors (--models: shipped, svd, pykeen-rotate, …) instead of models that rank",
    )
    parser.add_argument(
        "--history",
        action="store_true",
        help="with --fold: investors with 0, 1, and 2 to 5 positions instead of all with and all without",
    )
    parser.add_argument(
        "--robust",
        action="store_true",
        help="with --fold: each horizon, kind and group, with and without rules, beside simple baselines, worst last",
    )
    parser.add_argument(
        "--worth",
        action="store_true",
        help="with --fold: risk after 30, 90 and 180 days of lists in equal parts, and of orders that weigh risk",
    )
    add_rules(parser)
    parser.add_argument("--models", default="all", metavar="all|NAME,…", help="models to compare (default: all)")
    parser.add_argument("--kinds", default="all", metavar="KIND,…", help="of all, stock, fund, bond (default: all)")
    parser.add_argument("--seeds", type=_positive, default=1, metavar="N", help="fits of models that use a seed")
    parser.add_argument(
        "--out", action="append", type=Path, default=[], metavar="FILE", help="metrics.json, .csv, .tex or .txt"
    )
    parser.add_argument("--plots", type=Path, metavar="DIR", help="write bar charts with intervals there")
    parser.add_argument("--dump", type=Path, metavar="FILE", help="write the lists of one window, as Parquet")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


def run(args: argparse.Namespace) -> None:
    """Evaluate, print the table, write the files.

    Raises:
        UsageError: an unknown model, kind, window or file ending.
        DataError: the folder is refused, or the window has nothing to learn from or to score on.
    """
    if args.explanations:
        from pathfolio.web import evaluate_explanations

        evaluate_explanations.run(args)
    elif args.audience:
        from pathfolio.web import evaluate_audience

        evaluate_audience.run(args)
    elif args.vectors:
        from pathfolio.web import evaluate_vectors

        evaluate_vectors.run(args)
    elif args.robust:
        from pathfolio.web import evaluate_robust

        evaluate_robust.run(args)
    elif args.worth:
        from pathfolio.web import evaluate_worth

        evaluate_worth.run(args)
    else:
        _rank(args)


def _rank(args: argparse.Namespace) -> None:
    from pathfolio.kg.contract import read_folder
    from pathfolio.kg.errors import UsageError
    from pathfolio.kg.progress import Progress
    from pathfolio.recommender.evaluation.output import to_text, writer_for
    from pathfolio.recommender.evaluation.split import Fold
    from pathfolio.recommender.evaluation.table import metric_table

    if not args.fold and not args.rolling:
        raise UsageError("name a window with --fold TRAIN_END:TEST_END or --rolling CUT:END")
    writers = [(path, writer_for(path)) for path in args.out]
    if args.history and (args.rolling or args.dump):
        raise UsageError("--history groups the investors of --fold, and writes no lists")
    windows = [Fold.parse(text) for text in args.fold or args.rolling]
    models = _models(args)
    dumped = _dumped(args, models, len(windows))
    progress = Progress()
    with progress.stage(f"read {args.data}"):
        tables = read_folder(args.data)
    results: list[FoldResult] | list[RollingResult]
    if args.fold:
        results = _frozen(tables, windows, models, args, progress)
    else:
        results = _rolling(tables, windows, models, args.seeds, progress)
    if dumped:
        results[0].dump(dumped).to_parquet(args.dump, index=False)
    table = metric_table(results, reference=models[0].name if args.ablation else "")
    sys.stdout.write(to_text(table) + ("" if args.ablation else _legend(models)))
    for path, write in writers:
        path.write_text(write(table), encoding="utf-8")
    if args.plots:
        from pathfolio.recommender.evaluation.plots import plot_tables

        plot_tables(table, args.plots)


def _legend(models: Sequence[ModelSpec]) -> str:
    """What each model does, and where it is published."""
    width = max(len(spec.name) for spec in models)
    lines = [f"{spec.name:{width}}  {spec.about}{f' ({spec.paper})' if spec.paper else ''}\n" for spec in models]
    return "\n" + "".join(lines)


def _models(args: argparse.Namespace) -> tuple[ModelSpec, ...]:
    from pathfolio.recommender.evaluation.ablation import ablation_specs, beside_towers, fit_with_towers
    from pathfolio.recommender.evaluation.registry import choose_models
    from pathfolio.recommender.training import fit_scorer

    if args.ablation:
        return ablation_specs(fit_with_towers if args.towers else fit_scorer, towers=args.towers)
    models = choose_models(args.models, rolling=bool(args.rolling))
    return beside_towers(models) if args.towers else models


def _dumped(args: argparse.Namespace, models: Sequence[ModelSpec], windows: int) -> str:
    """Whose lists to write: the served score's, or the only model's; empty where none are asked for."""
    from pathfolio.kg.errors import UsageError
    from pathfolio.recommender.evaluation.ablation import WHOLE

    if args.dump is None:
        return ""
    if windows > 1:
        raise UsageError("--dump writes the lists of one window: give it with one --fold or one --rolling")
    names = [spec.name for spec in models]
    if args.ablation or len(names) == 1:
        return names[0]
    if WHOLE not in names:
        raise UsageError(f"--dump writes one model's lists: choose one with --models, say --models {names[0]}")
    return WHOLE


def _frozen(
    tables: Tables, windows: Sequence[Fold], models: Sequence[ModelSpec], args: argparse.Namespace, progress: Progress
) -> list[FoldResult]:
    from pathfolio.recommender.evaluation.frozen import evaluate_fold

    kinds = tuple(dict.fromkeys(args.kinds.split(",")))
    seeds = range(args.seeds)
    return [
        evaluate_fold(tables, fold, models, kinds=kinds, seeds=seeds, progress=progress, by_history=args.history)
        for fold in windows
    ]


def _rolling(
    tables: Tables,
    windows: Sequence[Fold],
    models: Sequence[ModelSpec],
    seeds: int,
    progress: Progress,
) -> list[RollingResult]:
    from pathfolio.recommender.evaluation.rolling import evaluate_rolling

    return [
        evaluate_rolling(tables, window.train_end, window.test_end, models, seeds=range(seeds), progress=progress)
        for window in windows
    ]
