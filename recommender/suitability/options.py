"""The settings of a rule: how each is read from its entry in the rule file.

A kind of rule declares a setting as a field whose annotation says how it is read and what it may be:

    max_days: Annotated[int, WholeNumber(least=1)]          # needed: it has no default
    uncertain: Annotated[Outcome, Effect()] = Outcome.PASS  # counts where the file does not say it
    derived: Annotated[Outcome, Effect(like="fail")]        # the value of another setting, declared above it, counts
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Final, get_args, get_origin, get_type_hints

from pathfolio.recommender.suitability.reader import TomlTable
from pathfolio.recommender.suitability.verdict import Outcome

if TYPE_CHECKING:
    from pathfolio.recommender.suitability.rule import Rule

EFFECTS: Final = (Outcome.REJECT, Outcome.WARN, Outcome.PASS)
VIOLATIONS: Final = (Outcome.REJECT, Outcome.WARN)


@dataclass(frozen=True)
class Option(ABC):
    """How one setting is read.

    Attributes:
        like: the setting, declared before this one, whose value counts where the file does not say this one.
    """

    like: str = ""

    @abstractmethod
    def read(self, entry: TomlTable, key: str, default: Any) -> Any:
        """The value under `key`, else `default`; raises DataError with line and remedy for what it may not be."""


@dataclass(frozen=True)
class Effect(Option):
    """What a finding counts as: reject, warn or pass."""

    allowed: tuple[Outcome, ...] = EFFECTS

    def read(self, entry: TomlTable, key: str, default: Any) -> Outcome:
        """As `Option.read`."""
        word = entry.one_of(key, tuple(outcome.word for outcome in self.allowed), default.word)
        return Outcome[word.upper()]


@dataclass(frozen=True)
class WholeNumber(Option):
    """A whole number, `least` or more."""

    least: int = 0

    def read(self, entry: TomlTable, key: str, default: Any) -> int:
        """As `Option.read`."""
        return entry.whole(key, default, self.least)


@dataclass(frozen=True)
class Proportion(Option):
    """A fraction above 0 and up to 1."""

    def read(self, entry: TomlTable, key: str, default: Any) -> float:
        """As `Option.read`."""
        return entry.fraction(key, default)


@dataclass(frozen=True)
class OneOf(Option):
    """One of some words."""

    words: tuple[str, ...] = ()

    def read(self, entry: TomlTable, key: str, default: Any) -> str:
        """As `Option.read`."""
        return entry.one_of(key, self.words, default)


@cache
def options_of(kind: type[Rule]) -> Mapping[str, Option]:
    """The settings of a kind of rule by name, in the order in which they are declared."""
    hints = get_type_hints(kind, include_extras=True)
    said = {name: get_args(hint)[1] for name, hint in hints.items() if get_origin(hint) is Annotated}
    return MappingProxyType({name: option for name, option in said.items() if isinstance(option, Option)})


def needed_options(kind: type[Rule]) -> tuple[str, ...]:
    """The settings without which a rule of this kind says nothing."""
    defaults = _defaults(kind)
    return tuple(name for name, option in options_of(kind).items() if not option.like and name not in defaults)


def read_options(kind: type[Rule], entry: TomlTable) -> dict[str, Any]:
    """The values of all settings of a rule of this kind, as its entry in the file says them or by default."""
    defaults = _defaults(kind)
    values = dict[str, Any]()
    for name, option in options_of(kind).items():
        default = values[option.like] if option.like else defaults.get(name)
        values[name] = option.read(entry, name, default)
    return values


def _defaults(kind: type[Rule]) -> dict[str, Any]:
    return {field.name: field.default for field in fields(kind) if field.default is not MISSING}
