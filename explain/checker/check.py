"""Checks explanations from the outside: from the printed JSON and the snapshot alone.

Each sentence is read back into its claims, and its family of reasons compares every number, name, date and count
with the snapshot, with nothing of what made the claim.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from pathfolio.explain.checker.closes import check_figures
from pathfolio.explain.checker.paths import check_paths
from pathfolio.explain.checker.said import Said
from pathfolio.explain.checker.sentences import sentences_of
from pathfolio.explain.checker.view import Snapshot
from pathfolio.explain.reasons.kinds import KIND_OF
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.recommender.suitability.rules import RuleSet
from pathfolio.recommender.told import ToldFact


def check_explanation(
    graph: KnowledgeGraph,
    data: Mapping[str, Any],
    rules: RuleSet | None = None,
    prices: pd.DataFrame | None = None,
    told: Iterable[ToldFact] = (),
) -> list[str]:
    """What is wrong with a printed explanation, one line each; empty where every claim is true.

    Args:
        graph: the snapshot that it speaks of.
        data: what `explain --format json` printed.
        rules: whose risk classes count; by default those that are shipped for the snapshot's market.
        prices: asset_id, date, close, where closes are known: figures that follow from them are computed again.
        told: what the investor told that the snapshot does not have, in order; as the record's question has it.
    """
    view = Snapshot(graph, data, rules, told)
    problems = check_paths(view)
    if prices is not None:
        problems += check_figures(data["facts"], prices, graph.as_of)
    for reason in data["reasons"]:
        problems += [f"{reason['text']!r}: {problem}" for problem in check_reason(view, reason)]
    return problems


def check_reason(view: Snapshot, reason: Mapping[str, Any]) -> list[str]:
    """What is wrong with one sentence and its evidence."""
    if not reason["evidence"] or not set(reason["evidence"]) <= view.evidence.keys():
        return ["cites no evidence, or some that is not there"]
    said = read(reason["text"], reason["lang"], [view.evidence[key] for key in reason["evidence"]])
    if said is None:
        return ["is no sentence that can be read back"]
    if said.has("kind") and said.text("kind") != view.kind:
        return [f"speaks of a {said.text('kind')}, not of a {view.kind}"]
    return KIND_OF[said.trigger].check(view, said)


def read(text: str, lang: str, evidence: Sequence[Mapping[str, Any]]) -> Said | None:
    """The claims of a sentence; None where it is none of any family."""
    for trigger, sentence in sentences_of(lang).items():
        values = sentence.read(text) if trigger in KIND_OF else None
        if values is not None:
            return Said(trigger, lang, values, tuple(evidence))
    return None
