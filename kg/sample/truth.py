"""The right answers of a sample market: what each investor truly prefers. For tests and simulations only.

Nothing of this is in the market's folder; it is computed again from the same seed and size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pathfolio.kg.sample.industries import INDUSTRIES
from pathfolio.kg.sample.market import SampleMarket
from pathfolio.kg.sample.size import SampleSize


@dataclass(frozen=True)
class Truth:
    """The lasting preferences of n investors for m assets.

    Attributes:
        user_ids: (n,) str, sorted; as in the users table.
        asset_ids: (m,) str, sorted; as in the assets table.
        utility: (n, m) float32: u in `pathfolio.kg.sample`, higher is better; also for assets that are not listed yet.
        appetite: (n,) float64 in [0, 1]: the volatility that each wants, as a share of 45% a year.
        industries: (k,) names of the industries.
        taste: (n, k) float64: about 1 to 2 for the industries that an investor likes, -1 for the disliked one.
    """

    user_ids: npt.NDArray[np.object_]
    asset_ids: npt.NDArray[np.object_]
    utility: npt.NDArray[np.float32]
    appetite: npt.NDArray[np.float64]
    industries: tuple[str, ...]
    taste: npt.NDArray[np.float64]


def preferences(seed: int = 7, size: SampleSize = SampleSize()) -> Truth:  # noqa: B008 - a frozen value
    """What the investors of the market of `seed` truly prefer."""
    market = SampleMarket.generate(seed, size)
    ids = market.assets["asset_id"].to_numpy(dtype=object)
    order = np.argsort(ids)
    people = market.investors
    names = tuple(industry.name for industry in INDUSTRIES)
    return Truth(people.ids, ids[order], market.utility[:, order], people.appetite, names, people.taste)
