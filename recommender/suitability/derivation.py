"""Classes that a rule file derives for assets whose source states none: which of its lines fits each asset."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pathfolio.kg.graph import FloatArray, IntArray, KnowledgeGraph
from pathfolio.kg.schema import KIND_CODE, Relation
from pathfolio.recommender.suitability.rules import DERIVED, Derivation
from pathfolio.recommender.suitability.used_facts import one_edge


def derivations_used(graph: KnowledgeGraph, derivations: Sequence[Derivation]) -> dict[str, IntArray]:
    """By what is derived (`DERIVED`): (assets,) the first derivation that fits each asset, -1 where none does."""
    texts = _searchable_texts(graph)
    return {target: _first_that_fits(graph, derivations, target, texts) for target in DERIVED}


def values_of(chosen: IntArray, values: Sequence[int]) -> FloatArray:
    """(n,) float64: the value of each one's derivation, NaN where none fits."""
    return np.append(np.array(values, np.float64), np.nan)[chosen]


def _searchable_texts(graph: KnowledgeGraph) -> list[str]:
    """What a derivation's words are looked for in: category, sector, industry and names of each asset."""
    parts = [graph.nodes.name[graph.assets], graph.nodes.name_local[graph.assets]]
    for relation in (Relation.IN_CATEGORY, Relation.IN_SECTOR, Relation.IN_INDUSTRY):
        edge = one_edge(graph, relation, graph.assets)
        tails = [str(graph.nodes.id[graph.edges.tail[e]]) if e >= 0 else "" for e in edge]
        parts.append(np.array(tails, dtype=object))
    return ["\n".join(words).casefold() for words in zip(*parts, strict=True)]


def _first_that_fits(
    graph: KnowledgeGraph, derivations: Sequence[Derivation], target: str, texts: Sequence[str]
) -> IntArray:
    kinds = graph.nodes.kind[graph.assets]
    chosen = np.full(len(kinds), -1, np.int64)
    for number, derivation in enumerate(derivations):
        if derivation.target != target:
            continue
        fits = chosen < 0
        if derivation.kinds:
            fits &= np.isin(kinds, [KIND_CODE[kind] for kind in derivation.kinds])
        if derivation.words:
            fits &= np.array([any(word in text for word in derivation.words) for text in texts], bool)
        chosen[fits] = number
    return chosen
