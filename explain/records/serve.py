"""Serving: an answer is gated and recorded before it is handed on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.payloads import RECOMMENDATION
from pathfolio.explain.ledger.squeeze import Squeezed
from pathfolio.explain.ledger.writer import Receipt
from pathfolio.explain.records.adviser import Advice, Adviser, Question
from pathfolio.explain.records.assumption import WHAT_IF
from pathfolio.explain.records.keep import keep
from pathfolio.explain.records.layout import Record, record_text
from pathfolio.explain.records.record import record_of
from pathfolio.explain.records.telling import told_by, told_by_all


@dataclass(frozen=True)
class ServedAnswer:
    """An answer that may be shown, since it was recorded: the receipt proves it."""

    advice: Advice
    record: Record
    receipt: Receipt


def serve(adviser: Adviser, ledger: Ledger, question: Question) -> ServedAnswer:
    """Answer `question`, once the answer is in the ledger.

    Raises:
        LedgerError: it could not be recorded, so there is nothing to show.
        UsageError: unknown investor, asset or kind.
    """
    keep(adviser.build, adviser.rules, ledger)
    question = with_told(adviser, ledger, question)
    advice = adviser.advise(question)
    record = record_of(adviser, advice)
    receipt = append_answer(ledger, adviser, question, Squeezed.of(record_text(record)))
    return ServedAnswer(advice, record, receipt)


def serve_lists(adviser: Adviser, ledger: Ledger, questions: Iterable[Question]) -> list[ServedAnswer]:
    """Answer several questions for lists at once; all answers are recorded, or none.

    Raises:
        LedgerError: they could not be recorded, so there is nothing to show.
        UsageError: unknown investor or kind.
    """
    keep(adviser.build, adviser.rules, ledger)
    told = told_by_all(ledger, adviser.build.graph.name)
    advised = list(adviser.advise_all(replace(each, told=told.get(each.user_id, ())) for each in questions))
    records = [record_of(adviser, advice) for advice in advised]
    texts = [Squeezed.of(record_text(record)) for record in records]
    persons = [advice.question.user_id for advice in advised]
    receipts = ledger.append_many(list(zip(texts, persons, strict=True)), kind=RECOMMENDATION, tags=tags_of(adviser))
    return [ServedAnswer(*each) for each in zip(advised, records, receipts, strict=True)]


def with_told(adviser: Adviser, ledger: Ledger, question: Question) -> Question:
    """The question with what its investor told here, which counts for it and stands in its record."""
    if not question.user_id:
        return question
    return replace(question, told=told_by(ledger, adviser.build.graph.name, question.user_id))


def append_answer(
    ledger: Ledger, adviser: Adviser, question: Question, record: Squeezed, person: str | None = None
) -> Receipt:
    """Append the record of the answer to `question`, under its kind and tags.

    Args:
        person: whose key seals it; the investor whom it is for, if not given.

    Raises:
        LedgerError: it could not be recorded, so there is nothing to show.
    """
    kind = RECOMMENDATION if question.assumed is None else WHAT_IF
    sealed_for = person or question.user_id or None
    return ledger.append(record, person=sealed_for, kind=kind, tags=tags_of(adviser))


def tags_of(adviser: Adviser) -> dict[str, str]:
    """What a record's header says in the open."""
    as_of = adviser.build.as_of.isoformat()
    return {"build": adviser.build.build_hash, "rules": adviser.rules.sha256, "as_of": as_of}
