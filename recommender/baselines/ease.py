"""EASE: the item-to-item linear model in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pathfolio.kg.graph import FloatArray, KnowledgeGraph, to_days
from pathfolio.kg.span import Positions
from pathfolio.recommender.baselines.item_model import ItemModel
from pathfolio.recommender.ease import ease
from pathfolio.recommender.interactions import Interactions

PENALTY: Final = 200.0


def fit_ease(graph: KnowledgeGraph, seed: int = 0, *, penalty: float = PENALTY) -> ItemModel:
    """EASE of the snapshot (Steck 2019); `seed` changes nothing."""
    return ItemModel(graph, ease(Interactions(graph).ever, penalty))


def fit_strong_ease(graph: KnowledgeGraph, seed: int = 0) -> ItemModel:
    """EASE (Steck 2019) with a penalty of 2000, which leans further towards popularity; `seed` changes nothing."""
    return fit_ease(graph, penalty=2000.0)


@dataclass(frozen=True)
class WeeklyEase:
    """EASE that is fitted again at its first refresh and then whenever seven days have passed.

    Attributes:
        model: the EASE in use.
        fitted_on: days since 1970 of the last fit, None before the first refresh.
    """

    model: ItemModel
    fitted_on: int | None = None

    @property
    def graph(self) -> KnowledgeGraph:
        """The snapshot that it scores."""
        return self.model.graph

    def scores(self, users: Positions) -> FloatArray:
        """(len(users), assets) float64."""
        return self.model.scores(users)

    def refresh(self, graph: KnowledgeGraph) -> WeeklyEase:
        """Over another day's snapshot; unlike every other model this one does train again, as its name says."""
        today = to_days(graph.as_of)
        if self.fitted_on is None or today - self.fitted_on >= 7:
            return WeeklyEase(fit_ease(graph), today)
        return WeeklyEase(self.model.refresh(graph), self.fitted_on)


def fit_weekly_ease(graph: KnowledgeGraph, seed: int = 0) -> WeeklyEase:
    """EASE (Steck 2019), to be fitted again every week; `seed` changes nothing."""
    return WeeklyEase(fit_ease(graph))
