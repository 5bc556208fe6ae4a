"""Of whom what-if questions are asked in tests, and about what."""

from __future__ import annotations

import numpy as np

from pathfolio.recommender.assumed import AssumedInvestor
from pathfolio.recommender.scorer import Scorer


def busy(scorer: Scorer) -> int:
    """The position of an investor with about eight positions."""
    return int(np.argmin(abs(np.diff(scorer.interactions.ever.indptr) - 8)))


def new_asset(scorer: Scorer, user: int) -> int:
    """The most held asset that the investor has never had."""
    holders = scorer.interactions.holders.copy()
    holders[list(AssumedInvestor.of(scorer, user).held)] = -1
    return int(holders.argmax())
