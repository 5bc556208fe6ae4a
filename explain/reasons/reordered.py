"""That a list is not in the order of its scores alone, and by which figures it is, where that was asked for."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from pathfolio.explain.checker.said import Said
from pathfolio.explain.checker.view import Snapshot
from pathfolio.explain.evidence import Fact, stable_id
from pathfolio.explain.explanation import Explanation
from pathfolio.explain.reasons.case import Case
from pathfolio.explain.reasons.claim import Claim, Value
from pathfolio.explain.reasons.kind import ReasonKind, Subject
from pathfolio.explain.speech import speech_of
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.span import Position, Positions
from pathfolio.recommender.portfolio.rerank import HalfYear, RiskOrder

ORDER, ALONE, TOGETHER = "order", "half_year_volatility", "list_volatility"


class Reordered(ReasonKind):
    """The list weighs how much it varies; told of the list, not of the score, by `tell_order`."""

    subject = Subject.FIGURES
    triggers = ("reordered",)

    def claims(self, case: Case) -> Iterator[Claim]:
        """None: a score alone knows nothing of the list."""
        return iter(())

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Hold the sentence against the cited facts; `checker.closes` computes these again."""
        facts = {str(fact["metric"]): fact for fact in said.evidence}
        wanted = {ORDER, ALONE, TOGETHER} if said.is_so("more") else {ORDER, ALONE}
        if set(facts) != wanted or any(fact["asset_id"] != view.data["asset_id"] for fact in facts.values()):
            return ["cites other facts than those of its order"]
        weight = float(str(facts[ORDER]["value"]).rpartition(":")[2])
        problems = [] if said.figure("weight").is_of(weight) else [f"the weight is {weight}"]
        problems += _unlike(said, "alone", facts[ALONE])
        if said.is_so("more"):
            problems += _unlike(said, "value", facts[TOGETHER])
            others = len(json.loads(str(facts[TOGETHER]["source"]).partition(" of ")[2].rpartition("]")[0] + "]")) - 1
            problems += [] if said.count("n") == others else [f"there are {others} before it"]
        day = str(facts[ALONE]["as_of"])
        return problems if said.day("day").isoformat() == day else [*problems, f"the last close is of {day}"]


def _unlike(said: Said, name: str, fact: Mapping[str, Any]) -> list[str]:
    value = float(str(fact["value"]))
    return [] if not math.isnan(value) and said.figure(name).is_of(value) else [f"the {fact['metric']} is {value}"]


def tell_order(
    found: Explanation,
    graph: KnowledgeGraph,
    closes: HalfYear,
    listed: Sequence[Position],
    weight: float,
    langs: Sequence[str],
) -> Explanation:
    """The explanation with one reason more, last in each language; as it is where the asset has no closes.

    Args:
        listed: the list down to the asset, which is its last.
    """
    asset = listed[-1]
    if not closes.known[asset]:
        return found
    known = [each for each in listed if closes.known[each]]
    asked = RiskOrder(weight).name
    alone, together = (_volatility(found, graph, closes, *each) for each in ((ALONE, [asset]), (TOGETHER, known)))
    told = Fact(
        stable_id("f", found.asset_id, ORDER, asked, alone.as_of.isoformat()),
        found.asset_id, ORDER, asked, "", alone.as_of, alone.as_of, "asked for with the list",
    )  # fmt: skip
    more = len(known) > 1
    facts = (told, alone, together) if more else (told, alone)
    values: dict[str, Value] = {
        "kind": found.asset.kind,
        "weight": weight,
        "day": alone.as_of,
        "alone": float(alone.value),
        "more": more,
    }
    values |= {"n": float(len(known) - 1), "value": float(together.value)}
    claim = Claim("reordered", values, tuple(fact.id for fact in facts), facts)
    said = {lang: speech_of(lang).reason(claim) for lang in langs}
    reasons = [reason for lang in langs for reason in (*found.reasons_in(lang), said[lang])]
    return found.with_reasons(tuple(reasons), (*found.facts, *facts), (*found.claims, claim))


def _volatility(
    found: Explanation, graph: KnowledgeGraph, closes: HalfYear, metric: str, assets: Sequence[Position]
) -> Fact:
    value, first, last = closes.volatility(Positions(np.array(assets, np.int64)))
    names = json.dumps([str(graph.asset_ids[each]) for each in assets], ensure_ascii=False)
    source = f"computed from closes of {names} in equal parts from {first} to {last}"
    identity = stable_id("f", found.asset_id, metric, repr(value), source)
    return Fact(identity, found.asset_id, metric, value, "fraction", last, last, source)
