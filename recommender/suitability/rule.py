"""`Rule`: what every kind of rule has; the kinds stand one by one in `kinds`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import numpy.typing as npt

from pathfolio.kg.languages.names import Names
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.kg.span import Position, Positions
from pathfolio.recommender.suitability.judgement import Judgement
from pathfolio.recommender.suitability.options import VIOLATIONS, Effect
from pathfolio.recommender.suitability.reader import TomlTable
from pathfolio.recommender.suitability.verdict import EXEMPT, Outcome, UsedFact

if TYPE_CHECKING:
    from pathfolio.recommender.suitability.assets import AssetFacts
    from pathfolio.recommender.suitability.investor import InvestorFacts


class Unit(Enum):
    """What the two numbers that a rule compares count."""

    NUMBER = ""
    FRACTION = "fraction"
    YEARS = "year"
    DAYS = "day"


@dataclass(frozen=True, kw_only=True)
class Rule(ABC):
    """One rule of a market. Each kind of rule is a class, and its settings are fields (see `options`).

    A kind says for itself:
        kind: its name in rule files and records; with its reasons the key of its sentences, too.
        reasons: words for all that it can find of investors who are not exempt.
        unit: of `measured` and `limit`.
        tables: further tables of the rule file that it reads, such as the ratings of assets, each with the relation
            that leads to what it names. What they say, from a name to a number, is in `RuleSet.tables`.
        fractions: relations of its facts whose value is a fraction, to be told in percent.

    Attributes:
        name: its id, by which records and reports name it.
        title: by language.
        basis: the law or code that it serves, by language; None where the file names none.
        exempt: segments of investors to whom it does not apply.
        line: where it stands in the file.
        unknown: what counts where the facts do not decide; rejects unless the file says otherwise.
        fail: what a violation counts as, reject or warn.
    """

    kind: ClassVar[str]
    reasons: ClassVar[tuple[str, ...]]
    unit: ClassVar[Unit] = Unit.NUMBER
    tables: ClassVar[Mapping[str, Relation]] = MappingProxyType({})
    fractions: ClassVar[frozenset[str]] = frozenset()

    name: str
    title: Names
    basis: Names | None
    exempt: tuple[str, ...]
    line: int
    unknown: Annotated[Outcome, Effect()] = Outcome.REJECT
    fail: Annotated[Outcome, Effect(allowed=VIOLATIONS)] = Outcome.REJECT

    @abstractmethod
    def judge(self, assets: AssetFacts, investor: InvestorFacts, at: Positions) -> Judgement:
        """What it finds about the assets at positions `at` for an investor who is not exempt."""

    @abstractmethod
    def facts(
        self, assets: AssetFacts, investor: InvestorFacts, asset: Position, found: Judgement
    ) -> tuple[UsedFact, ...]:
        """What it used to judge the asset at position `asset`; `found` is about all assets."""

    def same_finding(self, investor: InvestorFacts) -> Hashable:
        """What decides its findings beside the assets: investors with the same key get the same ones; None: nobody."""
        return "assets"

    def effect(self, found: Judgement, untold: frozenset[str]) -> npt.NDArray[np.int8]:
        """(n,) int8 of `Outcome`: what its outcomes count as; `untold` names levels that no investor has told."""
        return np.where(found.outcome == Outcome.UNKNOWN, np.int8(self.unknown), found.outcome)

    def warns_from(self, reason: str) -> float | None:
        """From where it warns before its limit, where that is the reason."""
        return None

    def check(self, entry: TomlTable) -> None:
        """Refuse, with DataError, what its settings or the rest of the file do not allow."""
        for name in self.tables:
            if not entry.file.table(name).values:
                raise entry.file.error(self.line, f"a {self.kind} rule without {name}", f"add [{name}]")

    def is_exempt(self, investor: InvestorFacts) -> bool:
        """Whether it does not apply to the investor's segment."""
        return investor.segment is not None and investor.segment[0].casefold() in self.exempt

    @property
    def full_kind(self) -> str:
        """Its kind as records name it."""
        return self.kind

    @classmethod
    def full_kinds(cls) -> tuple[str, ...]:
        """All that `full_kind` can be."""
        return (cls.kind,)

    @classmethod
    def subject_kind(cls, full_kind: str) -> NodeKind | None:
        """The vocabulary that a finding's subject comes from; None where it is a name."""
        return None

    @classmethod
    def reasons_of(cls, full_kind: str) -> tuple[str, ...]:
        """The reasons that can be found under this kind."""
        return cls.reasons

    def finding(self, n: int, outcome: Outcome, reason: str) -> Judgement:
        """The same finding for all n candidates, to be refined by `Judgement.where`."""
        return Judgement.of((*self.reasons, EXEMPT), n, outcome, reason)


@dataclass(frozen=True, kw_only=True)
class GroupedRule(Rule):
    """A rule of a kind that does the same for several groups, each with sentences of its own.

    Attributes:
        group: which one; a kind says what it may be.
    """

    groups: ClassVar[tuple[str, ...]]

    group: str

    @property
    def full_kind(self) -> str:
        """Kind and group, as in `concentration/issuer`."""
        return f"{self.kind}/{self.group}"

    @classmethod
    def full_kinds(cls) -> tuple[str, ...]:
        """All that `full_kind` can be."""
        return tuple(f"{cls.kind}/{group}" for group in cls.groups)
