"""The channels of the score, in the order in which they are added up and shown."""

from __future__ import annotations

from typing import Final

from pathfolio.recommender.channels.attributes import SharedAttributes
from pathfolio.recommender.channels.base import ChannelMaker
from pathfolio.recommender.channels.co_investment import CoInvestment
from pathfolio.recommender.channels.earlier_issues import EarlierIssues
from pathfolio.recommender.channels.funds import FundHoldings
from pathfolio.recommender.channels.learned import AttentionCloseness, KgCloseness
from pathfolio.recommender.channels.profile import SharedProfile
from pathfolio.recommender.channels.towers import TwoTowerScores

ALWAYS: Final[tuple[ChannelMaker, ...]] = (
    CoInvestment,
    KgCloseness,
    AttentionCloseness,
    SharedAttributes,
    FundHoldings,
    SharedProfile,
    EarlierIssues,
)
"""Those of every build that is made now; earlier ones may lack the last."""

CHANNELS: Final[tuple[ChannelMaker, ...]] = (*ALWAYS, TwoTowerScores)
"""All that are shipped; the two towers are served where they were asked for."""
