"""The limits that the rules about concentration set to a portfolio, as rows of inequalities over its assets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from pathfolio.kg.graph import FloatArray
from pathfolio.kg.schema import KIND_CODE, NodeKind
from pathfolio.kg.span import Positions
from pathfolio.recommender.suitability.assets import AssetFacts
from pathfolio.recommender.suitability.investor import InvestorFacts
from pathfolio.recommender.suitability.kinds.concentration import ConcentrationRule, kept_exposures

ORDER: Final = ("asset", "issuer", "industry", "currency")
"""Groups in the order in which their limits are kept."""


@dataclass(frozen=True, eq=False)
class Limit:
    """One rule's limits: `rows` @ weights is at most `most`.

    Attributes:
        name: the rule's group: asset, issuer, industry or currency.
        rule: its id in the rule file.
        rows: (g, n) float64, the part of each of n assets that belongs to each of g groups.
        most: (g,) fractions.
        is_single: whether each row is about one asset alone.
    """

    name: str
    rule: str
    rows: FloatArray
    most: FloatArray
    is_single: bool = False


def limits_of(assets: AssetFacts, investor: InvestorFacts, at: Positions) -> tuple[Limit, ...]:
    """The limits that apply to the investor and to the assets `at`, in the order of `ORDER`."""
    rules = [rule for rule in assets.rules.rules if isinstance(rule, ConcentrationRule)]
    found = [_limit(assets, rule, at) for rule in rules if not rule.is_exempt(investor)]
    found.sort(key=lambda limit: ORDER.index(limit.name))
    return tuple(limit for limit in found if len(limit.most))


def _limit(assets: AssetFacts, rule: ConcentrationRule, at: Positions) -> Limit:
    """Only the groups that these assets could fill beyond the limit."""
    exposure = kept_exposures(assets)[rule.group]
    rows = exposure.matrix[at].toarray().T
    most = np.where(exposure.is_fund, rule.fund_limit, rule.limit)
    counts = rows.max(axis=1, initial=0.0) > most
    if rule.group == "currency":
        counts &= exposure.names != assets.rules.base_currency
    found = Limit(rule.group, rule.name, rows[counts], most[counts], rule.group == "asset")
    return found if rule.group != "asset" else _with_funds(found, assets, rule, at)


def _with_funds(found: Limit, assets: AssetFacts, rule: ConcentrationRule, at: Positions) -> Limit:
    """No fund is more than one of unknown holdings may be, either: its manager is one, whatever it holds."""
    kind = assets.graph.nodes.kind[assets.graph.asset_span.row(at)]
    funds = np.eye(len(at))[kind == KIND_CODE[NodeKind.FUND]]
    if rule.fund_limit >= 1:
        return found
    rows = np.concatenate([found.rows, funds])
    return replace(found, rows=rows, most=np.concatenate([found.most, np.full(len(funds), rule.fund_limit)]))


def possible(limits: Sequence[Limit], n: int) -> bool:
    """Whether any weights of n assets that sum to 1 keep all limits."""
    from scipy.optimize import linprog

    rows = np.concatenate([limit.rows for limit in limits])
    most = np.concatenate([limit.most for limit in limits])
    found = linprog(np.zeros(n), A_ub=rows, b_ub=most, A_eq=np.ones((1, n)), b_eq=[1.0], bounds=(0, 1))
    return bool(found.status == 0)
