"""What anybody may ask tells no more of a small group than popularity does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from pathfolio.kg.progress import Progress
from pathfolio.kg.sample import SampleSize, write_sample_market
from pathfolio.kg.sample.size import END
from pathfolio.kg.schema import RELATION_CODE, Relation
from pathfolio.recommender.build import Beside, BuildOptions, load_build, make_build
from pathfolio.recommender.channels.co_investment import CoInvestment
from pathfolio.recommender.ease import ease
from pathfolio.recommender.groups import SMALLEST_GROUP
from pathfolio.recommender.training import TrainingOptions
from pathfolio.web.sources import from_folder
from tests.privacy import differencing
from tests.privacy.attacks import ATTACKS, PUBLIC, Market, Outcome, Target, change_of_score, run, with_popularity

BAR = 0.01
"""By so much an attack's precision may be above that of guessing by popularity."""


CROWD = SampleSize(investors=600, stocks=60, funds=12, bonds=4, years=2)


def built(folder: Path, size: SampleSize, day: date = END) -> Market:
    """A sample market of a size as of a day, built in a folder."""
    write_sample_market(folder / "market", 7, size)
    source = from_folder(folder / "market", day, Progress(out=None))
    options = BuildOptions(TrainingOptions(embedding="DistMult"))
    make_build(source.graph, folder / "build", options, Progress(out=None), source.beside())
    return Market.of(load_build(folder / "build"))


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    """One with many assets that few hold."""
    return built(tmp_path_factory.mktemp("rare"), SampleSize(investors=300, stocks=120, funds=24, bonds=8, years=2))


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Market:
    """One with many investors, so that most pairs of assets are told of, and move."""
    return built(tmp_path_factory.mktemp("crowd"), CROWD)


@pytest.fixture(scope="module")
def targets(market: Market) -> list[Target]:
    """The rare assets, with what few of their holders share."""
    found = list(market.targets(25))
    assert sum(int(target.secret.sum()) for target in found) > 300
    return found


@pytest.fixture(scope="module")
def outcomes(market: Market, targets: list[Target]) -> Mapping[str, Outcome]:
    """Every attack, alone."""
    return run(market, targets)


@pytest.fixture(scope="module")
def helped(market: Market, targets: list[Target]) -> Mapping[str, Outcome]:
    """Every attack by somebody who knows what is popular."""
    return run(market, targets, {name: with_popularity(attack) for name, attack in ATTACKS.items()})


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_guesses_no_better_than_popularity(name: str, outcomes: Mapping[str, Outcome]) -> None:
    assert outcomes[name].precision <= outcomes[name].floor + BAR


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_adds_little_to_what_everybody_may_know(
    name: str, helped: Mapping[str, Outcome], market: Market, targets: list[Target]
) -> None:
    """Popularity with the attributes that assets share: lists rank by these too, and weigh them better."""
    public = run(market, targets, {of: with_popularity(guess) for of, guess in PUBLIC.items()})
    assert helped[name].precision <= max(found.precision for found in public.values()) + 3 * BAR


def test_a_build_without_the_rare_positions_serves_the_same(market: Market, tmp_path: Path) -> None:
    """Nothing that is served would be otherwise, bit for bit, had nobody ever held what ten or fewer hold."""
    graph = market.build.graph
    rare = graph.assets[(market.holders > 0) & (market.holders <= SMALLEST_GROUP)]
    assert len(rare) > 10
    edges = graph.edges
    codes = [RELATION_CODE[Relation.HOLDS], RELATION_CODE[Relation.HELD]]
    without = replace(graph, edges=edges.take(~(np.isin(edges.relation, codes) & np.isin(edges.tail, rare))))
    options = BuildOptions(TrainingOptions(embedding="DistMult"))
    again = make_build(without, tmp_path / "build", options, Progress(out=None), Beside())
    files = ("co_investment.npy", "attention.npz", "vectors/vectors.parquet")
    assert {name: again.manifest["files"][name] for name in files} == {
        name: market.build.manifest["files"][name] for name in files
    }
    nobody = [Market.of(one).answer(int(rare[0] - graph.assets[0])).scores() for one in (again, market.build)]
    np.testing.assert_array_equal(*nobody)


def test_the_attack_finds_the_secret_where_weights_are_of_everybody(market: Market, targets: list[Target]) -> None:
    """The same attack on EASE of all positions, as it once was served: or the tests above would show nothing."""
    weights = ease(market.ever, 200.0, 0.4).astype(np.float32)
    channels = tuple(
        replace(channel, weights=weights) if isinstance(channel, CoInvestment) else channel
        for channel in market.scorer.channels
    )
    exposed = replace(market, scorer=replace(market.scorer, channels=channels))
    found = run(exposed, targets, {"change of score": change_of_score, "weights": co_investment})
    assert found["weights"].precision > found["weights"].floor + 0.1


def co_investment(market: Market, target: Target) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """What co-investment's weights say of the asset."""
    channel = market.scorer.channel(CoInvestment)
    return np.asarray(channel.kernel()[target.asset])


@pytest.fixture(scope="module")
def two_days(crowd: Market) -> Mapping[str, Outcome]:
    """Every attack by two days side by side, over the last fortnight."""
    return differencing.run(differencing.days_of(crowd.scorer, crowd.build.graph, 14))


@pytest.mark.parametrize("name", differencing.ATTACKS)
def test_two_days_tell_no_more_than_popularity(name: str, two_days: Mapping[str, Outcome]) -> None:
    assert two_days[name].guessed > 200
    assert two_days[name].precision <= two_days[name].floor + BAR


def test_two_builds_tell_no_more_than_popularity(crowd: Market, tmp_path: Path) -> None:
    """Both are trained, a week apart; who buys what no other bought in that week is known to the attacker."""
    before = built(tmp_path, CROWD, END - timedelta(days=7))
    found = differencing.run_on_builds(before.build, crowd.build)
    assert all(outcome.guessed > 30 for outcome in found.values())
    assert {name for name, outcome in found.items() if outcome.precision > outcome.floor + BAR} == set()


def test_two_days_tell_a_portfolio_where_counts_do_not_wait(crowd: Market) -> None:
    """The same attack on counts as they were told before: or the tests above would show nothing."""
    at_once = replace(crowd.scorer, options=replace(crowd.scorer.options, calendar=False))
    found = differencing.run(differencing.days_of(at_once, crowd.build.graph, 14))
    assert sum(outcome.precision > outcome.floor + 20 * BAR for outcome in found.values()) >= 3
