"""What a channel is: a part of the score that has a name, belongs to a family, scores investors and accounts for it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import StrEnum
from typing import Protocol

import numpy as np

from pathfolio.kg.graph import FloatArray, Mask
from pathfolio.kg.span import Position
from pathfolio.recommender.account import ChannelAccount
from pathfolio.recommender.investor_rows import InvestorRows
from pathfolio.recommender.score_inputs import ScoreInputs


class Family(StrEnum):
    """What channels are shown as where a score is seen at a glance."""

    CO_INVESTMENT = "co_investment"
    FUNDS = "funds"
    SHARED = "shared"
    LEARNED = "learned"
    PROFILE = "profile"
    OWN = "own"
    BASE = "base"


class Channel(ABC):
    """One part of the score, or several of one make, fitted over one snapshot."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is called as a whole."""

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Under which accounts show its parts: its own name, where it is one part."""

    @property
    @abstractmethod
    def family(self) -> Family:
        """With which others it is shown."""

    @abstractmethod
    def scores(self, investors: InvestorRows) -> FloatArray:
        """(n, assets) float64: what it adds to the scores."""

    def parts(self, investors: InvestorRows) -> dict[str, FloatArray]:
        """Each of `names` to what it adds, (n, assets) float64; for ablation."""
        return {self.name: self.scores(investors)}

    @abstractmethod
    def reached(self, investors: InvestorRows) -> Mask:
        """(n, assets), or what broadcasts to it, bool: where a walk of the channel leads from investor to asset."""

    @abstractmethod
    def account(self, investor: InvestorRows, asset: Position) -> tuple[ChannelAccount, ...]:
        """Its part of the score of `investor`'s first row and one asset position, taken apart."""


class HoldingChannel(Channel):
    """A channel that is a sum over the assets an investor holds or held, so that the scorer adds up kernels once."""

    @property
    def scaled(self) -> bool:
        """Whether the sum is multiplied by `InvestorRows.scale`: an average, by the square root of their number."""
        return True

    @abstractmethod
    def kernel(self) -> FloatArray:
        """(assets, assets) float64: what holding the row's asset adds to the column's; zero diagonal."""

    def kernels(self) -> dict[str, FloatArray]:
        """Each of `names` to its part of the kernel."""
        return {self.name: self.kernel()}

    @abstractmethod
    def reach(self) -> Mask:
        """(assets, assets) bool: where a walk of the channel joins the row's asset, held, to the column's."""

    def scores(self, investors: InvestorRows) -> FloatArray:
        """See `Channel.scores`."""
        return self._summed(investors, self.kernel())

    def parts(self, investors: InvestorRows) -> dict[str, FloatArray]:
        """See `Channel.parts`."""
        return {name: self._summed(investors, kernel) for name, kernel in self.kernels().items()}

    def reached(self, investors: InvestorRows) -> Mask:
        """See `Channel.reached`."""
        return np.asarray(investors.ever @ self.reach() > 0)

    def _summed(self, investors: InvestorRows, kernel: FloatArray) -> FloatArray:
        values = np.asarray(investors.ever @ kernel, dtype=np.float64)
        return values * investors.scale if self.scaled else values


class ChannelMaker(Protocol):
    """What fits a channel to a snapshot; the channels' classes are it themselves."""

    @property
    def name(self) -> str:
        """The channel's."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """The channel's."""
        ...

    @property
    def family(self) -> Family:
        """The channel's."""
        ...

    def fit(self, inputs: ScoreInputs) -> Channel | None:
        """The channel over a snapshot, or None where it is not served: it was not asked for."""
        ...
