"""The compact form of a record: nodes, edges and facts stand once in tables, and whatever uses them counts places.

Ten explanations cite the same positions and the same facts again and again; written out each time, a record would
be some five times as large. `expanded` gives the form that `explain --format json` prints, to the last field.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from msgspec import to_builtins
from msgspec.structs import asdict

from pathfolio.explain.evidence import PathEdge, PathNode, Reason
from pathfolio.explain.explanation import Explanation
from pathfolio.explain.records.layout import (
    FORMAT,
    TRADITIONAL,
    WITHOUT_DAY,
    AgainstRow,
    BaseRow,
    CitedFact,
    EdgeRow,
    FindingRow,
    NodeRow,
    PathPlaces,
    Printed,
    Record,
    RecordedChannel,
    RecordedExplanation,
    RecordedFact,
    RecordedReason,
    RecordedVerdict,
    RecordTables,
    RuleRow,
    plain,
)
from pathfolio.kg.languages import DEFAULT
from pathfolio.kg.languages.names import Names
from pathfolio.recommender.suitability.rules import RuleSet
from pathfolio.recommender.suitability.verdict import UNDECIDED, Outcome, RuleResult, UsedFact, Verdict

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

    def places(self, values: Iterable[Cited]) -> list[int]:
        """Where the row of each value stands; the same object, cited hundreds of times, is not hashed again."""
        seen = self._seen
        return [at if (at := seen.get(id(value))) is not None else self._place(value) for value in values]

    def _place(self, value: Cited) -> int:
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
                PathPlaces(p.id, p.channel, p.contribution, p.count, tuple(nodes(p.nodes)), tuple(edges(p.edges)))
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
        words, facts = (found.outcome.word, found.effect.word, found.reason), tuple(self._facts.places(found.facts))
        return FindingRow(*words, found.measured, found.limit, found.subject, facts, found.warn_at)

    def _against(self, found: RuleResult) -> AgainstRow:
        words, facts = (found.outcome.word, found.effect.word, found.reason), tuple(self._facts.places(found.facts))
        place = self._places[found.rule]
        return AgainstRow(place, *words, found.measured, found.limit, found.subject, facts, found.warn_at)


def expanded(record: Record) -> Printed:
    """The record with every explanation and verdict written out, for readers, reports and exports."""
    printed = plain(record)
    for item, line in zip(printed["list"], record.list, strict=True):
        item["verdict"] = _verdict(line.verdict, line.asset_id, record)
        about = {
            "user_id": record.question.user_id,
            "as_of": record.data.as_of.isoformat(),
            "build": record.build.hash,
            "asset_id": line.asset_id,
            "kind": line.kind,
            "rank": line.rank,
        }
        if line.explanation is not None:
            item["explanation"] = about | _explanation(item["explanation"], line.explanation, record.tables)
        elif line.reasons is not None:  # the record has no more of its explanation
            nothing: Printed = {"base": [], "channels": [], "paths": [], "facts": []}
            item["explanation"] = about | nothing | {"score": line.score, "reasons": item["reasons"]}
    for item, rejection in zip(printed["rejected"], record.rejected, strict=True):
        item["verdict"] = _verdict(rejection.verdict, rejection.asset_id, record)
    printed["local_names"] = _other_names(printed["tables"]["nodes"])
    return printed


def node_key(node: Sequence[Any]) -> str:
    """How a printed node is called in `local_names`: its kind and id, or for others, summed up, how many they are."""
    return f"{node[1]}/{node[2] if node[0] is None else node[0]}"


def _other_names(nodes: Sequence[Sequence[Any]]) -> Printed:
    """Of each node that has another name: language to name, or the one other name of earlier records."""
    return {node_key(node): node[3] for node in nodes if set(names_of(node).texts()) != {node[2]}}


def names_of(node: Sequence[Any]) -> Names:
    """A printed node's names; those of earlier records have one in Traditional Chinese beside `name`."""
    name, other = node[2], node[3]
    return Names(other) if isinstance(other, dict) else Names({DEFAULT: str(name), TRADITIONAL: str(other)})


def _explanation(printed: Printed, found: RecordedExplanation, tables: RecordTables) -> Printed:
    """An explanation as `explain --format json` prints it; `printed` is what it has without tables."""
    paths = [
        {
            "id": path.id,
            "channel": path.channel,
            "contribution": path.contribution,
            "count": path.count,
            "nodes": [{"id": n.id, "kind": n.kind, "name": n.name} for n in map(tables.nodes.__getitem__, path.nodes)],
            "edges": [to_builtins(asdict(tables.edges[at])) for at in path.edges],
        }
        for path in found.paths
    ]
    return {**printed, "base": [asdict(base) for base in found.base], "paths": paths}


def _verdict(found: RecordedVerdict, asset_id: str, record: Record) -> Printed:
    results = []
    for rule, result in _results(found, record):
        said = {} if result.warn_at is None else {"warn_at": result.warn_at}
        results.append(
            {
                "rule": rule.name,
                "kind": rule.kind,
                "outcome": result.outcome,
                "effect": result.effect,
                "reason": result.reason,
                "measured": result.measured,
                "limit": result.limit,
                "subject": result.subject,
                "facts": [to_builtins(record.tables.facts[at]) for at in result.facts],
                **said,
            }
        )
    return {"asset_id": asset_id, "outcome": state_of(found), "results": results}


def state_of(found: RecordedVerdict) -> str:
    """A recorded verdict's state; what records of format 1 call a pass may have rules that were not decided."""
    left_open = any(result.outcome == Outcome.UNKNOWN.word for result in found.results or ())
    return UNDECIDED if found.outcome == Outcome.PASS.word and left_open else found.outcome


def _results(found: RecordedVerdict, record: Record) -> Iterator[tuple[RuleRow, FindingRow | AgainstRow]]:
    """Each result with its rule's name and kind."""
    rules = record.rules.rules
    if found.results is not None:
        yield from zip(rules, found.results, strict=True)
    for result in found.against or ():
        yield rules[result.rule], result
