"""`Desk`: where answers are handed out: gated, recorded, and only then shown."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any, Final, Generic, TypeVar

from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.writer import Receipt
from pathfolio.explain.records.adviser import Advice, Adviser, Question
from pathfolio.explain.records.answer import RememberedAnswer
from pathfolio.explain.records.asking import Today, day_of_asking
from pathfolio.explain.records.keep import keep
from pathfolio.explain.records.serve import append_answer, with_told
from pathfolio.recommender.told import ToldFact

REMEMBERED: Final = 32 * 1024 * 1024
"""Bytes of answers that are remembered: hundreds of lists. It fills within minutes, and memory stays flat then."""

View = TypeVar("View")

Computes = Callable[[Question, Callable[[Advice], Any]], RememberedAnswer]
"""Computes an answer, wherever."""


@dataclass(frozen=True)
class Shown(Generic[View]):
    """What may be shown, since it was recorded.

    Attributes:
        told: what the investor told that counts for it.
    """

    view: View
    receipt: Receipt
    told: tuple[ToldFact, ...] = ()


class Desk:
    """Hands out answers of one adviser; safe to be used by many threads.

    The same build, rules and question give the same answer, so it is computed once and remembered; each time that it
    is shown has a record of its own.

    Attributes:
        today: the day of asking, which whoever makes a question asks for.
        computes: where answers are computed: here, one at a time, unless somebody else offers to.
    """

    def __init__(
        self, adviser: Adviser, ledger: Ledger, remembered: int = REMEMBERED, today: Today | None = None
    ) -> None:
        """A desk that remembers `remembered` bytes of answers; its day is `day_of_asking`, if not given."""
        self.adviser, self.ledger = adviser, ledger
        self.today: Today = today or day_of_asking(adviser.build)
        self.computes: Computes = self.compute_here
        self._most, self._size = remembered, 0
        self._answers: OrderedDict[tuple[str, Question], RememberedAnswer] = OrderedDict()
        self._lock, self._computing = Lock(), Lock()

    def show(
        self, question: Question, name: str, view_of: Callable[[Advice], View], person: str | None = None
    ) -> Shown[View]:
        """What `view_of` makes of the answer, once the answer is in the ledger.

        Args:
            name: of `view_of`; the same name must make the same of the same answer.
            view_of: it may be called in another process.
            person: whose key seals the record; the investor whom it is for, if not given.

        Raises:
            LedgerError: it could not be recorded, so there is nothing to show.
            UsageError: unknown investor, asset or kind.
        """
        keep(self.adviser.build, self.adviser.rules, self.ledger)
        question = with_told(self.adviser, self.ledger, question)
        key = name, replace(question, who="", through="", purpose="")
        answer = self._remembered(key)
        if answer is None:
            answer = self.computes(question, view_of)
            self._remember(key, answer)
        receipt = append_answer(self.ledger, self.adviser, question, answer.record(question), person)
        return Shown(answer.shown(), receipt, question.told)

    def compute_here(self, question: Question, view_of: Callable[[Advice], Any]) -> RememberedAnswer:
        """One answer at a time, since Python computes no two at once: who asks for a remembered one waits for less."""
        with self._computing:
            return RememberedAnswer.of(self.adviser, question, view_of)

    def _remembered(self, key: tuple[str, Question]) -> RememberedAnswer | None:
        with self._lock:
            answer = self._answers.get(key)
            if answer is not None:
                self._answers.move_to_end(key)
        return answer

    def _remember(self, key: tuple[str, Question], answer: RememberedAnswer) -> None:
        with self._lock:
            if key in self._answers:
                return
            self._answers[key] = answer
            self._size += answer.size
            while self._size > self._most:
                self._size -= self._answers.popitem(last=False)[1].size
