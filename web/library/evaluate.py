"""Evaluation for a notebook: models, shipped ones and own, on temporal folds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd

from pathfolio.kg.errors import UsageError
from pathfolio.kg.progress import Progress
from pathfolio.kg.tables import Tables
from pathfolio.recommender.evaluation.frozen import evaluate_fold
from pathfolio.recommender.evaluation.registry import MODELS, ModelSpec, choose_models
from pathfolio.recommender.evaluation.split import Fold
from pathfolio.recommender.evaluation.table import metric_table

_SERVED: Final = ("pathfolio",)


def evaluate(
    market: Tables,
    folds: Sequence[Fold],
    models: Sequence[str | ModelSpec] = _SERVED,
    *,
    kinds: Sequence[str] = ("all",),
    seeds: Sequence[int] = (0,),
    quiet: bool = False,
) -> pd.DataFrame:
    """What each model's lists are worth on each fold: a row per window, kind, group, model and metric.

    Each mean has its 95 % bootstrap interval over investors, and its paired difference to the best baseline; an own
    one counts among them unless its `ModelSpec` says that it is none.

    Args:
        folds: fit on what was known on `train_end`, test on new purchases until `test_end`.
        models: names as on the command line, or own models as a `ModelSpec`.
        kinds: of all, stock, fund, bond: lists of any asset, or of one kind alone.
        seeds: models that depend on a seed are fitted once for each.
        quiet: say nothing of the progress, which goes to standard error.

    Raises:
        DataError: nothing to learn from, or nothing to score on.
        UsageError: no fold, no seed, an unknown model or kind, or two models of one name.

    >>> from datetime import date
    >>> from pathfolio import Fold, SampleSize, sample_market
    >>> market = sample_market(SampleSize(investors=40, stocks=40, funds=4, bonds=4, years=1))
    >>> table = evaluate(market, [Fold(date(2026, 3, 31), date(2026, 6, 30))], ["popularity"], quiet=True)
    >>> set(table["model"][table["metric"] == "ndcg@10"]) >= {"popularity"}
    True
    """
    for name, given in (("folds", folds), ("models", models), ("kinds", kinds), ("seeds", seeds)):
        if isinstance(given, str) or not len(given):
            raise UsageError(f"{name} is {given!r}: give a list of one or more")
    specs = _specs(models)
    progress = Progress(out=None) if quiet else Progress()
    results = [evaluate_fold(market, fold, specs, kinds=kinds, seeds=seeds, progress=progress) for fold in folds]
    return metric_table(results, baselines={spec.name for spec in specs if spec.baseline})


def _specs(models: Sequence[str | ModelSpec]) -> list[ModelSpec]:
    specs: list[ModelSpec] = []
    for model in models:
        if isinstance(model, ModelSpec):
            specs.append(model)
        elif model in MODELS:
            specs += choose_models(model)
        else:
            raise UsageError(f"no model {model!r}: give a ModelSpec, or choose from {', '.join(MODELS)}")
    names = [spec.name for spec in specs]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UsageError(f"two models are called {twice[0]!r}: give each a name of its own")
    return specs
