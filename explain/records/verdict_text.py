"""Verdicts as sentences in the reader's language, as they were given or as a record has them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pathfolio.explain.wording import wording_of
from pathfolio.kg.labels import local_label
from pathfolio.kg.languages import language, words
from pathfolio.kg.languages.filling import filled
from pathfolio.recommender.suitability.kinds import KIND_OF
from pathfolio.recommender.suitability.rule import Unit
from pathfolio.recommender.suitability.used_facts import PREDICTED
from pathfolio.recommender.suitability.verdict import Outcome, RuleResult, UsedFact, Verdict


def result_text(result: RuleResult, lang: str, *, to_investor: bool = False) -> str:
    """One rule's finding as a sentence.

    Args:
        lang: the tag of a language.
        to_investor: speak to the investor, and say nothing of what is on a restricted list and why: it may be known
            to staff alone.

    What rests on a level that the source predicted says so; what a rule could not find out ends with what the rules
    make of that.

    >>> found = RuleResult("r", "horizon", Outcome.REJECT, Outcome.REJECT, "above_level", 5.0, 3.0, "Income", ())
    >>> result_text(found, "en")
    'It should be held for at least 5 years; the objective Income allows only 3 years.'
    """
    facts = result.facts
    kind = result.kind
    reason = result.reason
    subject = result.subject
    said = words(lang, "verdicts", kind)
    forms = [f"{reason}_told"] * to_investor + [f"{reason}_of_nothing"] * (not subject) + [reason]
    known = {form: said[form] for form in forms if form in said}
    if not any(fact.relation == "PURCHASE_SHARE" for fact in facts):
        known = {form: text for form, text in known.items() if "{before}" not in text}
    found = next(iter(known.values()), None)
    others = words(lang, "verdicts", "any")
    sentence = found or (others.get(f"{reason}_told") if to_investor else None) or others.get(reason)
    is_unknown = result.outcome is Outcome.UNKNOWN
    made_of_it = [words(lang, "verdicts", "unknown")[result.effect.word]] if is_unknown else []
    rule_kind = KIND_OF.get(kind)
    subject_kind = rule_kind.subject_kind(kind) if rule_kind else None
    unit = rule_kind.unit if rule_kind else Unit.NUMBER
    sentence = str(sentence or f"{kind}: {reason}")
    said_of_it = filled(
        lang,
        sentence,
        measured=_amount(result.measured, unit, lang),
        limit=_amount(result.limit, unit, lang),
        warn_at=_amount(result.warn_at, unit, lang),
        **(_before_and_bought(result, lang) if "{before}" in sentence else {}),
        subject=local_label(subject_kind, subject, lang) if subject_kind else subject,
        of_day=_of_day(facts, lang) if "{of_day}" in sentence else "",
        volatility=_volatility(facts, lang) if "{volatility}" in sentence else "",
    )
    predicted = [others[f"predicted_level{'_told' * to_investor}"]] if _is_predicted(reason, facts) else []
    return language(lang).space.join([said_of_it, *predicted, *made_of_it])


def title_for_investor(kind: str, title: str, lang: str) -> str:
    """A rule's title as investors read it: as its file has it, unless it would say what staff alone may know."""
    return words(lang, "verdicts", kind).get("title_told", title)


def outcome_text(outcome: str, lang: str) -> str:
    """pass, pass_with_unknowns, warn or reject, or what one rule found (unknown, too), in words."""
    return words(lang, "verdicts", "outcomes")[outcome]


def look_of(found: RuleResult) -> str:
    """How a finding is coloured: by its effect, but not as a pass where the rule was not decided."""
    is_open = found.outcome is Outcome.UNKNOWN and found.effect is Outcome.PASS
    return (found.outcome if is_open else found.effect).word


def verdict_text(results: Sequence[RuleResult], lang: str, *, to_investor: bool = False) -> list[str]:
    """What speaks against an asset, one sentence a rule; nothing where all rules passed. As `result_text`."""
    gravest = max((found.effect for found in results), default=Outcome.PASS)
    if gravest is Outcome.PASS:
        return []
    return [result_text(found, lang, to_investor=to_investor) for found in results if found.effect is gravest]


def warnings_of(verdicts: Sequence[Verdict], lang: str) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """What investors read against all lines of several, and what against each beside that."""
    said = [tuple(verdict_text(verdict.results, lang, to_investor=True)) for verdict in verdicts]
    common = tuple(text for text in said[0] if all(text in texts for texts in said)) if len(said) > 1 else ()
    return common, tuple(tuple(text for text in texts if text not in common) for texts in said)


def _amount(value: float | None, unit: Unit, lang: str) -> str:
    if value is None:
        return "–"
    wording = wording_of(lang)
    if unit is Unit.FRACTION:
        return wording.percent(value, 1)
    number = wording.number(value, 0 if float(value).is_integer() else 1)
    if unit is Unit.NUMBER:
        return number
    return filled(lang, words(lang, "verdicts", "units")[unit.value if value == 1 else f"{unit.value}s"], n=number)


def _before_and_bought(result: RuleResult, lang: str) -> dict[str, str]:
    """How much of the portfolio the group is now, and how large the purchase is assumed to be.

    measured = (1 - p) * before + p * part, as the concentration rule adds them up.
    """
    part, bought = (_value_of(result, relation) for relation in ("EXPOSURE", "PURCHASE_SHARE"))
    before = max(((result.measured or 0.0) - bought * part) / (1 - bought), 0.0) if bought < 1 else 0.0
    amounts = {"before": before, "bought": bought}
    return {name: _amount(value, Unit.FRACTION, lang) for name, value in amounts.items()}


def _value_of(result: RuleResult, relation: str) -> float:
    return next((fact.value for fact in result.facts if fact.relation == relation and fact.value is not None), 0.0)


def _is_predicted(reason: str, facts: Sequence[UsedFact]) -> bool:
    """Whether the finding rests on a level that the source predicted, without saying so by itself."""
    said = reason == "exempt" or "predicted" in reason
    return not said and any(fact.note == PREDICTED for fact in facts)


def _volatility(facts: Sequence[UsedFact], lang: str) -> str:
    """The figure, where facts are given."""
    value = next((fact.value for fact in facts if fact.relation == "VOLATILITY" and fact.value is not None), None)
    said = None if value is None else wording_of(lang).percent(value, 1)
    return "" if said is None else filled(lang, words(lang, "verdicts", "units")["volatility"], value=said)


def _of_day(facts: Sequence[UsedFact], lang: str) -> str:
    """The date of the newest fact, where facts are given and it has one."""
    day = facts[-1].as_of if facts else ""
    if not day:
        return ""
    said = wording_of(lang).day(date.fromisoformat(day))
    return filled(lang, words(lang, "verdicts", "units")["of_day"], day=said)
