"""Checks explanations from the outside: from the printed JSON and the snapshot alone, with nothing of the generator.

Each sentence is parsed back into its claims, and every number, name, date and count is compared with the snapshot.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pathfolio.explain.checker.facts import FACT_CHECKS
from pathfolio.explain.checker.paths import PATH_CHECKS, check_paths
from pathfolio.explain.checker.patterns import PATTERNS, WORDS
from pathfolio.explain.checker.view import Figure, Parsed, Snapshot
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.languages import language
from pathfolio.recommender.suitability.rules import RuleSet

Check = Callable[[Snapshot, Parsed], list[str]]

_CHECKS: Mapping[str, Check] = {**PATH_CHECKS, **FACT_CHECKS}


def check_explanation(graph: KnowledgeGraph, data: Mapping[str, Any], rules: RuleSet | None = None) -> list[str]:
    """What is wrong with a printed explanation, one line each; empty where every claim is true.

    Args:
        graph: the snapshot that it speaks of.
        data: what `explain --format json` printed.
        rules: whose risk classes count; by default those that are shipped for the snapshot's market.
    """
    view = Snapshot(graph, data, rules)
    problems = check_paths(view)
    for reason in data["reasons"]:
        problems += [f"{reason['text']!r}: {problem}" for problem in check_reason(view, reason)]
    return problems


def check_reason(view: Snapshot, reason: Mapping[str, Any]) -> list[str]:
    """What is wrong with one sentence and its evidence."""
    if not reason["evidence"] or not set(reason["evidence"]) <= view.evidence.keys():
        return ["cites no evidence, or some that is not there"]
    parsed = parse(reason["text"], reason["lang"], [view.evidence[key] for key in reason["evidence"]])
    if parsed is None:
        return ["is no sentence that can be read back"]
    if "kind" in parsed.words and parsed.words["kind"] != view.kind:
        return [f"speaks of a {parsed.words['kind']}, not of a {view.kind}"]
    return _CHECKS[parsed.trigger](view, parsed)


def parse(text: str, lang: str, evidence: Sequence[Mapping[str, Any]]) -> Parsed | None:
    """The claims of a sentence; None where it follows no known pattern."""
    for trigger, pattern in PATTERNS[lang].items():
        match = pattern.fullmatch(text)
        if match is not None:
            return Parsed(trigger, lang, _Groups.of(match, lang).values, tuple(evidence))
    return None


@dataclass(frozen=True)
class _Groups:
    """A match's groups: words of the schema translated, numbers and dates parsed, names as they are."""

    values: dict[str, Any]

    @classmethod
    def of(cls, match: re.Match[str], lang: str) -> _Groups:
        parsers: dict[str, Callable[[str], Any]] = {
            **dict.fromkeys(("kind", "kinds", "group", "level_kind", "still", "channel"), lambda t: WORDS.get(t, t)),
            **dict.fromkeys(("n", "rank", "age", "known", "same", "every", "days"), lambda t: int(t.replace(",", ""))),
            **dict.fromkeys(("value", "median", "weight", "part", "top"), _figure),
            "day": lambda text: _day(text, lang),
        }
        given = {name: text for name, text in match.groupdict().items() if text is not None}
        values = {name: parsers.get(name, str)(text) for name, text in given.items()}
        every = values.pop("every", None)
        return cls(values if every is None else {**values, "same": every, "known": every})


def _figure(text: str) -> Figure:
    """A number and how far from it the true one may be: half a unit of its last digit."""
    plain = text.replace(",", "").replace("−", "-").removesuffix("%")
    digits = len(plain.partition(".")[2])
    scale = 100.0 if text.endswith("%") else 1.0
    return Figure(float(plain) / scale, 0.5 * 10.0**-digits / scale)


def _day(text: str, lang: str) -> date | None:
    try:
        return datetime.strptime(text, language(lang).day_pattern).date()
    except ValueError:
        return None
