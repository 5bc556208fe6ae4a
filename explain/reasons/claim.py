"""`Claim`: what a sentence says, before it is put into words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pathfolio.explain.evidence import Fact, PathNode

Value = PathNode | tuple[PathNode, ...] | str | float | date | None
"""What a sentence is made with: names, words of the schema, numbers, days, and what is so or not."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement that evidence proves.

    Attributes:
        trigger: which macro of a language's reasons.j2 puts it into words.
        values: what the macro needs.
        evidence: ids of paths and facts.
        facts: those of the evidence that are facts.
        weight: what its paths, or the base term that it tells of, add to the score; 0 for other facts.
        is_caution: it speaks against the asset.
        is_weak: it tells little, however much it adds to the score: it is told last, and once.
    """

    trigger: str
    values: Mapping[str, Value]
    evidence: tuple[str, ...]
    facts: tuple[Fact, ...] = ()
    weight: float = 0.0
    is_caution: bool = False
    is_weak: bool = False
