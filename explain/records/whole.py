"""The record of a bare list made whole again: its explanations and verdicts, from the build that was kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.records.adviser import Adviser, Question
from pathfolio.explain.records.keep import RulesEntry, kept_build, registered
from pathfolio.explain.records.layout import Printed, Record, plain
from pathfolio.explain.records.record import digest_of, record_of
from pathfolio.explain.records.tables import expanded
from pathfolio.kg.errors import LedgerError
from pathfolio.recommender.build import has_this_format, load_build
from pathfolio.recommender.suitability.rulefile import parse_rules
from pathfolio.recommender.suitability.rules import RuleSet

RECORDED: Final = "recorded"
COMPUTED_AGAIN: Final = "computed again"
GONE: Final = "build gone"
REST_COMPUTED_AGAIN: Final = "recorded, the rest computed again"
REST_DIFFERS: Final = "recorded, the rest computed otherwise"
REST_GONE: Final = "recorded, the build of the rest gone"


def sealed_adviser(ledger: Ledger, record: Record) -> Adviser | None:
    """An adviser over the build and the rules that a record names; None where the build was not kept.

    Nor is there one where the build is of an earlier format, with which this version computes nothing.
    """
    folder = kept_build(ledger, record.build.hash)
    if folder is None or not has_this_format(folder):
        return None
    return Adviser(load_build(folder), recorded_rules(ledger, record), record.told_in)


def recorded_rules(ledger: Ledger, record: Record) -> RuleSet:
    """The rules under which a record was made, from the ledger's own copy of their file."""
    return parse_rules(registered(ledger, RulesEntry, record.rules.sha256).text.encode(), "recorded rules")


def _rule_texts(ledger: Ledger, record: Record) -> Printed:
    """Rule to its title in each language, and its basis in law in each."""
    rules = recorded_rules(ledger, record).rules
    return {
        rule.name: {**rule.title.to_json(), "basis": rule.basis.to_json() if rule.basis is not None else {}}
        for rule in rules
    }


def whole(ledger: Ledger, record: Record) -> Printed:
    """The record written out; what it leaves to its sealed build is computed with that.

    Of a list that was handed out bare this is every reason, of a thrifty record all but the reasons that were shown.

    `rule_texts` are the rules' titles and basis in law, which the record itself names by their file's hash alone.
    `reasons` says where they are from; with the build gone there are none, and what was shown then was the list alone.

    Raises:
        LedgerError: the build gives another list than the recorded one.
    """
    told = {"rule_texts": _rule_texts(ledger, record)}
    is_thrifty = record.question.thrifty
    if record.question.explained is not False and not is_thrifty:
        return expanded(record) | {"reasons": RECORDED} | told
    adviser = sealed_adviser(ledger, record)
    if adviser is None:
        return expanded(record) | {"reasons": REST_GONE if is_thrifty else GONE} | told
    question = replace(Question.asked(record.question), explained=True, thrifty=False)
    again = record_of(adviser, adviser.advise(question), record.format)
    if _lines(again) != _lines(record):
        build = record.build.hash[:12]
        raise LedgerError(f"build {build} gives another list than was recorded: see `pathfolio audit replay`")
    if is_thrifty and digest_of(again) != record.whole:  # other versions of this software word reasons otherwise
        return expanded(record) | {"reasons": REST_DIFFERS} | told
    reasons = REST_COMPUTED_AGAIN if is_thrifty else COMPUTED_AGAIN
    return expanded(again) | {"question": plain(record)["question"], "reasons": reasons} | told


def _lines(record: Record) -> list[tuple[str, float]]:
    return [(line.asset_id, line.score) for line in record.list]
