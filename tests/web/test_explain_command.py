"""`pathfolio explain` on a real build: every form, every list, contrast and what-if."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import unescape
from importlib import resources
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from jsonschema import Draft202012Validator

from pathfolio.explain.checker.check import check_explanation
from pathfolio.explain.counterfactual import SearchOptions, what_brings_it_on, what_takes_it_off
from pathfolio.explain.evaluation.faithfulness import OURS, RANDOM
from pathfolio.explain.evaluation.measures import ExplanationSample, evaluate_explanations, plot_curves, table_as_text
from pathfolio.explain.explainer import Explainer
from pathfolio.explain.what_if import InvestorChange, ScorerWhatIf
from pathfolio.recommender.build import Build
from pathfolio.recommender.investor_rows import InvestorRows
from pathfolio.recommender.retrieve import rank_assets, rank_for
from pathfolio.web.cli import main
from pathfolio.web.site import create_app


@pytest.fixture(scope="module")
def pair(build: Build) -> tuple[str, str]:
    """An investor and the first asset on their list."""
    user = str(build.graph.nodes.id[build.graph.users[3]])
    return user, rank_for(build.scorer, user)[0].asset_id


def every_item(build: Build, k: int = 5) -> Iterator[tuple[int, int, int]]:
    users = np.arange(len(build.graph.users))
    for chunk, best, _ in rank_assets(build.scorer, users, k, None, include_held=False):
        for user, line in zip(chunk.tolist(), best.tolist(), strict=True):
            yield from ((user, asset, rank) for rank, asset in enumerate(line, 1))


def test_every_explanation_adds_up_to_the_served_score(build: Build) -> None:
    explainer, scorer = Explainer(build.graph, build.build_hash), build.scorer
    scores = scorer.scores(np.arange(len(build.graph.users)))
    for user, asset, rank in every_item(build):
        found = explainer.explain(scorer.account(user, asset), rank, ("en",))
        parts = sum(v for _, v in found.base) + sum(p.contribution for p in found.paths)
        assert parts + sum(c.remainder for c in found.channels) == pytest.approx(scores[user, asset], abs=1e-6)


def test_every_path_count_and_sentence_is_true(build: Build) -> None:
    explainer = Explainer(build.graph, build.build_hash)
    for user, asset, rank in list(every_item(build, 3))[::4]:
        data = explainer.explain(build.scorer.account(user, asset), rank).to_json()
        assert check_explanation(build.graph, data, prices=build.prices) == []


def run(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["explain", *words]) == 0
    return capsys.readouterr().out


def test_json_on_the_command_line(
    build: Build, pair: tuple[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    user, asset = pair
    words = (str(build.folder), "--user", user, "--asset", asset, "--format", "json")
    data = json.loads(run(capsys, *words))
    schema = json.loads(
        resources.files("pathfolio.explain").joinpath("explanation.schema.json").read_text(encoding="utf-8")
    )
    assert list(Draft202012Validator(schema).iter_errors(data)) == []
    assert (data["rank"], data["build"]) == (1, build.build_hash)
    assert {reason["lang"] for reason in data["reasons"]} <= {"en"}
    run(capsys, *words, "--out", str(tmp_path / "one.json"))
    assert json.loads((tmp_path / "one.json").read_text(encoding="utf-8")) == data


@pytest.mark.parametrize(
    ("form", "sign"), [("text", "分數如何加總"), ("html", "<article"), ("svg", "<svg"), ("cypher", "MATCH (")]
)
def test_other_forms(
    build: Build, pair: tuple[str, str], capsys: pytest.CaptureFixture[str], form: str, sign: str
) -> None:
    words = (str(build.folder), "--user", pair[0], "--asset", pair[1], "--format", form, "--lang", "zh-TW")
    printed = run(capsys, *words)
    assert sign in printed
    assert form in ("svg", "cypher") or "示範市場" in printed


def test_beyond_the_list_nothing_is_said_to_be_recommended(
    build: Build, pair: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    line = rank_for(build.scorer, pair[0], k=14)[-1]
    user = build.graph.display_name(int(build.graph.users[3]))
    words = (str(build.folder), "--user", pair[0], "--asset", line.asset_id, "--rules", "none")
    title, meta, *_ = run(capsys, *words).splitlines()
    assert title == f"What {line.name} scores for {user}"
    assert meta.startswith("Rank 14, not among the first 10; score")
    html = run(capsys, *words, "--format", "html", "--lang", "zh-TW")
    assert "第 14 名，不在前 10 名之內" in html
    assert "為什麼" not in html
    assert run(capsys, *words, "-k", "14").startswith(f"Why {line.name} is recommended to {user}\nRank 14, score")
    page = create_app(build).test_client().get(f"/investors/{pair[0]}/assets/{line.asset_id}").text
    assert f"<h1>What {line.name} scores for {user}</h1>" in unescape(page)
    assert "Rank 14, not among the first 10" in page


def test_a_table_of_all_lists(build: Build, tmp_path: Path) -> None:
    out = tmp_path / "explanations.parquet"
    assert main(["explain", str(build.folder), "--all", "--out", str(out), "-k", "3", "--rules", "none"]) == 0
    table = pq.read_table(out).to_pandas()
    assert list(table) == ["user_id", "asset_id", "rank", "path_id", "channel", "contribution", "nodes", "relations"]
    explainer, ids = Explainer(build.graph, ""), build.graph.nodes.id
    by_pair = dict(iter(table.groupby(["user_id", "asset_id"])))
    for user, asset, rank in list(every_item(build, 3))[::5]:
        found = explainer.explain(build.scorer.account(user, asset), rank)
        part = by_pair.get((ids[build.graph.users[user]], ids[build.graph.assets[asset]]))
        rows = {} if part is None else dict(zip(part["path_id"], part["contribution"], strict=True))
        assert rows == pytest.approx({path.id: path.contribution for path in found.paths})
        assert part is None or set(part["rank"]) == {rank}
    walked = table.iloc[0]
    assert len(walked["nodes"]) == len(walked["relations"]) + 1


def test_why_not_another(build: Build, pair: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    second = rank_for(build.scorer, pair[0])[4].asset_id
    words = (str(build.folder), "--user", pair[0], "--asset", pair[1], "--instead-of", second)
    title, sample, heads, *rows = run(capsys, *words).splitlines()
    assert title.startswith("Why ")
    assert "generated data" in sample
    assert heads.split() == [pair[1], *second.split(), "difference"]
    assert len({len(row) for row in (heads, *rows)}) == 1
    data = json.loads(run(capsys, *words, "--format", "json"))
    assert sum(d["first"] - d["second"] for d in data["differences"]) == pytest.approx(data["gap"], abs=1e-6)
    assert main(["explain", *words[:-1], pair[1]]) == 2
    assert "the same asset as --asset: name another" in capsys.readouterr().err


def test_what_if_on_the_command_line(build: Build, pair: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    words = (str(build.folder), "--user", pair[0], "--asset", pair[1], "--what-if", "-k", "3")
    assert run(capsys, *words).endswith(".\n")
    data = json.loads(run(capsys, *words, "--format", "json", "--lang", "zh-TW"))
    assert data["takes_off"]
    assert data["text"].endswith("。")
    last = rank_for(build.scorer, pair[0], k=40)[-1].asset_id
    data = json.loads(run(capsys, *words[:3], "--asset", last, "--what-if", "-k", "3", "--format", "json"))
    assert not data["takes_off"]


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--user", "nobody"),
        ("--user", "nobody", "--asset", "nothing"),
        ("--all",),
        ("--all", "--user", "x", "--out", "y"),
        ("--user", "x", "--asset", "y", "--what-if", "--format", "svg"),
    ],
)
def test_wrong_calls(build: Build, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(build.folder), *words]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_nothing_changed_scores_the_same(build: Build) -> None:
    asked, users = ScorerWhatIf(build.scorer), np.arange(len(build.graph.users))
    sums = build.scorer.sum_rows(InvestorRows.of(build.scorer.interactions, users))
    for user in users.tolist():
        assert np.allclose(asked.what_if(user, [InvestorChange()])[0], sums[user])


def test_without_a_position_the_score_is_that_of_one_without_it(build: Build) -> None:
    asked = ScorerWhatIf(build.scorer)
    user = next(u for u in range(len(build.graph.users)) if len(asked.positions(u)) == 1)
    nobody = next(u for u in range(len(build.graph.users)) if len(asked.positions(u)) == 0)
    same_answers = tuple((r, asked.answers(nobody).get(r)) for r in {*asked.answers(user), *asked.answers(nobody)})
    change = InvestorChange(frozenset(asked.positions(user).tolist()), same_answers)
    assert np.allclose(asked.what_if(user, [change])[0], build.scorer.scores(np.array([nobody]))[0])


def test_counterfactuals_of_the_scorer_hold(build: Build) -> None:
    asked, options = ScorerWhatIf(build.scorer), SearchOptions(k=5, most_scored=500)
    found = 0
    for user, asset, _ in list(every_item(build, 5))[::29]:
        off = what_takes_it_off(asked, user, asset, options)
        assert off.holds(asked)
        found += off.change is not None
        outside = int(build.scorer.scores(np.array([user]))[0].argmin())
        assert what_brings_it_on(asked, user, outside, options).holds(asked)
    assert found > 5


def test_the_report_on_explanations(build: Build, tmp_path: Path) -> None:
    sample = ExplanationSample(investors=25, k=4, checked=30, counterfactuals=10, attention=8)
    found = evaluate_explanations(build.scorer, sample, other_seeds=[build.scorer])
    for perfect in ("validity of paths", "sentences that are true", "counterfactuals that hold"):
        assert found.value(OURS, perfect) == 1.0
    assert found.value(OURS, "gap") < 1e-6
    assert found.value(OURS, "Jaccard of the top 3 over seeds") == 1.0
    assert found.value(OURS, "deletion area") < found.value(RANDOM, "deletion area")
    assert found.value(OURS, "insertion area") > found.value(RANDOM, "insertion area")
    assert found.value(OURS, "top 1 beats random") > 0.9
    for explainer in (OURS, "gradient x input", "GNNExplainer", RANDOM):
        assert found.value(explainer, "drop of 1 (edges of the graph attention)") <= 2
    edges = "drop of 1 (edges of the graph attention)"
    assert found.value(OURS, edges) > found.value(RANDOM, edges)
    assert "deletion area" in table_as_text(found)
    plot_curves(found, tmp_path / "curves.svg")
    assert (tmp_path / "curves.svg").stat().st_size > 1000
