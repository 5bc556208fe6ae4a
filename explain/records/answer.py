"""An answer as it is remembered: what is shown, and its record for whoever asks next."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pathfolio.explain.ledger.canonical import canonical
from pathfolio.explain.ledger.squeeze import Part, Squeezed
from pathfolio.explain.records.adviser import Advice, Adviser, Question
from pathfolio.explain.records.record import record_of


@dataclass(frozen=True)
class Answer:
    """An answer whoever asks for it: what is shown, and its record without the question; all compressed.

    Attributes:
        view: pickled.
        before: the canonical record up to the question's value.
        after: what follows it.
    """

    view: Squeezed
    before: Part
    after: Part

    @classmethod
    def of(cls, adviser: Adviser, question: Question, view_of: Callable[[Advice], Any]) -> Answer:
        """Compute the answer; it writes nothing, so any process that has the adviser can do it.

        Raises:
            UsageError: unknown investor, asset or kind.
        """
        advice = adviser.advise(question)
        view = Squeezed.of(pickle.dumps(view_of(advice), pickle.HIGHEST_PROTOCOL))
        return cls(view, *map(Part.of, _around_question(record_of(adviser, advice))))

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return len(self.view.stream) + len(self.before.deflated) + len(self.after.deflated)

    def record(self, question: Question) -> Squeezed:
        """The canonical record of this answer to `question`."""
        return Squeezed.joined((self.before, Part.of(canonical(question.to_json())), self.after))

    def shown(self) -> Any:
        """What `view_of` had made of the answer, as a new object."""
        return pickle.loads(self.view.text)  # noqa: S301 -- pickled by our own processes


def _around_question(record: dict[str, Any]) -> tuple[bytes, bytes]:
    """The canonical bytes of a record before and after the value of `question`; names stand in their order there."""
    before = canonical({name: value for name, value in record.items() if name < "question"})
    after = canonical({name: value for name, value in record.items() if name > "question"})
    return before[:-1] + b',"question":', b"," + after[1:]
