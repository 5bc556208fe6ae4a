"""The two towers in the score: the same without torch, standing alone, on no path, sealed, refreshed and replayed."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from pathfolio.explain.explainer import Explainer
from pathfolio.kg.errors import DataError, UsageError
from pathfolio.kg.languages import languages
from pathfolio.kg.progress import Progress
from pathfolio.recommender.assumed import AssumedInvestor, AssumedScore
from pathfolio.recommender.build import Beside, Build, BuildOptions, load_build, write_build
from pathfolio.recommender.channels.towers import TWO_TOWERS, TwoTowerScores
from pathfolio.recommender.demand import lasting
from pathfolio.recommender.evaluation.ablation import WHOLE, WITH_TOWERS, ablation_specs, beside_towers, score_parts
from pathfolio.recommender.evaluation.registry import choose_models
from pathfolio.recommender.evaluation.stranger import with_stranger
from pathfolio.recommender.investor_rows import InvestorRows
from pathfolio.recommender.score_inputs import LearnedParts, ScoreOptions
from pathfolio.recommender.scorer import Scorer, assemble_scorer
from pathfolio.recommender.towers.model import TowerParts
from pathfolio.recommender.towers.placed import PlacedTowers
from pathfolio.recommender.training import TrainingOptions
from pathfolio.web.cli import main
from tests import ROOT
from tests.recommender.towers.world import FAST, TowersWorld

pytest.importorskip("talib", reason="TA-Lib is not installed: pip install 'pathfolio[baselines]'")
USERS = np.arange(0, 190, 3)


@pytest.fixture(scope="module")
def learned(world: TowersWorld, sample_build: Build) -> LearnedParts:
    """The sample build's parts and quickly trained towers."""
    return LearnedParts(sample_build.vectors, sample_build.attention, world.trained.parts)


@pytest.fixture(scope="module")
def scorer(world: TowersWorld, learned: LearnedParts) -> Scorer:
    return assemble_scorer(world.graph, learned, ScoreOptions())


def _towers_alone(scorer: Scorer, investors: InvestorRows) -> np.ndarray:
    return scorer.channel(TwoTowerScores).scores(investors)


def test_the_pass_without_torch_is_the_pass_of_the_network(world: TowersWorld, scorer: Scorer) -> None:
    """What the towers give as a model of their own, standardised over the assets and weighed."""
    found = _towers_alone(scorer, InvestorRows.of(scorer.interactions, USERS))
    plain = world.trained.scores(USERS)
    standard = (plain - plain.mean(axis=1, keepdims=True)) / plain.std(axis=1, keepdims=True)
    held = np.diff(scorer.interactions.ever.indptr)[USERS] > 0
    assert 0 < held.sum() < len(held)
    expected = 0.04 * lasting(7) * standard * held[:, None]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_an_investor_is_scored_alike_alone_and_among_others(scorer: Scorer) -> None:
    together = scorer.scores(USERS)
    alone = [scorer.scores(np.array([user]))[0] for user in USERS]
    np.testing.assert_array_equal(together, alone)


def test_the_score_adds_up_and_all_of_the_towers_is_remainder(scorer: Scorer) -> None:
    user = int(USERS[np.argmax(np.diff(scorer.interactions.ever.indptr)[USERS])])
    scores = scorer.scores(np.array([user]))[0]
    for asset in np.argsort(-scores)[:5].tolist():
        account = scorer.account(user, asset)
        assert account.score == pytest.approx(scores[asset], abs=1e-6) and account.gap < 1e-6
        (part,) = (channel for channel in account.channels if channel.name == TWO_TOWERS)
        assert part.walks == () and part.remainder == part.value != 0
        explained = Explainer(scorer.graph, "").explain(account, 1, languages())
        assert TWO_TOWERS in {channel.name for channel in explained.channels}
        assert TWO_TOWERS not in {path.channel for path in explained.paths}


def test_it_is_left_out_for_nobody_and_for_lists_of_a_day(scorer: Scorer) -> None:
    nobody = AssumedInvestor().rows(scorer.graph)
    assert not _towers_alone(scorer, nobody).any()
    investors = InvestorRows.of(scorer.interactions, USERS)
    day, half_year = (_towers_alone(scorer.for_days(days), investors) for days in (1, 182))
    assert not day.any()
    np.testing.assert_allclose(half_year * lasting(7), _towers_alone(scorer, investors), atol=1e-9)


def test_what_if_reads_changed_profiles_and_followed_assets(scorer: Scorer) -> None:
    user = int(np.argmax(np.diff(scorer.interactions.ever.indptr)))
    investor = AssumedInvestor.of(scorer, user)
    before = AssumedScore(scorer, investor).scores()
    np.testing.assert_array_equal(before, scorer.scores(np.array([user]))[0])
    new = next(a for a in range(len(scorer.graph.assets)) if a not in investor.held)
    changed = (
        replace(investor, followed=frozenset({new})),
        investor.with_answers(dict.fromkeys(investor.levels)),
        replace(investor, dismissed=frozenset(list(investor.held)[:1])),
    )
    for other in changed:
        asked = AssumedScore(scorer, other)
        rows = [_towers_alone(scorer, each.rows(scorer.graph)) for each in (investor, other)]
        assert np.abs(rows[0] - rows[1]).max() > 1e-6
        account = asked.account(int(np.argmax(asked.scores())))
        assert account.score == pytest.approx(asked.scores().max(), abs=1e-6) and account.gap < 1e-6


def test_a_new_position_is_the_newest(scorer: Scorer) -> None:
    """Positions that the snapshot does not have are read last, and as bought today."""
    assets = np.array([2, 5, 9])
    row = InvestorRows(
        sp.csr_array((np.ones(3), assets, [0, 3]), (1, len(scorer.graph.assets))),
        sp.csr_array((1, len(scorer.graph))),
        np.array([-1]),
    )
    readers = scorer.channel(TwoTowerScores)._readers(row)
    assert readers.history[0].tolist()[-3:] == assets.tolist()
    assert readers.numbers[0, 4] == pytest.approx(np.log1p(3))  # all three within the half year
    assert not readers.profile.any() and not readers.numbers[0, 5:].any()


def test_its_part_is_ablated_and_measured_beside_the_served_score(scorer: Scorer) -> None:
    investors = InvestorRows.of(scorer.interactions, USERS)
    parts = score_parts(scorer, investors)
    np.testing.assert_allclose(sum(parts.values()), scorer.sum_rows(investors), atol=1e-6)
    specs = {spec.name: spec for spec in ablation_specs(lambda graph, seed, prices: scorer, towers=True)}
    assert {WITH_TOWERS, f"without {TWO_TOWERS}", f"{TWO_TOWERS} alone"} <= set(specs)
    alone = specs[f"{TWO_TOWERS} alone"].fit(scorer.graph, 0).scores(USERS)
    np.testing.assert_allclose(alone, parts[TWO_TOWERS], atol=1e-9)
    chosen = beside_towers(choose_models("popularity,pathfolio"), lambda graph, seed, prices: scorer)
    assert [spec.name for spec in chosen] == ["popularity", WHOLE, WITH_TOWERS]
    without, whole = (spec.fit(scorer.graph, 0).scores(USERS) for spec in chosen[1:])
    np.testing.assert_allclose(whole - without, parts[TWO_TOWERS], atol=1e-9)


@pytest.fixture(scope="module")
def build(world: TowersWorld, learned: LearnedParts, tmp_path_factory: pytest.TempPathFactory) -> Build:
    options = BuildOptions(TrainingOptions(towers=True))
    out = tmp_path_factory.mktemp("towers") / "build"
    return write_build(world.graph, learned, out, options, Progress(out=None), Beside(world.known))


def test_a_sealed_build_scores_as_it_was_trained_and_without_torch(build: Build, scorer: Scorer) -> None:
    again = load_build(build.folder, verify=True)
    assert again.has_towers
    np.testing.assert_array_equal(again.scorer.scores(USERS), scorer.scores(USERS))
    code = (
        "import sys; from pathlib import Path; import numpy as np; from pathfolio.recommender.build import load_build;"
        "load_build(Path(sys.argv[1])).scorer.scores(np.arange(4));"
        "print(sorted({'torch', 'talib', 'pykeen', 'dgl'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(build.folder)]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_the_sealed_parts_place_themselves_alike(build: Build, world: TowersWorld) -> None:
    parts = build.learned.towers
    assert parts is not None
    assert parts.vocabulary == world.trained.parts.vocabulary and parts.options == FAST
    for day in (world.graph, with_stranger(world.graph)):
        ours, theirs = parts.place(day), world.trained.parts.place(day)
        np.testing.assert_array_equal(ours.assets, theirs.assets)
        np.testing.assert_array_equal(ours.past, theirs.past)
        np.testing.assert_array_equal(ours.profile, theirs.profile)


def test_refresh_places_the_sealed_weights_on_the_new_day(
    build: Build, sample_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "later"
    assert main(["refresh", str(build.folder), str(sample_folder), "--as-of", "2026-06-30", "--out", str(out)]) == 0
    later = load_build(out, verify=True)
    assert later.has_towers and later.as_of == date(2026, 6, 30)
    for name in ("weights.npz", "towers.json", "vectors.parquet"):
        assert (out / "towers" / name).read_bytes() == (build.folder / "towers" / name).read_bytes()
    placed = later.scorer.placed_towers
    assert placed is not None and len(placed.assets) == len(later.graph.assets)
    assert later.prices is not None and later.prices["date"].max() > pd.Timestamp(build.as_of)
    new = [a for a, row in enumerate(later.graph.assets) if later.graph.nodes.id[row] not in set(build.graph.nodes.id)]
    assert new and (np.abs(placed.assets[new]).max(axis=1) > 0).all()


def test_what_was_recommended_is_replayed_bit_for_bit(build: Build, capsys: pytest.CaptureFixture[str]) -> None:
    user = str(build.graph.nodes.id[build.graph.users[int(USERS[5])]])
    assert main(["recommend", str(build.folder), "--user", user, "-k", "3"]) == 0
    record = capsys.readouterr().err.split("record ")[1].split()[0]
    assert main(["audit", "replay", record]) == 0
    assert "the same, bit for bit" in capsys.readouterr().out


def test_towers_that_are_missing_or_cannot_be_served_are_refused(build: Build, tmp_path: Path) -> None:
    for load in (lambda: PlacedTowers.load(tmp_path / "none.npz"), lambda: TowerParts.load(tmp_path, None)):
        with pytest.raises(DataError, match="no two towers here: build again with --towers"):
            load()
    parts = build.learned.towers
    assert parts is not None
    with pytest.raises(UsageError, match="two towers with a transformer are not served"):
        replace(parts, options=replace(FAST, sequence="transformer")).place(build.graph)


def test_their_vectors_leave_and_score_as_the_towers_do(
    build: Build, world: TowersWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People's only where a purpose is given; the inner product is the score of the kind that the row is for."""
    monkeypatch.setenv("PATHFOLIO_LEDGER", str(tmp_path / "ledger"))
    call = ["export", "embeddings", str(build.folder), "--of", "towers", "--format", "npz", "--out"]
    assert main([*call, str(tmp_path / "assets.npz")]) == 0
    assert main([*call, str(tmp_path / "all.npz"), "--with-investors", "--purpose", "a study"]) == 0
    loaded = {}
    for name in ("assets", "all"):
        assert (tmp_path / f"{name}.npz").stat().st_mode & 0o777 == 0o600
        with np.load(tmp_path / f"{name}.npz") as file:
            loaded[name] = dict(zip(zip(file["kind"], file["id"], strict=True), file["vectors"], strict=True))
    assets, everybody = loaded["assets"], loaded["all"]
    graph = build.graph
    assert [key for _, key in assets] == graph.asset_ids.tolist()
    assert "User" not in {kind for kind, _ in assets}
    assert len(everybody) == len(assets) + 3 * len(graph.users)
    user = str(graph.user_ids[4])
    scores = world.trained.scores(np.array([4]))[0]
    for (kind, key), score in zip(assets, scores, strict=True):
        mine = everybody["User", f"{user}/{kind.lower()}"]
        assert float(mine @ everybody[kind, key]) == pytest.approx(score, rel=1e-4, abs=1e-5)
    manifest = json.loads((tmp_path / "all.npz.json").read_text(encoding="utf-8"))
    assert (manifest["model"], manifest["investors"]) == ("two towers", "included")
