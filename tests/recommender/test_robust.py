"""`evaluate --robust`: every combination beside simple baselines, the worst last, rules the same for all."""

from __future__ import annotations

import math
from datetime import date
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pathfolio.recommender.evaluation.frozen import evaluate_fold
from pathfolio.recommender.evaluation.registry import choose_models
from pathfolio.recommender.evaluation.robust import FEWEST, HORIZONS, SIMPLE, RobustCell, verdict
from pathfolio.recommender.evaluation.split import Fold
from pathfolio.web.cli import main
from tests.recommender.eval_world import two_tastes, write_folder

FOLD = Fold(date(2020, 6, 30), date(2020, 12, 31))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """What the command writes, which trains once for all horizons."""
    folder = write_folder(two_tastes(), tmp_path_factory.mktemp("market"))
    call = ["evaluate", str(folder), "--robust", "--fold", FOLD.name, "--kinds", "all,stock", "--rules", "eu"]
    assert main([*call, "--out", str(folder / "robust.csv")]) == 0
    return pd.read_csv(folder / "robust.csv", keep_default_na=False, na_values=["nan", "NaN"])


@pytest.fixture(scope="module")
def cells(written: pd.DataFrame) -> list[RobustCell]:
    share = pd.to_numeric(written["share"], errors="coerce")
    rows = written.drop(columns="share").to_dict("records")
    found = [RobustCell(**{str(name): value for name, value in row.items()}) for row in rows]
    np.testing.assert_allclose(share, [cell.share for cell in found], atol=1e-4)
    return found


def test_every_combination_is_a_cell_the_worst_last(cells: list[RobustCell]) -> None:
    places = {(cell.kind, cell.group, cell.rules, cell.days) for cell in cells}
    assert places == set(product(("all", "stock"), ("known",), ("", "eu"), HORIZONS))
    judged = [cell.share for cell in cells if cell.n >= FEWEST]
    assert judged and judged == sorted(judged, reverse=True)


def test_figures_of_baselines_without_rules_are_those_of_the_fold(cells: list[RobustCell]) -> None:
    simple = choose_models(",".join(SIMPLE))
    found = evaluate_fold(two_tastes(), FOLD, simple)
    for cell in (c for c in cells if (c.kind, c.group, c.rules) == ("all", "known", "")):
        best = max(simple, key=lambda spec: found.cell(spec.name).ndcg)
        assert (cell.best, cell.best_ndcg) == (best.name, pytest.approx(found.cell(best.name).ndcg, abs=1e-6))
        assert cell.n == len(found.cell("ease").user_ids)


def test_what_rules_forbid_is_on_no_list(cells: list[RobustCell]) -> None:
    """The conservative half may hold no shares by the rules, and gets none: less is found than without."""
    by_rules = {c.rules: c.ndcg for c in cells if (c.kind, c.group, c.days) == ("stock", "known", 182)}
    assert by_rules["eu"] < by_rules[""]


def test_a_cell_below_the_floor_is_named() -> None:
    good = RobustCell("w", "all", "known", "", 7, FEWEST, 0.95, 0.0, "ease", 1.0)
    bad = RobustCell("w", "bond", "new", "eu", 182, FEWEST, 0.5, 0.0, "popularity", 1.0)
    few = RobustCell("w", "fund", "new", "", 182, FEWEST - 1, 0.1, 0.0, "popularity", 1.0)
    assert verdict([good, few]).startswith("0 of 1 cells are below 0.9")
    said = verdict([good, bad, few])
    assert said.startswith("1 of 2 cells") and "182 days, bond, new investors, rules eu: 0.500" in said
    assert math.isnan(RobustCell("w", "all", "known", "", 7, 50, 0.0, 0.0, "ease", 0.0).share)
    assert verdict([few]).startswith("no cell has")


def test_the_command_asks_for_windows_and_endings(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["evaluate", str(tmp_path), "--robust"]) == 2
    assert "name one or more with --fold CUT:END" in capsys.readouterr().err
    window = "2020-06-30:2020-12-31"
    assert main(["evaluate", str(tmp_path), "--robust", "--fold", window, "--out", "x.tex"]) == 2
    assert "x.tex: cells are written as .csv or .json" in capsys.readouterr().err
