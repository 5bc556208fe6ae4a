"""A record as it is told: what its lines and rejections cite, found in its tables, as the types that explanations and
verdicts have when they are made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from msgspec.structs import asdict

from pathfolio.explain.evidence import ChannelPart, Fact, Path, PathEdge, PathNode, Reason
from pathfolio.explain.records.layout import TRADITIONAL, Record
from pathfolio.explain.records.layout.asked import RecordedFact, RuleRow
from pathfolio.explain.records.layout.shown import (
    AgainstRow,
    EdgeRow,
    FindingRow,
    NodeRow,
    PathPlaces,
    RecordedLine,
    RecordedReason,
    RecordedRejection,
    RecordedVerdict,
)
from pathfolio.kg.languages import DEFAULT
from pathfolio.kg.languages.names import Names
from pathfolio.recommender.suitability.rule import Rule
from pathfolio.recommender.suitability.verdict import UNDECIDED, Outcome, RuleResult, UsedFact


class ReasonsFrom(Enum):
    """Where the reasons that are told are from; with the build gone, what was shown beside the list is not known."""

    RECORDED = "recorded"
    COMPUTED_AGAIN = "computed again"
    BUILD_GONE = "build gone"
    REST_COMPUTED_AGAIN = "recorded, the rest computed again"
    REST_DIFFERS = "recorded, the rest computed otherwise"
    REST_GONE = "recorded, the build of the rest gone"


@dataclass(frozen=True)
class ToldExplanation:
    """As `Explanation`, but of an early or bare list it may lack what adds up to the score."""

    score: float
    base: tuple[tuple[str, float], ...] = ()
    channels: tuple[ChannelPart, ...] = ()
    paths: tuple[Path, ...] = ()
    facts: tuple[Fact, ...] = ()
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class ToldVerdict:
    """A verdict's state, one of `STATES`, and what every rule found, or those alone that speak against."""

    state: str
    results: tuple[RuleResult, ...]


@dataclass(frozen=True)
class ToldLine:
    """A line of the list with what it cites."""

    line: RecordedLine
    verdict: ToldVerdict
    explanation: ToldExplanation


@dataclass(frozen=True)
class ToldRejection:
    """A rejected asset with what its verdict cites."""

    rejection: RecordedRejection
    verdict: ToldVerdict


@dataclass(frozen=True)
class ToldRecord:
    """A record with all that its lines and rejections cite.

    Attributes:
        nodes: as in the record's tables.
        rules: those of the rule file, by their ids, which the record names by its hash; none where it is not at hand.
    """

    record: Record
    nodes: tuple[PathNode, ...]
    lines: tuple[ToldLine, ...]
    rejected: tuple[ToldRejection, ...]
    rules: dict[str, Rule]
    reasons_from: ReasonsFrom


def told(record: Record, rules: tuple[Rule, ...] = (), reasons_from: ReasonsFrom = ReasonsFrom.RECORDED) -> ToldRecord:
    """The record, its places in the tables replaced by what stands there."""
    reader = _Reader(record)
    return ToldRecord(
        record,
        reader.nodes,
        tuple(ToldLine(line, reader.verdict(line.verdict), reader.explanation(line)) for line in record.list),
        tuple(ToldRejection(item, reader.verdict(item.verdict)) for item in record.rejected),
        {rule.name: rule for rule in rules},
        reasons_from,
    )


class _Reader:
    """Knows what stands at each place of a record's tables."""

    def __init__(self, record: Record) -> None:
        self.nodes = tuple(map(_node, record.tables.nodes))
        self._edges = tuple(map(_edge, record.tables.edges))
        self._facts = tuple(map(used_fact, record.tables.facts))
        self._rules = record.rules.rules

    def verdict(self, found: RecordedVerdict) -> ToldVerdict:
        results = (self._result(rule, finding) for rule, finding in self._findings(found))
        return ToldVerdict(state_of(found), tuple(results))

    def explanation(self, line: RecordedLine) -> ToldExplanation:
        """What the line says of its score: all, its reasons alone, or nothing more."""
        found = line.explanation
        if found is None:
            return ToldExplanation(line.score, reasons=_reasons(line.reasons or ()))
        return ToldExplanation(
            found.score,
            tuple((base.name, base.value) for base in found.base),
            tuple(ChannelPart(part.name, part.value, part.remainder) for part in found.channels),
            tuple(map(self._path, found.paths)),
            tuple(Fact(**asdict(fact)) for fact in found.facts),
            _reasons(found.reasons),
        )

    def _path(self, path: PathPlaces) -> Path:
        nodes = tuple(self.nodes[at] for at in path.nodes)
        edges = tuple(self._edges[at] for at in path.edges)
        return Path(path.id, path.channel, path.contribution, nodes, edges, path.count)

    def _findings(self, found: RecordedVerdict) -> Iterator[tuple[RuleRow, FindingRow | AgainstRow]]:
        """Each finding with its rule."""
        if found.results is not None:
            yield from zip(self._rules, found.results, strict=True)
        for finding in found.against or ():
            yield self._rules[finding.rule], finding

    def _result(self, rule: RuleRow, found: FindingRow | AgainstRow) -> RuleResult:
        return RuleResult(
            rule=rule.name,
            kind=rule.kind,
            outcome=Outcome[found.outcome.upper()],
            effect=Outcome[found.effect.upper()],
            reason=found.reason,
            measured=found.measured,
            limit=found.limit,
            subject=found.subject,
            facts=tuple(self._facts[at] for at in found.facts),
            warn_at=found.warn_at,
        )


def names_of(node: NodeRow) -> Names:
    """A recorded node's names; those of earlier records have one in Traditional Chinese beside `name`."""
    names = node.names
    return Names(names) if isinstance(names, dict) else Names({DEFAULT: node.name, TRADITIONAL: names})


def used_fact(fact: RecordedFact) -> UsedFact:
    """A recorded fact as rules use it."""
    return UsedFact(fact.head, fact.relation, fact.tail, fact.value, fact.source, fact.as_of, fact.known_at, fact.note)


def state_of(found: RecordedVerdict) -> str:
    """A recorded verdict's state; what records of format 1 call a pass may have rules that were not decided."""
    left_open = any(result.outcome == Outcome.UNKNOWN.word for result in found.results or ())
    return UNDECIDED if found.outcome == Outcome.PASS.word and left_open else found.outcome


def _node(node: NodeRow) -> PathNode:
    return PathNode(node.id, node.kind, names_of(node))


def _edge(edge: EdgeRow) -> PathEdge:
    return PathEdge(**asdict(edge))


def _reasons(reasons: tuple[RecordedReason, ...]) -> tuple[Reason, ...]:
    return tuple(Reason(reason.lang, reason.text, reason.evidence) for reason in reasons)
