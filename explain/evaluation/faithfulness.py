"""How faithful explanations are: what happens to the score when what they name is really taken away.

Every explainer puts the investor's own positions and answers ("units") in an order. Removing them in that order must
make the score fall fast (deletion), giving them back must make it rise fast (insertion: Petsiuk et al., "RISE",
BMVC 2018). Each step scores the changed investor again. A random order is the floor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from pathfolio.explain.what_if import InvestorChange, WhatIf
from pathfolio.kg.graph import FloatArray, IntArray
from pathfolio.kg.schema import PROFILE_KINDS, profile_relation
from pathfolio.kg.span import Position
from pathfolio.recommender.account import ScoreAccount
from pathfolio.recommender.model import ExplainedModel

OURS: Final = "paths"
RANDOM: Final = "random"
SHARES: Final = np.linspace(0.0, 1.0, 21)
"""The shares of units at which curves are drawn."""

MOST_UNITS: Final = 64
"""Investors with more positions and answers than this are left out of the curves; their number is reported."""


@dataclass(frozen=True)
class FaithfulnessOptions:
    """What is measured.

    Attributes:
        draws: random orders, paths and units per item; their mean is the floor.
        seed: of the draws.
        top: how many units the larger deletion and the sufficiency take.
        sparsity: the share of all |contributions| that the counted paths carry.
    """

    draws: int = 5
    seed: int = 0
    top: int = 3
    sparsity: float = 0.8


@dataclass(frozen=True)
class Faithfulness:
    """The measurements.

    Attributes:
        table: one row per explainer and metric: explainer, metric, value, items, better ("higher" or "lower").
        curves: one row per explainer, curve ("deletion" or "insertion") and share of units: share, score, which is
            1 for the whole investor and 0 for one without any unit.
    """

    table: pd.DataFrame
    curves: pd.DataFrame

    def value(self, explainer: str, metric: str) -> float:
        """One number of the table."""
        rows = self.table[(self.table["explainer"] == explainer) & (self.table["metric"] == metric)]
        return float(rows["value"].iloc[0])


@dataclass(frozen=True)
class _Item:
    """What one recommendation yields: numbers by (explainer, metric), curves by (explainer, curve)."""

    values: dict[tuple[str, str], float]
    curves: dict[tuple[str, str], FloatArray]


def measure(
    model: ExplainedModel,
    asked: WhatIf,
    pairs: Sequence[tuple[Position, Position]],
    options: FaithfulnessOptions | None = None,
) -> Faithfulness:
    """Measure the faithfulness of the model's own accounts beside a random explainer.

    Args:
        asked: the same model, for what-if questions.
        pairs: positions of investors and of assets that were recommended to them.
    """
    options = options or FaithfulnessOptions()
    rng = np.random.default_rng(options.seed)
    items = [_measure_item(model.account(user, asset), asked, user, asset, options, rng) for user, asset in pairs]
    return Faithfulness(_table(items), _curves(items))


def units_of(asked: WhatIf, user: Position, asset: Position) -> list[InvestorChange]:
    """The investor's positions other than in `asset`, and answers, each as the change that takes it away."""
    positions = [InvestorChange(frozenset({p})) for p in asked.positions(user).tolist() if p != asset]
    return positions + [InvestorChange(answers=((relation, None),)) for relation in asked.answers(user)]


def importance_of(account: ScoreAccount, units: Sequence[InvestorChange], asked: WhatIf) -> FloatArray:
    """(units,) the sum of the contributions of all walks that begin with each unit."""
    graph = asked.graph
    total: dict[object, float] = {}
    for channel in account.channels:
        for walk in channel.walks:
            kind = graph.kind_of(walk.nodes[1])
            key: object = profile_relation(kind) if kind in PROFILE_KINDS else graph.asset_span.position(walk.nodes[1])
            total[key] = total.get(key, 0.0) + walk.contribution
    keys = [next(iter(unit.without)) if unit.without else unit.answers[0][0] for unit in units]
    return np.array([total.get(key, 0.0) for key in keys])


# -- one recommendation --------------------------------------------------------------------------------------


def _measure_item(
    account: ScoreAccount,
    asked: WhatIf,
    user: Position,
    asset: Position,
    options: FaithfulnessOptions,
    rng: np.random.Generator,
) -> _Item:
    values = _on_paths(account, options, rng)
    units = units_of(asked, user, asset)
    if not 1 <= len(units) <= MOST_UNITS:
        return _Item(values, {})
    curves: dict[tuple[str, str], FloatArray] = {}
    parts = importance_of(account, units, asked)
    ours = np.argsort(-parts, kind="stable")
    orders = [ours, *(rng.permutation(len(units)) for _ in range(options.draws))]
    scores = _scores(asked, user, asset, units, orders)
    whole, none = scores[0, 0, 0], scores[0, 0, -1]
    if whole - none > 1e-12:
        names = [OURS] + [RANDOM] * options.draws
        for name in (OURS, RANDOM):
            part = (scores[[i for i, n in enumerate(names) if n == name]] - none) / (whole - none)
            curves |= {(name, curve): _at_shares(part[:, row].mean(axis=0)) for row, curve in enumerate(_CURVES)}
            kept = part[:, 1, min(options.top, len(units))].mean()
            values[name, f"sufficiency of {options.top}"] = float(kept)
    values[OURS, "investor has a part"] = float(np.ptp(scores[:, 0]) > 1e-12)
    held = {at for at, unit in enumerate(units) if unit.without}
    beaten = _beaten(scores[:, 0], orders, held, options) if parts.max() > 0 else {}
    return _Item(values | beaten, curves)


_CURVES: Final = ("deletion", "insertion")


def _scores(
    asked: WhatIf, user: Position, asset: Position, units: Sequence[InvestorChange], orders: Sequence[IntArray]
) -> FloatArray:
    """(orders, 2, units + 1): the score after deleting, and with only, the first 0, 1, … units of each order."""
    changes = []
    for order in orders:
        chosen = [units[i] for i in order]
        changes += [_together(chosen[:count]) for count in range(len(units) + 1)]
        changes += [_together(chosen[count:]) for count in range(len(units) + 1)]
    scores = asked.what_if(user, changes)[:, asset]
    return scores.reshape(len(orders), 2, len(units) + 1)


def _together(units: Sequence[InvestorChange]) -> InvestorChange:
    without: frozenset[Position] = frozenset().union(*(unit.without for unit in units))
    return InvestorChange(without, tuple(answer for unit in units for answer in unit.answers))


def _at_shares(curve: FloatArray) -> FloatArray:
    return np.interp(SHARES, np.linspace(0.0, 1.0, len(curve)), curve)


def _beaten(
    deletion: FloatArray, orders: Sequence[IntArray], held: set[int], options: FaithfulnessOptions
) -> dict[tuple[str, str], float]:
    """What deleting the first 1 and the first few units costs, and how often that is more than random ones cost.

    Only draws that take other units than ours are compared, and only scores that a path speaks for: a new issue may
    be listed for the demand for it alone. Nor is a deletion that leaves an investor without any position, to whom what
    beginners buy is shown instead.

    Args:
        held: the units that are positions.
    """
    out: dict[tuple[str, str], float] = {}
    for count in (1, options.top):
        if len(orders[0]) <= count:
            continue
        drops = deletion[:, 0] - deletion[:, count]
        taken = [set(order[:count].tolist()) for order in orders]
        fair = [not held or not held <= some for some in taken]
        other = [i for i in range(1, len(orders)) if fair[i] and taken[i] != taken[0]]
        if other and fair[0]:
            out[OURS, f"drop of {count}"] = float(drops[0])
            out[RANDOM, f"drop of {count}"] = float(drops[other].mean())
            out[OURS, f"top {count} beats random"] = float(np.mean(drops[0] > drops[other]))
    return out


def _on_paths(
    account: ScoreAccount, options: FaithfulnessOptions, rng: np.random.Generator
) -> dict[tuple[str, str], float]:
    """What the account itself says: shares, sparsity, and the largest path beside a random one."""
    parts = np.array([walk.contribution for channel in account.channels for walk in channel.walks])
    out = {(OURS, "has a path"): float(len(parts) > 0), (OURS, "share on paths"): account.share_on_walks}
    out[OURS, "gap"] = account.gap
    if not len(parts):
        return out
    falling = np.sort(np.abs(parts))[::-1]
    needed = 1 + int(np.searchsorted(np.cumsum(falling), options.sparsity * falling.sum() * (1 - 1e-12)))
    out[OURS, f"paths for {options.sparsity:.0%}"] = float(needed)
    out[OURS, "sparsity"] = 1 - needed / len(parts)
    if len(parts) > 1:
        largest = int(parts.argmax())
        others = rng.choice(np.delete(parts, largest), options.draws)
        out[OURS, "largest path beats a random path"] = float(np.mean(parts[largest] > others))
    return out


# -- all recommendations -------------------------------------------------------------------------------------

_LOWER_IS_BETTER: Final = frozenset({"deletion area", "gap"})


def _table(items: Sequence[_Item]) -> pd.DataFrame:
    values: dict[tuple[str, str], list[float]] = {}
    for item in items:
        areas = {(name, f"{curve} area"): float(np.trapezoid(y, SHARES)) for (name, curve), y in item.curves.items()}
        for key, value in (item.values | areas).items():
            values.setdefault(key, []).append(value)
    rows = [
        (explainer, metric, max(given) if metric == "gap" else float(np.mean(given)), len(given))
        for (explainer, metric), given in sorted(values.items())
    ]
    table = pd.DataFrame(rows, columns=["explainer", "metric", "value", "items"])
    table["better"] = np.where(table["metric"].isin(_LOWER_IS_BETTER), "lower", "higher")
    return table


def _curves(items: Sequence[_Item]) -> pd.DataFrame:
    curves: dict[tuple[str, str], list[FloatArray]] = {}
    for item in items:
        for key, curve in item.curves.items():
            curves.setdefault(key, []).append(curve)
    parts = [
        pd.DataFrame({"explainer": name, "curve": curve, "share": SHARES, "score": np.mean(given, axis=0)})
        for (name, curve), given in sorted(curves.items())
    ]
    return pd.concat(parts) if parts else pd.DataFrame(columns=["explainer", "curve", "share", "score"])


def stability(accounts: Sequence[Sequence[ScoreAccount]], top: int = 3) -> float:
    """Mean Jaccard overlap of the `top` largest paths of the same recommendation between any two seeds.

    Args:
        accounts: for each seed the accounts of the same pairs, in the same order.
    """
    overlaps = []
    for of_pair in zip(*accounts, strict=True):
        chosen = [_top_paths(account, top) for account in of_pair]
        overlaps += [
            len(one & two) / len(one | two) if one | two else 1.0
            for i, one in enumerate(chosen)
            for two in chosen[i + 1 :]
        ]
    return float(np.mean(overlaps)) if overlaps else float("nan")


def _top_paths(account: ScoreAccount, top: int) -> frozenset[tuple[object, ...]]:
    """Nodes and relations of the largest paths; what several channels add over the same ones counts together."""
    total: dict[tuple[tuple[int, ...], tuple[str, ...]], float] = {}
    for walk in (walk for channel in account.channels for walk in channel.walks):
        key = (walk.nodes, walk.relations)
        total[key] = total.get(key, 0.0) + walk.contribution
    return frozenset(key for _, key in sorted((-value, key) for key, value in total.items())[:top])
