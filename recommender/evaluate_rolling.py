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

from kg.graph import FloatArray, Mask
from kg.progress import Progress
from kg.tables import Tables
from recommender.baselines.align import asset_ids
from recommender.metrics import hits_of, user_metrics
from recommender.model import Model, for_days
from recommender.ranking import LIST_LENGTH, id_order, top_lists
from recommender.registry import ModelSpec
from recommender.rolling import Morning, RollingData, prepare_rolling
from recommender.split import Fold

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
        values: model name to metric name to (events,) float64.
        lists: model name to (events, 10) asset ids, empty where a list is shorter.
        seconds: model name to seconds of fitting and of refreshing and scoring.
    """

    window: Fold
    data: str
    events: pd.DataFrame
    values: dict[str, dict[str, FloatArray]]
    lists: dict[str, npt.NDArray[np.object_]]
    seconds: dict[str, tuple[float, float]]

    def group(self, name: str) -> Mask:
        """(events,) bool: the events of one of `ROLLING_GROUPS`."""
        first, new = self.events["first"].to_numpy(bool), self.events["new_issue"].to_numpy(bool)
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
    seed: int = 0,
    progress: Progress | None = None,
) -> RollingResult:
    """Fit every model at `cut`, refresh it every morning, and score its lists on each day until `end`.

    Args:
        data: tables, or a window made ready by `prepare_rolling` (to evaluate it more than once).

    Raises:
        DataError: nothing to learn from or nothing to score on.
    """
    progress = progress or Progress(out=None)
    ready = data if isinstance(data, RollingData) else prepare_rolling(data, Fold(cut, end))
    runs = []
    for spec in models:
        with progress.stage(f"fit {spec.name}"):
            start = time.perf_counter()
            model = for_days(spec.fit(ready.graph, seed), 1)
            runs.append(_Run(model, len(ready.events), time.perf_counter() - start))
    with progress.stage(f"rolling {ready.window.name}") as details:
        for one in ready.mornings():
            progress.update(f"rolling {one.day}")
            for run in runs:
                run.take(one)
        details.append(f"{len(ready.events)} events")
    return RollingResult(
        window=ready.window,
        data=ready.graph.name,
        events=ready.events,
        values={spec.name: run.values() for spec, run in zip(models, runs, strict=True)},
        lists={spec.name: run.lists for spec, run in zip(models, runs, strict=True)},
        seconds={spec.name: (run.fitting, run.scoring) for spec, run in zip(models, runs, strict=True)},
    )


class _Run:
    """One model on its way through the days."""

    def __init__(self, model: Model, events: int, fitting: float) -> None:
        self.model = model
        self.hits = np.zeros((events, LIST_LENGTH), bool)
        self.bought = np.ones(events, np.int64)
        self.lists: npt.NDArray[np.object_] = np.full((events, LIST_LENGTH), "", dtype=object)
        self.fitting, self.scoring = fitting, 0.0

    def take(self, one: Morning) -> None:
        """Answer one morning's question."""
        start = time.perf_counter()
        self.model = self.model.refresh(one.graph)
        lists = top_lists(self.model.scores(one.users), ~one.ever, id_order(one.graph))
        self.scoring += time.perf_counter() - start
        self.hits[one.events], self.bought[one.events] = hits_of(lists, one.relevant), one.bought
        names = np.append(asset_ids(one.graph), "")
        self.lists[one.events] = names[lists]

    def values(self) -> dict[str, FloatArray]:
        """Metric name to (events,) float64."""
        return user_metrics(self.hits, self.bought)
