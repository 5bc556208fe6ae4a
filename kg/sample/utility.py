"""How much an asset of the sample market is worth to an investor: the right answer that models try to find."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from pathfolio.kg.sample.investors import SampleInvestors
from pathfolio.kg.sample.stocks import Floats
from pathfolio.kg.sample.traits import BOND, FUND, Traits

_TOO_RISKY = 14.0
_TOO_TAME = 5.0
"""Cost of a squared distance between an asset's risk and what the investor wants, above and below."""

_INDUSTRY = 1.5
_HOME = 1.0
_STYLE = 1.2
_FAME = 0.35
_INCOME = 0.5
_BOND = 0.8
_FUND_INDUSTRY: Final = 1.5
"""A fund's mix is diluted; who likes an industry likes a fund full of it about as much as one of its stocks."""

_INCOME_WISH: Final = np.array([0.5, 1.6, 0.6, 0.0, -0.9])
_FUND_WISH: Final = np.array([0.5, 0.1, 0.9, 0.3, -0.2])
"""Per objective, in the order of `pathfolio.kg.sample.investors.OBJECTIVES`."""


def true_utility(investors: SampleInvestors, traits: Traits) -> npt.NDArray[np.float32]:
    """(n, m) float32: the lasting part of V in `pathfolio.kg.sample`, without what the herd and the day add to it."""
    out = np.empty((len(investors.ids), len(traits.risk)), np.float32)
    for start in range(0, len(out), 8192):
        block = slice(start, start + 8192)
        out[block] = _risk(investors.appetite[block], traits.risk) + _liking(investors, traits, block)
    return out


def _risk(appetite: Floats, risk: Floats) -> Floats:
    distance = risk - appetite[:, None]
    return -np.where(distance > 0, _TOO_RISKY, _TOO_TAME) * distance**2


def _liking(investors: SampleInvestors, traits: Traits, block: slice) -> Floats:
    fund = traits.kind == FUND
    wish = investors.objective[block]
    mix = traits.mix * np.where(fund, _FUND_INDUSTRY, 1.0)[:, None]
    out: Floats = (
        _INDUSTRY * investors.taste[block] @ mix.T
        + _HOME * investors.home[block] @ traits.region.T
        + _STYLE * investors.style[block] @ traits.style.T
        + _INCOME * _INCOME_WISH[wish][:, None] * traits.income
        + (_FUND_WISH[wish] + investors.fund_love[block])[:, None] * fund
        + _FAME * traits.prominence
        + _BOND * (traits.kind == BOND)
    )
    out[:, fund] += investors.house_love[block][:, traits.house[fund]]
    return out
