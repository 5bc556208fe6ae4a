"""The evidence of an explanation as a query that finds it in the graph store."""

from __future__ import annotations

import shlex
from datetime import date

from pathfolio.explain.evidence import Path, PathNode
from pathfolio.explain.explanation import Explanation
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import NodeKind
from pathfolio.kg.store.evidence_query import EvidencePath, EvidenceStep, evidence_query


def as_cypher(explanation: Explanation, graph: KnowledgeGraph) -> str:
    """A query with one pattern for paths of a shape; a comment says whose evidence it is, and how to ask for it.

    Its columns are those of `pathfolio.kg.store.evidence_query.evidence_query`: a row per path. A path that several
    channels take is one row.

    Args:
        graph: the snapshot that the explanation is of.
    """
    walked = dict.fromkeys(evidence_path(path) for path in explanation.paths)
    about = comment(explanation.user, explanation.asset, explanation.as_of, len(walked))
    return about + evidence_query(graph, list(walked)) + "\n"


def comment(user: PathNode, asset: PathNode, as_of: date, paths: int) -> str:
    """Whose evidence a query finds, and how to ask for it, in comment lines."""
    values = f"-P investor:text={_word(user)} -P asset:text={_word(asset)} --as-of {as_of}"
    return (
        f"// Why {_told(asset)} is recommended to {_told(user)}: {paths:,} paths of the graph on {as_of}.\n"
        f"// pathfolio cypher --build BUILD - {values} < THIS_FILE\n"
    )


def evidence_path(path: Path) -> EvidencePath:
    """The path as the store's queries take it."""
    steps = tuple(EvidenceStep(edge.relation, path.walks_forward(at)) for at, edge in enumerate(path.edges))
    return EvidencePath(tuple((NodeKind(node.kind), node.id) for node in path.nodes), steps)


def _told(node: PathNode) -> str:
    """Its name on one line: what follows a line's end would be no comment."""
    return " ".join(node.name.split())


def _word(node: PathNode) -> str:
    return " ".join(shlex.quote(str(node.id)).split())
