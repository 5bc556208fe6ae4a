"""Investors to begin with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pathfolio.explain.evidence import PathNode
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.web.site.portfolio import ProfileLevel, levels_of
from pathfolio.web.site.served import ServedBuild

EXAMPLE_HOLDINGS: Final = 8
"""Example investors hold about so many assets: enough to see paths, few enough to read."""


@dataclass(frozen=True)
class Example:
    """An investor to begin with."""

    investor: PathNode
    levels: tuple[ProfileLevel, ...]
    holdings: int


def examples_of(site: ServedBuild) -> tuple[Example, ...]:
    """One investor of each risk level, with about `EXAMPLE_HOLDINGS` holdings, and one who holds nothing."""
    graph = site.graph
    count = graph.outgoing(Relation.HOLDS).degree()
    before = graph.outgoing(Relation.HELD).degree()
    levels = graph.incoming(Relation.HAS_RISK)
    groups = [levels.of(level).tolist() for level in graph.rows(NodeKind.RISK_LEVEL).tolist()]
    groups = [group for group in groups if group] or [graph.users.tolist()]
    chosen = [min(group, key=lambda row: (abs(int(count[row]) - EXAMPLE_HOLDINGS), row)) for group in groups if group]
    new = [row for row in graph.users.tolist() if count[row] == 0 and before[row] == 0]
    rows = dict.fromkeys([*chosen, *new[:1]])
    return tuple(Example(site.names.node(row), levels_of(site, row), int(count[row])) for row in rows)


def typical_investor(graph: KnowledgeGraph) -> str:
    """The id of the investor with `EXAMPLE_HOLDINGS` holdings, or with the nearest number."""
    count = graph.outgoing(Relation.HOLDS).degree()
    row = min(graph.users.tolist(), key=lambda row: (abs(int(count[row]) - EXAMPLE_HOLDINGS), row))
    return str(graph.nodes.id[row])
