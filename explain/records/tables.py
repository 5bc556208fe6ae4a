"""The compact form of a record: nodes, edges and facts stand once in tables, and whatever uses them counts places.

Ten explanations cite the same positions and the same facts again and again; written out each time, a record would
be some five times as large. `expanded` gives the form that `explain --format json` prints, to the last field.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from pathfolio.explain.evidence import PathEdge, PathNode
from pathfolio.explain.explanation import Explanation
from pathfolio.kg.languages import DEFAULT
from pathfolio.kg.languages.names import Names
from pathfolio.recommender.suitability.rules import RuleSet
from pathfolio.recommender.suitability.verdict import UNDECIDED, Outcome, RuleResult, UsedFact, Verdict

_NODE: Final = ("id", "kind", "name")
_BEFORE: Final = "zh-TW"
TOLD_BEFORE: Final = (DEFAULT, _BEFORE)
"""The languages of reasons in records that do not say theirs."""

_EDGE: Final = ("head", "relation", "tail", "weight", "source", "as_of", "known_at")
_PATH: Final = ("id", "channel", "contribution", "count")
_RESULT: Final = ("outcome", "effect", "reason", "measured", "limit", "subject")


Cited = TypeVar("Cited")


@dataclass
class _Column(Generic[Cited]):
    """Rows that stand once each.

    Attributes:
        row_of: a value as it stands in the table.
        key_of: values with the same key are the same row.
    """

    row_of: Callable[[Cited], Any]
    key_of: Callable[[Cited], Hashable]
    rows: list[Any] = field(default_factory=list)
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


def _node_row(node: PathNode) -> list[Any]:
    return [node.id, node.kind, node.name, node.names.to_json()]


def _node_row_of_two(node: PathNode) -> list[Any]:
    return [node.id, node.kind, node.name, node.names[_BEFORE]]


def _node_key(node: PathNode) -> Hashable:
    return node.kind, node.id, node.name


def _edge_row(edge: PathEdge) -> list[Any]:
    days = edge.as_of.isoformat(), edge.known_at.isoformat()
    return [edge.head, edge.relation, edge.tail, edge.weight, edge.source, *days]


def _itself(value: Hashable) -> Hashable:
    return value


class Tables:
    """Collects the nodes, edges and facts of one record."""

    def __init__(self, *, states: bool, told_in: tuple[str, ...]) -> None:
        """Nothing is cited yet; verdicts have four `states`, or the three outcomes of records of format 1.

        Of a node there is a map of names; records told in `TOLD_BEFORE` have the two names alone.
        """
        self._states = states
        self.nodes = _Column(_node_row_of_two if told_in == TOLD_BEFORE else _node_row, _node_key)
        self.edges: _Column[PathEdge] = _Column(_edge_row, _itself)
        self.facts: _Column[UsedFact] = _Column(UsedFact.to_json, _itself)

    def to_json(self) -> dict[str, list[Any]]:
        """The tables as they stand in the record."""
        return {"nodes": self.nodes.rows, "edges": self.edges.rows, "facts": self.facts.rows}

    def explanation(self, explanation: Explanation) -> dict[str, Any]:
        """An explanation in places; what the record says elsewhere (investor, asset, build) is left out."""
        nodes, edges = self.nodes.places, self.edges.places
        paths = [[p.id, p.channel, p.contribution, p.count, nodes(p.nodes), edges(p.edges)] for p in explanation.paths]
        return {
            "score": explanation.score,
            "base": [[name, value] for name, value in explanation.base],
            "channels": [part.to_json() for part in explanation.channels],
            "paths": paths,
            "facts": [fact.to_json() for fact in explanation.facts],
            "reasons": [reason.to_json() for reason in explanation.reasons],
        }

    def verdict(self, verdict: Verdict, rules: RuleSet) -> dict[str, Any]:
        """A verdict in places: its results in the order of the rules, or what speaks against with each rule's place."""
        outcome = verdict.state if self._states else verdict.outcome.word
        results = [self._result(result) for result in verdict.results]
        if len(results) == len(rules.rules):
            return {"outcome": outcome, "results": results}
        places = {rule.name: place for place, rule in enumerate(rules.rules)}
        against = [[places[found.rule], *row] for found, row in zip(verdict.results, results, strict=True)]
        return {"outcome": outcome, "against": against}

    def _result(self, result: RuleResult) -> list[Any]:
        facts = self.facts.places(result.facts)
        words = [result.outcome.word, result.effect.word, result.reason]
        found = [*words, result.measured, result.limit, result.subject, facts]
        return found if result.warn_at is None else [*found, result.warn_at]


def expanded(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record with every explanation and verdict written out, for readers, reports and exports."""
    tables, rules = record["tables"], record["rules"]["rules"]
    about = {
        "user_id": record["question"]["user_id"],
        "as_of": record["data"]["as_of"],
        "build": record["build"]["hash"],
    }
    shown = [
        {**item, "verdict": _verdict(item["verdict"], item["asset_id"], rules, tables)}
        | _explained(about, item, tables)
        for item in record["list"]
    ]
    rejected = [
        {**item, "verdict": _verdict(item["verdict"], item["asset_id"], rules, tables)} for item in record["rejected"]
    ]
    return {**record, "list": shown, "rejected": rejected, "local_names": _other_names(tables["nodes"])}


def node_key(node: Sequence[Any]) -> str:
    """How a recorded node is called in `local_names`: its kind and id, or for others, summed up, how many they are."""
    return f"{node[1]}/{node[2] if node[0] is None else node[0]}"


def _other_names(nodes: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Of each node that has another name: language to name, or the one other name of earlier records."""
    return {node_key(node): node[3] for node in nodes if node[3] not in (node[2], {DEFAULT: node[2]})}


def names_of(node: Sequence[Any]) -> Names:
    """A recorded node's names; earlier records have one in Traditional Chinese beside `name`."""
    name, other = node[2], node[3]
    return Names(other) if isinstance(other, dict) else Names({DEFAULT: str(name), _BEFORE: str(other)})


def _explained(about: Mapping[str, Any], item: Mapping[str, Any], tables: Mapping[str, Any]) -> dict[str, Any]:
    """The explanation of a line, its reasons alone where the record has no more of it, or nothing."""
    if "explanation" in item:
        return {"explanation": _explanation({**about, **_line(item)}, item["explanation"], tables)}
    if "reasons" in item:
        nothing: dict[str, Any] = {"base": [], "channels": [], "paths": [], "facts": []}
        known = {"score": item["score"], "reasons": item["reasons"]}
        return {"explanation": {**about, **_line(item), **nothing, **known}}
    return {}


def _line(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in ("asset_id", "kind", "rank")}


def _explanation(about: Mapping[str, Any], compact: Mapping[str, Any], tables: Mapping[str, Any]) -> dict[str, Any]:
    paths = [
        {
            **dict(zip(_PATH, path[:4], strict=True)),
            "nodes": [_row(_NODE, tables["nodes"][at]) for at in path[4]],
            "edges": [_row(_EDGE, tables["edges"][at]) for at in path[5]],
        }
        for path in compact["paths"]
    ]
    base = [{"name": name, "value": value} for name, value in compact["base"]]
    return {**about, **compact, "base": base, "paths": paths}


def _verdict(
    compact: Mapping[str, Any], asset_id: str, rules: Sequence[Sequence[str]], tables: Mapping[str, Any]
) -> dict[str, Any]:
    results = [
        {
            "rule": rule,
            "kind": kind,
            **dict(zip(_RESULT, result[:6], strict=True)),
            "facts": [tables["facts"][at] for at in result[6]],
            **({"warn_at": result[7]} if len(result) > 7 else {}),
        }
        for (rule, kind), result in _results(compact, rules)
    ]
    return {"asset_id": asset_id, "outcome": state_of(compact), "results": results}


def state_of(compact: Mapping[str, Any]) -> str:
    """A recorded verdict's state; what records of format 1 call a pass may have rules that were not decided."""
    left_open = any(result[0] == Outcome.UNKNOWN.word for result in compact.get("results", ()))
    return UNDECIDED if compact["outcome"] == Outcome.PASS.word and left_open else str(compact["outcome"])


def _results(compact: Mapping[str, Any], rules: Sequence[Sequence[str]]) -> Iterator[tuple[Sequence[str], Any]]:
    """Each result with its rule's name and kind."""
    if "results" in compact:
        yield from zip(rules, compact["results"], strict=True)
        return
    for place, *result in compact["against"]:
        yield rules[place], result


def _row(names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(names, values, strict=False))
