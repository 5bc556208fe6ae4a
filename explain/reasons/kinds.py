"""All families of reasons, in the order in which they are looked for."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from pathfolio.explain.reasons.analysts import Analysts
from pathfolio.explain.reasons.business import BusinessLink
from pathfolio.explain.reasons.case import Case
from pathfolio.explain.reasons.claim import Claim
from pathfolio.explain.reasons.figures import (
    COSTS,
    GROWTH,
    INCOME,
    SHARPE,
    STEADINESS,
    VALUATION,
    CategoryPlace,
    IncomeSought,
    Loss,
    Momentum,
    Performance,
    TrackRecord,
    YearReturn,
)
from pathfolio.explain.reasons.funds import HeldByThisFund, LookThrough, Overlap
from pathfolio.explain.reasons.interest import Interest
from pathfolio.explain.reasons.kind import PathReason, ReasonKind
from pathfolio.explain.reasons.listing import NewlyListed
from pathfolio.explain.reasons.modelled import MODELLED_ALONG, MODELLED_APART, MODELLED_CALM, MODELLED_SWINGS
from pathfolio.explain.reasons.others import (
    BeganWith,
    EarlierIssue,
    EarlyHolders,
    HeldTogether,
    ProfilePeers,
    WidelyHeld,
)
from pathfolio.explain.reasons.reordered import Reordered
from pathfolio.explain.reasons.risk import Risk
from pathfolio.explain.reasons.shared import Learned, SharedAttribute, SharedCountry
from pathfolio.explain.reasons.spread import Spread

KINDS: Final[tuple[ReasonKind, ...]] = (
    HeldTogether(),
    EarlierIssue(),
    ProfilePeers(),
    Interest(),
    LookThrough(),
    HeldByThisFund(),
    BusinessLink(),
    SharedAttribute(),
    Overlap(),
    Learned(),
    SharedCountry(),
    Risk(),
    NewlyListed(),
    Loss(),
    Performance(),
    Momentum(),
    MODELLED_CALM,
    MODELLED_SWINGS,
    MODELLED_APART,
    MODELLED_ALONG,
    GROWTH,
    SHARPE,
    STEADINESS,
    CategoryPlace(),
    TrackRecord(),
    YearReturn(),
    VALUATION,
    INCOME,
    COSTS,
    Analysts(),
    IncomeSought(),
    EarlyHolders(),
    BeganWith(),
    WidelyHeld(),
    Spread(),
    Reordered(),
)

KIND_OF: Final = MappingProxyType({trigger: kind for kind in KINDS for trigger in kind.triggers})
"""The family of each trigger."""

_OF_ONE_PATH: Final = tuple(kind for kind in KINDS if isinstance(kind, PathReason))
_OTHERS: Final = tuple(kind for kind in KINDS if not isinstance(kind, PathReason))


def claims_of(case: Case) -> list[Claim]:
    """All that can be claimed: path by path, then in the order of `KINDS`."""
    found = (kind.claim(case, path) for path in case.stated for kind in _OF_ONE_PATH)
    claims = [claim for claim in found if claim is not None]
    for kind in _OTHERS:
        if not (kind.last_resort and claims):
            claims += _for_all(kind, case) if kind.same_for_all else kind.claims(case)
    return claims


def _for_all(kind: ReasonKind, case: Case) -> tuple[Claim, ...]:
    """Claims that are the same whoever asks, made once."""
    key = (kind.triggers, case.asset)
    known = case.lookups.claims_of_asset
    if key not in known:
        known[key] = tuple(kind.claims(case))
    return known[key]
