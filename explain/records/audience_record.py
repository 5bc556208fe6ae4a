"""Whom an asset suits, each investor with the explanation: for staff, once it is recorded whom they were shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import ClassVar, Final

import msgspec

from pathfolio.explain.explanation import Explanation
from pathfolio.explain.ledger.payloads import ACCESS_CLASS, LookEntry, Payload
from pathfolio.explain.ledger.writer import Receipt
from pathfolio.explain.records.adviser import Adviser
from pathfolio.explain.records.desk import Desk
from pathfolio.explain.records.keep import keep
from pathfolio.explain.records.layout.shown import RecordedReason
from pathfolio.explain.records.serve import tags_of
from pathfolio.explain.wording import LANGUAGES
from pathfolio.recommender.investor_ranking import Prospect, audience
from pathfolio.recommender.retrieve import asset_position, user_position

AUDIENCE: Final = "audience"
"""The kind of the entries that say whom staff were shown: one for each person, sealed with that person's key."""


@dataclass(frozen=True)
class AudienceQuestion:
    """For which asset staff asked whom it suits; `who`, `through` and `today` as in `Question`."""

    who: str
    through: str
    asset_id: str
    k: int
    today: date | None = None


class AskedAbout(msgspec.Struct, frozen=True):
    """An `AudienceQuestion`, and the investor whom an entry is about."""

    who: str
    through: str
    asset_id: str
    k: int
    today: date | None
    user_id: str


class AudienceEntry(Payload, frozen=True):
    """What staff were shown of one investor: place, score, and why."""

    entry_kind: ClassVar[str] = AUDIENCE
    retention: ClassVar[str] = ACCESS_CLASS
    question: AskedAbout
    rank: int
    score: float
    reasons: tuple[RecordedReason, ...]


@dataclass(frozen=True)
class Audience:
    """The people, the best first, each with the explanation; `receipt` is of the entry that names all their entries.

    The explanations have rank 0: their score is compared between investors, not within an investor's list.
    """

    people: tuple[tuple[Prospect, Explanation], ...]
    receipt: Receipt


Told = tuple[tuple[Prospect, Explanation], ...]


def recorded_audience(desk: Desk, asked: AudienceQuestion, langs: Sequence[str] = LANGUAGES) -> Audience:
    """The k investors for whom the asset is suitable and scores best, once it is recorded who they are.

    Raises:
        LedgerError: it could not be recorded, so there is nothing to show.
        UsageError: unknown asset, or k below 1.
    """
    return record_audience(desk, asked, audience_of(desk.adviser, asked, langs))


def record_audience(desk: Desk, asked: AudienceQuestion, told: Told) -> Audience:
    """What `audience_of` found, once it is recorded who they are; raises LedgerError where it could not be."""
    return Audience(told, _record(desk, asked, told))


def audience_of(adviser: Adviser, asked: AudienceQuestion, langs: Sequence[str]) -> Told:
    """The people and why, the best first; it writes nothing.

    Raises:
        UsageError: unknown asset, or k below 1.
    """
    scorer = adviser.build.scorer
    graph = scorer.graph
    people = audience(scorer, asked.asset_id, asked.k, gate=adviser.gate_on(asked.today))
    asset = asset_position(graph, asked.asset_id)
    accounts = [scorer.account(user_position(graph, person.user_id), asset) for person in people]
    return tuple(zip(people, (adviser.explainer.explain(each, langs=langs) for each in accounts), strict=True))


def _record(desk: Desk, asked: AudienceQuestion, told: Sequence[tuple[Prospect, Explanation]]) -> Receipt:
    """One entry for each person and one of the look at them, in one transaction; the receipt of the latter."""
    ledger, tags = desk.ledger, tags_of(desk.adviser)
    keep(desk.adviser.build, desk.adviser.rules, ledger)
    drafts = [ledger.draft(_about(asked, person, explanation), person.user_id, tags) for person, explanation in told]
    purpose = f"audience of {asked.asset_id}: {len(told)} investors"
    look = LookEntry(tuple(draft.id for draft in drafts), asked.who, purpose)
    return ledger.write([*drafts, ledger.draft(look, tags=tags)])[-1]


def _about(asked: AudienceQuestion, person: Prospect, explanation: Explanation) -> AudienceEntry:
    reasons = tuple(RecordedReason(each.lang, each.text, each.evidence) for each in explanation.reasons)
    return AudienceEntry(AskedAbout(**asdict(asked), user_id=person.user_id), person.rank, person.score, reasons)
