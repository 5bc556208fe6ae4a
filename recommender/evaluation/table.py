"""Results as one long table: a row per window, kind, group, model and metric, with intervals and paired differences."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from pathfolio.kg.graph import FloatArray, Mask
from pathfolio.recommender.evaluation.bootstrap import Bootstrap, Estimate
from pathfolio.recommender.evaluation.frozen import Cell, FoldResult
from pathfolio.recommender.evaluation.registry import MODELS
from pathfolio.recommender.evaluation.rolling import ROLLING_GROUPS, RollingResult

_NAN: Final = float("nan")
DECIDING: Final = "ndcg@10"
"""The metric by which the best baseline is chosen."""
BASELINES: Final = frozenset(spec.name for spec in MODELS.values() if spec.baseline)


@dataclass(frozen=True)
class Row:
    """One number of the table.

    Attributes:
        window: the two dates, as on the command line.
        mode: "frozen" or "rolling".
        kind, group, model, metric: what was measured.
        horizon: calendar days after the cut for what lists would have earned, 0 for all else.
        n: how many investors (frozen) or events (rolling) the mean runs over.
        mean: the value; for frozen folds the mean over seeds.
        low, high, error: 95 % bootstrap interval over investors, and the bootstrap standard error; NaN for what is
            measured over all lists together.
        seeds: how many seeds; spread: standard deviation of the value over them.
        reference: what others are compared with: the best baseline of this window, kind and group by nDCG@10, or
            the model that was asked for; empty in its own rows.
        difference, difference_low, difference_high: paired difference to the reference.
    """

    window: str
    mode: str
    kind: str
    group: str
    model: str
    metric: str
    horizon: int
    n: int
    mean: float
    low: float
    high: float
    error: float
    seeds: int = 1
    spread: float = 0.0
    reference: str = ""
    difference: float = float("nan")
    difference_low: float = float("nan")
    difference_high: float = float("nan")


@dataclass(frozen=True)
class _Measured:
    """One model in one group: values per investor or event, with what is needed to draw them again."""

    model: str
    values: dict[tuple[str, int], FloatArray]
    by_seed: dict[str, list[float]] = field(default_factory=dict)
    overall: dict[str, float] = field(default_factory=dict)


def metric_table(
    results: Iterable[FoldResult | RollingResult],
    *,
    seed: int = 0,
    reference: str = "",
    baselines: Collection[str] = BASELINES,
) -> pd.DataFrame:
    """All rows of all results; columns are the fields of `Row`.

    Args:
        reference: the model to compare with; the best baseline where it is empty.
        seed: of the bootstrap's draws.
        baselines: the models of which the best is chosen.
    """
    rows: list[Row] = []
    for result in results:
        of = _fold_groups(result) if isinstance(result, FoldResult) else _rolling_groups(result)
        for key, users, measured in of:
            chosen = next((one for one in measured if one.model == reference), None)
            rows += _group_rows(key, users, measured, seed, chosen or _best_baseline(measured, baselines))
    return pd.DataFrame([asdict(row) for row in rows], columns=list(Row.__dataclass_fields__))


_Group = tuple[tuple[str, str, str, str], npt.NDArray[np.object_], list[_Measured]]
"""Window, mode, kind and group; the investor of each value; what was measured."""


def _fold_groups(result: FoldResult) -> Iterator[_Group]:
    for key in dict.fromkeys((cell.kind, cell.group) for cell in result.cells):
        cells = [cell for cell in result.cells if (cell.kind, cell.group) == key]
        measured = [_Measured(c.model, _values(c), c.by_seed, c.overall) for c in cells]
        if len(cells[0].user_ids):
            yield (result.fold.name, "frozen", *key), cells[0].user_ids, measured


def _values(cell: Cell) -> dict[tuple[str, int], FloatArray]:
    """(metric, horizon) to values."""
    values = {(metric, 0): found for metric, found in cell.values.items()}
    for horizon, returns in cell.returns.items():
        values |= {(metric, horizon): found for metric, found in returns.items()}
    return values


def _rolling_groups(result: RollingResult) -> Iterator[_Group]:
    for group in ROLLING_GROUPS:
        mask = result.group(group)
        users = result.events["user_id"].to_numpy(object)[mask]
        if len(users):
            measured = [_rolled(result, model, mask) for model in result.values]
            yield (result.window.name, "rolling", "all", group), users, measured


def _rolled(result: RollingResult, model: str, mask: Mask) -> _Measured:
    values = {(metric, 0): found[mask] for metric, found in result.values[model].items()}
    seeds = result.by_seed[model]
    return _Measured(model, values, {m: [float(one[m][mask].mean()) for one in seeds] for m, _ in values})


def _group_rows(
    key: tuple[str, str, str, str],
    users: npt.NDArray[np.object_],
    measured: Sequence[_Measured],
    seed: int,
    best: _Measured | None,
) -> Iterator[Row]:
    draws = Bootstrap(users, seed)
    for one in measured:
        for name, values in one.values.items():
            found = _estimate(draws, users, values, seed)
            difference = _paired(draws, users, one, best, name, seed)
            seeds = one.by_seed.get(name[0], [found.mean])
            yield Row(
                *key,
                one.model,
                *name,
                int((~np.isnan(values)).sum()),
                found.mean,
                found.low,
                found.high,
                found.error,
                len(seeds),
                float(np.std(seeds)),
                best.model if best is not None and best is not one else "",
                difference.mean,
                difference.low,
                difference.high,
            )
        for metric, value in one.overall.items():
            yield Row(*key, one.model, metric, 0, len(users), value, _NAN, _NAN, _NAN)


def _best_baseline(measured: Sequence[_Measured], baselines: Collection[str]) -> _Measured | None:
    found = [one for one in measured if one.model in baselines]
    return max(found, key=lambda one: float(one.values[DECIDING, 0].mean()), default=None)


def _paired(
    draws: Bootstrap,
    users: npt.NDArray[np.object_],
    one: _Measured,
    best: _Measured | None,
    name: tuple[str, int],
    seed: int,
) -> Estimate:
    if best is None or best is one or name not in best.values:
        return Estimate(_NAN, _NAN, _NAN, _NAN)
    return _estimate(draws, users, one.values[name] - best.values[name], seed)


def _estimate(draws: Bootstrap, users: npt.NDArray[np.object_], values: FloatArray, seed: int) -> Estimate:
    """Over the investors for whom there is a value (a list without any price has no return)."""
    known = ~np.isnan(values)
    return draws.estimate(values) if known.all() else Bootstrap(users[known], seed).estimate(values[known])
