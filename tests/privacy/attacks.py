"""Attacks by somebody with an ordinary account, and how much better than popularity they guess.

The attacker knows that somebody holds a rare asset, asks what following it would change, and guesses from the answer
what else its few holders hold. Only pairs of assets that ten or fewer investors hold or held together count: what
more people share may be told. As many assets are guessed as are true, so precision is recall. The floor is the same
number of the most popular assets; an attack that stays at it has learned nothing.

`python -m tests.privacy.report BUILD` prints the table of a build.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Final

import numpy as np
import scipy.sparse as sp

from pathfolio.kg.graph import FloatArray, IntArray, Mask
from pathfolio.kg.span import Position
from pathfolio.recommender.account import ScoreAccount
from pathfolio.recommender.assumed import AssumedInvestor, AssumedScore
from pathfolio.recommender.build import Build
from pathfolio.recommender.channels.attributes import SharedAttributes
from pathfolio.recommender.groups import SMALLEST_GROUP
from pathfolio.recommender.interactions import Interactions
from pathfolio.recommender.scorer import Scorer

MOST_HOLDERS: Final = 30
"""Assets with more holders are no targets: their pairs are mostly told."""


@dataclass(frozen=True)
class Target:
    """A rare asset, and the secret: which others too few of its holders hold as well.

    Attributes:
        asset: position of the asset that the attacker follows.
        secret: (assets,) bool: held together with it by one to ten investors.
        pool: (assets,) bool: what the attacker guesses among: all but the asset and what more than ten share with it.
    """

    asset: int
    secret: Mask
    pool: Mask


@dataclass(frozen=True)
class Outcome:
    """How an attack went; counts of guesses, over all targets."""

    guessed: int
    right: int
    right_by_popularity: int

    @property
    def precision(self) -> float:
        """Share of the guesses that are right."""
        return self.right / max(self.guessed, 1)

    @property
    def floor(self) -> float:
        """The same for guesses by popularity."""
        return self.right_by_popularity / max(self.guessed, 1)


@dataclass(frozen=True)
class Market:
    """What the attacker may ask, and what only the judge of the attack knows."""

    build: Build
    scorer: Scorer

    @staticmethod
    def of(build: Build) -> Market:
        """The market that a build serves."""
        return Market(build, build.scorer)

    @cached_property
    def ever(self) -> sp.csr_array:
        """(investors, assets) 1 where an asset is or was held: the secret."""
        return self.scorer.interactions.ever

    @cached_property
    def holders(self) -> IntArray:
        """(assets,) how many hold or held each; that popular assets are popular is no secret."""
        return Interactions(self.build.graph).holders.astype(np.int64)

    def targets(self, most: int, seed: int = 0) -> Iterator[Target]:
        """Up to `most` assets with 1 to `MOST_HOLDERS` holders, drawn by `seed`."""
        rare = np.flatnonzero((self.holders >= 1) & (self.holders <= MOST_HOLDERS))
        columns = self.ever.tocsc()
        for asset in np.random.default_rng(seed).permutation(rare)[:most].tolist():
            with_it = columns.indices[columns.indptr[asset] : columns.indptr[asset + 1]]
            together = np.asarray(self.ever[with_it].sum(axis=0)).ravel()
            together[asset] = 0
            pool = together <= SMALLEST_GROUP
            pool[asset] = False
            secret = (together > 0) & pool
            if secret.any():
                yield Target(asset, secret, pool)

    def accounts(self, asset: int) -> list[ScoreAccount]:
        """The account of every asset's score for somebody unknown who follows this one; the latest are remembered."""
        found = self._latest.get(asset)
        if found is None:
            answer = self.answer(asset)
            self._latest.clear()
            found = self._latest[asset] = [answer.account(other) for other in range(len(self.holders))]
        return found

    @cached_property
    def _latest(self) -> dict[int, list[ScoreAccount]]:
        return {}

    def answer(self, *follow: int) -> AssumedScore:
        """What the site computes for somebody unknown who follows these assets."""
        return AssumedScore(self.scorer, AssumedInvestor(followed=frozenset(follow)))


Attack = Callable[[Market, Target], FloatArray]
"""attack(market, target) -> (assets,) float64: the higher, the surer is the attacker of a guess."""


def change_of_score(market: Market, target: Target) -> FloatArray:
    """How each asset's score differs from the one that nobody in particular gets."""
    return _finite(market.answer(target.asset).scores()) - _finite(market.answer().scores())


def place_in_list(market: Market, target: Target) -> FloatArray:
    """The order of the list alone."""
    scores = market.answer(target.asset).scores()
    return -_places(scores)


def two_follows(market: Market, target: Target) -> FloatArray:
    """What following the asset adds when the most popular asset is followed already."""
    popular = int(np.argmax(market.holders))
    return _finite(market.answer(popular, target.asset).scores()) - _finite(market.answer(popular).scores())


def several_follows(market: Market, target: Target) -> FloatArray:
    """The same when four assets that few hold are followed already, so that the answer is about five of them."""
    rare = np.flatnonzero((market.holders > 0) & (market.holders <= MOST_HOLDERS))
    others = np.random.default_rng(target.asset).permutation(rare[rare != target.asset])[:4].tolist()
    return _finite(market.answer(*others, target.asset).scores()) - _finite(market.answer(*others).scores())


def places_moved(market: Market, target: Target) -> FloatArray:
    """What a counterfactual tells: by how many places each asset falls when the asset is followed no longer."""
    with_it, without = (market.answer(*follow).scores() for follow in ((target.asset,), ()))
    return _places(without) - _places(with_it)


def parts_by_contrast(market: Market, target: Target) -> FloatArray:
    """What a contrast tells: all that begins with the asset followed, whichever channel it lies in."""
    row = market.build.graph.asset_span.row(Position(target.asset))
    return np.array([_beginning_with(account, row) for account in market.accounts(target.asset)])


def counts_in_sentences(market: Market, target: Target) -> FloatArray:
    """How many others are told of at most, of each asset."""
    return np.array([_most_others(account) for account in market.accounts(target.asset)])


def value_of_channel(channel: str) -> Attack:
    """The value of one channel in the account of each asset."""

    def attack(market: Market, target: Target) -> FloatArray:
        return np.array([_value(account, channel) for account in market.accounts(target.asset)])

    return attack


def remainder_of_channel(channel: str) -> Attack:
    """What of a channel's value lies on no path."""

    def attack(market: Market, target: Target) -> FloatArray:
        return np.array([_remainder(account, channel) for account in market.accounts(target.asset)])

    return attack


def vectors(market: Market, target: Target) -> FloatArray:
    """Cosine of the exported vectors of assets."""
    rows, known = market.build.vectors.align(market.build.graph)
    assets = rows[market.build.graph.assets].astype(np.float64) * known[market.build.graph.assets, None]
    length = np.linalg.norm(assets, axis=1)
    return np.asarray(assets @ assets[target.asset]) / np.maximum(length * length[target.asset], 1e-12)


def with_popularity(attack: Attack) -> Attack:
    """The attack's signal, standardised, added to the logarithm of the number of holders, standardised."""

    def both(market: Market, target: Target) -> FloatArray:
        return _standard(attack(market, target)) + _standard(np.log1p(market.holders.astype(np.float64)))

    return both


def public_guess(weight: float) -> Attack:
    """No attack: what everybody may know, the list of nobody in particular and the attributes that assets share."""

    def guess(market: Market, target: Target) -> FloatArray:
        shared = market.scorer.channel(SharedAttributes)
        likeness = (shared.z @ shared.z[[target.asset]].T).toarray().ravel()
        nobody = -np.argsort(np.argsort(-market.answer().scores(), kind="stable"), kind="stable")
        return _standard(nobody.astype(np.float64)) + weight * _standard(likeness)

    return guess


PUBLIC: Final = MappingProxyType({f"public, {weight:g}": public_guess(weight) for weight in (0.0, 0.3, 1.0, 3.0)})

CHANNELS: Final = ("co_investment", "kg_embedding", "gat", "profile", "asset_class", "industry", "market")

ATTACKS: Final = MappingProxyType(
    {
        "change of score": change_of_score,
        "place in the list": place_in_list,
        "two follows": two_follows,
        "five follows": several_follows,
        "places moved (counterfactual)": places_moved,
        "parts that begin with it (contrast)": parts_by_contrast,
        "counts in sentences": counts_in_sentences,
        **{f"channel {name}": value_of_channel(name) for name in CHANNELS},
        "remainder of kg_embedding": remainder_of_channel("kg_embedding"),
        "remainder of gat": remainder_of_channel("gat"),
        "vectors of assets": vectors,
    }
)


def run(market: Market, targets: list[Target], attacks: Mapping[str, Attack] = ATTACKS) -> dict[str, Outcome]:
    """Guess by every attack for every target, and count."""
    popularity = market.holders.astype(np.float64)
    secrets = sum(int(target.secret.sum()) for target in targets)
    right = dict.fromkeys(attacks, 0)
    floor = 0
    for target in targets:  # so that what is asked about one target is asked once
        floor += _right(popularity, target, market.holders)
        for name, attack in attacks.items():
            right[name] += _right(attack(market, target), target, market.holders)
    return {name: Outcome(secrets, count, floor) for name, count in right.items()}


def _right(signal: FloatArray, target: Target, holders: IntArray) -> int:
    """How many of the surest guesses, as many as there are secrets, are right; ties go to the more popular."""
    order = np.lexsort((-holders, -np.where(target.pool, signal, -np.inf)))
    return int(target.secret[order[: int(target.secret.sum())]].sum())


def _value(account: ScoreAccount, channel: str) -> float:
    return sum(part.value for part in account.channels if part.name == channel)


def _beginning_with(account: ScoreAccount, row: int) -> float:
    return sum(walk.contribution for part in account.channels for walk in part.walks if walk.nodes[1] == row)


def _most_others(account: ScoreAccount) -> float:
    return float(max((walk.count for part in account.channels for walk in part.walks), default=0))


def _places(scores: FloatArray) -> FloatArray:
    """(assets,) each one's place in the list, from 0."""
    place = np.empty(len(scores))
    place[np.argsort(-scores, kind="stable")] = np.arange(len(scores))
    return place


def _remainder(account: ScoreAccount, channel: str) -> float:
    return sum(abs(part.remainder) for part in account.channels if part.name == channel)


def _finite(scores: FloatArray) -> FloatArray:
    """Scores with the lowest one in place of -inf, which says that no path leads there."""
    known = scores > -np.inf
    return np.where(known, scores, scores[known].min() if known.any() else 0.0)


def _standard(signal: FloatArray) -> FloatArray:
    spread = signal.std()
    return np.asarray((signal - signal.mean()) / (spread if spread > 0 else 1.0))
