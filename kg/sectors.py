"""Which sector each industry belongs to, from which day on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import pandas as pd

from pathfolio.kg.schema import UNDATED


def industry_sectors(assets: pd.DataFrame, dates: pd.Series[Any]) -> pd.DataFrame:
    """The sector of each industry from each day on: the one that most of its assets are in, by what is known then.

    Sources mix vocabularies, so that an industry may have a few assets in another sector. An asset counts once, by
    the newest that is known of it; of two sectors with as many assets the last in the alphabet stands. An industry
    that has lost all of its assets keeps the sector that it had.

    Args:
        assets: the table of that name.
        dates: the day of each row; null is before all others.

    Returns:
        industry, sector and day: a row where the sector changes, and where more is told of an asset that is in it.
    """
    rows = assets[["asset_id", "industry", "sector"]].assign(day=dates.fillna(pd.Timestamp(UNDATED)))
    rows = rows.sort_values("day", kind="stable")
    rows[["industry", "sector"]] = rows.groupby("asset_id")[["industry", "sector"]].ffill()
    rows = rows.dropna()
    counts = _Counts()
    told = zip(rows["day"], rows["asset_id"], rows["industry"], rows["sector"], strict=True)
    found = [
        (industry, sector, day)
        for day, of_day in groupby(told, key=itemgetter(0))
        for industry, sector in counts.add(places for _, *places in of_day)
    ]
    return pd.DataFrame(found, columns=["industry", "sector", "day"]).astype({"day": "datetime64[s]"})


class _Counts:
    """How many assets each industry has in each sector, day after day."""

    def __init__(self) -> None:
        self._place: dict[str, tuple[str, str]] = {}
        self._assets: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._leader: dict[str, str] = {}

    def add(self, rows: Iterable[Sequence[str]]) -> Iterator[tuple[str, str]]:
        """Take in what is told on a day, each an asset, its industry and its sector; the industries whose sector
        changes or is told again, with it."""
        told = set()
        touched = set()
        for asset, industry, sector in rows:
            if asset in self._place:
                before = self._place[asset]
                self._assets[before[0]][before[1]] -= 1
                touched.add(before[0])
            self._assets[industry][sector] += 1
            self._place[asset] = (industry, sector)
            told.add((industry, sector))
        for industry in sorted(touched | {industry for industry, _ in told}):
            assets: Counter[str] = +self._assets[industry]
            leader = max(assets, key=lambda name: (assets[name], name), default=None)
            if leader and (leader != self._leader.get(industry) or (industry, leader) in told):
                self._leader[industry] = leader
                yield industry, leader
