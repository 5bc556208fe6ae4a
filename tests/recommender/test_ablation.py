"""Ablation: the parts are the whole, and a variant ranks by the parts that it has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pathfolio.recommender.build import Build
from pathfolio.recommender.evaluation.ablation import PARTS, WHOLE, ablation_specs, score_parts
from pathfolio.recommender.investor_rows import InvestorRows
from pathfolio.recommender.model import for_days
from pathfolio.recommender.scorer import Scorer
from pathfolio.web.cli import main

USERS = np.arange(0, 40)


def _variants(build: Build) -> dict[str, np.ndarray]:
    specs = ablation_specs(lambda graph, seed, prices: build.scorer)
    return {spec.name: spec.fit(build.graph, 0).scores(USERS) for spec in specs}


def _sums(scorer: Scorer) -> np.ndarray:
    """All parts together, of assets that no path leads to as well."""
    return scorer.sum_rows(InvestorRows.of(scorer.interactions, USERS))


def test_the_parts_add_up_to_the_score(sample_build: Build) -> None:
    scorer = sample_build.scorer
    parts = score_parts(scorer, InvestorRows.of(scorer.interactions, USERS))
    np.testing.assert_allclose(sum(parts.values()), _sums(scorer), atol=1e-6)


def test_every_part_of_an_account_is_ablated_and_has_the_accounts_value(sample_build: Build) -> None:
    scorer, user = sample_build.scorer, int(USERS[7])
    parts = score_parts(scorer, InvestorRows.of(scorer.interactions, np.array([user])))
    account = scorer.account(user, 3)
    told = {**dict(account.base), **{channel.name: channel.value for channel in account.channels}}
    for name, values in parts.items():
        assert values[0, 3] == pytest.approx(told.pop(name, 0.0), abs=1e-6)
    assert not told
    assert {name for names in PARTS.values() for name in names} == set(parts)


def test_alone_and_without_make_the_whole(sample_build: Build) -> None:
    found = _variants(sample_build)
    np.testing.assert_allclose(found[WHOLE], _sums(sample_build.scorer), atol=1e-6)
    for name in PARTS:
        np.testing.assert_allclose(found[f"without {name}"] + found[f"{name} alone"], found[WHOLE], atol=1e-6)
    assert np.abs(found["gat alone"]).max() > 0


def test_variants_are_made_for_a_horizon_and_a_later_day(sample_build: Build) -> None:
    calls = []

    def fit(graph: object, seed: int, prices: object) -> Scorer:
        calls.append(seed)
        return sample_build.scorer

    specs = ablation_specs(fit)
    models = [for_days(spec.fit(sample_build.graph, 0), 182) for spec in specs]
    expected = _sums(sample_build.scorer.for_days(182))
    np.testing.assert_allclose(models[0].scores(USERS), expected, atol=1e-6)
    np.testing.assert_allclose(models[0].refresh(sample_build.graph).scores(USERS), expected, atol=1e-6)
    assert calls == [0]


def test_the_command_compares_with_the_whole(
    sample_folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    call = ["evaluate", str(sample_folder), "--fold", "2025-12-31:2026-06-30", "--ablation"]
    assert main([*call, "--out", str(tmp_path / "m.csv")]) == 0
    printed = capsys.readouterr().out
    assert f"compared with {WHOLE}" in printed
    assert "without gat" in printed and "co_investment alone" in printed
