"""Claims that facts of the graph prove: figures among peers, risk, income, what the portfolio lacks, analysts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from pathfolio.explain.claims import Case, Claim
from pathfolio.explain.evidence import Fact
from pathfolio.explain.facts import Peers
from pathfolio.explain.scales import is_income, opinion
from pathfolio.kg.graph import to_date, to_days
from pathfolio.kg.schema import Relation
from pathfolio.recommender.demand import NEW_ISSUE_DAYS
from pathfolio.recommender.groups import SMALLEST_GROUP

NEW_DAYS: Final = 90
"""An asset counts as newly listed for so many days."""

TOP_SHARES: Final = (0.10, 0.20, 0.25)
"""A rank is praised where it is within one of these shares of the peers."""

STALE_DAYS: Final = 400
"""Figures older than this are not spoken of."""

FEWEST_FIRMS: Final = 3
RATING_DAYS: Final = 365

_CLEARLY: Final = 0.1
"""A figure is below or above a median where it differs by a tenth of it."""


def from_facts(case: Case) -> Iterator[Claim]:
    """All claims that the graph's facts about the case's asset and investor prove."""
    yield from _risk(case)
    of_asset = case.lookups.claims_of_asset.get(case.asset)
    if of_asset is None:
        of_asset = case.lookups.claims_of_asset[case.asset] = tuple(_of_asset(case))
    yield from of_asset
    if not any(claim.trigger == "income" for claim in of_asset):
        yield from _income_sought(case)
    yield from _early_buyers(case)
    yield from _widely_held(case)
    yield from _spread(case)


def _of_asset(case: Case) -> Iterator[Claim]:
    """What is so whoever asks."""
    yield from _newly_listed(case)
    yield from _performance(case)
    yield from _against_median(case, "pe_ratio", "valuation", below=True)
    yield from _against_median(case, "dividend_yield", "income", below=False)
    yield from _against_median(case, "expense_ratio", "costs", below=False, is_caution=True)
    yield from _analysts(case)


def _fresh(case: Case, metric: str) -> Fact | None:
    fact = case.facts.of(case.asset).get(metric)
    return fact if fact is not None and (case.graph.as_of - fact.as_of).days <= STALE_DAYS else None


def _fact_claim(
    case: Case, trigger: str, facts: tuple[Fact, ...], *, is_caution: bool = False, weight: float = 0.0, **values: Any
) -> Claim:
    return Claim(trigger, {"kind": case.kind} | values, tuple(f.id for f in facts), facts, weight, is_caution)


# -- figures among peers -------------------------------------------------------------------------------------


def _performance(case: Case) -> Iterator[Claim]:
    fact = _fresh(case, "return_1y")
    if fact is None:
        return
    value = float(fact.value)
    if value < 0:
        yield _fact_claim(case, "loss", (fact,), is_caution=True, value=-value, day=fact.as_of)
        return
    peers = case.facts.peers(case.asset, "return_1y")
    if peers is None:
        return
    rank = peers.rank(value)
    top = next((share for share in TOP_SHARES if rank <= share * len(peers)), None)
    if top is not None:
        place = case.facts.derived(fact, "rank_by_return_1y", rank, f"of {len(peers)}", peers)
        values: dict[str, Any] = {"value": value, "day": fact.as_of, "rank": rank, "top": top}
        yield _fact_claim(case, "performance", (fact, place), **values, **_group(case, peers))


def _group(case: Case, peers: Peers) -> dict[str, Any]:
    return {"n": len(peers), "group": case.node(peers.group), "group_relation": peers.relation.value}


def _against_median(case: Case, metric: str, trigger: str, *, below: bool, is_caution: bool = False) -> Iterator[Claim]:
    """The figure is clearly below (or above) the median of its peers; only positive figures can be compared."""
    fact = _fresh(case, metric)
    peers = case.facts.peers(case.asset, metric) if fact is not None and float(fact.value) > 0 else None
    if fact is None or peers is None or peers.median <= 0:
        return
    ratio = float(fact.value) / peers.median
    if ratio <= 1 - _CLEARLY if below else ratio >= 1 + _CLEARLY:
        median = case.facts.derived(fact, f"median_{metric}", peers.median, fact.unit, peers)
        found: dict[str, Any] = {"value": float(fact.value), "median": peers.median, "day": fact.as_of}
        yield _fact_claim(case, trigger, (fact, median), is_caution=is_caution, **found, **_group(case, peers))


def _income_sought(case: Case) -> Iterator[Claim]:
    fact, goal = _fresh(case, "dividend_yield"), case.investor.profile.get(Relation.SEEKS)
    if fact is None or goal is None or float(fact.value) <= 0:
        return
    edge, level = goal
    if is_income(str(case.graph.nodes.id[level])):
        sought = case.facts.statement(edge, "objective", about_user=True)
        yield _fact_claim(
            case, "income_sought", (fact, sought), value=float(fact.value), day=fact.as_of, level=case.node(level)
        )


# -- the investor --------------------------------------------------------------------------------------------


def _risk(case: Case) -> Iterator[Claim]:
    own, rating = case.investor.profile.get(Relation.HAS_RISK), case.graph.outgoing(Relation.HAS_RISK_RATING)
    if own is None or not len(rating.of(case.asset)):
        return
    rules, row = case.lookups.rules, int(rating.of(case.asset)[0])
    most = rules.levels["risk"].get(str(case.graph.nodes.id[own[1]]).casefold())
    risk = rules.ratings.get(str(case.graph.nodes.id[row]).casefold())
    if most is None or risk is None:
        return
    facts = (
        case.facts.statement(int(rating.edges_of(case.asset)[0]), "risk_rating"),
        case.facts.statement(own[0], "risk_level", about_user=True),
    )
    trigger = "risk_fits" if risk <= most else "risk_above"
    yield _fact_claim(case, trigger, facts, is_caution=risk > most, rating=case.node(row), level=case.node(own[1]))


def _spread(case: Case) -> Iterator[Claim]:
    """Whether the asset's sector (else category) is new to the portfolio, or most of it already."""
    for relation, word in ((Relation.IN_SECTOR, "sector"), (Relation.IN_CATEGORY, "category")):
        label = case.lookups.label_of(relation)
        target = int(label[case.asset])
        known = [int(label[row]) for row in case.investor.holdings if label[row] >= 0 and row != case.asset]
        if target < 0 or len(known) < 2:
            continue
        same = Counter(known)[target]
        if same == 0 or (len(known) >= 3 and same * 2 >= len(known)):
            yield _spread_claim(case, word, target, same, len(known))
        return


def _spread_claim(case: Case, word: str, target: int, same: int, known: int) -> Claim:
    label = str(case.graph.nodes.id[target])
    counted = case.facts.own(str(case.explanation.user_id), f"holdings_in_{word}", same, label, about_user=True)
    of_all = case.facts.own(str(case.explanation.user_id), f"holdings_with_{word}", known, "holdings", about_user=True)
    trigger = f"spread_{word}" if same == 0 else f"concentration_{word}"
    values: dict[str, Any] = {"same": same, "known": known, "label": case.node(target)}
    return _fact_claim(case, trigger, (counted, of_all), is_caution=same > 0, **values)


# -- the asset -----------------------------------------------------------------------------------------------


def _newly_listed(case: Case) -> Iterator[Claim]:
    """The asset came to market lately; it weighs as much as the base's term for that."""
    fact = case.facts.listed(case.asset)
    if fact is not None and is_new(case):
        age, pull = (case.graph.as_of - fact.as_of).days, dict(case.explanation.base).get("new_issue", 0.0)
        yield _fact_claim(case, "newly_listed", (fact,), day=fact.as_of, age=age, weight=pull)


def is_new(case: Case) -> bool:
    """Whether the asset came to market within `NEW_DAYS` before the snapshot's date."""
    fact = case.facts.listed(case.asset)
    return fact is not None and 0 <= (case.graph.as_of - fact.as_of).days <= NEW_DAYS


def _early_buyers(case: Case) -> Iterator[Claim]:
    """Others who hold the new issue have bought early before, as the investor has."""
    own = case.lookups.early.of(case.user, case.asset) if is_new(case) else 0
    count = case.lookups.early.among_holders(case.asset, case.user) if own else None
    if count is not None:
        facts = (
            case.facts.own(case.explanation.user_id, "early_purchases", own, "assets", about_user=True),
            case.facts.own(case.explanation.asset_id, "early_holders", count, "investors"),
        )
        yield _fact_claim(case, "early_buyers", facts, n=count, days=NEW_ISSUE_DAYS)


def _widely_held(case: Case) -> Iterator[Claim]:
    """How many others hold the asset, told where no path speaks for it: the base, which is demand, does so alone."""
    holders = case.graph.incoming(Relation.HOLDS).of(case.asset)
    count = len(holders) - int(case.user in holders)
    if not case.paths and count >= SMALLEST_GROUP:
        yield _fact_claim(
            case, "widely_held", (case.facts.own(case.explanation.asset_id, "holders", count, "investors"),), n=count
        )


def _analysts(case: Case) -> Iterator[Claim]:
    """What a clear majority of the firms say that rated the asset within a year."""
    adjacency, edges = case.graph.outgoing(Relation.RATED_BY), case.graph.edges
    oldest = to_days(case.graph.as_of) - RATING_DAYS
    recent = [at for at in adjacency.edges_of(case.asset).tolist() if edges.as_of[at] > oldest]
    opinions = [opinion(str(edges.qualifier[at])) for at in recent]
    for side, trigger in ((1, "analysts_buy"), (-1, "analysts_sell")):
        count = opinions.count(side)
        if len(recent) >= FEWEST_FIRMS and count * 5 >= len(recent) * 3:
            asset = case.explanation.asset_id
            facts = (
                case.facts.own(asset, trigger, count, "analyst firms"),
                case.facts.own(asset, "analysts", len(recent), "analyst firms"),
            )
            day = to_date(max(int(edges.as_of[at]) for at in recent))
            yield _fact_claim(case, trigger, facts, is_caution=side < 0, count=count, n=len(recent), day=day)
