"""`InvestorFacts`: what the rules ask of one investor, from the snapshot's current edges."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

import numpy as np

from pathfolio.kg.graph import FloatArray, IntArray
from pathfolio.kg.schema import Relation
from pathfolio.recommender.suitability.assets import PREDICTED, AssetFacts, edge_fact
from pathfolio.recommender.suitability.verdict import Fact

LEVEL_RELATIONS: Final = MappingProxyType(
    {
        "risk": Relation.HAS_RISK,
        "capacity": Relation.HAS_CAPACITY,
        "experience": Relation.HAS_EXPERIENCE,
        "horizon": Relation.SEEKS,
    }
)
"""Tables of levels in a rule file, and the relation that leads to an investor's level."""


ASSUMED: Final = "assumed in this question"
"""The source of what a what-if question assumes, so that nobody takes it for a fact."""


@dataclass(frozen=True)
class Level:
    """An investor's level.

    Attributes:
        name: as in the rule file; empty for a horizon that was said in years.
        edge: that states it, -1 where it is only assumed.
        limit: the class, or the years, that the rule file gives it; None: not in the file.
        predicted: whether the source has estimated it, so that the investor told none.
    """

    name: str
    edge: int
    limit: float | None
    predicted: bool = False


@dataclass(frozen=True)
class InvestorFacts:
    """One investor as the rules see them.

    Attributes:
        row: -2 (`pathfolio.recommender.assumed.NOBODY`) for somebody whom the snapshot does not have.
        levels: by the names of `LEVEL_RELATIONS`; a level that is not known is absent.
        segment: the segment and its edge, or None.
        held: (h,) int64 positions of the assets that are held.
        edges: (h,) the HOLDS edges.
        share: (h,) float64 fractions of the portfolio; they sum to 1 at most, the rest is not known or cash.
        weighting: how `share` came about: stated, valued, equal, unknown, or none for an empty portfolio.
        kept: facts that verdicts have cited (see `evidence.facts_used`).
    """

    row: int
    levels: dict[str, Level]
    segment: tuple[str, int] | None
    held: IntArray
    edges: IntArray
    share: FloatArray
    weighting: str
    kept: dict[Hashable, tuple[Fact, ...]] = field(init=False, default_factory=dict, repr=False, compare=False)


def investor_facts(assets: AssetFacts, user_row: int) -> InvestorFacts:
    """What is known of the investor at row `user_row` of the snapshot's nodes."""
    graph = assets.graph
    levels = {}
    for table, relation in LEVEL_RELATIONS.items():
        edges = graph.outgoing(relation).edges_of(user_row)
        if len(edges):
            name = str(graph.nodes.id[graph.edges.tail[edges[0]]])
            predicted = graph.edges.qualifier[edges[0]] == PREDICTED
            levels[table] = Level(name, int(edges[0]), assets.rules.levels[table].get(name.casefold()), bool(predicted))
    segments = graph.outgoing(Relation.IN_SEGMENT).edges_of(user_row)
    segment = (str(graph.nodes.id[graph.edges.tail[segments[0]]]), int(segments[0])) if len(segments) else None
    holds = graph.outgoing(Relation.HOLDS)
    edges = holds.edges_of(user_row)
    first = graph.assets[0] if len(graph.assets) else 0
    held = holds.of(user_row).astype(np.int64) - first
    share, weighting = _shares(assets, held, edges)
    return InvestorFacts(user_row, levels, segment, held, edges, share, weighting)


def _shares(assets: AssetFacts, held: IntArray, edges: IntArray) -> tuple[FloatArray, str]:
    """Fractions of the portfolio: as stated, else from units and prices, else equal where the rules allow that."""
    if not len(held):
        return np.zeros(0), "none"
    weight = assets.graph.edges.weight[edges]
    if not np.isnan(weight).any():
        return weight.clip(min=0) / max(float(weight.clip(min=0).sum()), 1.0), "stated"
    value = assets.graph.edges.value[edges] * assets.price[held]
    currencies = set(assets.graph.nodes.currency[assets.graph.assets[held]])
    if not np.isnan(value).any() and value.sum() > 0 and len(currencies) == 1:
        return value.clip(min=0) / value.clip(min=0).sum(), "valued"
    if assets.rules.equal_weights:
        return np.full(len(held), 1 / len(held)), "equal"
    return np.zeros(len(held)), "unknown"


def level_fact(assets: AssetFacts, investor: InvestorFacts, table: str) -> Fact:
    """The investor's level of a table of the rules, as the snapshot states it or the question assumes it."""
    level = investor.levels[table]
    if level.edge >= 0:
        return edge_fact(assets.graph, level.edge)
    head = str(assets.graph.nodes.id[investor.row]) if investor.row >= 0 else ""
    if not level.name:
        return Fact(head, "YEARS", value=level.limit, source=ASSUMED)
    return Fact(head, LEVEL_RELATIONS[table].value, level.name, source=ASSUMED)


def share_fact(assets: AssetFacts, investor: InvestorFacts, number: int) -> Fact:
    """Position `number` of the investor, with the fraction of the portfolio that the rules used."""
    fact = edge_fact(assets.graph, int(investor.edges[number]))
    return replace(fact, value=float(investor.share[number]), note=_WEIGHTING_NOTES.get(investor.weighting, ""))


_WEIGHTING_NOTES: Final = {
    "valued": "share from units and the last price",
    "equal": "value not known: positions taken as equally large",
}
