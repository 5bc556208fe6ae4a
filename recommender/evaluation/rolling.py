"""Rolling evaluation: models fitted once at the cut, given every morning's snapshot, scored on the day's purchases."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.kg.graph import FloatArray, Mask
from pathfolio.kg.progress import Progress
from pathfolio.kg.tables import Tables
from pathfolio.recommender.evaluation.metrics import hits_of, user_metrics
from pathfolio.recommender.evaluation.mornings import Morning, RollingData, prepare_rolling
from pathfolio.recommender.evaluation.registry import ModelSpec
from pathfolio.recommender.evaluation.split import Fold
from pathfolio.recommender.model import Model, for_days
from pathfolio.recommender.ranking import LIST_LENGTH, id_order, top_lists

ROLLING_GROUPS: Final = MappingProxyType(
    {
        "known": "known investors",
        "new issues": "known investors, a new issue among the purchases",
        "others": "known investors, no new issue",
        "first": "first purchases of new investors",
    }
)


@dataclass(frozen=True)
class RollingResult:
    """Every model on one window.

    Attributes:
        window: the cut and the last day.
        data: name of the data set.
        events: date, user_id, first, new_issue, bought; one row per event.
        values: model name to metric name to (events,) float64, the mean over seeds.
        by_seed: model name to the same for each seed.
        lists: model name to (events, 10) asset ids of the first seed's lists, empty where a list is shorter.
        seconds: model name to seconds of fitting and of refreshing and scoring.
    """

    window: Fold
    data: str
    events: pd.DataFrame
    values: dict[str, dict[str, FloatArray]]
    by_seed: dict[str, list[dict[str, FloatArray]]]
    lists: dict[str, npt.NDArray[np.object_]]
    seconds: dict[str, tuple[float, float]]

    def group(self, name: str) -> Mask:
        """(events,) bool: the events of one of `ROLLING_GROUPS`."""
        first = self.events["first"].to_numpy(bool)
        new = self.events["new_issue"].to_numpy(bool)
        masks: dict[str, Mask] = {"known": ~first, "new issues": ~first & new, "others": ~first & ~new, "first": first}
        return masks[name]

    def mean(self, model: str, group: str = "known", metric: str = "ndcg@10") -> float:
        """Mean of a metric over the events of a group; NaN where it has none."""
        values = self.values[model][metric][self.group(group)]
        return float(values.mean()) if len(values) else float("nan")

    def dump(self, model: str) -> pd.DataFrame:
        """date (ISO text), user_id, rank, asset_id: the list of every event, for others to score."""
        lists = self.lists[model]
        event, place = np.nonzero(lists != "")
        return pd.DataFrame(
            {
                "date": self.events["date"].dt.strftime("%Y-%m-%d").to_numpy()[event],
                "user_id": self.events["user_id"].to_numpy(object)[event],
                "rank": place + 1,
                "asset_id": lists[event, place],
            }
        )


def evaluate_rolling(
    data: Tables | RollingData,
    cut: date,
    end: date,
    models: Sequence[ModelSpec],
    *,
    seeds: Sequence[int] = (0,),
    progress: Progress | None = None,
) -> RollingResult:
    """Fit every model at `cut`, refresh it every morning, and score its lists on each day until `end`.

    Args:
        data: tables, or a window made ready by `prepare_rolling` (to evaluate it more than once).
        seeds: models that depend on a seed are fitted once for each.

    Raises:
        DataError: nothing to learn from or nothing to score on.
    """
    progress = progress or Progress(out=None)
    ready = data if isinstance(data, RollingData) else prepare_rolling(data, Fold(cut, end))
    runs: dict[str, list[_Run]] = {}
    for spec in models:
        with progress.stage(f"fit {spec.name}"):
            used = seeds if spec.seeded else seeds[:1]
            runs[spec.name] = [_fitted(spec, ready, seed) for seed in used]
    with progress.stage(f"rolling {ready.window.name}") as details:
        for one in ready.mornings():
            progress.update(f"rolling {one.day}")
            for run in (run for of_model in runs.values() for run in of_model):
                run.take(one)
        details.append(f"{len(ready.events)} events")
    by_seed = {name: [run.values() for run in of_model] for name, of_model in runs.items()}
    return RollingResult(
        window=ready.window,
        data=ready.graph.name,
        events=ready.events,
        values={name: {m: np.mean([v[m] for v in found], axis=0) for m in found[0]} for name, found in by_seed.items()},
        by_seed=by_seed,
        lists={name: of_model[0].lists for name, of_model in runs.items()},
        seconds={
            name: (sum(run.fitting for run in of_model), sum(run.scoring for run in of_model))
            for name, of_model in runs.items()
        },
    )


def _fitted(spec: ModelSpec, data: RollingData, seed: int) -> _Run:
    start = time.perf_counter()
    model = for_days(spec.fit(data.graph, seed), 1)
    return _Run(model, len(data.events), time.perf_counter() - start)


class _Run:
    """One model on its way through the days."""

    def __init__(self, model: Model, events: int, fitting: float) -> None:
        self.model = model
        self.hits = np.zeros((events, LIST_LENGTH), bool)
        self.bought = np.ones(events, np.int64)
        self.lists: npt.NDArray[np.object_] = np.full((events, LIST_LENGTH), "", dtype=object)
        self.fitting = fitting
        self.scoring = 0.0

    def take(self, one: Morning) -> None:
        """Answer one morning's question."""
        start = time.perf_counter()
        self.model = self.model.refresh(one.graph)
        lists = top_lists(self.model.scores(one.users), ~one.ever, id_order(one.graph))
        self.scoring += time.perf_counter() - start
        self.hits[one.events] = hits_of(lists, one.relevant)
        self.bought[one.events] = one.bought
        names = np.append(one.graph.asset_ids, "")
        self.lists[one.events] = names[lists]

    def values(self) -> dict[str, FloatArray]:
        """Metric name to (events,) float64."""
        return user_metrics(self.hits, self.bought)
