"""A sum divided among assets, with the reason of each part in words; what is divided alike is computed once."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Final

import numpy as np

from pathfolio.explain.wording import Wording
from pathfolio.kg.span import Positions
from pathfolio.recommender.portfolio.allocate import AllocatedWeight, Allocation, Method, allocate
from pathfolio.recommender.portfolio.book import PortfolioBook, highest_volatility
from pathfolio.recommender.portfolio.limits import limits_of
from pathfolio.recommender.suitability.investor import InvestorFacts
from pathfolio.web.site.texts import Texts

REMEMBERED: Final = 512


@dataclass(frozen=True)
class Divided:
    """A sum divided among assets.

    Attributes:
        at: positions of the assets that have a part or could have had one.
        left_out: positions of those whose closes do not reach back three years, so that nothing is divided by them.
        allocation: None where no asset has closes.
    """

    at: Positions
    left_out: Positions
    allocation: Allocation | None


class Divider:
    """Divides sums, and remembers how; safe to be used by several threads."""

    def __init__(self, book: PortfolioBook) -> None:
        """Divide nothing yet."""
        self.book = book
        self._made: OrderedDict[tuple[object, ...], Allocation] = OrderedDict()
        self._lock = Lock()

    def divided(self, method: Method, investor: InvestorFacts, assets: Positions) -> Divided:
        """A sum divided among `assets` under the limits that apply to the investor.

        Raises:
            UsageError: skfolio is needed and not installed.
        """
        panel = self.book.panel
        if panel is None or not len(assets):
            return Divided(Positions(assets[:0]), assets, None)
        has = panel.has(assets)
        at, left_out = Positions(assets[has]), Positions(assets[~has])
        if not len(at):
            return Divided(at, left_out, None)
        highest = highest_volatility(self.book.assets, investor)
        exempt = None if investor.segment is None else investor.segment[0]
        key = (method, tuple(at.tolist()), highest, exempt)
        with self._lock:
            found = self._made.get(key)
        if found is None:
            limits = limits_of(self.book.assets, investor, at)
            found = allocate(method, panel.of(at), panel.a_year, limits, highest)
            with self._lock:
                self._made[key] = found
                if len(self._made) > REMEMBERED:
                    self._made.popitem(last=False)
        return Divided(at, left_out, found)

    def warm_up(self) -> None:
        """Load what the first division would have to wait for."""
        panel = self.book.panel
        if panel is None:
            return
        some = Positions(panel.at[:3])
        for method in (Method.MINIMUM_VARIANCE, Method.RISK_PARITY):
            allocate(method, panel.of(some), panel.a_year)
        self.book.compare_some(np.full(len(some), 1 / len(some)), some)


def why_text(found: AllocatedWeight, texts: Texts) -> str:
    """Why an asset has its part."""
    words: Wording = texts.words
    limit = texts.say(f"limit_{found.limit}") if found.limit else ""
    return texts.say(
        f"why_{found.why}",
        volatility=words.percent(found.volatility),
        correlation=words.number(found.correlation, 2),
        risk=words.percent(found.risk_part),
        expected=words.percent(found.expected),
        limit=limit,
    )
