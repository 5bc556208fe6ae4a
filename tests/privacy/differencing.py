"""Attacks by two days side by side: who knows what somebody bought asks before and after, and compares.

The attacker knows that one person, and nobody else, became a holder of an asset between two days. They ask on both
days what following the asset changes, and guess from the difference what else that person holds. As many assets are
guessed as are true; the floor is the same number of the most popular ones. Only what was told on neither day of more
than ten together counts as a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from types import MappingProxyType
from typing import Final

import numpy as np

from pathfolio.kg.graph import FloatArray, KnowledgeGraph, Mask, to_date
from pathfolio.recommender.assumed import AssumedInvestor, AssumedScore
from pathfolio.recommender.build import Build
from pathfolio.recommender.channels.co_investment import CoInvestment
from pathfolio.recommender.channels.profile import SharedProfile
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.scorer import Scorer
from tests.privacy.attacks import Outcome


@dataclass(frozen=True)
class NewHolder:
    """What the attacker knows, and what only the judge knows.

    Attributes:
        asset: position of the asset of which the person is the only new holder.
        holdings: (assets,) bool: what else they hold: the secret.
    """

    asset: int
    holdings: Mask


@dataclass(frozen=True)
class TwoDays:
    """The served score of a day and of the next, over the same assets."""

    before: Scorer
    after: Scorer

    def targets(self) -> Iterator[NewHolder]:
        """Assets with one new holder, who holds more."""
        old, new = (Interactions(scorer.graph).ever for scorer in (self.before, self.after))
        users = self.before.graph.user_ids.tolist()
        place = {user: at for at, user in enumerate(users)}
        for at, user in enumerate(self.after.graph.user_ids.tolist()):
            holds = new[[at]].toarray().ravel() > 0
            held = old[[place[user]]].toarray().ravel() > 0 if user in place else np.zeros(len(holds), bool)
            for asset in np.flatnonzero(holds & ~held).tolist():
                if new[:, [asset]].sum() - old[:, [asset]].sum() == 1 and holds.sum() > 1:
                    others = holds.copy()
                    others[asset] = False
                    yield NewHolder(asset, others)


Attack = Callable[[TwoDays, NewHolder], FloatArray]


def change_of_answer(days: TwoDays, target: NewHolder) -> FloatArray:
    """How what following the asset adds to each score has changed."""
    return _follows(days.after, target.asset) - _follows(days.before, target.asset)


def change_of_weights(days: TwoDays, target: NewHolder) -> FloatArray:
    """How the co-investment channel's values of somebody who follows the asset have changed."""
    weights = [scorer.channel(CoInvestment).kernel()[target.asset] for scorer in (days.after, days.before)]
    return np.asarray(weights[0] - weights[1])


def change_of_counts(days: TwoDays, target: NewHolder) -> FloatArray:
    """How the numbers of others who hold both, as sentences tell them, have changed."""
    tables = [scorer.groups.together[[target.asset]].toarray().ravel() for scorer in (days.after, days.before)]
    return (tables[0] - tables[1]).astype(np.float64)


def change_of_levels(days: TwoDays, target: NewHolder) -> FloatArray:
    """How the profile channel's values have changed, of any level: who bought is of some."""
    lifts = [scorer.channel(SharedProfile).lift for scorer in (days.after, days.before)]
    if lifts[0].shape != lifts[1].shape:
        return np.zeros(lifts[0].shape[1])
    return np.asarray(np.abs(lifts[0] - lifts[1]).max(axis=0))


ATTACKS: Final = MappingProxyType(
    {
        "two days: what following adds": change_of_answer,
        "two days: values of co-investment": change_of_weights,
        "two days: counts in sentences": change_of_counts,
        "two days: values of profiles": change_of_levels,
    }
)


def days_of(scorer: Scorer, graph: KnowledgeGraph, most: int) -> Iterator[TwoDays]:
    """The score of the last days of a snapshot, each beside the one before; assets are those of all of them."""
    first = graph.as_of - timedelta(days=most)
    late = graph.nodes.known_at > (first - to_date(0)).days
    late[graph.users] = False
    whole = graph.part(~late, np.ones(len(graph.edges), bool), graph.as_of, graph.name)
    scorers = [scorer.refresh(whole.at(first + timedelta(days=day))) for day in range(most + 1)]
    yield from (TwoDays(*pair) for pair in pairwise(scorers))


def run(days: Iterator[TwoDays], attacks: Mapping[str, Attack] = ATTACKS) -> dict[str, Outcome]:
    """Guess by every attack for every target of every two days, and count."""
    right = dict.fromkeys(attacks, 0)
    secrets = floor = 0
    for pair in days:
        holders = Interactions(pair.before.graph).holders
        for target in pair.targets():
            secrets += int(target.holdings.sum())
            floor += _right(holders, target, holders)
            for name, attack in attacks.items():
                right[name] += _right(attack(pair, target), target, holders)
    return {name: Outcome(secrets, count, floor) for name, count in right.items()}


def _right(signal: FloatArray, target: NewHolder, holders: FloatArray) -> int:
    """How many of the surest guesses, as many as there are secrets, are right; ties go to the more popular."""
    signal = signal.astype(np.float64).copy()
    signal[target.asset] = -np.inf
    order = np.lexsort((-holders, -signal))
    return int(target.holdings[order[: int(target.holdings.sum())]].sum())


def _follows(scorer: Scorer, asset: int) -> FloatArray:
    def scores(*follow: int) -> FloatArray:
        found = AssumedScore(scorer, AssumedInvestor(followed=frozenset(follow))).scores()
        return np.where(found > -np.inf, found, 0.0)

    return scores(asset) - scores()


# -- two builds, each trained -----------------------------------------------------------------------------------


def change_of_closeness(before: Build, after: Build, asset: int) -> FloatArray:
    """How near the exported vectors of assets have come to the asset's, by the cosine, from one build to the next."""
    return _cosines(after, asset) - _cosines(before, asset)


def run_on_builds(before: Build, after: Build) -> dict[str, Outcome]:
    """The attacks above on two builds that were trained on their days, and one on the vectors that they export.

    Raises:
        ValueError: the builds have not the same assets.
    """
    if before.graph.asset_ids.tolist() != after.graph.asset_ids.tolist():
        raise ValueError("assets have come or gone between the builds")

    def change_of_vectors(_days: TwoDays, target: NewHolder) -> FloatArray:
        return change_of_closeness(before, after, target.asset)

    days = TwoDays(before.scorer, after.scorer)
    return run(iter([days]), {**ATTACKS, "two builds: vectors of assets": change_of_vectors})


def _cosines(build: Build, asset: int) -> FloatArray:
    rows, known = build.vectors.align(build.graph)
    vectors = rows[build.graph.assets].astype(np.float64) * known[build.graph.assets, None]
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return np.asarray(vectors @ vectors[asset])
