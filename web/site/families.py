"""Families of channels: a score at a glance, in few parts with one colour each."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from pathfolio.explain.explanation import Explanation
from pathfolio.explain.reasons.case import LEARNED_CHANNELS

CO_INVESTMENT: Final = "co_investment"
FUNDS: Final = "funds"
SHARED: Final = "shared"
LEARNED: Final = "learned"
PROFILE: Final = "profile"
BASE: Final = "base"
FAMILIES: Final = (CO_INVESTMENT, FUNDS, SHARED, LEARNED, PROFILE, BASE)

_OF_CHANNEL: Final = MappingProxyType(
    {
        "co_investment": CO_INVESTMENT,
        "fund_holdings": FUNDS,
        "profile": PROFILE,
        **dict.fromkeys(LEARNED_CHANNELS, LEARNED),
    }
)


@dataclass(frozen=True)
class Share:
    """What a family adds to the score, negative where it speaks against the asset."""

    family: str
    value: float


def family_of(channel: str) -> str:
    """The family of a channel; what assets have in common is one.

    >>> family_of("gat"), family_of("sector")
    ('learned', 'shared')
    """
    return _OF_CHANNEL.get(channel, SHARED)


def shares_of(explanation: Explanation) -> tuple[Share, ...]:
    """The score by family, in the order of `FAMILIES`; families that add nothing are left out."""
    sums = dict.fromkeys(FAMILIES, 0.0)
    for part in explanation.channels:
        sums[family_of(part.name)] += part.value
    sums[BASE] += sum(value for _, value in explanation.base)
    return tuple(Share(family, value) for family, value in sums.items() if value)
