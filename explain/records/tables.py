"""The compact form of a record: nodes, edges and facts stand once in tables, and whatever uses them counts places.

Ten explanations cite the same positions and the same facts again and again; written out each time, a record would
be some five times as large. `expanded` gives the form that `explain --format json` prints, to the last field.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from explain.evidence import PathEdge, PathNode
from explain.explanation import Explanation
from recommender.suitability.rules import RuleSet
from recommender.suitability.verdict import Fact, RuleResult, Verdict

_NODE: Final = ("id", "kind", "name", "local_name")
_EDGE: Final = ("head", "relation", "tail", "weight", "source", "as_of", "known_at")
_PATH: Final = ("id", "channel", "contribution", "count")
_RESULT: Final = ("outcome", "effect", "reason", "measured", "limit", "subject")


@dataclass
class _Column:
    """Rows that stand once each."""

    rows: list[Any] = field(default_factory=list)
    places: dict[Hashable, int] = field(default_factory=dict)

    def place(self, key: Hashable, row: Any) -> int:
        at = self.places.setdefault(key, len(self.rows))
        if at == len(self.rows):
            self.rows.append(row)
        return at


@dataclass
class Tables:
    """Collects the nodes, edges and facts of one record."""

    nodes: _Column = field(default_factory=_Column)
    edges: _Column = field(default_factory=_Column)
    facts: _Column = field(default_factory=_Column)

    def to_json(self) -> dict[str, list[Any]]:
        """The tables as they stand in the record."""
        return {"nodes": self.nodes.rows, "edges": self.edges.rows, "facts": self.facts.rows}

    def explanation(self, explanation: Explanation) -> dict[str, Any]:
        """An explanation in places; what the record says elsewhere (investor, asset, build) is left out."""
        paths = [
            [
                p.id,
                p.channel,
                p.contribution,
                p.count,
                [self._node(n) for n in p.nodes],
                [self._edge(e) for e in p.edges],
            ]
            for p in explanation.paths
        ]
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
        results = [self._result(result) for result in verdict.results]
        if len(results) == len(rules.rules):
            return {"outcome": verdict.outcome.word, "results": results}
        places = {rule.name: place for place, rule in enumerate(rules.rules)}
        against = [[places[found.rule], *row] for found, row in zip(verdict.results, results, strict=True)]
        return {"outcome": verdict.outcome.word, "against": against}

    def _result(self, result: RuleResult) -> list[Any]:
        facts = [self._fact(fact) for fact in result.facts]
        words = [result.outcome.word, result.effect.word, result.reason]
        found = [*words, result.measured, result.limit, result.subject, facts]
        return found if result.warn_at is None else [*found, result.warn_at]

    def _node(self, node: PathNode) -> int:
        key = (node.kind, node.id, node.name)
        return self.nodes.place(key, [node.id, node.kind, node.name, node.local_name])

    def _edge(self, edge: PathEdge) -> int:
        at = self.edges.places.get(edge)
        return self.edges.place(edge, _edge_row(edge)) if at is None else at

    def _fact(self, fact: Fact) -> int:
        at = self.facts.places.get(fact)
        return self.facts.place(fact, fact.to_json()) if at is None else at


def _edge_row(edge: PathEdge) -> list[Any]:
    days = edge.as_of.isoformat(), edge.known_at.isoformat()
    return [edge.head, edge.relation, edge.tail, edge.weight, edge.source, *days]


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
        | (
            {"explanation": _explanation({**about, **_line(item)}, item["explanation"], tables)}
            if "explanation" in item
            else {}
        )
        for item in record["list"]
    ]
    rejected = [
        {**item, "verdict": _verdict(item["verdict"], item["asset_id"], rules, tables)} for item in record["rejected"]
    ]
    names = {
        f"{kind}/{name if key is None else key}": local for key, kind, name, local in tables["nodes"] if local != name
    }
    return {**record, "list": shown, "rejected": rejected, "local_names": names}


def _line(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in ("asset_id", "kind", "rank")}


def _explanation(about: Mapping[str, Any], compact: Mapping[str, Any], tables: Mapping[str, Any]) -> dict[str, Any]:
    paths = [
        {
            **dict(zip(_PATH, path[:4], strict=True)),
            "nodes": [_row(_NODE[:3], tables["nodes"][at]) for at in path[4]],
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
    return {"asset_id": asset_id, "outcome": compact["outcome"], "results": results}


def _results(compact: Mapping[str, Any], rules: Sequence[Sequence[str]]) -> Iterator[tuple[Sequence[str], Any]]:
    """Each result with its rule's name and kind."""
    if "results" in compact:
        yield from zip(rules, compact["results"], strict=True)
        return
    for place, *result in compact["against"]:
        yield rules[place], result


def _row(names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(names, values, strict=False))
