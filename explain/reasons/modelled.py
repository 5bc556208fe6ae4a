"""What a model says of how much the asset will vary, or move with the market, among its peers, with its record."""

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

_FIFTH: Final = 0.2

_SOURCE: Final = re.compile(r"(\S+) \(.+?\); (\d+) trading days ahead; .+", re.DOTALL)
"""How the source of such a fact begins: model, paper and horizon."""

_RECORD: Final = (("record", "_record"), ("low", "_record_low"), ("high", "_record_high"))
"""What the sentence calls the figures beside the modelled one, and how their metrics end."""


@dataclass(frozen=True)
class Modelled(ReasonKind):
    """A modelled figure is in the lowest or highest fifth of the peers.

    Told only where the model's forecasts of the last year are known to rank what followed: where the whole interval of
    their rank correlation is above zero.

    Attributes:
        trigger: its only one.
        metric: what the figure is called.
        lowest: whether the lowest fifth is told, or the highest, as a caution.
        beside: figures that the sentence needs too, and how their metrics end.
    """

    subject = Subject.FIGURES
    trigger: str
    metric: str
    lowest: bool
    beside: tuple[tuple[str, str], ...] = _RECORD
    same_for_all = True

    @property
    def triggers(self) -> tuple[str, ...]:
        """One."""
        return (self.trigger,)

    def claims(self, case: Case) -> Iterator[Claim]:
        """The figure, its place, the model and its record."""
        fact = fresh_fact(case, self.metric)
        record = [fresh_fact(case, f"{self.metric}{ending}") for _, ending in self.beside]
        peers = None if fact is None else case.facts.peers(case.asset, self.metric)
        told = None if fact is None else _SOURCE.fullmatch(fact.source)
        known = [each for each in record if each is not None]
        if fact is None or peers is None or told is None or len(known) < len(record) or float(known[1].value) <= 0:
            return
        value = float(fact.value)
        lower = int(np.searchsorted(peers.values, value, side="left"))
        rank = 1 + lower if self.lowest else peers.rank(value)
        if rank > _FIFTH * len(peers):
            return
        place = case.facts.derived(fact, f"rank_by_{self.metric}", float(1 + lower), f"of {len(peers)}", peers)
        figures = {name: float(each.value) for (name, _), each in zip(self.beside, known, strict=True)}
        if "market" in figures:
            figures["market"] = int(figures["market"])
        found = compared_with_peers(case, self.trigger, (fact, place, *known), peers, **figures)
        values = {**found.values, "model": told.group(1), "days": int(told.group(2))}
        yield replace(found, values=values, is_caution=not self.lowest)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Look figure, model and record up, and rank it among the peers."""
        problems = check_figure(view, said, self.metric)
        if problems:
            return problems
        value, at = figure_of(view, view.asset, self.metric)
        told = _SOURCE.fullmatch(str(view.graph.edges.source[at]))
        if told is None or (said.text("model"), said.count("days")) != (told.group(1), int(told.group(2))):
            problems.append(f"its model and days are not those of {view.graph.edges.source[at]}")
        for name, ending in self.beside:
            true, edge = figure_of(view, view.asset, f"{self.metric}{ending}")
            is_so = said.count(name) == true if name == "market" else said.figure(name).is_of(true)
            problems += [] if edge >= 0 and is_so else [f"the {name} is {true}"]
        values = peer_values(view, said, self.metric)
        beyond = sum(other < value if self.lowest else other > value for other in values)
        is_few = 1 + beyond <= 0.2 * len(values)
        return [
            *problems,
            *check_peers(said, values),
            *([] if is_few else [f"{beyond} of {len(values)} are beyond"]),
        ]


MODELLED_CALM: Final = Modelled("modelled_calm", "modelled_volatility", lowest=True)
MODELLED_SWINGS: Final = Modelled("modelled_swings", "modelled_volatility", lowest=False)

_BESIDE_BETA: Final = (*_RECORD, ("market", "_market"))
"""A beta says nothing where nobody says of which market it is; builds that do not are not spoken of."""

MODELLED_APART: Final = Modelled("modelled_apart", "modelled_beta", lowest=True, beside=_BESIDE_BETA)
MODELLED_ALONG: Final = Modelled("modelled_along", "modelled_beta", lowest=False, beside=_BESIDE_BETA)
