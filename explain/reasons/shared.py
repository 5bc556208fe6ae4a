"""What the asset has in common with holdings: an attribute of the schema, a country, or what a model finds alike."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from pathfolio.explain.checker.parts import check_holdings
from pathfolio.explain.checker.said import Said
from pathfolio.explain.checker.view import Snapshot
from pathfolio.explain.evidence import Path
from pathfolio.explain.reasons.case import LEARNED_CHANNELS, Case
from pathfolio.explain.reasons.claim import Claim
from pathfolio.explain.reasons.kind import MOST_NAMES, ReasonKind, Subject, of_paths
from pathfolio.kg.schema import ASSET_KINDS, RELATIONS, NodeKind, Relation
from pathfolio.kg.span import Row
from pathfolio.recommender.channels.own import OWN_VECTORS

_OWN: Final = MappingProxyType(
    {r: spec.reason for r, spec in RELATIONS.items() if spec.reason and not (spec.channel and spec.channel.through)}
)
"""Attributes that assets have themselves, and the sentences that tell that two share them."""

_WEAK: Final = (Relation.LISTED_ON, Relation.IN_CLASS)
"""So many assets share these that it tells little."""


class SharedAttribute(ReasonKind):
    """An attribute that the asset shares with holdings: one family for all to which the schema gives a sentence."""

    subject = Subject.LINKS
    triggers = tuple(_OWN.values())

    def claims(self, case: Case) -> Iterator[Claim]:
        """One claim per attribute, of up to `MOST_NAMES` holdings."""
        groups: dict[tuple[str, str | None, str], list[Path]] = {}
        for path in case.stated:
            if len(path.nodes) == 4 and path.edges[1].relation in _OWN:
                first, second, third = path.edges
                if second.relation == third.relation:
                    groups.setdefault((second.relation, path.nodes[2].id, first.relation), []).append(path)
        for (name, _, _), group in groups.items():
            relation = Relation(name)
            if relation == Relation.IN_CLASS and not case.is_new:
                continue  # says little, but of a new issue little else is known
            is_weak = relation in _WEAK
            label = group[0].nodes[2]
            yield of_paths(case, _OWN[relation], group[:MOST_NAMES], is_weak=is_weak, label=label)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Whether the asset and each of the holdings have it."""
        relation = next(relation for relation, spec in RELATIONS.items() if spec.reason == said.trigger).value
        rows, problems = check_holdings(view, said)
        labels = {row for row in view.tails(view.asset, relation) if view.name(row, said.lang) == said.text("label")}
        if not labels:
            return [*problems, f"the asset has no {relation} {said.text('label')!r}"]
        others = [row for row in rows if not labels & set(view.tails(row, relation))]
        return problems + [f"{view.name(row, said.lang)} has another {relation}" for row in others]


class SharedCountry(ReasonKind):
    """The country of the asset or of its market, told where nothing else is."""

    subject = Subject.LINKS
    triggers = ("shared_country",)
    last_resort = True

    def claims(self, case: Case) -> Iterator[Claim]:
        """What the country is the country of as well: up to `MOST_NAMES` holdings."""
        found = [path for path in case.stated if any(node.kind == NodeKind.COUNTRY for node in path.nodes)]
        alike = [path for path in found if path.edges[0].relation == found[0].edges[0].relation][:MOST_NAMES]
        if alike:
            country = next(node for node in alike[0].nodes if node.kind == NodeKind.COUNTRY)
            yield of_paths(case, "shared_country", alike, is_weak=True, label=country)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Whether the asset and each of the holdings are in it."""
        rows, problems = check_holdings(view, said)
        named = {row for row in _countries(view, view.asset) if view.name(row, said.lang) == said.text("label")}
        if not named:
            return [*problems, f"the asset is not in {said.text('label')!r}"]
        others = [row for row in rows if not named & _countries(view, row)]
        return problems + [f"{view.name(row, said.lang)} is in another country" for row in others]


def _countries(view: Snapshot, asset: Row) -> set[Row]:
    """The asset's own country, else its market's."""
    own = view.tails(asset, "IN_COUNTRY")
    return set(own) or {row for market in view.tails(asset, "LISTED_ON") for row in view.tails(market, "IN_COUNTRY")}


class Learned(ReasonKind):
    """The holding that each learned channel, and own vectors, find closest."""

    subject = Subject.LINKS
    triggers = ("learned", "brought")

    def claims(self, case: Case) -> Iterator[Claim]:
        """The first path of each learned channel that begins with a holding."""
        seen: set[str] = set()
        for path in case.paths:
            if path.channel in LEARNED_CHANNELS - seen and path.nodes[1].kind in ASSET_KINDS and len(path.nodes) > 2:
                seen.add(path.channel)
                trigger = "brought" if path.channel == OWN_VECTORS else "learned"
                yield of_paths(case, trigger, [path], is_weak=True, channel=path.channel)

    def check(self, view: Snapshot, said: Said) -> list[str]:
        """Whether its paths are the channel's."""
        _, problems = check_holdings(view, said)
        wrong = [path for path in said.paths if path["channel"] != said.text("channel")]
        return problems + [f"{path['id']} belongs to {path['channel']}" for path in wrong]
