"""The compact form of a record: nodes, edges and facts stand once in tables, and whatever uses them counts places.

Ten explanations cite the same positions and the same facts again and again; written out each time, a record would
be some five times as large. `pathfolio.explain.records.told` finds what stands at each place.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar, cast

from pathfolio.explain.evidence import PathEdge, PathNode, Reason
from pathfolio.explain.explanation import Explanation
from pathfolio.explain.records.layout import FORMAT, TRADITIONAL, WITHOUT_DAY
from pathfolio.explain.records.layout.asked import RecordedFact
from pathfolio.explain.records.layout.shown import (
    AgainstRow,
    BaseRow,
    CitedFact,
    EdgeRow,
    FindingRow,
    NodeRow,
    PathPlaces,
    RecordedChannel,
    RecordedExplanation,
    RecordedReason,
    RecordedVerdict,
    RecordTables,
)
from pathfolio.recommender.suitability.rules import RuleSet
from pathfolio.recommender.suitability.verdict import RuleResult, UsedFact, Verdict

Cited = TypeVar("Cited")
Row = TypeVar("Row")


@dataclass
class _CitedOnce(Generic[Cited, Row]):
    """Rows that stand once each.

    Attributes:
        row_of: a value as it stands in the table.
        key_of: values with the same key are the same row.
    """

    row_of: Callable[[Cited], Row]
    key_of: Callable[[Cited], Hashable]
    rows: list[Row] = field(default_factory=list)
    _places: dict[Hashable, int] = field(default_factory=dict)
    _seen: dict[int, int] = field(default_factory=dict)
    _kept: list[Cited] = field(default_factory=list)

    def places(self, values: Sequence[Cited]) -> tuple[int, ...]:
        """Where the row of each value stands; the same object, cited hundreds of times, is not hashed again."""
        seen = tuple(map(self._seen.get, map(id, values)))
        return tuple(map(self._place, values)) if None in seen else cast("tuple[int, ...]", seen)

    def _place(self, value: Cited) -> int:
        seen = self._seen.get(id(value))
        if seen is not None:
            return seen
        at = self._places.setdefault(self.key_of(value), len(self.rows))
        if at == len(self.rows):
            self.rows.append(self.row_of(value))
        self._seen[id(value)] = at
        self._kept.append(value)  # so that no other object gets its id
        return at


def _node_row(node: PathNode) -> NodeRow:
    return NodeRow(node.id, node.kind, node.name, node.names.to_json())


def _earlier_node_row(node: PathNode) -> NodeRow:
    return NodeRow(node.id, node.kind, node.name, node.names[TRADITIONAL])


def _node_key(node: PathNode) -> Hashable:
    return node.kind, node.id, node.name


def _edge_row(edge: PathEdge) -> EdgeRow:
    weight = None if edge.weight is None else float(edge.weight)
    return EdgeRow(edge.head, edge.relation, edge.tail, weight, edge.source, edge.as_of, edge.known_at)


def recorded_fact(fact: UsedFact) -> RecordedFact:
    """A fact that a rule used, as it stands in a record."""
    return RecordedFact(**vars(fact))


def recorded_reasons(reasons: Iterable[Reason]) -> tuple[RecordedReason, ...]:
    """Sentences with the ids of their evidence, as they stand in a record."""
    return tuple(RecordedReason(reason.lang, reason.text, reason.evidence) for reason in reasons)


def _itself(value: Hashable) -> Hashable:
    return value


class TableWriter:
    """Writes explanations and verdicts, and collects the nodes, edges and facts that they cite."""

    def __init__(self, rules: RuleSet, version: int = FORMAT) -> None:
        """Nothing is cited yet; verdicts are by `rules`.

        Args:
            version: the record's format: format 1 has three outcomes instead of four states, and the formats before 3
                have one other name of a node instead of its names by language.
        """
        self._places = {rule.name: place for place, rule in enumerate(rules.rules)}
        self._states = version != WITHOUT_DAY
        self._nodes = _CitedOnce(_node_row if version == FORMAT else _earlier_node_row, _node_key)
        self._edges: _CitedOnce[PathEdge, EdgeRow] = _CitedOnce(_edge_row, _itself)
        self._facts: _CitedOnce[UsedFact, RecordedFact] = _CitedOnce(recorded_fact, _itself)

    @property
    def tables(self) -> RecordTables:
        """What was cited so far."""
        return RecordTables(tuple(self._nodes.rows), tuple(self._edges.rows), tuple(self._facts.rows))

    def explanation(self, explanation: Explanation) -> RecordedExplanation:
        """An explanation in places; what the record says elsewhere (investor, asset, build) is left out."""
        nodes, edges = self._nodes.places, self._edges.places
        return RecordedExplanation(
            score=explanation.score,
            base=tuple(BaseRow(name, value) for name, value in explanation.base),
            channels=tuple(RecordedChannel(part.name, part.value, part.remainder) for part in explanation.channels),
            paths=tuple(
                PathPlaces(p.id, p.channel, p.contribution, p.count, nodes(p.nodes), edges(p.edges))
                for p in explanation.paths
            ),
            facts=tuple(
                CitedFact(f.id, f.asset_id, f.metric, f.value, f.unit, f.as_of, f.known_at, f.source, f.user_id)
                for f in explanation.facts
            ),
            reasons=recorded_reasons(explanation.reasons),
        )

    def verdict(self, verdict: Verdict) -> RecordedVerdict:
        """A verdict in places: its results in the order of the rules, or what speaks against with each rule's place."""
        outcome = verdict.state if self._states else verdict.outcome.word
        if len(verdict.results) == len(self._places):
            return RecordedVerdict(outcome, results=tuple(map(self._finding, verdict.results)))
        return RecordedVerdict(outcome, against=tuple(map(self._against, verdict.results)))

    def _finding(self, found: RuleResult) -> FindingRow:
        words, facts = (found.outcome.word, found.effect.word, found.reason), self._facts.places(found.facts)
        return FindingRow(*words, found.measured, found.limit, found.subject, facts, found.warn_at)

    def _against(self, found: RuleResult) -> AgainstRow:
        words, facts = (found.outcome.word, found.effect.word, found.reason), self._facts.places(found.facts)
        place = self._places[found.rule]
        return AgainstRow(place, *words, found.measured, found.limit, found.subject, facts, found.warn_at)
