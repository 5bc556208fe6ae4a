"""`AssetIndex`: every asset as a line of figures, to be searched, filtered, sorted and compared; it has no investor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final

import numpy as np

from pathfolio.explain.evidence import Fact, PathNode
from pathfolio.explain.facts import BESIDE
from pathfolio.kg.figures import STALE_DAYS
from pathfolio.kg.schema import ATTRIBUTE_RELATIONS, RELATIONS, NodeKind, Relation, attribute_relation
from pathfolio.kg.span import Row
from pathfolio.web.site.listed import RiskFit
from pathfolio.web.site.served import ServedBuild

GROUPS: Final = (Relation.IN_CATEGORY, Relation.IN_INDUSTRY, Relation.ISSUED_BY)
"""What says where an asset belongs; the first that it has."""

FILTERS: Final = (NodeKind.INDUSTRY, NodeKind.CATEGORY, NodeKind.MARKET)
"""Kinds of attribute that the page offers to choose from; any other can stand in its address."""

_ATTRIBUTE_KINDS: Final = frozenset(RELATIONS[relation].tails[0].value for relation in ATTRIBUTE_RELATIONS)


@dataclass(frozen=True)
class AssetLine:
    """One asset.

    Attributes:
        code: by which it is traded; its id where it has none.
        group: its category, industry or issuer.
        facts: the figures of its closes and costs.
        price_day: of its last close; `days_old` where that is long before the snapshot's day, else 0.
        risk: its class by the rules.
    """

    asset: PathNode
    code: str
    group: PathNode | None
    currency: str
    facts: tuple[Fact, ...]
    price_day: date | None
    days_old: int
    risk: RiskFit | None

    def figure(self, metric: str) -> float | None:
        """The value of one of its figures; None where it has none."""
        return next((float(fact.value) for fact in self.facts if fact.metric == metric), None)

    def unit(self, metric: str) -> str:
        """The unit of one of its figures."""
        return next((fact.unit for fact in self.facts if fact.metric == metric), "")

    def fact(self, metric: str) -> Fact | None:
        """One of its figures with its day and source."""
        return next((fact for fact in self.facts if fact.metric == metric), None)

    @property
    def score(self) -> float | None:
        """None: it has a score for an investor alone."""
        return None


@dataclass(frozen=True)
class AssetFilter:
    """What is looked for; what is empty says nothing.

    Attributes:
        kind: Stock, Fund or Bond.
        nodes: attributes, as Kind:id, all of which it has.
        risk: the risk class by the rules.
    """

    query: str = ""
    kind: str = ""
    nodes: tuple[str, ...] = ()
    risk: str = ""
    currency: str = ""


class AssetIndex:
    """The assets of one build; lines are made when they are first asked for, and kept."""

    def __init__(self, site: ServedBuild) -> None:
        """Look nothing up yet."""
        self._site = site
        self._lines: dict[Row, AssetLine] = {}

    def line(self, row: Row) -> AssetLine:
        """The asset at `row`."""
        if row not in self._lines:
            self._lines[row] = self._made(row)
        return self._lines[row]

    def _made(self, row: Row) -> AssetLine:
        site, graph = self._site, self._site.graph
        groups = [group for of in GROUPS for group in graph.outgoing(of).of(row).tolist()]
        facts = tuple(fact for fact in site.facts.of(row).values() if fact.metric in BESIDE)
        day = next((fact.as_of for fact in facts if fact.metric == "last_close"), None)
        age = 0 if day is None else (graph.as_of - day).days
        of_class = float(site.desk.adviser.gate.assets.risk_class[graph.asset_span.position(row)])
        return AssetLine(
            asset=site.names.node(row),
            code=str(graph.nodes.ticker[row]) or str(graph.nodes.id[row]),
            group=site.names.node(groups[0]) if groups else None,
            currency=str(graph.nodes.currency[row]),
            facts=facts,
            price_day=day,
            days_old=age if age > STALE_DAYS else 0,
            risk=None if np.isnan(of_class) else RiskFit(of_class, None),
        )

    def found(self, wanted: AssetFilter) -> list[AssetLine]:
        """The assets that fit, the best fit first where something is searched for, else by name."""
        site, graph = self._site, self._site.graph
        rows = graph.assets.tolist()
        if wanted.query.strip():
            rows, _ = site.assets.find(wanted.query, len(rows))
        if wanted.nodes:
            having = [self._having(name) for name in wanted.nodes]
            rows = [row for row in rows if all(row in of for of in having)]
        lines = [self.line(Row(row)) for row in rows if not wanted.kind or graph.kind_of(Row(row)).value == wanted.kind]
        if wanted.risk:
            lines = [line for line in lines if line.risk is not None and f"{line.risk.value:g}" == wanted.risk]
        if wanted.currency:
            lines = [line for line in lines if line.currency == wanted.currency]
        return lines if wanted.query.strip() else sorted(lines, key=lambda line: (line.asset.name, str(line.asset.id)))

    def node(self, name: str) -> PathNode | None:
        """The attribute that is written Kind:id; None where there is none that assets have."""
        row = self._row(name)
        return None if row is None else self._site.names.node(row)

    def _row(self, name: str) -> Row | None:
        kind, _, key = name.partition(":")
        if kind not in _ATTRIBUTE_KINDS:
            return None
        return self._site.graph.find(NodeKind(kind), key)

    def _having(self, name: str) -> frozenset[Row]:
        row = self._row(name)
        if row is None:
            return frozenset()
        graph = self._site.graph
        found = graph.incoming(attribute_relation(graph.kind_of(row))).of(row)
        return frozenset(map(Row, found[graph.asset_span.has(found)].tolist()))

    @cached_property
    def choices(self) -> dict[NodeKind, tuple[PathNode, ...]]:
        """The attributes to filter by, by name."""
        return {kind: self._named(kind) for kind in FILTERS}

    def _named(self, kind: NodeKind) -> tuple[PathNode, ...]:
        graph = self._site.graph
        incoming = graph.incoming(attribute_relation(kind))
        rows = [row for row in graph.rows(kind).tolist() if len(incoming.of(row))]
        return tuple(sorted(map(self._site.names.node, rows), key=lambda node: node.name))

    @cached_property
    def currencies(self) -> tuple[str, ...]:
        """The currencies that assets trade in."""
        return tuple(sorted({str(each) for each in self._site.graph.nodes.currency[self._site.graph.assets]} - {""}))

    @cached_property
    def risks(self) -> tuple[str, ...]:
        """The classes that the rules give assets, from the lowest."""
        classes = self._site.desk.adviser.gate.assets.risk_class
        return tuple(f"{each:g}" for each in np.unique(classes[~np.isnan(classes)]))


def sorted_by(lines: Sequence[AssetLine], value: Iterable[float | None], *, down: bool) -> tuple[AssetLine, ...]:
    """The lines by a figure of each; what is not known comes last either way."""
    pairs = list(zip(lines, value, strict=True))
    known = sorted(((line, v) for line, v in pairs if v is not None), key=lambda pair: pair[1], reverse=down)
    return (*(line for line, _ in known), *(line for line, v in pairs if v is None))
