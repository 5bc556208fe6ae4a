"""`InvestorFacts`: what the rules ask of one investor; `investor_profile` beside reads them from the snapshot."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import Final

from pathfolio.kg.graph import FloatArray, IntArray
from pathfolio.kg.schema import Relation
from pathfolio.kg.span import Positions, Row
from pathfolio.recommender.suitability.assets import AssetFacts
from pathfolio.recommender.suitability.used_facts import FactMemo, edge_fact
from pathfolio.recommender.suitability.verdict import UsedFact

ASSUMED: Final = "assumed in this question"
"""The source of what a what-if question assumes, so that nobody takes it for a fact."""

TOLD: Final = "told by the investor"
"""The source of what investors told of themselves here."""


@dataclass(frozen=True)
class InvestorLevel:
    """An investor's level.

    Attributes:
        name: as in the rule file; empty for a horizon that was said in years.
        relation: leads to such levels.
        edge: that states it, -1 where it is only assumed.
        limit: the class, or the years, that the rule file gives it; None: not in the file.
        predicted: whether the source has estimated it, so that the investor told none.
        told: the day on which the investor told it, where no edge states it; None where it is only assumed.
    """

    name: str
    relation: Relation
    edge: int
    limit: float | None
    predicted: bool = False
    told: date | None = None


@dataclass(frozen=True)
class InvestorFacts:
    """One investor as the rules see them.

    Attributes:
        row: -2 (`pathfolio.recommender.assumed.NOBODY`) for somebody whom the snapshot does not have.
        levels: by the tables of levels in the rule file; a level that is not known is absent.
        segment: the segment and its edge, or None.
        held: (h,) int64 positions of the assets that are held.
        edges: (h,) the HOLDS edges.
        share: (h,) float64 fractions of the portfolio; they sum to 1 at most, the rest is not known or cash.
        weighting: how `share` came about: stated, valued, equal, unknown, or none for an empty portfolio.
        kept: facts that verdicts have cited.
    """

    row: Row
    levels: dict[str, InvestorLevel]
    segment: tuple[str, int] | None
    held: Positions
    edges: IntArray
    share: FloatArray
    weighting: str
    kept: FactMemo = field(init=False, default_factory=dict, repr=False, compare=False)


def level_fact(assets: AssetFacts, investor: InvestorFacts, table: str) -> UsedFact:
    """The investor's level of a table of the rules, as the snapshot states it or the question assumes it."""
    level = investor.levels[table]
    if level.edge >= 0:
        return edge_fact(assets.graph, level.edge)
    head = str(assets.graph.nodes.id[investor.row]) if investor.row >= 0 else ""
    source, day = (ASSUMED, "") if level.told is None else (TOLD, level.told.isoformat())
    if not level.name:
        return UsedFact(head, "YEARS", value=level.limit, source=source, as_of=day, known_at=day)
    return UsedFact(head, level.relation.value, level.name, source=source, as_of=day, known_at=day)


def share_fact(assets: AssetFacts, investor: InvestorFacts, number: int) -> UsedFact:
    """Position `number` of the investor, with the fraction of the portfolio that the rules used."""
    fact = edge_fact(assets.graph, int(investor.edges[number]))
    return replace(fact, value=float(investor.share[number]), note=_WEIGHTING_NOTES.get(investor.weighting, ""))


_WEIGHTING_NOTES: Final = MappingProxyType(
    {
        "valued": "share from units and the last price",
        "equal": "value not known: positions taken as equally large",
    }
)
