"""What every recommender offers, ours and the baselines alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from kg.graph import FloatArray, IntArray, KnowledgeGraph
from recommender.account import ScoreAccount


class Model(Protocol):
    """A fitted recommender over the investors and assets of one snapshot.

    Investor i is `graph.users[i]` and asset j is `graph.assets[j]` (positions, not rows).
    """

    @property
    def graph(self) -> KnowledgeGraph:
        """The snapshot whose investors and assets it scores."""
        ...

    def scores(self, users: IntArray) -> FloatArray:
        """(len(users), assets) float64, higher is better; held assets are scored like any other.

        Args:
            users: (n,) positions of investors.
        """
        ...

    def refresh(self, graph: KnowledgeGraph) -> Model:
        """The same weights over another day's snapshot; nothing is trained."""
        ...


class ExplainedModel(Model, Protocol):
    """A recommender whose score is a sum of contributions that it can show."""

    def account(self, user: int, asset: int) -> ScoreAccount:
        """The score of one pair taken apart; `user` and `asset` are positions."""
        ...


@dataclass(frozen=True)
class Recommendation:
    """One line of an investor's list; `rank` starts at 1."""

    user_id: str
    asset_id: str
    kind: str
    name: str
    rank: int
    score: float
