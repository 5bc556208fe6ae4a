"""Counterfactuals: the least that would have to be otherwise for an asset to leave the list, or to come onto it.

A recommendation holds because of a set of the investor's own positions and answers; the smallest such set without
which the asset would not be listed is found by scoring the changed investor again, size by size, so that it is
smallest indeed (Tran, Ghazimatin, Saha Roy, "Counterfactual Explanations for Neural Recommenders", SIGIR 2021).
An asset that is taken away does not become a candidate itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from math import comb
from typing import Final

from pathfolio.explain.what_if import InvestorChange, WhatIf
from pathfolio.kg.schema import PROFILE_RELATIONS, RELATIONS
from pathfolio.kg.span import Position
from pathfolio.recommender.ranking import place_of

BATCH: Final = 256


@dataclass(frozen=True)
class SearchOptions:
    """How far to search.

    Attributes:
        k: the length of the list.
        kind: stock, fund or bond, for the list of that kind; None for all.
        most_scored: how many changed investors are scored at most; beyond that the answer may not be the smallest.
        most_changes: how many positions and answers are changed at most.
    """

    k: int = 10
    kind: str | None = None
    most_scored: int = 4000
    most_changes: int = 6


@dataclass(frozen=True)
class Counterfactual:
    """A change that takes an asset from the list, or brings it onto it; or that there is none.

    Attributes:
        takes_off: whether the asset was to leave the list, not to come onto it.
        change: None where none was found.
        before, after: the asset's place without and with the change; `before` is 0 where it may not be listed (held,
            or not suitable), `after` is 0 without a change.
        is_smallest: no smaller change does it (or none at all, where there is no change): all were scored. False
            where the bound on the search was hit first.
        scored: how many changed investors were scored.
    """

    user: Position
    asset: Position
    options: SearchOptions
    takes_off: bool
    change: InvestorChange | None
    before: int
    after: int
    is_smallest: bool
    scored: int

    @property
    def size(self) -> int:
        """How many positions and answers the change touches."""
        return 0 if self.change is None else len(self.change.without) + len(self.change.answers)

    def holds(self, model: WhatIf) -> bool:
        """Score once more: whether the change does what is said of it."""
        if self.change is None:
            return True
        before, after = _places(model, self.user, self.asset, self.options.kind, [InvestorChange(), self.change])
        as_said = after == self.after and before == (self.before or len(model.graph.assets) + 1)
        return as_said and (before <= self.options.k) != (after <= self.options.k)


def what_takes_it_off(
    model: WhatIf, user: Position, asset: Position, options: SearchOptions | None = None
) -> Counterfactual:
    """The smallest set of the investor's positions and answers without which the asset is not among the first k.

    Where it is not on the list as it is, there is nothing to take away and no change.
    """
    held = [position for position in model.positions(user).tolist() if position != asset]
    parts = [InvestorChange(frozenset({position})) for position in held]
    parts += [InvestorChange(answers=((relation, None),)) for relation in model.answers(user)]
    return _Search(model, user, asset, options or SearchOptions(), off=True).run(parts)


def what_brings_it_on(
    model: WhatIf, user: Position, asset: Position, options: SearchOptions | None = None
) -> Counterfactual:
    """The smallest change of the investor's answers with which the asset is among the first k.

    Where it is on the list as it is, or held, there is nothing to bring and no change.
    """
    answers = model.answers(user)
    parts = [
        InvestorChange(answers=((relation, level),))
        for relation in PROFILE_RELATIONS
        for level in (*model.graph.rows(*RELATIONS[relation].tails).tolist(), None)
        if level != answers.get(relation)
    ]
    return _Search(model, user, asset, options or SearchOptions(), off=False).run(parts)


class _Search:
    """One search over sets of single changes, smallest first, the likeliest of each size first."""

    def __init__(self, model: WhatIf, user: Position, asset: Position, options: SearchOptions, *, off: bool) -> None:
        self.model = model
        self.user = user
        self.asset = asset
        self.options = options
        self.off = off
        self.before = (
            self._places([InvestorChange()])[0] if model.listed(user, options.kind, [InvestorChange()])[0, asset] else 0
        )
        self.scored = 1

    def run(self, parts: list[InvestorChange]) -> Counterfactual:
        if not self.before or self._is_done(self.before) or not parts:
            return self._result(None, 0, is_smallest=True)
        order, places = self._by_effect(parts)
        if self._is_done(places[0]):
            return self._result(order[0], places[0], is_smallest=True)
        for size in range(2, min(self.options.most_changes, len(order)) + 1):
            left = self.options.most_scored - self.scored
            every = comb(len(order), size) <= left
            found = self._first_of(order if every else order[: _fitting(size, left)], size)
            if found is not None:
                return self._result(*found, is_smallest=True)
            if not every:
                break
        else:
            if len(order) <= self.options.most_changes:
                return self._result(None, 0, is_smallest=True)
        return self._greedy(order)

    def _by_effect(self, parts: list[InvestorChange]) -> tuple[list[InvestorChange], list[int]]:
        """The parts, those that alone move the asset furthest first, and the places to which they move it."""
        places = self._places(parts)
        self.scored += len(parts)
        order = sorted(range(len(parts)), key=lambda i: -places[i] if self.off else places[i])
        return [parts[i] for i in order], [places[i] for i in order]

    def _first_of(self, parts: Sequence[InvestorChange], size: int) -> tuple[InvestorChange, int] | None:
        """The first set of `size` parts that does it."""
        sets = (union for union in map(_union, combinations(parts, size)) if union is not None)
        while batch := list(islice(sets, BATCH)):
            places = self._places(batch)
            self.scored += len(batch)
            for change, place in zip(batch, places, strict=True):
                if self._is_done(place):
                    return change, place
        return None

    def _greedy(self, order: list[InvestorChange]) -> Counterfactual:
        """Take parts in order until it is done, then give back all that are not needed; maybe not the smallest."""
        chosen: list[InvestorChange] = []
        prefixes = []
        for part in order:
            if _union((*chosen, part)) is not None:
                chosen.append(part)
                prefixes.append(_union(chosen) or part)
        places = self._places(prefixes)
        self.scored += len(prefixes)
        done = next((i for i, place in enumerate(places) if self._is_done(place)), None)
        if done is None:
            return self._result(None, 0, is_smallest=False)
        needed = self._needed(chosen[: done + 1])
        change = _union(needed) or needed[0]
        return self._result(change, self._places([change])[0], is_smallest=False)

    def _needed(self, parts: list[InvestorChange]) -> list[InvestorChange]:
        """Leave out, last first, every part without which it is still done."""
        for part in reversed(parts[:-1]):
            fewer = [p for p in parts if p is not part]
            self.scored += 1
            if self._is_done(self._places([_union(fewer) or fewer[0]])[0]):
                parts = fewer
        return parts

    def _is_done(self, place: int) -> bool:
        return (place > self.options.k) == self.off

    def _places(self, changes: list[InvestorChange]) -> list[int]:
        return _places(self.model, self.user, self.asset, self.options.kind, changes)

    def _result(self, change: InvestorChange | None, after: int, *, is_smallest: bool) -> Counterfactual:
        return Counterfactual(
            self.user, self.asset, self.options, self.off, change, self.before, after, is_smallest, self.scored
        )


def _places(
    model: WhatIf, user: Position, asset: Position, kind: str | None, changes: Sequence[InvestorChange]
) -> list[int]:
    """The asset's place after each change: behind all others where it may not be listed any more."""
    scores = model.what_if(user, changes)
    listed = model.listed(user, kind, changes)
    ids = model.graph.asset_ids
    places = [place_of(row, allowed, asset, ids) for row, allowed in zip(scores, listed, strict=True)]
    return [place or len(ids) + 1 for place in places]


def _union(parts: Sequence[InvestorChange]) -> InvestorChange | None:
    """All changes at once; None where two would give one question different answers."""
    answers = [answer for part in parts for answer in part.answers]
    if len({relation for relation, _ in answers}) < len(answers):
        return None
    return InvestorChange(
        frozenset().union(*(part.without for part in parts)), tuple(sorted(answers, key=lambda a: a[0]))
    )


def _fitting(size: int, most: int) -> int:
    """The largest number of parts that have at most `most` sets of `size`.

    >>> _fitting(2, 10), _fitting(3, 10)
    (5, 5)
    """
    count = size
    while comb(count + 1, size) <= most:
        count += 1
    return count
