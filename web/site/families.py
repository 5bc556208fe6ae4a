"""Families of channels: a score at a glance, in few parts with one colour each."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from pathfolio.explain.explanation import Explanation
from pathfolio.kg.errors import UsageError
from pathfolio.recommender.assumed import INTEREST
from pathfolio.recommender.channels.base import Family
from pathfolio.recommender.channels.own import PREFIX
from pathfolio.recommender.channels.shipped import CHANNELS

FAMILIES: Final = tuple(Family)
_OF_CHANNEL: Final = MappingProxyType(
    {name: channel.family for channel in CHANNELS for name in channel.names} | {INTEREST: Family.SHARED}
)


@dataclass(frozen=True)
class Share:
    """What a family adds to the score, negative where it speaks against the asset."""

    family: Family
    value: float


def family_of(channel: str) -> Family:
    """The family of a channel; those of a build's own are one.

    Raises:
        UsageError: no score has such a channel.

    >>> family_of("gat"), family_of("sector")
    (<Family.LEARNED: 'learned'>, <Family.SHARED: 'shared'>)
    """
    if channel.startswith(PREFIX):
        return Family.OWN
    if channel not in _OF_CHANNEL:
        raise UsageError(f"no channel {channel!r}: choose from {', '.join(_OF_CHANNEL)}, or own ones as {PREFIX}…")
    return _OF_CHANNEL[channel]


def shares_of(explanation: Explanation) -> tuple[Share, ...]:
    """The score by family, in the order of `FAMILIES`; families that add nothing are left out."""
    sums: dict[Family, float] = dict.fromkeys(FAMILIES, 0.0)
    for part in explanation.channels:
        sums[family_of(part.name)] += part.value
    sums[Family.BASE] += sum(value for _, value in explanation.base)
    return tuple(Share(family, value) for family, value in sums.items() if value)
