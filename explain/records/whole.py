"""The record of a bare list made whole again: its explanations and verdicts, from the build that was kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from explain.ledger.ledger import Ledger
from explain.records.adviser import Adviser, Question
from explain.records.keep import RULES, kept_build, registered
from explain.records.record import record_of
from explain.records.tables import expanded
from kg.errors import LedgerError
from recommender.build import load_build
from recommender.suitability.rulefile import parse_rules
from recommender.suitability.rules import RuleSet

RECORDED: Final = "recorded"
COMPUTED_AGAIN: Final = "computed again"
GONE: Final = "build gone"


def sealed_adviser(ledger: Ledger, record: dict[str, Any]) -> Adviser | None:
    """An adviser over the build and the rules that a record names; None where the build was not kept."""
    folder = kept_build(ledger, record["build"]["hash"])
    if folder is None:
        return None
    return Adviser(load_build(folder), recorded_rules(ledger, record))


def recorded_rules(ledger: Ledger, record: dict[str, Any]) -> RuleSet:
    """The rules under which a record was made, from the ledger's own copy of their file."""
    return parse_rules(registered(ledger, RULES, record["rules"]["sha256"])["text"].encode(), "recorded rules")


def _rule_texts(ledger: Ledger, record: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Rule to its title in each language, and its basis in law in each."""
    rules = recorded_rules(ledger, record).rules
    return {rule.name: {**rule.title, "basis": rule.basis} for rule in rules}


def whole(ledger: Ledger, record: dict[str, Any]) -> dict[str, Any]:
    """The record written out; of a list that was handed out bare, the reasons are computed with its sealed build.

    `rule_texts` are the rules' titles and basis in law, which the record itself names by their file's hash alone.
    `reasons` says where they are from; with the build gone there are none, and what was shown then was the list alone.

    Raises:
        LedgerError: the build gives another list than the recorded one.
    """
    told = {"rule_texts": _rule_texts(ledger, record)}
    if record["question"].get("explained", True):
        return expanded(record) | {"reasons": RECORDED} | told
    adviser = sealed_adviser(ledger, record)
    if adviser is None:
        return expanded(record) | {"reasons": GONE} | told
    question = replace(Question.from_json(record["question"]), explained=True)
    again = record_of(adviser, adviser.advise(question))
    if _lines(again) != _lines(record):
        build = record["build"]["hash"][:12]
        raise LedgerError(f"build {build} gives another list than was recorded: see `pathfolio audit replay`")
    return expanded(again) | {"question": record["question"], "reasons": COMPUTED_AGAIN} | told


def _lines(record: dict[str, Any]) -> list[tuple[str, float]]:
    return [(item["asset_id"], item["score"]) for item in record["list"]]
