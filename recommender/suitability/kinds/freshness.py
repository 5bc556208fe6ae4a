"""The rule about how old may be what the other rules rest on."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Final

import numpy as np

from pathfolio.kg.graph import IntArray, to_days
from pathfolio.kg.schema import UNDATED, Relation
from pathfolio.kg.span import Position, Positions
from pathfolio.recommender.suitability.assets import AssetFacts
from pathfolio.recommender.suitability.investor import InvestorFacts, level_fact
from pathfolio.recommender.suitability.judgement import Judgement
from pathfolio.recommender.suitability.kinds.risk_class import RiskLevelRule
from pathfolio.recommender.suitability.options import Effect, OneOf, WholeNumber
from pathfolio.recommender.suitability.rule import GroupedRule, Unit
from pathfolio.recommender.suitability.used_facts import edge_fact, kept, one_edge
from pathfolio.recommender.suitability.verdict import Outcome, UsedFact

DATED: Final = ("profile", "rating", "holdings", "build")


@dataclass(frozen=True, kw_only=True)
class FreshnessRule(GroupedRule):
    """The newest fact of a sort is not too old on the day of asking.

    Attributes:
        group: what has the age: the investor's answers, the asset's rating, the fund's list of holdings, the build.
        max_days: how old it may be.
        predicted: of answers: what counts where the source has predicted the level, so that there are none.
    """

    kind = "freshness"
    unit = Unit.DAYS
    groups = DATED
    reasons = ("fresh", "stale", "no_date", "not_needed", "predicted", "later_build")

    group: Annotated[str, OneOf(words=DATED)]
    max_days: Annotated[int, WholeNumber(least=1)]
    predicted: Annotated[Outcome, Effect()] = Outcome.PASS

    def judge(self, assets: AssetFacts, investor: InvestorFacts, at: Positions) -> Judgement:
        """Compares the days from the fact to the day of asking with those that are allowed."""
        if self.group == "build":
            return self._build_age(assets, len(at))
        if self.group == "profile" and self._is_only_predicted(investor):
            return self.finding(len(at), self.predicted, "predicted")
        edge = self._edge(assets, investor, at)
        day = assets.graph.edges.as_of[edge] if len(assets.graph.edges) else np.zeros(len(at), np.int32)
        age = np.where(edge >= 0, to_days(assets.today) - day.astype(np.float64), np.nan)
        age[day == to_days(UNDATED)] = np.nan
        told = self._told(investor)
        if told is not None:
            edge, age = np.zeros(len(at), np.int64), np.full(len(at), float((assets.today - told).days))
        found = self.finding(len(at), Outcome.PASS, "fresh").where(
            (age > self.max_days, self.fail, "stale"),
            (np.isnan(age), Outcome.UNKNOWN, "no_date"),
            (edge < 0, Outcome.PASS, "not_needed"),
        )
        return replace(found, measured=age, limit=np.full(len(at), float(self.max_days)))

    def _told(self, investor: InvestorFacts) -> date | None:
        """The day on which the investor answered here; None where an edge has the answer, or there is none."""
        level = investor.levels.get(RiskLevelRule.table)
        return None if self.group != "profile" or level is None else level.told

    def _is_only_predicted(self, investor: InvestorFacts) -> bool:
        """Whether the source predicted the level, so that no answers have an age, and the rule minds that."""
        level = investor.levels.get(RiskLevelRule.table)
        return level is not None and level.predicted and self.predicted is not Outcome.PASS

    def _build_age(self, assets: AssetFacts, n: int) -> Judgement:
        """How old the snapshot is on the day of asking; one of a later day knows what nobody could know then."""
        age = float(to_days(assets.today) - to_days(assets.graph.as_of))
        found = self.finding(n, Outcome.PASS, "fresh")
        if age > self.max_days:
            found = self.finding(n, self.fail, "stale")
        elif age < 0:
            found = self.finding(n, self.fail, "later_build")
        return replace(found, measured=np.full(n, age), limit=np.full(n, float(self.max_days)))

    def _edge(self, assets: AssetFacts, investor: InvestorFacts, at: Positions) -> IntArray:
        """(len(at),) the edge of the fact whose age is limited, -1 where the candidate needs no such fact."""
        if self.group == "profile":
            level = investor.levels.get(RiskLevelRule.table)
            return np.full(len(at), -1 if level is None else level.edge, np.int64)
        if self.group == "rating":
            return assets.risk_edge[at]
        # one of each fund's current list of holdings, which share a date
        return one_edge(assets.graph, Relation.INVESTS_IN, assets.graph.asset_span.row(at))

    def facts(
        self, assets: AssetFacts, investor: InvestorFacts, asset: Position, found: Judgement
    ) -> tuple[UsedFact, ...]:
        """What has the age."""
        if self.group == "build":
            return kept(assets.kept, "build", lambda: _build_facts(assets))
        if self._told(investor) is not None:
            return (level_fact(assets, investor, RiskLevelRule.table),)
        edge = int(self._edge(assets, investor, Positions(np.array([asset])))[0])
        return kept(assets.kept, ("edge", edge), lambda: [edge_fact(assets.graph, edge)]) if edge >= 0 else ()

    def same_finding(self, investor: InvestorFacts) -> Hashable:
        """Of answers, nobody has the same day."""
        return None if self.group == "profile" else "assets"

    @classmethod
    def reasons_of(cls, full_kind: str) -> tuple[str, ...]:
        """Only answers can be predicted, and only the build can be of a later day."""
        if full_kind == "freshness/build":
            return ("fresh", "stale", "later_build")
        shared = ("fresh", "stale", "no_date", "not_needed")
        return (*shared, "predicted") if full_kind == "freshness/profile" else shared


def _build_facts(assets: AssetFacts) -> Iterator[UsedFact]:
    """The day of asking, and that of the build."""
    today = assets.today.isoformat()
    as_of = assets.graph.as_of.isoformat()
    yield UsedFact("", "TODAY", source="day of asking", as_of=today)
    yield UsedFact("", "BUILD", source="build", as_of=as_of, known_at=as_of)
