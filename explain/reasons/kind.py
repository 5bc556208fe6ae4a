"""`ReasonKind`: a family of reasons, its claims and their check."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import ClassVar

from pathfolio.explain.checker.said import Said
from pathfolio.explain.checker.view import Snapshot
from pathfolio.explain.evidence import FOLLOWS, Fact, Path
from pathfolio.explain.reasons.case import Case
from pathfolio.explain.reasons.claim import Claim, Value
from pathfolio.kg.schema import Relation

MOST_NAMES = 3
"""So many holdings are named in one sentence; the others are in the paths."""


class Subject(StrEnum):
    """What a reason speaks of; of each a short list says one thing first."""

    GOAL = "goal"
    """The investor's objective, level or interests."""
    FIGURES = "figures"
    """What the asset earned, varied, costs or pays, alone or among its peers."""
    LINKS = "links"
    """What ties it to what the investor holds or follows."""
    OTHERS = "others"
    """What other investors hold."""
    NEWS = "news"
    """What is new of it, or what analysts say."""


class ReasonKind(ABC):
    """What a family of reasons claims, and the check of its sentences.

    The check exists to catch what the claim got wrong: it shares nothing with it but the graph, its own limits
    included.
    """

    subject: ClassVar[Subject]

    last_resort: ClassVar[bool] = False
    """Whether it is told only where no reason before it in `KINDS` is."""

    same_for_all: ClassVar[bool] = False
    """Whether its claims are the same whoever asks, so that they are made once per asset."""

    @property
    @abstractmethod
    def triggers(self) -> tuple[str, ...]:
        """The names of its sentences."""

    @abstractmethod
    def claims(self, case: Case) -> Iterable[Claim]:
        """What can be said of the case."""

    @abstractmethod
    def check(self, view: Snapshot, said: Said) -> list[str]:
        """What is wrong with one of its sentences; empty where it is true."""


class PathReason(ReasonKind):
    """A family whose every claim is about one path."""

    @abstractmethod
    def claim(self, case: Case, path: Path) -> Claim | None:
        """What the path proves, if it is one of this family's."""

    def claims(self, case: Case) -> Iterable[Claim]:
        """What the stated paths prove."""
        found = (self.claim(case, path) for path in case.stated)
        return [claim for claim in found if claim is not None]


def of_paths(case: Case, trigger: str, paths: Sequence[Path], *, is_weak: bool = False, **values: Value) -> Claim:
    """A claim about the holdings that `paths` begin with; they are all held, or all were."""
    position = paths[0].edges[0].relation
    common: dict[str, Value] = {
        "kind": case.kind,
        "held": tuple(path.nodes[1] for path in paths),
        "still": position == Relation.HOLDS,
        "followed": position == FOLLOWS,
    }
    weight = sum(path.contribution for path in paths)
    return Claim(trigger, common | values, tuple(path.id for path in paths), weight=weight, is_weak=is_weak)


def of_facts(
    case: Case, trigger: str, facts: tuple[Fact, ...], *, is_caution: bool = False, weight: float = 0.0, **values: Value
) -> Claim:
    """A claim that `facts` prove."""
    return Claim(trigger, {"kind": case.kind} | values, tuple(f.id for f in facts), facts, weight, is_caution)
