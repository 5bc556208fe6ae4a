"""What networks read and learn: cells of asset and day, with the windows of days that end on them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch

from pathfolio.kg.graph import FloatArray
from pathfolio.recommender.signals import rolling
from pathfolio.recommender.signals.alphas import figures_of
from pathfolio.recommender.signals.model import SignalLesson
from pathfolio.recommender.signals.panel import LIQUID_DAYS
from pathfolio.recommender.signals.torch_losses import CrossSection
from pathfolio.recommender.signals.trading import TradingTerms

Rows = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells of a market, sorted by day; assets come and go, so a day has as many as there are.

    Attributes:
        day, asset: (n,) of each.
        rows: (n + 1, F) figures of each; the last row, of zeros, stands for days on which an asset is no cell.
        truth: (n,) what is to be told, NaN where it may not be learned; `came`: the label.
        liquidity, room: (n,) as in `CrossSection`.
        window: days that are read, the cell's own last; 1 for that one alone.
        market: (T, M) figures of the whole market, put beside those of each asset; M may be 0.
    """

    day: npt.NDArray[np.int64]
    asset: npt.NDArray[np.int64]
    rows: Rows
    truth: Rows
    came: Rows
    liquidity: Rows
    room: Rows
    window: int
    market: Rows

    @property
    def figures(self) -> int:
        """How many are told of each day."""
        return int(self.rows.shape[1] + self.market.shape[1])

    def inputs(self, cells: npt.NDArray[np.int64]) -> torch.Tensor:
        """(k, window, figures) of some cells; (k, figures) for a window of one day."""
        if self.window == 1:
            return torch.from_numpy(self.rows[cells])
        days = self.day[cells, None] + np.arange(1 - self.window, 1)
        found = self.rows[self._row_of[days, self.asset[cells, None]]]
        if self.market.shape[1]:
            found = np.concatenate([found, self.market[np.maximum(days, 0)]], axis=-1)
        return torch.from_numpy(found)

    def cross_section(self, cells: npt.NDArray[np.int64]) -> CrossSection:
        """What came of some cells."""
        parts = (self.truth, self.came, self.liquidity, self.room)
        return CrossSection(*(torch.from_numpy(part[cells]) for part in parts))

    @cached_property
    def _row_of(self) -> npt.NDArray[np.int32]:
        """(T + window, N): a cell's row; days before the first are read at the end, which has none."""
        shape = (int(self.day.max()) + 1 + self.window, int(self.asset.max()) + 1)
        table = np.full(shape, len(self.day), np.int32)
        table[self.day, self.asset] = np.arange(len(self.day))
        return table


def return_cells(
    lesson: SignalLesson, window: int = 1, market: FloatArray | None = None, inputs: str = "features"
) -> Cells:
    """The universe with ranked figures of it; what is to be told is the rank of the return that follows.

    Args:
        window: days; of more than one, a further figure says whether the asset was in the universe of a day.
        market: (T, M).
        inputs: `features` (28 of price and volume), `alphas` or `both`.
    """
    panel, features = lesson.panel, figures_of(lesson.panel, inputs)
    day, asset = features.day, features.asset
    value = rolling.mean(panel["value"], LIQUID_DAYS)
    columns = [features.values] if window == 1 else [features.values, np.ones((len(day), 1), np.float32)]
    rows = np.vstack([np.hstack(columns), np.zeros((1, sum(c.shape[1] for c in columns)), np.float32)])
    ranked = rolling.ranks(lesson.labels, panel.universe)[day, asset]
    return Cells(
        day,
        asset,
        rows,
        ranked.astype(np.float32),
        np.nan_to_num(lesson.labels[day, asset]).astype(np.float32),
        np.nan_to_num(rolling.ranks(value, panel.universe)[day, asset] + 0.5, nan=0.5).astype(np.float32),
        np.nan_to_num(TradingTerms().share * value[day, asset]).astype(np.float32),
        window,
        np.zeros((len(panel.days), 0), np.float32) if market is None else market.astype(np.float32),
    )
