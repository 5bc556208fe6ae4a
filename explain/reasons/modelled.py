"""What a model says of how much the asset will vary, among its peers, with the model's record until then."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from pathfolio.explain.checker.said import Said
from pathfolio.explain.checker.view import Snapshot
from pathfolio.explain.reasons.case import Case
from pathfolio.explain.reasons.claim import Claim
from pathfolio.explain.reasons.figure_parts import (
    check_figure,
    check_peers,
    compared_with_peers,
    figure_of,
    fresh_fact,
    peer_values,
)
from pathfolio.explain.reasons.kind import ReasonKind, Subject

METRIC: Final = "modelled_volatility"

_FIFTH: Final = 0.2

_SOURCE: Final = re.compile(r"(\S+) \(.+?\); (\d+) trading days ahead; .+", re.DOTALL)
"""How the source of such a fact begins: model, paper and horizon."""

_RECORD: Final = (("record", "_record"), ("low", "_record_low"), ("high", "_record_high"))


@dataclass(frozen=True)
class Modelled(ReasonKind):
    """The modelled volatility is in the lowest or highest fifth of the peers.

    Told only where the model's forecasts of the last year are known to rank what followed: where the whole interval of
    their rank correlation is above zero.
    """

    subject = Subject.FIGURES
    trigger: str
    lowest: bool
    same_for_all = True

    @property
    def triggers(self) -> tuple[str, ...]:
        """One."""
        return (self.trigger,)

    def claims(self, case: Case) -> Iterator[Claim]:
        """The figure, its place, the model and its record."""
        fact = fresh_fact(case, METRIC)
        record = [fresh_fact(case, f"{METRIC}{ending}") for _, ending in _RECORD]
        peers = None if fact is None else case.facts.peers(case.asset, METRIC)
        told = None if fact is None else _SOURCE.fullmatch(fact.source)
        known = [each for each in record if each is not None]
        if fact is None or peers is None or told is None or len(known) < len(record) or float(known[1].value) <= 0:
            return
        value = float(fact.value)
        lower = int(np.searchsorted(peers.values, value, side="left"))
        rank = 1 + lower if self.lowest else peers.rank(value)
        if rank > _FIFTH * len(peers):
            return
        place = case.facts.derived(fact, f"rank_by_{METRIC}", float(1 + lower), f"of {len(peers)}", peers)
        figures = {name: float(each.value) for (name, _), each in zip(_RECORD, known, strict=True)}
        found = compared_with_peers(case, self.trigger, (fact, place, *known), peers, **figures)
        values = {**found.values, "model": told.group(1), "days": int(told.group(2))}
        yield replace(found, values=values, is_caution=not self.lowest)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Look figure, model and record up, and rank it among the peers."""
        problems = check_figure(view, said, METRIC)
        if problems:
            return problems
        value, at = figure_of(view, view.asset, METRIC)
        told = _SOURCE.fullmatch(str(view.graph.edges.source[at]))
        if told is None or (said.text("model"), said.count("days")) != (told.group(1), int(told.group(2))):
            problems.append(f"its model and days are not those of {view.graph.edges.source[at]}")
        for name, ending in _RECORD:
            true, edge = figure_of(view, view.asset, f"{METRIC}{ending}")
            problems += [] if edge >= 0 and said.figure(name).is_of(true) else [f"the {name} is {true}"]
        values = peer_values(view, said, METRIC)
        beyond = sum(other < value if self.lowest else other > value for other in values)
        is_so = 1 + beyond <= 0.2 * len(values)
        return [*problems, *check_peers(said, values), *([] if is_so else [f"{beyond} of {len(values)} are beyond it"])]


MODELLED_CALM: Final = Modelled("modelled_calm", lowest=True)
MODELLED_SWINGS: Final = Modelled("modelled_swings", lowest=False)
