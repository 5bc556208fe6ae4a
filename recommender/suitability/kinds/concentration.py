"""The rule about how much of the portfolio one asset, issuer, industry or currency is after the purchase."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Annotated, Final

import numpy as np

from pathfolio.kg.graph import FloatArray, IntArray
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.kg.span import Position, Positions, Rows
from pathfolio.recommender.suitability.assets import AssetFacts
from pathfolio.recommender.suitability.exposure import Exposure, exposures
from pathfolio.recommender.suitability.investor import InvestorFacts, share_fact
from pathfolio.recommender.suitability.judgement import Judgement
from pathfolio.recommender.suitability.options import VIOLATIONS, Effect, OneOf, Proportion
from pathfolio.recommender.suitability.reader import TomlTable
from pathfolio.recommender.suitability.rule import GroupedRule, Unit
from pathfolio.recommender.suitability.used_facts import edge_fact, kept, one_edge
from pathfolio.recommender.suitability.verdict import Outcome, UsedFact

GROUPS: Final = ("asset", "issuer", "industry", "currency")

KNOWN_PART: Final = 0.5
"""Unknown where less than this part of an asset has a known group."""

_ROUNDING: Final = 1e-9
_WHOLE: Final = 1e-9
_MOST_HOLDINGS: Final = 3
_MEMBERSHIP: Final = MappingProxyType({"issuer": Relation.ISSUED_BY, "industry": Relation.IN_INDUSTRY})


@dataclass(frozen=True, kw_only=True)
class ConcentrationRule(GroupedRule):
    """The largest share of one group after the purchase, among the groups that the purchase adds to.

    Attributes:
        group: what is added up.
        limit: the largest fraction of the portfolio after the purchase.
        fund_limit: of one asset: the limit for a fund of which the holdings are not known.
        warn_at: the fraction from which it warns.
        derived: what a violation counts as where positions are taken to be of equal size; as `fail` unless the file
            says otherwise.
    """

    kind = "concentration"
    unit = Unit.FRACTION
    fractions = frozenset({"EXPOSURE", "PURCHASE_SHARE", Relation.HOLDS.value, Relation.INVESTS_IN.value})
    groups = GROUPS
    reasons = ("within_limit", "near_limit", "above_limit", "derived_above_limit", "no_weights", "no_group")

    group: Annotated[str, OneOf(words=GROUPS)]
    limit: Annotated[float, Proportion()]
    fund_limit: Annotated[float, Proportion(like="limit")]
    warn_at: Annotated[float, Proportion(like="limit")]
    derived: Annotated[Outcome, Effect(like="fail", allowed=VIOLATIONS)]

    def check(self, entry: TomlTable) -> None:
        """Refuse limits that contradict each other."""
        super().check(entry)
        if self.warn_at > self.limit:
            raise entry.error("warn_at", f"warn_at = {self.warn_at}", f"write {self.limit} or less")
        if self.fund_limit < self.limit:
            raise entry.error("fund_limit", f"fund_limit = {self.fund_limit}", f"write {self.limit} or more")

    def judge(self, assets: AssetFacts, investor: InvestorFacts, at: Positions) -> Judgement:
        """The share of the group nearest its limit; unknown where the shares, or what it consists of, are not known."""
        if investor.weighting == "unknown":
            return self.finding(len(at), Outcome.UNKNOWN, "no_weights")
        exposure = self._exposure(assets)
        before = exposure.of_holdings(investor.held, investor.share)
        share, after, limit, group = self._after_purchase(assets, exposure, before, at)
        above = after > limit + _ROUNDING
        near = (limit <= self.limit) & (after >= self.warn_at) & (self.warn_at < self.limit)
        is_assumed = investor.weighting == "equal"
        found = self.finding(len(at), Outcome.PASS, "within_limit").where(
            (near, Outcome.WARN, "near_limit"),
            (above, self.derived, "derived_above_limit") if is_assumed else (above, self.fail, "above_limit"),
            ((share < KNOWN_PART) & ~above, Outcome.UNKNOWN, "no_group"),
        )
        return replace(found, measured=after, limit=limit, subject=group, names=exposure.names)

    def _exposure(self, assets: AssetFacts) -> Exposure:
        return kept_exposures(assets)[self.group]

    def _after_purchase(
        self, assets: AssetFacts, exposure: Exposure, before: FloatArray, at: Positions
    ) -> tuple[FloatArray, FloatArray, FloatArray, IntArray]:
        """Per candidate: its part with known groups, and the share, limit and column of the group nearest its limit.

        after = (1 - p) * before + p * part, with p = `purchase_share`; groups of which the portfolio has relatively
        more than the candidate are diluted by it and left out.
        """
        p = assets.rules.purchase_share
        rows = exposure.rows(at)
        group = rows.groups
        after = (1 - p) * before[group] + p * rows.part
        limits = np.where(exposure.is_fund, self.fund_limit, self.limit)
        counts = rows.part >= before[group] - _ROUNDING
        if self.group == "currency":
            counts &= (exposure.names != assets.rules.base_currency)[group]
        ratio = np.where(counts, after / limits[group], -1.0)
        chosen = rows.largest(ratio)
        chosen = chosen[ratio[chosen] >= 0]
        measured = np.full(len(at), np.nan)
        nearest = np.full(len(at), -1, np.int64)
        measured[rows.row[chosen]], nearest[rows.row[chosen]] = after[chosen], group[chosen]
        # -1: no group, the rule's own limit
        return rows.known, measured, np.append(limits, self.limit)[nearest], nearest

    def facts(
        self, assets: AssetFacts, investor: InvestorFacts, asset: Position, found: Judgement
    ) -> tuple[UsedFact, ...]:
        """The candidate's part in the group that was found, and the positions that are in it already."""
        group = int(found.subject[asset])
        if group < 0:
            return ()
        bought = kept(assets.kept, (self.group, asset, group), lambda: self._purchase(assets, asset, group))
        return bought + kept(investor.kept, (self.group, group), lambda: self._held(assets, investor, group))

    def _purchase(self, assets: AssetFacts, asset: Position, group: int) -> Iterator[UsedFact]:
        exposure = self._exposure(assets)
        source = assets.rules.source
        part = exposure.part(asset, group)
        note = "with a look through funds" if part < 1 - _WHOLE else ""
        yield UsedFact(
            assets.id_of(asset), "EXPOSURE", str(exposure.names[group]), value=part, source=source, note=note
        )
        share = assets.rules.purchase_share
        yield UsedFact("", "PURCHASE_SHARE", value=share, source=source, note="assumed for the purchase")
        yield from self._membership(assets, asset, group)

    def _membership(self, assets: AssetFacts, asset: Position, group: int) -> Iterator[UsedFact]:
        """Why the candidate counts: for a fund the largest holdings in the group, else its own issuer or industry."""
        graph = assets.graph
        exposure = self._exposure(assets)
        row = graph.asset_span.row(asset)
        lists = graph.outgoing(Relation.INVESTS_IN)
        parts = zip(lists.edges_of(row).tolist(), graph.asset_span.position(lists.of(row)).tolist(), strict=True)
        inside = [edge for edge, holding in parts if exposure.part(holding, group) > 0]
        for edge in sorted(inside, key=lambda edge: -np.nan_to_num(graph.edges.weight[edge]))[:_MOST_HOLDINGS]:
            yield edge_fact(graph, edge)
        relation = _MEMBERSHIP.get(self.group)
        edge = -1 if relation is None or inside else int(one_edge(graph, relation, Rows(np.array([row])))[0])
        if edge >= 0 and graph.kind_of(row) is not NodeKind.FUND:
            yield edge_fact(graph, edge)

    def _held(self, assets: AssetFacts, investor: InvestorFacts, group: int) -> Iterator[UsedFact]:
        parts = self._exposure(assets).parts(investor.held, group)
        for at in np.flatnonzero((investor.share > 0) & (parts > 0)).tolist():
            (fact,) = kept(investor.kept, ("share", at), partial(_share, assets, investor, at))
            counted = float(parts[at])
            through = f"{counted:.1%} of it counts" if counted < 1 - _WHOLE else ""
            yield replace(fact, note="; ".join(filter(None, (fact.note, through)))) if through else fact

    def same_finding(self, investor: InvestorFacts) -> Hashable:
        """Nobody has the same portfolio."""
        return None

    def warns_from(self, reason: str) -> float | None:
        """As `Rule.warns_from`."""
        return self.warn_at if reason == "near_limit" else None

    @classmethod
    def subject_kind(cls, full_kind: str) -> NodeKind | None:
        """Industries have a vocabulary; the other groups are names."""
        return NodeKind.INDUSTRY if full_kind == "concentration/industry" else None


def _share(assets: AssetFacts, investor: InvestorFacts, number: int) -> tuple[UsedFact]:
    return (share_fact(assets, investor, number),)


def kept_exposures(assets: AssetFacts) -> dict[str, Exposure]:
    """The exposures of all assets by `GROUPS`, made once."""
    return assets.once(_exposures)


def _exposures(assets: AssetFacts) -> dict[str, Exposure]:
    return exposures(assets.graph)
