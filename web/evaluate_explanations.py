"""`pathfolio evaluate DATA --explanations`: what the explanations of the served score are worth."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.progress import Progress
from pathfolio.kg.spreadsheet import safe_table

if TYPE_CHECKING:
    from pathfolio.explain.evaluation.faithfulness import Faithfulness
    from pathfolio.recommender.scorer import Scorer


def run(args: argparse.Namespace) -> None:
    """Measure on a build as it is, or on the snapshot at a fold's cut; print the table, write files and curves.

    With `--seeds N`, scorers trained with N - 1 other seeds on the same snapshot tell how stable paths are.

    Raises:
        UsageError: neither a build nor one fold is given, or an unknown file ending.
        DataError: the folder is refused.
    """
    from pathfolio.explain.evaluation.measures import evaluate_explanations, plot_curves, table_as_text

    writers = [(path, _writer_for(path)) for path in args.out]
    progress = Progress()
    scorer, train = _from_build(args.data) if (args.data / "manifest.json").is_file() else _at_cut(args, progress)
    others = []
    for seed in range(1, args.seeds):
        with progress.stage(f"the same score with seed {seed}"):
            others.append(train(seed))
    found = evaluate_explanations(scorer, progress=progress, other_seeds=others)
    sys.stdout.write(table_as_text(found) + "\n")
    for path, write in writers:
        path.write_text(write(found), encoding="utf-8")
    if args.plots:
        args.plots.mkdir(parents=True, exist_ok=True)
        plot_curves(found, args.plots / "explanations.png")


def _from_build(folder: Path) -> tuple[Scorer, Callable[[int], Scorer]]:
    from pathfolio.recommender.build import load_build
    from pathfolio.recommender.scorer import assemble_scorer
    from pathfolio.recommender.training import TrainingOptions, train_parts

    build = load_build(folder)
    scorer = build.scorer
    model = scorer.learned.vectors.manifest.model
    first = scorer.learned.vectors.manifest.seed

    def train(seed: int) -> Scorer:
        options = TrainingOptions(first + seed, model, build.has_towers)
        learned = replace(train_parts(build.graph, options, Progress(None), build.prices), own=scorer.learned.own)
        return assemble_scorer(build.graph, learned, scorer.options, scorer.co_investment_weights)

    return scorer, train


def _at_cut(args: argparse.Namespace, progress: Progress) -> tuple[Scorer, Callable[[int], Scorer]]:
    from pathfolio.recommender.training import fit_scorer

    graph = _snapshot(args, progress)
    with progress.stage("train the score"):
        return fit_scorer(graph, 0), lambda seed: fit_scorer(graph, seed)


def _snapshot(args: argparse.Namespace, progress: Progress) -> KnowledgeGraph:
    from pathfolio.kg.assemble import assemble_graph
    from pathfolio.kg.contract import read_folder
    from pathfolio.recommender.evaluation.split import Fold

    if not args.fold or len(args.fold) > 1:
        raise UsageError(f"--explanations: {args.data} is no build: name one day with --fold DAY:END")
    fold = Fold.parse(args.fold[0])
    with progress.stage(f"read {args.data}"):
        return assemble_graph(read_folder(args.data), fold.train_end)


def _to_json(found: Faithfulness) -> str:
    tables: Mapping[str, object] = {
        "rows": json.loads(found.table.to_json(orient="records")),
        "curves": json.loads(found.curves.to_json(orient="records")),
    }
    return json.dumps(tables, indent=1, ensure_ascii=False) + "\n"


def _writer_for(path: Path) -> Callable[[Faithfulness], str]:
    from pathfolio.explain.evaluation.measures import table_as_text

    writers: dict[str, Callable[[Faithfulness], str]] = {
        ".json": _to_json,
        ".csv": lambda found: str(safe_table(found.table).to_csv(index=False)),
        ".txt": lambda found: table_as_text(found) + "\n",
    }
    if path.suffix not in writers:
        raise UsageError(f"{path}: cannot tell the format: end the name in {', '.join(writers)}")
    return writers[path.suffix]
