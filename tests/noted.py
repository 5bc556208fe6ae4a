"""A record to try the ledger with, where it does not matter what it says."""

from __future__ import annotations

from typing import ClassVar

from pathfolio.explain.ledger.payloads import ADVICE_CLASS, RECOMMENDATION, Payload


class Noted(Payload, frozen=True):
    """A number, and something that takes room."""

    entry_kind: ClassVar[str] = RECOMMENDATION
    retention: ClassVar[str] = ADVICE_CLASS
    number: int
    filler: str = ""
