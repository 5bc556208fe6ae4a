"""What every recommender offers, ours and the baselines alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from pathfolio.kg.graph import FloatArray, KnowledgeGraph
from pathfolio.kg.schema import ASSET_KIND_OF
from pathfolio.kg.span import Position, Positions
from pathfolio.recommender.account import ScoreAccount


class Model(Protocol):
    """A fitted recommender over the investors and assets of one snapshot.

    Investors and assets go by `Position`; `graph.user_span` and `graph.asset_span` say which rows those are.
    """

    @property
    def graph(self) -> KnowledgeGraph:
        """The snapshot whose investors and assets it scores."""
        ...

    def scores(self, users: Positions) -> FloatArray:
        """(len(users), assets) float64, higher is better; held assets are scored like any other.

        Args:
            users: (n,) positions of investors.
        """
        ...

    def refresh(self, graph: KnowledgeGraph) -> Model:
        """The same weights over another day's snapshot; nothing is trained."""
        ...


@runtime_checkable
class HorizonModel(Protocol):
    """A recommender whose lists depend on how long they are to serve."""

    def for_days(self, days: float) -> Model:
        """The same weights for lists that are to serve so many days."""
        ...


def for_days(model: Model, days: float) -> Model:
    """`model` for lists that are to serve so many days; itself where that makes no difference."""
    return model.for_days(days) if isinstance(model, HorizonModel) else model


class ExplainedModel(Model, Protocol):
    """A recommender whose score is a sum of contributions that it can show."""

    def account(self, user: Position, asset: Position) -> ScoreAccount:
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

    @staticmethod
    def of(graph: KnowledgeGraph, user_id: str, asset: Position, rank: int, score: float) -> Recommendation:
        """The line of the asset at position `asset` of the snapshot."""
        row = graph.asset_span.row(asset)
        kind = next(word for word, node_kind in ASSET_KIND_OF.items() if node_kind is graph.kind_of(row))
        return Recommendation(user_id, str(graph.nodes.id[row]), kind, graph.display_name(row), rank, float(score))
