"""The evidence of an explanation as a query that returns it from the graph store."""

from __future__ import annotations

from pathfolio.explain.evidence import Path
from pathfolio.explain.explanation import Explanation
from pathfolio.kg.schema import NodeKind
from pathfolio.kg.store.evidence_query import EvidencePath, EvidenceStep, evidence_query


def as_cypher(explanation: Explanation) -> str:
    """A query that stands by itself and returns one row per edge of each path, with its weight, source and dates.

    Its columns are those of `pathfolio.kg.store.evidence_query.evidence_query`; groups of other investors come back
    as their count.
    """
    return evidence_query([evidence_path(path) for path in explanation.paths], explanation.as_of) + "\n"


def evidence_path(path: Path) -> EvidencePath:
    """The path as the store's queries take it."""
    steps = tuple(
        EvidenceStep(edge.relation, path.walks_forward(at), edge.as_of, edge.known_at)
        for at, edge in enumerate(path.edges)
    )
    return EvidencePath(path.id, tuple((NodeKind(node.kind), node.id) for node in path.nodes), steps)
