"""Rules that compare what an asset needs with a level that the investor has told."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np
import numpy.typing as npt

from pathfolio.kg.graph import FloatArray
from pathfolio.kg.schema import RELATIONS, NodeKind, Relation
from pathfolio.kg.span import Position, Positions
from pathfolio.recommender.suitability.assets import AssetFacts
from pathfolio.recommender.suitability.investor import InvestorFacts, InvestorLevel, level_fact
from pathfolio.recommender.suitability.judgement import Judgement
from pathfolio.recommender.suitability.options import Effect
from pathfolio.recommender.suitability.reader import TomlTable
from pathfolio.recommender.suitability.rule import Rule
from pathfolio.recommender.suitability.used_facts import kept
from pathfolio.recommender.suitability.verdict import Outcome, UsedFact

LEVEL_REASONS = (
    "within_level",
    "above_level",
    "above_level_tolerated",
    "within_every_level",
    "no_level",
    "level_not_in_file",
    "no_class",
    "within_predicted_level",
)


@dataclass(frozen=True, kw_only=True)
class LevelRule(Rule):
    """What an asset needs is at most what the investor's level allows.

    A kind says for itself, beside what `Rule` has:
        table: the table of the rule file, under `levels`, from the investor's level to what it allows.
        relation: leads to the investor's level.
        every_level: what counts where the level is not known, but every one would allow the asset.

    Attributes:
        absent: what counts where the data hold no such level of anybody, so that it was never asked; as `unknown`
            unless the file says otherwise.
        predicted: what counts where the source has predicted the level, so that the investor told none; a level that
            allows the asset is then taken for told unless the file says otherwise. What a predicted level forbids is
            forbidden as by a told one.
    """

    reasons: ClassVar[tuple[str, ...]] = LEVEL_REASONS
    table: ClassVar[str]
    relation: ClassVar[Relation]
    every_level: ClassVar[Outcome] = Outcome.PASS

    absent: Annotated[Outcome, Effect(like="unknown")]
    predicted: Annotated[Outcome, Effect()] = Outcome.PASS

    @abstractmethod
    def need(self, assets: AssetFacts) -> FloatArray:
        """(assets,) what each asset needs, NaN where that is not known."""

    @abstractmethod
    def need_facts(self, assets: AssetFacts, asset: Position) -> tuple[UsedFact, ...]:
        """What says what the asset at position `asset` needs."""

    def judge(self, assets: AssetFacts, investor: InvestorFacts, at: Positions) -> Judgement:
        """Whether what each candidate needs is within the investor's level."""
        return self.compared(self.need(assets)[at], assets, investor)

    def compared(self, need: FloatArray, assets: AssetFacts, investor: InvestorFacts, tolerance: int = 0) -> Judgement:
        """Whether `need` (n,) is within the investor's level; what is above it by `tolerance` only warns.

        Where the level is not known, what is within every level of the file still passes: the answer would be the
        same whatever the level was. For the risk level itself that is a warning, since the question stays open.
        """
        level = investor.levels.get(self.table)
        limits = assets.rules.levels[self.table]
        if level is not None and level.limit is not None:
            return self._within(need, level, level.limit, tolerance)
        found = self.finding(len(need), Outcome.UNKNOWN, "no_level" if level is None else "level_not_in_file")
        lowest = min(limits.values(), default=-1.0)
        return replace(found.where((need <= lowest, self.every_level, "within_every_level")), measured=need)

    def _within(self, need: FloatArray, level: InvestorLevel, limit: float, tolerance: int) -> Judgement:
        """A level that the source predicted allows as the file says, and forbids as a told one does."""
        found = self.finding(len(need), Outcome.PASS, "within_level")
        if level.predicted and self.predicted is not Outcome.PASS:
            found = self.finding(len(need), self.predicted, "within_predicted_level")
        found = found.where(
            (need > limit, Outcome.WARN, "above_level_tolerated"),
            (need > limit + tolerance, self.fail, "above_level"),
            (np.isnan(need), Outcome.UNKNOWN, "no_class"),
        )
        subject = np.zeros(len(need), np.int64)
        return replace(found, measured=need, limit=np.full(len(need), limit), subject=subject, names=(level.name,))

    def facts(
        self, assets: AssetFacts, investor: InvestorFacts, asset: Position, found: Judgement
    ) -> tuple[UsedFact, ...]:
        """The investor's level, and what says what the asset needs."""
        if self.table not in investor.levels:
            return self.need_facts(assets, asset)
        level = kept(investor.kept, self.table, lambda: [level_fact(assets, investor, self.table)])
        return level + self.need_facts(assets, asset)

    def same_finding(self, investor: InvestorFacts) -> Hashable:
        """The level; of a number of years that a question assumes, nobody has the same."""
        level = investor.levels.get(self.table)
        if level is None:
            return ("level", None)
        return ("level", level.name, level.predicted) if level.name else None

    def effect(self, found: Judgement, untold: frozenset[str]) -> npt.NDArray[np.int8]:
        """As `Rule.effect`; where nobody has told the level, `absent` says what not knowing it counts as."""
        effect = super().effect(found, untold)
        if self.table not in untold:
            return effect
        never_asked = (found.outcome == Outcome.UNKNOWN) & found.says("no_level")
        return np.where(never_asked, np.int8(self.absent), effect)

    def check(self, entry: TomlTable) -> None:
        """As `Rule.check`; a file without such levels would reject everything."""
        super().check(entry)
        if not entry.file.table("levels").values.get(self.table):
            raise entry.file.error(self.line, f"a {self.kind} rule without levels", f"add [levels.{self.table}]")

    @classmethod
    def subject_kind(cls, full_kind: str) -> NodeKind | None:
        """The kind of level."""
        return RELATIONS[cls.relation].tails[0]
