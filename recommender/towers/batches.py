"""Steps of training: which positions are read, which are asked for, and what else could have been bought."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pathfolio.kg.graph import FloatArray, IntArray, Mask
from pathfolio.kg.schema import ASSET_KINDS
from pathfolio.kg.span import Positions
from pathfolio.recommender.towers.inputs import Single, TowerInputs
from pathfolio.recommender.towers.options import TowerOptions

NONE = -1
"""Fills the history of an investor with few positions."""


@dataclass(frozen=True)
class Readers:
    """What the investor tower reads of b investors.

    Attributes:
        profile: (b, profile relations) int64 codes.
        history: (b, memory) int64 positions of assets, oldest first, `NONE` before the first.
        numbers: (b, USER_NUMBERS) float32.
    """

    profile: IntArray
    history: IntArray
    numbers: Single


@dataclass(frozen=True)
class TrainingStep:
    """One step of training.

    Attributes:
        readers: the b investors with part of their positions.
        row, asset: (p,) int64, the hidden positions to be ranked: investor of the step, and asset.
        weight: (p,) float32 of each.
        candidates: (c,) int64 ascending, assets to rank against: what the step's investors bought, and more drawn
            by popularity and evenly.
        log_chance: (c,) float32, log of the chance of each to be among the candidates (Yi et al. 2019,
            "Sampling-bias-corrected neural modeling for large corpus item recommendations").
        theirs: (b, assets) bool: what each investor has; no negative for them.
    """

    readers: Readers
    row: IntArray
    asset: IntArray
    weight: Single
    candidates: IntArray
    log_chance: Single
    theirs: Mask


def readers_of(inputs: TowerInputs, users: Positions, row: IntArray, pairs: IntArray, options: TowerOptions) -> Readers:
    """The investors at `users` with the positions `pairs` alone (`row` says whose, ascending)."""
    late = inputs.since[pairs] > inputs.today - options.horizon_days
    profile = inputs.profile[users]
    age = inputs.age[users]
    return read_positions(profile, age, row, inputs.asset[pairs], late, inputs.kind_of, options.memory)


def read_positions(
    profile: IntArray, age: Single, row: IntArray, asset: IntArray, late: Mask, kind_of: IntArray, memory: int
) -> Readers:
    """The investors with these profiles and ages, and these positions.

    Args:
        row, asset: (p,) whose position, ascending, and of what, each investor's in the order of time.
        late: (p,) bool, whether it is a recent one.
        kind_of: (assets,) positions in `ASSET_KINDS`.
    """
    users = len(profile)
    count = np.bincount(row, minlength=users)
    history = np.full((users, memory), NONE, np.int64)
    place = np.cumsum(count)[row] - 1 - np.arange(len(row))
    kept = place < memory
    history[row[kept], memory - 1 - place[kept]] = asset[kept]
    shares = np.zeros((users, len(ASSET_KINDS)))
    np.add.at(shares, (row, kind_of[asset]), 1.0)
    shares /= np.maximum(count, 1)[:, None]
    numbers = np.column_stack([shares, np.log1p(count), np.log1p(np.bincount(row, late, users)), age])
    return Readers(profile, history, numbers.astype(np.float32))


def whole(inputs: TowerInputs, users: Positions, options: TowerOptions) -> Readers:
    """The investors with all of their positions."""
    row, pairs = pairs_of(inputs, users)
    return readers_of(inputs, users, row, pairs, options)


def steps(inputs: TowerInputs, options: TowerOptions, rng: np.random.Generator) -> Iterator[TrainingStep]:
    """One pass over the investors with positions, in random order."""
    weight = target_weights(inputs, options)
    chance = np.bincount(inputs.asset, weight, len(inputs.kind_of)) / weight.sum()
    order = rng.permutation(np.flatnonzero(np.diff(inputs.start)))
    for start in range(0, len(order), options.batch):
        users = Positions(np.sort(order[start : start + options.batch]))
        row, pairs = pairs_of(inputs, users)
        hidden = _hide(row, len(users), options, rng)
        asked = pairs[hidden]
        theirs = np.zeros((len(users), len(inputs.kind_of)), bool)
        theirs[row, inputs.asset[pairs]] = True
        chosen, log_chance = candidates(inputs.asset[asked], chance, options, rng)
        yield TrainingStep(
            readers_of(inputs, users, row[~hidden], pairs[~hidden], options),
            row[hidden],
            inputs.asset[asked],
            weight[asked].astype(np.float32),
            chosen,
            log_chance,
            theirs,
        )


def target_weights(inputs: TowerInputs, options: TowerOptions) -> FloatArray:
    """(p,) float64: what each pair counts as a target; purchases of the last `horizon_days` count more."""
    return np.where(inputs.since > inputs.today - options.horizon_days, options.recent, 1.0)


def _hide(row: IntArray, count: int, options: TowerOptions, rng: np.random.Generator) -> Mask:
    """Which pairs are asked for: a random share, at least the last of each investor."""
    hidden = rng.random(len(row)) < options.hidden_share
    none = np.bincount(row, hidden, count) == 0
    last = np.r_[row[1:] != row[:-1], True]
    chosen: Mask = hidden | (none[row] & last)
    return chosen


def candidates(
    bought: IntArray, chance: FloatArray, options: TowerOptions, rng: np.random.Generator
) -> tuple[IntArray, Single]:
    """Assets to rank against, and the log of each one's chance to be there."""
    m = len(chance)
    drawn = rng.choice(m, options.popular, p=chance)
    chosen = np.unique(np.concatenate([bought, drawn, rng.integers(0, m, options.even)]))
    expected = (len(bought) + options.popular) * chance[chosen] + options.even / m
    return chosen, np.log(-np.expm1(-expected)).astype(np.float32)


def hard_negatives(
    scores: npt.NDArray[np.float32], theirs: Mask, options: TowerOptions, rng: np.random.Generator
) -> IntArray:
    """(b, hard) assets drawn from those that now score highest for each investor and that they do not have."""
    open_scores = np.where(theirs, -np.inf, scores)
    top = min(options.hard_from, scores.shape[1])
    best = np.argpartition(-open_scores, top - 1, axis=1)[:, :top]
    drawn: IntArray = np.take_along_axis(best, rng.integers(0, top, (len(scores), options.hard)), axis=1)
    return drawn


def pairs_of(inputs: TowerInputs, users: Positions) -> tuple[IntArray, IntArray]:
    """Row of `users` and number of the pair, for each pair of each of the investors."""
    count = (inputs.start[1:] - inputs.start[:-1])[users]
    row = np.repeat(np.arange(len(users)), count)
    offset = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    return row, np.repeat(inputs.start[users], count) + offset
