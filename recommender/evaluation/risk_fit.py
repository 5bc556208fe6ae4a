"""Whether an asset's risk class is within an investor's risk level, for whole lists at once."""

from __future__ import annotations

import numpy as np

from pathfolio.kg.graph import FloatArray, KnowledgeGraph
from pathfolio.kg.schema import Relation
from pathfolio.kg.span import Positions
from pathfolio.recommender.suitability.assets import asset_facts
from pathfolio.recommender.suitability.rulefile import rules_for


def risk_fit(graph: KnowledgeGraph, users: Positions) -> FloatArray:
    """(len(users), assets) float64: 1 where the class is at most what the level allows, 0 above it, NaN if unknown.

    Classes and levels are those of the shipped rules for the snapshot's market, without their tolerance.

    Args:
        users: (n,) positions of investors, -1 for those whom the snapshot does not know.
    """
    rules = rules_for(graph)
    classes = asset_facts(graph, rules).risk_class
    allowed = rules.levels.get("risk", {})
    levels = graph.outgoing(Relation.HAS_RISK)
    limit = np.full(len(users), np.nan)
    for number, user in enumerate(users.tolist()):
        known = levels.of(graph.user_span.row(user)).tolist() if user >= 0 else []
        if known:
            limit[number] = allowed.get(str(graph.nodes.id[known[0]]).casefold(), np.nan)
    fits = (classes[None, :] <= limit[:, None]) * 1.0
    return np.where(np.isnan(classes)[None, :] | np.isnan(limit)[:, None], np.nan, fits)
