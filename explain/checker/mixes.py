"""Mixes of portfolios held against a snapshot: funds are looked through by hand, edge by edge, in plain Python."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Final, Protocol

from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.kg.span import Row

_DEPTH: Final = 4
"""Funds of funds are followed this far; written down here once more, since the checker takes nobody's word."""

_TOLERANCE: Final = 1e-7
_LEAST_REST: Final = 5e-4
"""So much that belongs to no group goes without saying."""


class SaidMix(Protocol):
    """What is said of one kind of group: rows of name, fraction now and fraction as it would be."""

    @property
    def group(self) -> str:
        """class, currency, industry or issuer."""
        ...

    @property
    def as_of(self) -> date:
        """The day that it describes."""
        ...

    @property
    def parts(self) -> Iterable[tuple[str, float, float]]:
        """The rows; the name of what belongs to no group is empty."""
        ...


class MixCheck:
    """Computes mixes again from one snapshot; what an asset consists of is found once."""

    def __init__(self, graph: KnowledgeGraph) -> None:
        """Nothing is looked up yet."""
        self._graph = graph
        self._ends: dict[str, dict[Row, float]] = {}

    def wrong(self, weights: Mapping[str, tuple[float, float]], mixes: Iterable[SaidMix]) -> list[str]:
        """What is wrong with mixes that are said of a portfolio, one line each.

        Args:
            weights: each asset's fraction of it now, and as it would be.
        """
        problems = []
        for mix in mixes:
            if mix.as_of != self._graph.as_of:
                problems.append(f"the mix by {mix.group} is not of the snapshot's day")
            for side, when in enumerate(("now", "then")):
                said: defaultdict[str, float] = defaultdict(float)
                for name, *parts in mix.parts:
                    said[name] += parts[side]
                true = self._mix(mix.group, {asset: both[side] for asset, both in weights.items()})
                for name in sorted(said.keys() | true.keys()):
                    room = _TOLERANCE if name else _LEAST_REST
                    if not math.isclose(said[name], true.get(name, 0.0), rel_tol=0.0, abs_tol=room):
                        problems.append(
                            f"the mix by {mix.group} has {said[name]} in {name!r} {when}, "
                            f"the snapshot says {true.get(name, 0.0)}"
                        )
        return problems

    def _mix(self, group: str, weights: Mapping[str, float]) -> dict[str, float]:
        found: defaultdict[str, float] = defaultdict(float)
        for asset, weight in weights.items():
            if asset not in self._ends:
                self._ends[asset] = _summed(self._end(self._graph.asset_row(asset), _DEPTH))
            for row, part in self._ends[asset].items():
                found[self._name(group, row)] += weight * part
        return found

    def _end(self, row: Row, depth: int) -> Iterator[tuple[Row, float]]:
        """Of what an asset consists; what a fund's list leaves open stays with the fund."""
        held = self._graph.outgoing(Relation.INVESTS_IN)
        weights = [float(self._graph.edges.weight[edge]) for edge in held.edges_of(row).tolist()]
        weights = [weight if weight > 0 else 0.0 for weight in weights]
        total = sum(weights)
        if not depth or not total:
            yield row, 1.0
            return
        if total < 1:
            yield row, 1 - total
        for inner, weight in zip(held.of(row).tolist(), weights, strict=True):
            for end, part in self._end(inner, depth - 1):
                yield end, weight / max(total, 1.0) * part

    def _name(self, group: str, row: Row) -> str:
        """The group that an asset belongs to; empty for none."""
        graph, kind = self._graph, self._graph.kind_of(row)
        if group == "class":
            return kind.value.lower()
        if group == "currency":
            return str(graph.nodes.currency[row])
        if group == "industry":
            return self._first(row, Relation.IN_INDUSTRY) or self._first(row, Relation.IN_SECTOR)
        own = "" if kind is NodeKind.FUND else self._first(row, Relation.ISSUED_BY)
        return own or graph.display_name(row)

    def _first(self, row: Row, relation: Relation) -> str:
        tails = self._graph.outgoing(relation).of(row).tolist()
        return str(self._graph.nodes.id[tails[0]]) if tails else ""


def _summed(parts: Iterable[tuple[Row, float]]) -> dict[Row, float]:
    found: defaultdict[Row, float] = defaultdict(float)
    for row, part in parts:
        found[row] += part
    return dict(found)
