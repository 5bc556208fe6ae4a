"""Ablation: what each part of the served score is worth, alone and left out.

A variant ranks by a sum of some of the score's parts. All variants share one fitted scorer, and the parts' scores
are computed once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import FloatArray, KnowledgeGraph
from pathfolio.kg.span import Positions
from pathfolio.recommender.channels.base import ChannelMaker
from pathfolio.recommender.channels.shipped import ALWAYS
from pathfolio.recommender.channels.towers import TWO_TOWERS
from pathfolio.recommender.evaluation.registry import ModelSpec
from pathfolio.recommender.investor_rows import InvestorRows
from pathfolio.recommender.model import Model
from pathfolio.recommender.scorer import BASE, FIRST_CHOICES, Scorer
from pathfolio.recommender.training import fit_scorer

WHOLE: Final = "pathfolio"
WITH_TOWERS: Final = "pathfolio+towers"

Fit = Callable[[KnowledgeGraph, int, pd.DataFrame | None], Scorer]
"""fit(graph, seed, prices up to the snapshot's date) -> Scorer."""


def parts_of(makers: Iterable[ChannelMaker]) -> dict[str, tuple[str, ...]]:
    """What is left out and left alone of channels: each, each of its parts, and two neighbours of one family.

    Returns:
        name of what is taken together to the names of the parts of the score.

    >>> from pathfolio.recommender.channels.learned import AttentionCloseness, KgCloseness
    >>> parts_of([KgCloseness, AttentionCloseness])
    {'kg_embedding': ('kg_embedding',), 'gat': ('gat',), 'both learned': ('kg_embedding', 'gat')}
    """
    parts: dict[str, tuple[str, ...]] = {}
    for family, neighbours in groupby(makers, key=lambda maker: maker.family):
        alike = tuple(neighbours)
        for maker in alike:
            parts[maker.name] = maker.names
            parts |= {name: (name,) for name in maker.names}
        if len(alike) > 1:
            parts[f"{'both' if len(alike) == 2 else 'all'} {family}"] = tuple(n for maker in alike for n in maker.names)
    return parts


PARTS: Final = MappingProxyType({**parts_of(ALWAYS), **{name: (name,) for name in (*BASE, FIRST_CHOICES)}})
"""Name of a part, or of several taken together, to the names of channels and base values that every score has."""


def score_parts(scorer: Scorer, investors: InvestorRows) -> dict[str, FloatArray]:
    """Every channel and base value by name, (n, assets) float64 each (a base value has one row); their sum is the
    score."""
    parts: dict[str, FloatArray] = {name: values[None, :] for name, values in scorer.base.items()}
    parts[FIRST_CHOICES] = np.where(investors.begins[:, None], scorer.first_choices, 0.0)
    for channel in scorer.channels:
        parts |= channel.parts(investors)
    return parts


@dataclass
class _Shared:
    """One fitted scorer, and the parts of the last investors asked for."""

    scorer: Scorer
    _refreshed: dict[int, tuple[KnowledgeGraph, _Shared]] = field(default_factory=dict)
    _for_days: dict[float, _Shared] = field(default_factory=dict)
    _parts: dict[bytes, dict[str, FloatArray]] = field(default_factory=dict)

    def parts(self, users: Positions) -> dict[str, FloatArray]:
        key = users.tobytes()
        if key not in self._parts:
            self._parts.clear()
            self._parts[key] = score_parts(self.scorer, InvestorRows.of(self.scorer.interactions, users))
        return self._parts[key]

    def refreshed(self, graph: KnowledgeGraph) -> _Shared:
        """The same for a later day; only the last day is kept."""
        if id(graph) not in self._refreshed:
            self._refreshed.clear()
            self._refreshed[id(graph)] = graph, _Shared(self.scorer.refresh(graph))
        return self._refreshed[id(graph)][1]

    def for_days(self, days: float) -> _Shared:
        if days not in self._for_days:
            self._for_days[days] = _Shared(self.scorer.for_days(days))
        return self._for_days[days]


@dataclass(frozen=True)
class Variant:
    """A model that adds up only some of the parts; see `pathfolio.recommender.model.Model`."""

    origin: _Shared
    today: _Shared
    names: frozenset[str]
    without: bool

    def __post_init__(self) -> None:
        known = self.today.scorer.part_names
        unknown = sorted(self.names - set(known))
        if unknown:
            raise UsageError(f"no part {unknown[0]!r} of the score: choose from {', '.join(known)}")

    @property
    def graph(self) -> KnowledgeGraph:
        """The snapshot whose investors and assets it scores."""
        return self.today.scorer.graph

    def scores(self, users: Positions) -> FloatArray:
        """(len(users), assets) float64; higher is better."""
        total = np.zeros((len(users), len(self.graph.assets)))
        for name, values in self.today.parts(users).items():
            if (name in self.names) != self.without:
                total += values
        return total

    def refresh(self, graph: KnowledgeGraph) -> Variant:
        """The same parts over another day's snapshot."""
        return Variant(self.origin, self.origin.refreshed(graph), self.names, self.without)

    def for_days(self, days: float) -> Variant:
        """The same parts for lists that are to serve so many days."""
        shared = self.origin.for_days(days)
        return Variant(shared, shared, self.names, self.without)


def ablation_specs(fit: Fit = fit_scorer, *, towers: bool = False) -> tuple[ModelSpec, ...]:
    """The whole score first, then each part left out, then each alone; fitted once for each snapshot and seed.

    Args:
        towers: the two towers are part of the score that `fit` gives.
    """
    made = _Variants(fit)
    whole = WITH_TOWERS if towers else WHOLE
    parts = {**PARTS, TWO_TOWERS: (TWO_TOWERS,)} if towers else PARTS
    return (
        made.spec(whole, (), without=True),
        *(made.spec(f"without {name}", names, without=True) for name, names in parts.items()),
        *(made.spec(f"{name} alone", names, without=False) for name, names in parts.items()),
    )


def fit_with_towers(graph: KnowledgeGraph, seed: int, prices: pd.DataFrame | None = None) -> Scorer:
    """The score with the two towers in it."""
    return fit_scorer(graph, seed, prices, towers=True)


def beside_towers(models: Sequence[ModelSpec], fit: Fit = fit_with_towers) -> tuple[ModelSpec, ...]:
    """The models with the served score twice, without the two towers and with them, from one training."""
    made = _Variants(fit)
    both = made.spec(WHOLE, (TWO_TOWERS,), without=True), made.spec(WITH_TOWERS, (), without=True)
    return tuple(spec for model in models for spec in (both if model.name == WHOLE else (model,)))


@dataclass(frozen=True)
class _Variants:
    """Makes variants of one scorer, which is fitted once for each snapshot and seed."""

    fit: Fit
    fitted: dict[tuple[int, int], tuple[KnowledgeGraph, _Shared]] = field(default_factory=dict)

    def spec(self, name: str, names: tuple[str, ...], *, without: bool) -> ModelSpec:
        def fit_variant(graph: KnowledgeGraph, seed: int, prices: pd.DataFrame | None = None) -> Model:
            whole = self._shared(graph, seed, prices)
            return Variant(whole, whole, frozenset(names), without)

        return ModelSpec(
            name, fit_variant, name, seeded=True, scores_unheld=True, baseline=False, fit_priced=fit_variant
        )

    def _shared(self, graph: KnowledgeGraph, seed: int, prices: pd.DataFrame | None) -> _Shared:
        key = id(graph), seed
        if key not in self.fitted:
            self.fitted[key] = graph, _Shared(self.fit(graph, seed, prices))
        return self.fitted[key][1]
