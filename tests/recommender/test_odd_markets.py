"""Whole markets that are odd in one way: new issues that nobody wants, none at all, one that buys what rose, and one
whose buyers are all new. Lists for a week and for half a year hold beside the simple baselines on each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd
import pytest

from pathfolio.kg.tables import Tables
from pathfolio.recommender.evaluation.robust import FEWEST, FLOOR, evaluate_robust
from pathfolio.recommender.evaluation.split import Fold
from pathfolio.recommender.suitability.rulefile import load_rules
from tests.recommender.eval_world import assets, make_tables, positions, trades

CUT: Final = date(2020, 12, 31)
FOLD: Final = Fold(CUT, date(2021, 6, 30))
INVESTORS: Final = 480
OLD: Final = tuple(f"{taste}{number:02d}" for taste in "AB" for number in range(12))


def _day(rng: np.random.Generator, first: date, days: int) -> date:
    return first + timedelta(days=int(rng.integers(1, days)))


def _likers(rng: np.random.Generator, chance: dict[str, float] | None = None) -> tuple[list[str], list[str]]:
    """Statement pairs and trades of investors with one of two tastes, who buy two assets a half year, of three.

    Args:
        chance: how likely an asset of their taste is bought, beside others; all alike by default.
    """
    held, bought = [], []
    for number in range(INVESTORS):
        user = f"u{number:03d}"
        own = [name for name in OLD if name[0] == "AB"[number % 2]]
        weight = np.array([(chance or {}).get(name, 1.0) for name in own])
        order = rng.choice(own, 9, replace=False, p=weight / weight.sum())
        held += [f"{user}:{asset}" for asset in order[6:]]
        for half, first in enumerate((date(2020, 1, 1), date(2020, 7, 1), CUT)):
            bought += [f"{_day(rng, first, 175)} {user} buy {a}" for a in order[2 * half : 2 * half + 2]]
    return held, bought


def _market(listed: list[str], held: list[str], bought: list[str], **more: list[dict[str, object]]) -> Tables:
    names = sorted({text.split()[1] for text in bought} | {pair.split(":")[0] for pair in held})
    users = [{"user_id": name, "as_of": "2019-06-01"} for name in names]
    old = [f"{name} stock Sector{name[0]} 2015-01-01" for name in OLD]
    stated, known = positions("2019-12-31", *held), assets(*old, *listed)
    return make_tables(users=users, assets=known, positions=stated, transactions=trades(*bought), **more)


def no_issues() -> Tables:
    """Everything was listed long ago."""
    return _market([], *_likers(np.random.default_rng(0)))


def flops() -> Tables:
    """A share is listed each month, the last two days before the cut; hardly anybody buys one."""
    rng = np.random.default_rng(1)
    held, bought = _likers(rng)
    days = [date(2020, month, 28) for month in range(1, 12)] + [CUT - timedelta(days=2)]
    listed = [f"N{number:02d} stock SectorA {day}" for number, day in enumerate(days)]
    bought += [f"{day + timedelta(days=3)} u00{number} buy N{number:02d}" for number, day in enumerate(days[:8])]
    return _market(listed, held, bought)


def risers() -> Tables:
    """What rose is bought three times as much; closes tell what rose."""
    rng = np.random.default_rng(2)
    rises = dict(zip(OLD, rng.normal(0.0, 0.4, len(OLD)), strict=True))
    held, bought = _likers(rng, {name: float(np.exp(2.5 * rise)) for name, rise in rises.items()})
    days = pd.date_range("2018-12-31", CUT, freq="7D")
    closes = [
        {"asset_id": name, "date": day, "close": 100 * float(np.exp(rise * number / 52))}
        for name, rise in rises.items()
        for number, day in enumerate(days)
    ]
    return _market([], held, bought, prices=closes)


def newcomers_alone() -> Tables:
    """Who had anything by the cut buys no more; newcomers begin with what those before did."""
    rng = np.random.default_rng(3)
    held, bought = _likers(rng)
    bought = [text for text in bought if text < "2020-07-01"]
    first = OLD[10:12] + OLD[22:24]
    for number in range(240):
        user, start = f"n{number:03d}", date(2020, 7, 1) if number < 120 else CUT
        bought.append(f"{_day(rng, start, 175)} {user} buy {first[number % len(first)]}")
    return _market([], held, bought)


@pytest.mark.parametrize(
    ("market", "group"),
    [(no_issues, "known"), (flops, "known"), (risers, "known"), (newcomers_alone, "new")],
)
def test_lists_hold_on_odd_markets(market: Callable[[], Tables], group: str) -> None:
    cells = evaluate_robust(market(), [FOLD], load_rules("eu"), kinds=("all",), horizons=(7, 182))
    judged = [cell for cell in cells if cell.n >= FEWEST and not cell.rules]
    assert {(cell.group, cell.days) for cell in judged} == {(group, 7), (group, 182)}
    assert {cell.days: cell.share for cell in judged if cell.share < FLOOR} == {}, [cell.best for cell in judged]
