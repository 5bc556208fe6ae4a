"""How a verdict tells a class that the rule file derives: its value, the line that gave it, and what that rests on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pathfolio.kg.schema import Relation
from pathfolio.kg.span import Position, Rows
from pathfolio.recommender.suitability.assets import AssetFacts
from pathfolio.recommender.suitability.used_facts import edge_fact, one_edge
from pathfolio.recommender.suitability.verdict import UsedFact


def derived_facts(
    assets: AssetFacts, asset: Position, name: str, value: float, derivation: int, note: str
) -> Iterator[UsedFact]:
    """The class, if there is one, and the category and sector in which the derivation's words were looked for.

    Args:
        name: of the class, RISK_CLASS or COMPLEXITY.
        derivation: position in `rules.derivations`, -1 where no line fits.
    """
    if not np.isnan(value):
        yield UsedFact(assets.id_of(asset), name, value=value, source=assets.rules.source, note=note)
    if derivation < 0 or not assets.rules.derivations[derivation].words:
        return
    row = Rows(np.array([assets.graph.asset_span.row(asset)]))
    for relation in (Relation.IN_CATEGORY, Relation.IN_SECTOR):
        edge = int(one_edge(assets.graph, relation, row)[0])
        if edge >= 0:
            yield edge_fact(assets.graph, edge)


def line_note(assets: AssetFacts, asset: Position, derivation: int) -> str:
    """Which line of the rules gave the class, and for what."""
    used = assets.rules.derivations[derivation]
    kind = assets.graph.kind_of(assets.graph.asset_span.row(asset)).lower()
    words = f", words {', '.join(used.words)}" if used.words else ""
    return f"derived by line {used.line} of the rules: {kind}{words}"
