"""The facts that a rule's finding rests on, each with its source and dates."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import numpy as np

from pathfolio.kg.graph import NO_DAY
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.recommender.suitability.assets import AssetFacts, day_text, edge_fact, one_edge
from pathfolio.recommender.suitability.investor import InvestorFacts, level_fact, share_fact
from pathfolio.recommender.suitability.judges import LEVEL_TABLE, fact_edge
from pathfolio.recommender.suitability.rules import Rule, RuleSet
from pathfolio.recommender.suitability.verdict import REASON_CODE, Fact, Judgement

_WHOLE: Final = 1e-9
_MEMO_SIZE: Final = 10_000
_MOST_HOLDINGS: Final = 3
_MEMBERSHIP: Final = MappingProxyType({"issuer": Relation.ISSUED_BY, "industry": Relation.IN_INDUSTRY})


def facts_used(
    rule: Rule, assets: AssetFacts, investor: InvestorFacts, asset: int, found: Judgement
) -> tuple[Fact, ...]:
    """What `rule` used to judge the asset at position `asset`; `found` is about all assets.

    What is about assets alone, and what one investor's verdicts cite again and again, is made once and kept.
    """
    if found.reason[asset] == REASON_CODE["exempt"] and investor.segment is not None:
        return (edge_fact(assets.graph, investor.segment[1]),)
    if rule.kind in LEVEL_TABLE:
        return _of_level(rule, assets, investor) + _class_of(rule, assets, asset)
    if rule.kind == "concentration":
        group = int(found.subject[asset])
        return _purchase(rule, assets, asset, group) + _held_already(rule, assets, investor, group)
    if rule.kind == "restricted":
        return tuple(_restriction_facts(assets, asset))
    if rule.kind == "tradable":
        return _kept(assets.kept, ("tradable", asset), lambda: _market_facts(assets, asset))
    return _dated(rule, assets, investor, asset)


def _dated(rule: Rule, assets: AssetFacts, investor: InvestorFacts, asset: int) -> tuple[Fact, ...]:
    """What has the age that `rule` limits."""
    if rule.group == "build":
        return _kept(assets.kept, "build", lambda: _build_facts(assets))
    edge = int(fact_edge(rule, assets, investor, np.array([asset]))[0])
    return _kept(assets.kept, ("edge", edge), lambda: [edge_fact(assets.graph, edge)]) if edge >= 0 else ()


def _kept(
    kept: dict[Hashable, tuple[Fact, ...]], key: Hashable, make: Callable[[], Iterable[Fact]]
) -> tuple[Fact, ...]:
    found = kept.get(key)
    if found is None:
        if len(kept) > _MEMO_SIZE:
            kept.clear()
        found = kept[key] = tuple(make())
    return found


def _asset_id(assets: AssetFacts, asset: int) -> str:
    return str(assets.graph.nodes.id[assets.graph.assets[asset]])


def _of_level(rule: Rule, assets: AssetFacts, investor: InvestorFacts) -> tuple[Fact, ...]:
    table = LEVEL_TABLE[rule.kind]
    if table not in investor.levels:
        return ()
    return _kept(investor.kept, table, lambda: [level_fact(assets, investor, table)])


def _class_of(rule: Rule, assets: AssetFacts, asset: int) -> tuple[Fact, ...]:
    name = "COMPLEXITY" if rule.kind == "complexity" else "RISK_CLASS"
    return _kept(assets.kept, (name, asset), lambda: _class_facts(assets, asset, name))


def _class_facts(assets: AssetFacts, asset: int, name: str) -> Iterator[Fact]:
    if name == "COMPLEXITY":
        yield from _derived(assets, asset, name, assets.complexity[asset], int(assets.complexity_rule[asset]))
    elif assets.risk_edge[asset] >= 0:
        yield edge_fact(assets.graph, int(assets.risk_edge[asset]))
    else:
        yield from _derived(assets, asset, name, assets.risk_class[asset], int(assets.risk_rule[asset]))


def _derived(assets: AssetFacts, asset: int, name: str, value: float, derivation: int) -> Iterator[Fact]:
    """A class that the rule file derives, how, and what it rests on: a category or sector, prices, a currency."""
    measured = [*_volatility_facts(assets, asset), *_currency_facts(assets, asset)] if name == "RISK_CLASS" else []
    if not np.isnan(value):
        note = _line_note(assets, asset, derivation) if derivation >= 0 else "derived from prices"
        if name == "RISK_CLASS" and assets.risk_most[asset] > value:
            note += f"; not certain: up to {assets.risk_most[asset]:g} is possible"
        yield Fact(_asset_id(assets, asset), name, value=float(value), source=rules_source(assets.rules), note=note)
    row = assets.graph.assets[asset : asset + 1]
    for relation in (Relation.IN_CATEGORY, Relation.IN_SECTOR):
        edge = int(one_edge(assets.graph, relation, row)[0])
        if derivation >= 0 and assets.rules.derivations[derivation].words and edge >= 0:
            yield edge_fact(assets.graph, edge)
    yield from measured


def _line_note(assets: AssetFacts, asset: int, derivation: int) -> str:
    used = assets.rules.derivations[derivation]
    kind = assets.graph.kind_of(int(assets.graph.assets[asset])).lower()
    words = f", words {', '.join(used.words)}" if used.words else ""
    return f"derived by line {used.line} of the rules: {kind}{words}"


def _volatility_facts(assets: AssetFacts, asset: int) -> tuple[Fact, ...]:
    """The figure, how many returns of which days it is made of, and its class; of too few returns only how many."""
    varied, scale = assets.volatility, assets.rules.volatility
    n = int(varied.returns[asset])
    if scale is None or not n:
        return ()
    last, measured = day_text(int(varied.last[asset])), not np.isnan(varied.value[asset])
    note = f"annualised, of {n} weekly returns from {day_text(int(varied.first[asset]))} to {last}"
    note += f" without {int(varied.splits[asset])} taken for splits" if varied.splits[asset] else ""
    if measured:
        note += f"; class {varied.risk_class(scale)[asset]:g}"
    else:
        note += f"; {scale.fewest} are needed" if n < scale.fewest else "; prices hardly move"
    value = float(varied.value[asset]) if measured else None
    return (Fact(_asset_id(assets, asset), "VOLATILITY", "", value, "prices", last, last, note),)


def _currency_facts(assets: AssetFacts, asset: int) -> tuple[Fact, ...]:
    if not assets.is_foreign[asset] or not assets.rules.foreign_class:
        return ()
    currency = str(assets.graph.nodes.currency[assets.graph.assets[asset]])
    note = f"not {assets.rules.base_currency}; class {assets.rules.foreign_class} at least"
    return (Fact(_asset_id(assets, asset), "CURRENCY", currency, source="assets", note=note),)


def _build_facts(assets: AssetFacts) -> Iterator[Fact]:
    """The day of asking, and that of the build."""
    today, as_of = assets.today.isoformat(), assets.graph.as_of.isoformat()
    yield Fact("", "TODAY", source="day of asking", as_of=today)
    yield Fact("", "BUILD", source="build", as_of=as_of, known_at=as_of)


def rules_source(rules: RuleSet) -> str:
    """How facts that the rule file itself states or derives name their source."""
    return f"rules {rules.market} {rules.version}"


def _purchase(rule: Rule, assets: AssetFacts, asset: int, group: int) -> tuple[Fact, ...]:
    """The candidate's part in the group that the rule found, if it found one."""
    key = (rule.group, asset, group)
    return _kept(assets.kept, key, lambda: _purchase_facts(rule, assets, asset, group)) if group >= 0 else ()


def _purchase_facts(rule: Rule, assets: AssetFacts, asset: int, group: int) -> Iterator[Fact]:
    exposure = assets.exposure[rule.group]
    part = exposure.part(asset, group)
    name, source = str(exposure.names[group]), rules_source(assets.rules)
    note = "with a look through funds" if part < 1 - _WHOLE else ""
    yield Fact(_asset_id(assets, asset), "EXPOSURE", name, value=part, source=source, note=note)
    yield Fact("", "PURCHASE_SHARE", value=assets.rules.purchase_share, source=source, note="assumed for the purchase")
    yield from _membership_facts(rule, assets, asset, group)


def _held_already(rule: Rule, assets: AssetFacts, investor: InvestorFacts, group: int) -> tuple[Fact, ...]:
    """The positions that are in the group already."""
    key = (rule.group, group)
    return _kept(investor.kept, key, lambda: _held_facts(rule, assets, investor, group)) if group >= 0 else ()


def _held_facts(rule: Rule, assets: AssetFacts, investor: InvestorFacts, group: int) -> Iterator[Fact]:
    exposure = assets.exposure[rule.group]
    for at, held in enumerate(investor.held.tolist()):
        counted = exposure.part(held, group)
        if investor.share[at] > 0 and counted > 0:
            fact = share_fact(assets, investor, at)
            through = f"{counted:.1%} of it counts" if counted < 1 - _WHOLE else ""
            yield replace(fact, note="; ".join(part for part in (fact.note, through) if part))


def _membership_facts(rule: Rule, assets: AssetFacts, asset: int, group: int) -> Iterator[Fact]:
    """Why the candidate counts: for a fund the largest holdings in the group, else its own issuer or industry."""
    graph, row = assets.graph, int(assets.graph.assets[asset])
    exposure, first = assets.exposure[rule.group], int(graph.assets[0])
    lists = graph.outgoing(Relation.INVESTS_IN)
    inside = [edge for edge in lists.edges_of(row) if exposure.part(int(graph.edges.tail[edge]) - first, group) > 0]
    for edge in sorted(inside, key=lambda edge: -np.nan_to_num(graph.edges.weight[edge]))[:_MOST_HOLDINGS]:
        yield edge_fact(graph, int(edge))
    relation = _MEMBERSHIP.get(rule.group)
    edge = -1 if relation is None or inside else int(one_edge(graph, relation, np.array([row]))[0])
    if edge >= 0 and graph.kind_of(row) is not NodeKind.FUND:
        yield edge_fact(graph, edge)


def _restriction_facts(assets: AssetFacts, asset: int) -> Iterator[Fact]:
    if assets.restriction[asset] < 0:
        return
    found = assets.rules.restrictions[int(assets.restriction[asset])]
    since = found.starts.isoformat() if found.starts else ""
    note = f"{found.kind} {found.value}: {found.reason} (line {found.line})"
    source = rules_source(assets.rules)
    yield Fact(
        _asset_id(assets, asset), "RESTRICTED", found.value, source=source, as_of=since, known_at=since, note=note
    )


def _market_facts(assets: AssetFacts, asset: int) -> Iterator[Fact]:
    asset_id, day = _asset_id(assets, asset), int(assets.price_day[asset])
    if assets.stop_edge[asset] >= 0:
        yield edge_fact(assets.graph, int(assets.stop_edge[asset]))
    listed = int(assets.graph.nodes.listed[assets.graph.assets[asset]])
    if listed != NO_DAY:
        yield Fact(asset_id, "LISTED", source="assets", as_of=day_text(listed), known_at=day_text(listed))
    if day != NO_DAY:
        price, text = float(assets.price[asset]), day_text(day)
        currency = str(assets.graph.nodes.currency[assets.graph.assets[asset]])
        yield Fact(asset_id, "CLOSE", currency, price, "prices", text, text)
