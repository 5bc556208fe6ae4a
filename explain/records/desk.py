"""`Desk`: where answers are handed out: gated, recorded, and only then shown."""

from __future__ import annotations

import pickle
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any, Final, Generic, TypeVar

from explain.ledger.canonical import canonical
from explain.ledger.ledger import RECOMMENDATION, Ledger
from explain.ledger.writer import Receipt
from explain.records.adviser import Advice, Adviser, Question
from explain.records.keep import keep
from explain.records.record import record_of
from explain.records.serve import tags_of

REMEMBERED: Final = 64 * 1024 * 1024
"""Bytes of answers that are remembered, so that memory stays flat."""

View = TypeVar("View")


@dataclass(frozen=True)
class Shown(Generic[View]):
    """What may be shown, since it was recorded."""

    view: View
    receipt: Receipt


@dataclass(frozen=True)
class _Answer:
    """An answer whoever asks for it: what is shown, and its record without the question; all compressed.

    Attributes:
        view: pickled.
        before: the canonical record up to the question's value.
        after: what follows it.
    """

    view: bytes
    before: bytes
    after: bytes

    @property
    def size(self) -> int:
        return len(self.view) + len(self.before) + len(self.after)

    def record(self, question: Question) -> bytes:
        """The canonical record of this answer to `question`."""
        return zlib.decompress(self.before) + canonical(question.to_json()) + zlib.decompress(self.after)


class Desk:
    """Hands out answers of one adviser; safe to be used by many threads.

    The same build, rules and question give the same answer, so it is computed once and remembered; each time that it
    is shown has a record of its own.
    """

    def __init__(self, adviser: Adviser, ledger: Ledger, remembered: int = REMEMBERED) -> None:
        """A desk that remembers `remembered` bytes of answers."""
        self.adviser, self.ledger = adviser, ledger
        self._most, self._size = remembered, 0
        self._answers: OrderedDict[tuple[str, Question], _Answer] = OrderedDict()
        self._lock, self._computing = Lock(), Lock()

    def show(self, question: Question, name: str, view_of: Callable[[Advice], View]) -> Shown[View]:
        """What `view_of` makes of the answer, once the answer is in the ledger.

        Args:
            name: of `view_of`; the same name must make the same of the same answer.

        Raises:
            LedgerError: it could not be recorded, so there is nothing to show.
            UsageError: unknown investor, asset or kind.
        """
        keep(self.adviser.build, self.adviser.rules, self.ledger)
        key = name, replace(question, who="", through="")
        answer = self._remembered(key) or self._computed(key, question, view_of)
        receipt = self.ledger.append(
            answer.record(question), person=question.user_id, kind=RECOMMENDATION, tags=tags_of(self.adviser)
        )
        view: View = pickle.loads(zlib.decompress(answer.view))  # noqa: S301 -- pickled by this very process
        return Shown(view, receipt)

    def _computed(self, key: tuple[str, Question], question: Question, view_of: Callable[[Advice], Any]) -> _Answer:
        """One answer at a time, since Python computes no two at once: who asks for a remembered one waits for less."""
        with self._computing:
            answer = self._remembered(key)
            if answer is None:
                answer = self._answered(question, view_of)
                self._remember(key, answer)
        return answer

    def _answered(self, question: Question, view_of: Callable[[Advice], Any]) -> _Answer:
        advice = self.adviser.advise(question)
        view = pickle.dumps(view_of(advice), pickle.HIGHEST_PROTOCOL)
        return _Answer(*(zlib.compress(part, 1) for part in (view, *around_question(record_of(self.adviser, advice)))))

    def _remembered(self, key: tuple[str, Question]) -> _Answer | None:
        with self._lock:
            answer = self._answers.get(key)
            if answer is not None:
                self._answers.move_to_end(key)
        return answer

    def _remember(self, key: tuple[str, Question], answer: _Answer) -> None:
        with self._lock:
            if key in self._answers:
                return
            self._answers[key] = answer
            self._size += answer.size
            while self._size > self._most:
                self._size -= self._answers.popitem(last=False)[1].size


def around_question(record: dict[str, Any]) -> tuple[bytes, bytes]:
    """The canonical bytes of a record before and after the value of `question`; names stand in their order there."""
    before = canonical({name: value for name, value in record.items() if name < "question"})
    after = canonical({name: value for name, value in record.items() if name > "question"})
    return before[:-1] + b',"question":', b"," + after[1:]
