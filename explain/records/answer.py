"""An answer as it is remembered: what is shown, and its record for whoever asks next."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pathfolio.explain.ledger.canonical import canonical
from pathfolio.explain.ledger.squeeze import Squeezed
from pathfolio.explain.records.adviser import Advice, Adviser, Question
from pathfolio.explain.records.layout import record_text
from pathfolio.explain.records.record import record_of


@dataclass(frozen=True)
class RememberedAnswer:
    """An answer whoever asks for it: what is shown, and the record of whoever asked first; both compressed.

    Attributes:
        view: pickled.
        first: the canonical record.
        asked: the question within it.
    """

    view: Squeezed
    first: Squeezed
    asked: bytes

    @classmethod
    def of(cls, adviser: Adviser, question: Question, view_of: Callable[[Advice], Any]) -> RememberedAnswer:
        """Compute the answer; it writes nothing, so any process that has the adviser can do it.

        Raises:
            UsageError: unknown investor, asset or kind.
        """
        advice = adviser.advise(question)
        view = Squeezed.of(pickle.dumps(view_of(advice), pickle.HIGHEST_PROTOCOL))
        return cls(view, Squeezed.of(record_text(record_of(adviser, advice))), canonical(question.recorded()))

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return len(self.view.stream) + len(self.first.stream)

    def record(self, question: Question) -> Squeezed:
        """The canonical record of this answer to `question`."""
        asked = canonical(question.recorded())
        if asked == self.asked:
            return self.first
        before, after = self.first.text.split(_named(self.asked), 1)
        return Squeezed.of(before + _named(asked) + after)

    def shown(self) -> Any:
        """What `view_of` had made of the answer, as a new object."""
        return pickle.loads(self.view.text)  # noqa: S301 -- pickled by our own processes


def _named(question: bytes) -> bytes:
    """As it stands in a record, and nowhere else in it: within a text, quotes have a stroke before them."""
    return b'"question":' + question
