"""Counterfactuals put into words."""

from __future__ import annotations

from typing import Any

from pathfolio.explain.counterfactual import Counterfactual
from pathfolio.explain.evidence import PathNode
from pathfolio.explain.speech import speech_of
from pathfolio.explain.tracer import Tracer
from pathfolio.explain.what_if import InvestorChange, WhatIf
from pathfolio.kg.languages import DEFAULT


def tell(found: Counterfactual, model: WhatIf, lang: str = DEFAULT) -> str:
    """The counterfactual as a sentence for the investor.

    Raises:
        UsageError: there is no wording in that language.
    """
    tracer = Tracer(model.graph, "")
    values: dict[str, Any] = {
        "kind": model.graph.kind_of(model.graph.asset_span.row(found.asset)).value,
        "k": found.options.k,
        "before": found.before,
        "after": found.after,
        "scored": found.scored,
        "is_smallest": found.is_smallest,
    }
    if found.change is not None:
        values |= {"positions": _removed(found.change, tracer), "answers": _answers(found, model, tracer)}
    return speech_of(lang).what_if(_macro(found, model), values)


def to_json(found: Counterfactual, model: WhatIf, lang: str = DEFAULT) -> dict[str, Any]:
    """The counterfactual for machines, with its sentence."""
    graph = model.graph
    change = found.change
    tracer = Tracer(model.graph, "")
    answers = [] if change is None else _answers(found, model, tracer)
    removed = [] if change is None else _removed(change, tracer)
    return {
        "user_id": str(graph.user_ids[found.user]),
        "asset_id": str(graph.asset_ids[found.asset]),
        "k": found.options.k,
        "takes_off": found.takes_off,
        "found": change is not None,
        "without": [node.to_json(lang) for node in removed],
        "answers": [{name: getattr(node, "id", node) for name, node in answer.items()} for answer in answers],
        "before": found.before,
        "after": found.after,
        "is_smallest": found.is_smallest,
        "scored": found.scored,
        "text": tell(found, model, lang),
    }


def _macro(found: Counterfactual, model: WhatIf) -> str:
    if not found.before:
        return "held" if found.asset in model.positions(found.user) else "unsuitable"
    side = "off" if found.takes_off else "on"
    if found.change is not None:
        return side
    if (found.before <= found.options.k) != found.takes_off:
        return f"{side}_listed"
    return f"{side}_none" if found.is_smallest else f"{side}_unknown"


def _removed(change: InvestorChange, tracer: Tracer) -> list[PathNode]:
    """The assets that a change takes away, in the order of the snapshot."""
    return [tracer.node(tracer.graph.asset_span.row(asset)) for asset in sorted(change.without)]


def _answers(found: Counterfactual, model: WhatIf, tracer: Tracer) -> list[dict[str, PathNode | str | None]]:
    """For each answer that changes: its kind, what it was and what it would be."""
    given = model.answers(found.user)
    out: list[dict[str, PathNode | str | None]] = []
    for relation, level in found.change.answers if found.change is not None else ():
        old, new = (None if row is None else tracer.node(row) for row in (given.get(relation), level))
        kind = (old or new or tracer.node(model.graph.user_span.row(found.user))).kind
        out.append({"level_kind": kind, "old": old, "new": new})
    return out
