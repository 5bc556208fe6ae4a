"""What the investors of the sample market buy and sell, month by month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from pathfolio.kg.sample.investors import SampleInvestors
from pathfolio.kg.sample.prices import Prices
from pathfolio.kg.sample.size import Calendar, stream
from pathfolio.kg.sample.stocks import Floats, Ints

_HERD = 0.25
_CIRCLE = 0.7
"""Weights of what everybody holds (standardised log count) and of what the circle holds (log count)."""

_NOVELTY = 1.2
_NOVEL_DAYS = 60
"""Weight of an asset that was listed within as many business days: new issues are talked about."""

_NOISE: Final = 0.7
"""Scale of the Gumbel noise: what no preference explains."""

_FIRST_PORTFOLIO = 14.0
_MOST_AT_START = 20
"""Assets held at the start: as many as 14 months of buying at one's own pace, 20 at most."""

_MOST_PER_MONTH: Final = 5
_SELL = 0.022
_TOP_UP = 0.03
_SELL_ALL = 0.75
"""Chances per month that a position is sold and bought again, and that a sale is of all of it."""

_REGRET: Final = 0.3
"""How much sooner a position goes whose utility is a point lower."""

_TICKET: Final = 0.1
"""What a purchase costs, as a share of the investor's wealth."""

_MONTHS_PER_STATEMENT: Final = 6
_MOMENTUM_DAYS: Final = 126
_BLOCK: Final = 8192

Int32s = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Trades:
    """k purchases and sales.

    Attributes:
        user, asset: (k,) int32.
        day: (k,) int32, positions in the calendar's days.
        units: (k,) int32, above 0 for purchases, below for sales.
    """

    user: Int32s
    asset: Int32s
    day: Int32s
    units: Int32s


@dataclass(frozen=True)
class Statement:
    """What everybody held at the end of a month, sorted by user and asset: (h,) int32 each.

    `month` counts from the start of the history, 0 being the day before the first trade.
    """

    month: int
    user: Int32s
    asset: Int32s
    units: Int32s


@dataclass(frozen=True)
class History:
    """All trades in the order of their months, and the statements of every half year."""

    trades: Trades
    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class Scene:
    """What does not change while people trade.

    Attributes:
        utility: (n, m) float32, the lasting preferences.
        per_usd: (m,) float64, units of each asset's currency for a dollar.
    """

    investors: SampleInvestors
    utility: npt.NDArray[np.float32]
    prices: Prices
    per_usd: Floats
    calendar: Calendar


def simulate(scene: Scene, seed: int) -> History:
    """The history: first portfolios, then in each month sales and top-ups, then purchases of new assets."""
    rng = stream(seed, "trading")
    book = _Book(scene)
    people = scene.investors
    early = np.flatnonzero((people.opened <= scene.calendar.start) & (people.pace > 0))
    # In two halves, so that the second can follow the first.
    for part in (early[::2], early[1::2]):
        book.buy(rng, part, np.minimum(rng.poisson(people.pace[part] * _FIRST_PORTFOLIO), _MOST_AT_START), 0)
    first = book.statement(0)
    book.trades.clear()
    statements = [first]
    for month in range(1, len(scene.calendar.month_ends)):
        book.sell_and_top_up(rng, month)
        active = np.flatnonzero(book.opened <= scene.calendar.month_ends[month])
        wanted = np.minimum(rng.poisson(people.pace[active]), _MOST_PER_MONTH)
        book.buy(rng, active[wanted > 0], wanted[wanted > 0], month)
        if month % _MONTHS_PER_STATEMENT == 0:
            statements.append(book.statement(month))
    columns = [np.concatenate(parts) for parts in zip(*book.trades, strict=True)]
    return History(Trades(*columns), tuple(statements))


class _Book:
    """What is held now: the changing state of the simulation, which no one else sees."""

    def __init__(self, scene: Scene) -> None:
        people = scene.investors
        self.scene = scene
        self.units = np.zeros(scene.utility.shape, np.int32)
        self.ever = np.zeros(scene.utility.shape, np.bool_)
        self.holders = np.zeros((int(people.circle.max()) + 1, scene.utility.shape[1]))
        self.opened = np.searchsorted(scene.calendar.days, people.opened)
        self.trades: list[tuple[Int32s, Int32s, Int32s, Int32s]] = []

    def buy(self, rng: np.random.Generator, users: npt.NDArray[np.intp], counts: Ints, month: int) -> None:
        """Each of `users` buys as many new assets as `counts` says."""
        ends = self.scene.calendar.month_ends
        mood = self._mood(ends[max(month - 1, 0)])
        for start in range(0, len(users), _BLOCK):
            block = slice(start, start + _BLOCK)
            user, asset = self._choose(rng, users[block], counts[block], mood, int(ends[month]))
            self._enter(rng, user, asset, month)

    def _mood(self, day: int) -> tuple[Floats, Floats]:
        """(m,) float64 each: standardised log number of holders, and standardised returns of the last half year."""
        fame = np.log1p(self.holders.sum(axis=0))
        recent = self.scene.prices.close[day] / self.scene.prices.close[day - _MOMENTUM_DAYS]
        return (fame - fame.mean()) / (fame.std() or 1.0), (recent - recent.mean()) / recent.std()

    def _choose(
        self,
        rng: np.random.Generator,
        users: npt.NDArray[np.intp],
        counts: Ints,
        mood: tuple[Floats, Floats],
        last_day: int,
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Draws without replacement with chances ~ exp(V): the largest V + Gumbel noise."""
        people = self.scene.investors
        herd, momentum = mood
        v = self.scene.utility[users] + (_HERD * herd).astype(np.float32)
        v += (_CIRCLE * np.log1p(self.holders[people.circle[users]])).astype(np.float32)
        v += (people.chases[users, None] * momentum).astype(np.float32)
        first = self.scene.prices.first
        v += (_NOVELTY * (first > last_day - _NOVEL_DAYS)).astype(np.float32)
        v -= np.float32(_NOISE) * np.log(np.maximum(rng.standard_exponential(v.shape, np.float32), 1e-30))
        there = first <= last_day - 1
        v[self.ever[users] | ~there] = -np.inf
        most = min(int(counts.max(initial=0)), int(there.sum()))
        best = np.argpartition(-v, range(most), axis=1)[:, :most]
        row, rank = np.nonzero(np.arange(most) < counts[:, None])
        kept = np.isfinite(v[row, best[row, rank]])
        return users[row[kept]], best[row, rank][kept]

    def _enter(
        self, rng: np.random.Generator, user: npt.NDArray[np.intp], asset: npt.NDArray[np.intp], month: int
    ) -> None:
        ends = self.scene.calendar.month_ends
        prices = self.scene.prices
        earliest = np.maximum(prices.first[asset], self.opened[user])
        day = self._days(rng, earliest, month) if month else np.full(len(user), ends[0])
        self._book(user, asset, day, self._affordable(rng, user, asset, day))

    def _days(self, rng: np.random.Generator, earliest: Ints, month: int) -> Ints:
        ends = self.scene.calendar.month_ends
        low = np.maximum(earliest, ends[month - 1] + 1)
        days: Ints = low + (rng.random(len(low)) * (ends[month] - low + 1)).astype(np.int64)
        return days

    def _affordable(
        self,
        rng: np.random.Generator,
        user: npt.NDArray[np.intp],
        asset: npt.NDArray[np.intp],
        day: Ints,
    ) -> Ints:
        dollars = self.scene.investors.wealth[user] * _TICKET * np.exp(rng.normal(0, 0.5, len(user)))
        units = dollars * self.scene.per_usd[asset] / self.scene.prices.close[day, asset]
        return np.maximum(np.rint(units), 1).astype(np.int64)

    def sell_and_top_up(self, rng: np.random.Generator, month: int) -> None:
        """Positions are closed, cut by half or added to by chance; what fits least goes first."""
        user, asset = np.nonzero(self.units)
        day = self._days(rng, np.zeros(len(user), np.int64), month)
        worth = self.scene.utility[user, asset]
        chance = rng.random(len(user))
        share = rng.random(len(user))
        sells = chance < _SELL * np.exp(
            np.minimum(-_REGRET * (worth - np.float32(worth.mean() if len(worth) else 0)), 2)
        )
        adds = ~sells & (chance > 1 - _TOP_UP)
        held = self.units[user, asset].astype(np.int64)
        sold = np.where(share < _SELL_ALL, held, (held + 1) // 2)
        self._book(user[sells], asset[sells], day[sells], -sold[sells])
        more = self._affordable(rng, user[adds], asset[adds], day[adds])
        self._book(user[adds], asset[adds], day[adds], more)

    def _book(
        self,
        user: npt.NDArray[np.intp],
        asset: npt.NDArray[np.intp],
        day: Ints,
        units: Ints,
    ) -> None:
        before = self.units[user, asset]
        after = (before + units).astype(np.int32)
        self.units[user, asset] = after
        self.ever[user, asset] = True
        change = (after > 0).astype(np.float64) - (before > 0)
        np.add.at(self.holders, (self.scene.investors.circle[user], asset), change)
        self.trades.append(
            (user.astype(np.int32), asset.astype(np.int32), day.astype(np.int32), units.astype(np.int32))
        )

    def statement(self, month: int) -> Statement:
        """What everybody holds now."""
        user, asset = np.nonzero(self.units)
        return Statement(month, user.astype(np.int32), asset.astype(np.int32), self.units[user, asset])
