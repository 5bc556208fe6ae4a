"""Dividing a sum among assets by skfolio: the one file that imports it, when it is first asked to.

Covariances are Ledoit and Wolf's, expected returns shrunk as James and Stein's (`ShrunkMu`), both of three years of
daily returns. Limits are those of the rules about concentration, with a look into what funds hold, and the volatility
that the investor's level allows; what cannot all be kept is dropped in the order of `Limits`, and told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.portfolio.limits import Limit, possible

if TYPE_CHECKING:
    from skfolio.moments import BaseMu
    from skfolio.optimization.convex import ConvexOptimization

NOTHING: Final = 5e-4
"""A weight below is none, and the others are scaled up."""

_FEWEST_DRAWN: Final = 4
_ROUND: Final = 6
_SLACK: Final = 1e-3


class Method(StrEnum):
    """How a sum is divided."""

    EQUAL = "equal"
    MINIMUM_VARIANCE = "minimum_variance"
    RISK_PARITY = "risk_parity"
    MEAN_VARIANCE = "mean_variance"


class Why(StrEnum):
    """Why an asset has the weight that it has."""

    EQUAL = "equal"
    AT_LIMIT = "at_limit"
    GROUP_LIMIT = "group_limit"
    MOVES_LITTLE = "moves_little"
    MOVES_APART = "moves_apart"
    EQUAL_RISK = "equal_risk"
    PAYS = "pays"
    ADDS_RISK = "adds_risk"
    PAYS_LITTLE = "pays_little"


@dataclass(frozen=True)
class AllocatedWeight:
    """One asset's weight, as a fraction of the sum.

    Attributes:
        volatility: of the asset, a year.
        correlation: of its returns with those of all assets as they are weighted.
        risk_part: its part of the variance of the whole; all parts sum to 1.
        expected: its yearly return as it was reckoned with, from the past and drawn towards the mean of all.
        limit: the name of the limit that `why` is about, empty for another reason.
    """

    weight: float
    volatility: float
    correlation: float
    risk_part: float
    expected: float
    why: Why
    limit: str


@dataclass(frozen=True)
class Allocation:
    """Weights that sum to 1, one for each asset in its order.

    Attributes:
        volatility, expected: of the whole, a year.
        dropped: names of the limits that could not all be kept.
    """

    method: Method
    weights: tuple[AllocatedWeight, ...]
    volatility: float
    expected: float
    dropped: tuple[str, ...]

    @property
    def parts(self) -> FloatArray:
        """(n,) the weights alone."""
        return np.array([each.weight for each in self.weights])


VOLATILITY: Final = "volatility"
"""The name of the limit on how far the whole may move, among those dropped."""


def can_allocate() -> bool:
    """Whether skfolio is installed; equal weights need it not."""
    return find_spec("skfolio") is not None


def allocate(
    method: Method,
    returns: FloatArray,
    a_year: float,
    limits: Sequence[Limit] = (),
    highest_volatility: float | None = None,
) -> Allocation:
    """Divide a sum among n assets.

    Args:
        returns: (d, n) daily returns, n of 1 at least.
        a_year: returns in a year.
        limits: those that are dropped first stand last.
        highest_volatility: of the whole, a fraction a year, for `Method.MEAN_VARIANCE`; None for any.

    Raises:
        UsageError: skfolio is needed and not installed.
    """
    n = returns.shape[1]
    prior = _Prior.of(returns, a_year) if can_allocate() else _Prior.plain(returns, a_year)
    if method is Method.EQUAL or n == 1:
        return _told(method, np.full(n, 1 / n), prior, (), ())
    if not can_allocate():
        raise UsageError("no skfolio to divide a sum with: install skfolio, or take equal weights")
    kept = list(limits)
    while kept and not possible(kept, n):
        kept.pop()
    dropped = [limit.name for limit in limits if limit not in kept]
    highest = None
    if method is Method.MEAN_VARIANCE and highest_volatility is not None:
        least = prior.volatility_of(_solved(Method.MINIMUM_VARIANCE, returns, kept, None))
        highest = highest_volatility / np.sqrt(a_year) if least < highest_volatility * (1 - _SLACK) else None
        dropped += [VOLATILITY] if highest is None else []
    found = _solved(method if highest is not None or VOLATILITY not in dropped else Method.MINIMUM_VARIANCE,
                    returns, kept, highest)  # fmt: skip
    return _told(method, found, prior, kept, tuple(dict.fromkeys(dropped)))


def _solved(method: Method, returns: FloatArray, limits: Sequence[Limit], highest: float | None) -> FloatArray:
    """(n,) weights that sum to 1; `highest` is the daily standard deviation that they keep below."""
    from skfolio.moments import LedoitWolf
    from skfolio.optimization import MeanRisk, ObjectiveFunction, RiskBudgeting
    from skfolio.prior import EmpiricalPrior

    prior = EmpiricalPrior(mu_estimator=_means(returns), covariance_estimator=LedoitWolf())
    rows = [(row, bound) for limit in limits for row, bound in zip(limit.rows, limit.most, strict=True)]
    matrix: dict[str, Any] = {"prior_estimator": prior, "min_weights": 0.0}
    if rows:
        matrix["left_inequality"] = np.array([row for row, _ in rows])
        matrix["right_inequality"] = np.array([bound for _, bound in rows])
    model: ConvexOptimization
    if method is Method.RISK_PARITY:
        model = RiskBudgeting(**matrix)
    elif method is Method.MINIMUM_VARIANCE:
        model = MeanRisk(objective_function=ObjectiveFunction.MINIMIZE_RISK, **matrix)
    else:
        bound = {} if highest is None else {"max_standard_deviation": highest}
        model = MeanRisk(objective_function=ObjectiveFunction.MAXIMIZE_RATIO, **bound, **matrix)
    weights = np.asarray(model.fit(returns).weights_, np.float64)
    weights = np.where(weights < NOTHING, 0.0, weights)
    rounded: FloatArray = np.round(weights / weights.sum(), _ROUND)
    return rounded


def _means(returns: FloatArray) -> BaseMu:
    """Means drawn towards each other, where there are enough assets with means of their own to draw."""
    from skfolio.moments import EmpiricalMu, ShrunkMu

    enough = returns.shape[1] >= _FEWEST_DRAWN and np.ptp(returns.mean(axis=0)) > 0
    return ShrunkMu() if enough else EmpiricalMu()


@dataclass(frozen=True)
class _Prior:
    """What is reckoned with, a year: covariance (n, n) and expected returns (n,)."""

    covariance: FloatArray
    expected: FloatArray

    @classmethod
    def of(cls, returns: FloatArray, a_year: float) -> _Prior:
        from skfolio.moments import LedoitWolf

        if returns.shape[1] == 1:
            return cls.plain(returns, a_year)
        return cls(LedoitWolf().fit(returns).covariance_ * a_year, _means(returns).fit(returns).mu_ * a_year)

    @classmethod
    def plain(cls, returns: FloatArray, a_year: float) -> _Prior:
        return cls(np.atleast_2d(np.cov(returns, rowvar=False)) * a_year, returns.mean(axis=0) * a_year)

    def volatility_of(self, weight: FloatArray) -> float:
        return float(np.sqrt(weight @ self.covariance @ weight))


def _told(
    method: Method, weight: FloatArray, prior: _Prior, limits: Sequence[Limit], dropped: tuple[str, ...]
) -> Allocation:
    """The weights with what was reckoned with, and why each is as it is."""
    whole = prior.volatility_of(weight)
    own = np.sqrt(np.diag(prior.covariance))
    shared = prior.covariance @ weight
    correlation = np.clip(shared / np.maximum(own * whole, 1e-12), -1, 1)
    part = weight * shared / max(whole**2, 1e-12)
    tight = _tight(weight, limits)
    told = []
    for at in range(len(weight)):
        plain = AllocatedWeight(
            float(weight[at]), float(own[at]), float(correlation[at]), float(part[at]), float(prior.expected[at]),
            Why.EQUAL, "",
        )  # fmt: skip
        why = _why(method, plain, float(np.median(own)))
        limit = tight[at] if plain.weight > 0 and method is not Method.EQUAL else None
        if limit is not None:
            why = Why.AT_LIMIT if limit.is_single else Why.GROUP_LIMIT
        told.append(replace(plain, why=why, limit="" if limit is None else limit.name))
    return Allocation(method, tuple(told), whole, float(weight @ prior.expected), dropped)


def _why(method: Method, found: AllocatedWeight, middle: float) -> Why:
    if method is Method.EQUAL:
        return Why.EQUAL
    if method is Method.RISK_PARITY:
        return Why.EQUAL_RISK
    if method is Method.MEAN_VARIANCE:
        return Why.PAYS if found.weight > 0 else Why.PAYS_LITTLE
    if found.weight == 0:
        return Why.ADDS_RISK
    return Why.MOVES_LITTLE if found.volatility <= middle else Why.MOVES_APART


def _tight(weight: FloatArray, limits: Sequence[Limit]) -> list[Limit | None]:
    """Per asset, the first limit that its weight, or that of a group which it is in, has reached."""
    out: list[Limit | None] = [None] * len(weight)
    for limit in limits:
        reached = limit.rows @ weight >= limit.most - _SLACK
        inside = (limit.rows[reached] > _SLACK).any(axis=0)
        for at in np.flatnonzero(inside).tolist():
            out[at] = out[at] or limit
    return out
