"""Whom an asset suits, each investor with the explanation: for staff, once the look at them is recorded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explain.explanation import Explanation
from explain.ledger.ledger import ACCESS
from explain.records.desk import Desk
from explain.records.keep import keep
from explain.records.serve import tags_of
from explain.wording import LANGUAGES
from recommender.audience import audience


def prospects(
    desk: Desk, who: str, asset_id: str, k: int, langs: Sequence[str] = LANGUAGES
) -> list[tuple[int, Explanation]]:
    """(rank, explanation) of the k investors for whom the asset is suitable and scores best, the best first.

    The explanations have rank 0: their score is compared between investors, not within an investor's list.

    Args:
        who: looks.

    Raises:
        LedgerError: the look could not be recorded, so there is nothing to show.
        UsageError: unknown asset, or k below 1.
    """
    adviser, scorer = desk.adviser, desk.adviser.build.scorer
    people = audience(scorer, asset_id, k, gate=adviser.gate)
    keep(adviser.build, adviser.rules, desk.ledger)
    look = {"records": [], "who": who, "purpose": f"audience of {asset_id}: {len(people)} investors"}
    desk.ledger.append(look, person=None, kind=ACCESS, retention=ACCESS, tags=tags_of(adviser))
    graph = scorer.graph
    asset = graph.asset_row(asset_id) - int(graph.assets[0])
    users = np.searchsorted(graph.nodes.id[graph.users].astype(str), [person.user_id for person in people])
    return [
        (person.rank, adviser.explainer.explain(scorer.account(int(user), asset), langs=langs))
        for person, user in zip(people, users, strict=True)
    ]
