"""The account of one score: what adds up to it, and the walks through the graph that carry the parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from pathfolio.kg.schema import Relation
from pathfolio.kg.span import Row

OTHER_INVESTORS: Final = Row(-1)
"""Stands in a walk for all other investors who fit there; at least the walk's `count` of them do."""

HOLDS_OR_HELD: Final = f"{Relation.HOLDS}|{Relation.HELD}"
"""The relation of other investors to an asset where those who hold it now and those who held it are summed up,
written as Cypher writes either of two."""


class Walk(msgspec.Struct, frozen=True, gc=False):
    """One walk from the investor to the asset and what it adds to the score.

    A struct, as a list is made of a thousand of them: a tenth of a dataclass's time each.

    Attributes:
        nodes: rows of the snapshot's nodes from the investor to the asset, both included;
            `OTHER_INVESTORS` where other investors are summed up, never another investor's row.
        relations: one per step, as named in the graph whichever way the walk goes.
        contribution: what the walk adds to the score; negative where it speaks against the asset.
        count: how many concrete walks it stands for: 1, or as many other investors as `pathfolio.recommender.groups`
            tells.
    """

    nodes: tuple[Row, ...]
    relations: tuple[str, ...]
    contribution: float
    count: int = 1


@dataclass(frozen=True)
class ChannelAccount:
    """A channel's part of a score: value = sum of the walks' contributions + remainder.

    `remainder` is what the channel learned and cannot lay on a walk.
    """

    name: str
    value: float
    walks: tuple[Walk, ...]
    remainder: float


@dataclass(frozen=True)
class ScoreAccount:
    """The whole score of an (investor, asset) pair: score = sum of base values + sum of channel values.

    `user` and `asset` are rows of the snapshot's nodes.
    """

    user: Row
    asset: Row
    score: float
    base: tuple[tuple[str, float], ...]
    channels: tuple[ChannelAccount, ...]

    @property
    def gap(self) -> float:
        """How far the parts are from the score; rounding only, 1e-6 at most."""
        parts = sum(value for _, value in self.base)
        parts += sum(w.contribution for c in self.channels for w in c.walks) + sum(c.remainder for c in self.channels)
        return abs(self.score - parts)

    @property
    def share_on_walks(self) -> float:
        """Sum of |walk contributions| over that sum plus all |remainders|; base terms are not counted."""
        walks = sum(abs(w.contribution) for c in self.channels for w in c.walks)
        rest = sum(abs(c.remainder) for c in self.channels)
        return walks / (walks + rest) if walks + rest else 1.0
