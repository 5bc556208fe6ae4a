"""A record as the JSON that `audit show`, the site and a case print, with all that it cites written out."""

from __future__ import annotations

from pathfolio.explain.evidence import Path, PathNode
from pathfolio.explain.records.layout import Printed, Record, plain
from pathfolio.explain.records.layout.shown import NodeRow
from pathfolio.explain.records.told import ToldLine, ToldRecord, ToldVerdict, names_of, told


def printed(found: ToldRecord) -> Printed:
    """The record written out, where its reasons are from, and its rules' titles and basis in law."""
    rules = {
        name: {**rule.title.to_json(), "basis": rule.basis.to_json() if rule.basis is not None else {}}
        for name, rule in found.rules.items()
    }
    return _expanded(found) | {"reasons": found.reasons_from.value, "rule_texts": rules}


def expanded(record: Record) -> Printed:
    """The record alone with every explanation and verdict written out, to the last field of `explain --format json`."""
    return _expanded(told(record))


def _expanded(found: ToldRecord) -> Printed:
    out = plain(found.record)
    for item, each in zip(out["list"], found.lines, strict=True):
        item["verdict"] = _verdict(each.verdict, each.line.asset_id)
        if each.line.explanation is not None or each.line.reasons is not None:
            item["explanation"] = _explanation(item, each, found.record)
    for item, rejected in zip(out["rejected"], found.rejected, strict=True):
        item["verdict"] = _verdict(rejected.verdict, rejected.rejection.asset_id)
    nodes = found.record.tables.nodes
    out["local_names"] = {_key(node): node.names for node in nodes if set(names_of(node).texts()) != {node.name}}
    return out


def _key(node: NodeRow) -> str:
    """How a node is called in `local_names`: its kind and id, or for others, summed up, how many they are."""
    return f"{node.kind}/{node.name if node.id is None else node.id}"


def _explanation(item: Printed, found: ToldLine, record: Record) -> Printed:
    """An explanation as `explain --format json` prints it; what has no places in the tables is printed in `item`."""
    nothing: Printed = {"base": [], "channels": [], "paths": [], "facts": [], "score": found.line.score}
    plainly: Printed = item["explanation"] if "explanation" in item else nothing | {"reasons": item["reasons"]}
    about = {
        "user_id": record.question.user_id,
        "as_of": record.data.as_of.isoformat(),
        "build": record.build.hash,
        "asset_id": found.line.asset_id,
        "kind": found.line.kind,
        "rank": found.line.rank,
    }
    base = [{"name": name, "value": value} for name, value in found.explanation.base]
    return about | plainly | {"base": base, "paths": list(map(_path, found.explanation.paths))}


def _path(path: Path) -> Printed:
    return {
        "id": path.id,
        "channel": path.channel,
        "contribution": path.contribution,
        "count": path.count,
        "nodes": list(map(_node, path.nodes)),
        "edges": [edge.to_json() for edge in path.edges],
    }


def _node(node: PathNode) -> Printed:
    return {"id": node.id, "kind": node.kind, "name": node.name}


def _verdict(found: ToldVerdict, asset_id: str) -> Printed:
    return {"asset_id": asset_id, "outcome": found.state, "results": [result.to_json() for result in found.results]}
