"""What the suitability rules say against a list: once for the list what they say of several lines, else by line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from pathfolio.explain.records.verdict_text import result_text
from pathfolio.recommender.suitability.kinds.concentration import ConcentrationRule
from pathfolio.recommender.suitability.verdict import Outcome, RuleResult, Verdict
from pathfolio.web.site.texts import texts_of


@dataclass(frozen=True)
class Cautions:
    """Sentences for the investor, or for staff of the investor.

    Attributes:
        of_list: what is said of several lines, with their ranks where it is not said of all.
        of_lines: (lines,) what is said of each beside that.
        answers_are_old: whether a rule asks the investor to answer the questionnaire again.
    """

    of_list: tuple[str, ...]
    of_lines: tuple[tuple[str, ...], ...]
    answers_are_old: bool


def cautions_of(verdicts: Sequence[Verdict], ranks: Sequence[int], lang: str, *, to_investor: bool = True) -> Cautions:
    """What speaks against the lines of a list; two lines or more share what a rule says of one group or in one text."""
    found: dict[Hashable, list[tuple[int, RuleResult]]] = defaultdict(list)
    for at, verdict in enumerate(verdicts):
        for result in _gravest(verdict):
            found[_key(result, lang, to_investor)].append((at, result))
    of_list: list[str] = []
    of_lines: list[list[str]] = [[] for _ in verdicts]
    for told in found.values():
        if len(told) > 1:
            of_list.append(_said_once(told, ranks, lang, to_investor))
            continue
        at, result = told[0]
        of_lines[at].append(result_text(result, lang, to_investor=to_investor))
    results = (result for told in found.values() for _, result in told)
    old = any(result.kind == "freshness/profile" and result.effect is not Outcome.PASS for result in results)
    return Cautions(tuple(of_list), tuple(map(tuple, of_lines)), old)


def _gravest(verdict: Verdict) -> list[RuleResult]:
    gravest = max((result.effect for result in verdict.results), default=Outcome.PASS)
    return [] if gravest is Outcome.PASS else [result for result in verdict.results if result.effect is gravest]


def _key(result: RuleResult, lang: str, to_investor: bool) -> Hashable:
    """Findings about one group of the portfolio are one caution, however much each purchase adds to it."""
    if result.kind.startswith(f"{ConcentrationRule.kind}/") and result.measured is not None:
        return result.rule, result.subject
    return result_text(result, lang, to_investor=to_investor)


def _said_once(told: Sequence[tuple[int, RuleResult]], ranks: Sequence[int], lang: str, to_investor: bool) -> str:
    """The sentence about the purchase that adds most, and of which lines it is said."""
    most = max((result for _, result in told), key=lambda result: (result.effect, result.measured or 0.0))
    text = result_text(most, lang, to_investor=to_investor)
    if len(told) == len(ranks):
        return text
    texts = texts_of(lang)
    places = texts.words.language.comma.join(texts.words.integer(ranks[at]) for at, _ in told)
    return texts.say("caution_of_places", text=text, places=places)
