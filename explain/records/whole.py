"""The record of a bare list made whole again: its explanations and verdicts, from the build that was kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec

from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.records.adviser import Adviser, Question
from pathfolio.explain.records.keep import RulesEntry, kept_build, registered
from pathfolio.explain.records.layout import Record
from pathfolio.explain.records.record import digest_of, record_of
from pathfolio.explain.records.told import ReasonsFrom, ToldRecord, told
from pathfolio.kg.errors import LedgerError
from pathfolio.recommender.build import has_this_format, load_build
from pathfolio.recommender.suitability.rulefile import parse_rules
from pathfolio.recommender.suitability.rules import RuleSet


def sealed_adviser(ledger: Ledger, record: Record) -> Adviser | None:
    """An adviser over the build and the rules that a record names; None where the build was not kept.

    Nor is there one where the build is of an earlier format, with which this version computes nothing.
    """
    folder = sealed_folder(ledger, record)
    return None if folder is None else adviser_in(folder, recorded_rules(ledger, record), record)


def sealed_folder(ledger: Ledger, record: Record) -> Path | None:
    """Where the build that a record names is kept; None as for `sealed_adviser`."""
    folder = kept_build(ledger, record.build.hash)
    return folder if folder is not None and has_this_format(folder) else None


def adviser_in(folder: Path, rules: RuleSet, record: Record) -> Adviser:
    """An adviser over the build in a folder and the rules, told what the record was told; it needs no ledger."""
    return Adviser(load_build(folder), rules, record.told_in)


def recorded_rules(ledger: Ledger, record: Record) -> RuleSet:
    """The rules under which a record was made, from the ledger's own copy of their file."""
    return parse_rules(registered(ledger, RulesEntry, record.rules.sha256).text.encode(), "recorded rules")


def whole(ledger: Ledger, record: Record) -> ToldRecord:
    """The record as it is told; what it leaves to its sealed build is computed with that.

    Of a list that was handed out bare this is every reason, of a thrifty record all but the reasons that were shown.

    Raises:
        LedgerError: the build gives another list than the recorded one.
    """
    rules = recorded_rules(ledger, record).rules
    is_thrifty = record.question.thrifty
    if record.question.explained is not False and not is_thrifty:
        return told(record, rules)
    adviser = sealed_adviser(ledger, record)
    if adviser is None:
        return told(record, rules, ReasonsFrom.REST_GONE if is_thrifty else ReasonsFrom.BUILD_GONE)
    question = replace(Question.asked(record.question), explained=True, thrifty=False)
    again = record_of(adviser, adviser.advise(question), record.format)
    if _lines(again) != _lines(record):
        build = record.build.hash[:12]
        raise LedgerError(f"build {build} gives another list than was recorded: see `pathfolio audit replay`")
    if is_thrifty and digest_of(again) != record.whole:  # other versions of this software word reasons otherwise
        return told(record, rules, ReasonsFrom.REST_DIFFERS)
    reasons_from = ReasonsFrom.REST_COMPUTED_AGAIN if is_thrifty else ReasonsFrom.COMPUTED_AGAIN
    return told(msgspec.structs.replace(again, question=record.question), rules, reasons_from)


def _lines(record: Record) -> list[tuple[str, float]]:
    return [(line.asset_id, line.score) for line in record.list]
