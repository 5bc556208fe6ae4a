"""Claims that paths of the score prove."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from pathfolio.explain.claims import LEARNED_CHANNELS, Case, Claim
from pathfolio.explain.evidence import FOLLOWS, INTERESTED_IN, Path
from pathfolio.explain.triggers_facts import is_new
from pathfolio.kg.schema import ASSET_KINDS, PROFILE_KINDS, NodeKind, Relation

SMALLEST_PART: Final = 0.00005
"""Smaller parts of a portfolio, 0.00% when rounded, are not spoken of."""

MOST_NAMES: Final = 3
"""So many holdings are named in one sentence; the others are in the paths."""

_ASSETS: Final = frozenset(kind.value for kind in ASSET_KINDS)
_PROFILE: Final = frozenset(kind.value for kind in PROFILE_KINDS)
_SHARED: Final = MappingProxyType(
    {
        Relation.IN_INDUSTRY.value: "shared_industry",
        Relation.IN_SECTOR.value: "shared_sector",
        Relation.IN_CATEGORY.value: "shared_category",
        Relation.ISSUED_BY.value: "shared_issuer",
        Relation.LISTED_ON.value: "shared_market",
        Relation.IN_CONCEPT.value: "shared_theme",
        Relation.IN_CLASS.value: "shared_class",
    }
)
_BUSINESS: Final = MappingProxyType(
    {
        (Relation.COMPETES_WITH.value, True): "competitor",
        (Relation.COMPETES_WITH.value, False): "competitor",
        (Relation.SUPPLIES.value, True): "customer",
        (Relation.SUPPLIES.value, False): "supplier",
    }
)


def from_paths(case: Case) -> Iterator[Claim]:
    """All claims that the case's paths prove; of a country only where nothing else is to be told."""
    stated = [path for path in case.paths if path.channel not in LEARNED_CHANNELS]
    claims = [claim for path in stated for claim in _from_path(case, path)]
    claims += [*_shared(case, stated), *_overlap(case, stated), *_learned(case)]
    yield from claims or _same_country(case, stated)


def _from_path(case: Case, path: Path) -> Iterator[Claim]:
    nodes = path.nodes
    if len(nodes) == 4 and nodes[2].id is None:
        if nodes[1].kind in _PROFILE:
            yield _claim(case, "profile_peers", [path], n=path.count, level=nodes[1], level_kind=nodes[1].kind)
        elif nodes[1].kind in _ASSETS:
            yield _claim(case, "co_investment", [path], n=path.count)
    elif len(nodes) == 3 and path.edges[0].relation == INTERESTED_IN:
        yield _claim(case, "interest", [path], label=nodes[1])
    elif len(nodes) == 3 and nodes[1].kind in _ASSETS:
        relation = path.edges[1].relation
        if relation == Relation.INVESTS_IN:
            yield _look_through(case, path)
        elif (relation, path.walks_forward(1)) in _BUSINESS:
            yield _claim(case, _BUSINESS[relation, path.walks_forward(1)], [path])


def _claim(case: Case, trigger: str, paths: list[Path], **values: object) -> Claim:
    """A claim about the holdings that `paths` begin with; they are all held, or all were."""
    position = paths[0].edges[0].relation
    common = {
        "kind": case.kind,
        "held": tuple(path.nodes[1] for path in paths),
        "still": position == Relation.HOLDS,
        "followed": position == FOLLOWS,
    }
    weight = sum(path.contribution for path in paths)
    return Claim(trigger, common | values, tuple(path.id for path in paths), weight=weight)


def _look_through(case: Case, path: Path) -> Claim:
    """Investor - fund - asset (weights multiplied), or investor - asset - fund that holds it."""
    position, holding = path.edges
    if not path.walks_forward(1):
        return _claim(case, "held_by_this_fund", [path], weight=holding.weight)
    known = position.weight is not None and holding.weight is not None and position.relation == Relation.HOLDS
    part = position.weight * holding.weight if known and position.weight and holding.weight else None
    part = part if part is not None and part >= SMALLEST_PART else None
    return _claim(case, "look_through", [path], weight=holding.weight, part=part)


def _shared(case: Case, paths: list[Path]) -> Iterator[Claim]:
    """One claim per attribute: what the asset has in common with up to `MOST_NAMES` holdings."""
    groups: dict[tuple[str, str | None, str], list[Path]] = {}
    for path in paths:
        if len(path.nodes) == 4 and path.edges[1].relation in _SHARED:
            first, second, third = path.edges
            if second.relation == third.relation:
                groups.setdefault((second.relation, path.nodes[2].id, first.relation), []).append(path)
    for (relation, _, _), group in groups.items():
        if relation == Relation.IN_CLASS and not is_new(case):
            continue  # says little, but of a new issue little else is known
        yield _claim(case, _SHARED[relation], group[:MOST_NAMES], label=group[0].nodes[2])


def _same_country(case: Case, paths: list[Path]) -> Iterator[Claim]:
    """What the asset's country, or its market's, is the country of as well: up to `MOST_NAMES` holdings."""
    found = [path for path in paths if any(node.kind == NodeKind.COUNTRY for node in path.nodes)]
    alike = [path for path in found if path.edges[0].relation == found[0].edges[0].relation][:MOST_NAMES]
    if alike:
        country = next(node for node in alike[0].nodes if node.kind == NodeKind.COUNTRY)
        yield _claim(case, "shared_country", alike, label=country)


def _overlap(case: Case, paths: list[Path]) -> Iterator[Claim]:
    """One claim per fund held: what it and the asset, a fund too, both invest in."""
    invests = Relation.INVESTS_IN
    groups: dict[str | None, list[Path]] = {}
    for path in paths:
        if len(path.nodes) != 4 or path.edges[1].relation != invests or path.edges[2].relation != invests:
            continue
        if path.walks_forward(1) and not path.walks_forward(2):
            groups.setdefault(path.nodes[1].id, []).append(path)
    for group in groups.values():
        shown = group[:MOST_NAMES]
        claim = _claim(case, "overlap", shown, common=tuple(path.nodes[2] for path in shown))
        yield Claim(claim.trigger, {**claim.values, "held": (shown[0].nodes[1],)}, claim.evidence, weight=claim.weight)


def _learned(case: Case) -> Iterator[Claim]:
    """The holding that each learned channel finds closest."""
    seen: set[str] = set()
    for path in case.paths:
        if path.channel in LEARNED_CHANNELS - seen and path.nodes[1].kind in _ASSETS and len(path.nodes) > 2:
            seen.add(path.channel)
            yield _claim(case, "learned", [path], channel=path.channel)
