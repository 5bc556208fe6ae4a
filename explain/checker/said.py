"""`Said`: what a sentence says, read back from its text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar


@dataclass(frozen=True)
class Rounded:
    """A number in a sentence, right if the true one is at most `slack` away."""

    value: float
    slack: float

    def is_of(self, true: float) -> bool:
        """Whether `true`, rounded as the sentence rounds, is this."""
        return abs(self.value - true) <= self.slack * (1 + 1e-9) + 1e-12


Meaning = int | str | bool | date | Rounded
"""What a part of a sentence means: a count, a name or word of the schema, what is so or not, a day, a figure."""

_M = TypeVar("_M", bound=Meaning)


@dataclass(frozen=True)
class Said:
    """The claims of one sentence.

    Attributes:
        values: by the names that the claim gives them.
        evidence: the paths and facts that it cites, as printed.
    """

    trigger: str
    lang: str
    values: Mapping[str, Meaning]
    evidence: tuple[Mapping[str, Any], ...]

    @property
    def paths(self) -> list[Mapping[str, Any]]:
        """The paths among the evidence."""
        return [piece for piece in self.evidence if "nodes" in piece]

    def has(self, name: str) -> bool:
        """Whether the sentence says it at all."""
        return name in self.values

    def count(self, name: str) -> int:
        """A count that the sentence gives."""
        return self._of(name, int)

    def figure(self, name: str) -> Rounded:
        """A figure that the sentence gives."""
        return self._of(name, Rounded)

    def day(self, name: str) -> date:
        """A day that the sentence gives."""
        return self._of(name, date)

    def text(self, name: str) -> str:
        """A name or a word of the schema that the sentence gives."""
        return self._of(name, str)

    def is_so(self, name: str) -> bool:
        """What the sentence says is so, or is not."""
        return self._of(name, bool)

    def _of(self, name: str, kind: type[_M]) -> _M:
        value = self.values[name]
        if not isinstance(value, kind):
            raise TypeError(f"{name} of {self.trigger} is {value!r}, no {kind.__name__}")
        return value
