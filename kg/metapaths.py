"""`Metapath`: a path as the schema sees it, relations without nodes; which ones lead from an investor to an asset."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from pathfolio.kg.errors import UsageError
from pathfolio.kg.schema import ASSET_KINDS, CHOICES, RELATIONS, NodeKind, Relation


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """One relation, walked from head to tail (`forward`) or back."""

    relation: Relation
    forward: bool = True

    def __str__(self) -> str:
        return self.relation.value if self.forward else f"^{self.relation.value}"

    @property
    def starts(self) -> tuple[NodeKind, ...]:
        """Kinds of node that it can leave."""
        spec = RELATIONS[self.relation]
        return spec.heads if self.forward else spec.tails

    @property
    def ends(self) -> tuple[NodeKind, ...]:
        """Kinds of node that it can reach."""
        spec = RELATIONS[self.relation]
        return spec.tails if self.forward else spec.heads


@dataclass(frozen=True, order=True)
class Metapath:
    """The relations of a path from an investor to an asset.

    Raises:
        UsageError: the schema does not allow it, or it goes through other investors more than once.
    """

    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        kinds: frozenset[NodeKind] = frozenset({NodeKind.USER})
        for step in self.steps:
            if kinds.isdisjoint(step.starts):
                raise UsageError(f"metapath {self}: {step} does not follow there: look at the relations of the schema")
            kinds = frozenset(step.ends)
        if kinds.isdisjoint(ASSET_KINDS) or len(self.through_others) > 1:
            raise UsageError(f"metapath {self}: end it in an asset, through other investors at most once")

    def __str__(self) -> str:
        return " ".join(map(str, self.steps))

    @classmethod
    def parse(cls, text: str) -> Metapath:
        """The metapath written as relations, `^` before those walked from tail to head.

        Raises:
            UsageError: a word is no relation, or the schema does not allow the metapath.

        Examples:
            >>> str(Metapath.parse("HOLDS IN_INDUSTRY ^IN_INDUSTRY"))
            'HOLDS IN_INDUSTRY ^IN_INDUSTRY'
        """
        steps = []
        for word in text.split():
            name = word.removeprefix("^")
            if name not in Relation.__members__:
                raise UsageError(f"metapath {text!r}: no relation {name!r}: use the names of the schema")
            steps.append(Step(Relation(name), not word.startswith("^")))
        return cls(tuple(steps))

    @cached_property
    def through_others(self) -> tuple[int, ...]:
        """Positions of inner nodes that are other investors: i stands before step i."""
        return tuple(at for at in range(1, len(self.steps)) if self.steps[at].starts == (NodeKind.USER,))

    @property
    def relations(self) -> tuple[Relation, ...]:
        """Its relations without their directions."""
        return tuple(step.relation for step in self.steps)


def metapaths_of_schema(hops: int = 3, *, avoid: frozenset[Relation] = frozenset()) -> tuple[Metapath, ...]:
    """Every metapath of at most so many hops that the schema allows, through other investors at most once.

    Args:
        hops: the number of relations; a longer one can be named with `Metapath.parse`.
        avoid: relations to leave out.
    """
    return tuple(Metapath(steps) for steps in _walk((), frozenset({NodeKind.USER}), hops, avoid, users=1))


def _walk(
    steps: tuple[Step, ...], kinds: frozenset[NodeKind], left: int, avoid: frozenset[Relation], *, users: int
) -> Iterator[tuple[Step, ...]]:
    if steps and not kinds.isdisjoint(ASSET_KINDS):
        yield steps
    if not left:
        return
    for step in _STEPS:
        if step.relation in avoid or kinds.isdisjoint(step.starts):
            continue
        ends = frozenset(step.ends)
        inner_user = ends == {NodeKind.USER}
        if not inner_user or users:
            yield from _walk((*steps, step), ends, left - 1, avoid, users=users - inner_user)


_STEPS: Final = tuple(
    Step(relation, forward) for relation in Relation if relation not in CHOICES for forward in (True, False)
)
"""A choice is no step: nobody is joined to anybody by what they want to see."""
