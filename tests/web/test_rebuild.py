"""A record whose build is gone: the build is made again from its data, and the record computed again, bit for bit."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.records.telling import Teller, tell
from pathfolio.kg.graph import to_days
from pathfolio.kg.sample.size import END
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.kg.span import Positions
from pathfolio.recommender.build import load_build
from pathfolio.recommender.suitability.investor import TOLD
from pathfolio.recommender.told import ToldFact
from pathfolio.web.cli import main

Call = Callable[..., tuple[int, str]]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run a command with a ledger of its own; gives the exit code and what was printed."""
    monkeypatch.setenv("PATHFOLIO_LEDGER", str(tmp_path / "ledger"))

    def run(*words: object) -> tuple[int, str]:
        code = main([str(word) for word in words])
        return code, capsys.readouterr().out

    return run


def test_a_refreshed_build_is_made_again_from_data_and_configuration(
    sample_folder: Path, tmp_path: Path, call: Call
) -> None:
    """Trained a month earlier and refreshed: weights of the first day, facts of the second; one row is set aside."""
    first, second = tmp_path / "first", tmp_path / "second"
    before, data = END.replace(day=1), shutil.copytree(sample_folder, tmp_path / "data")
    with (data / "users.csv").open("a", encoding="utf-8") as users:
        users.write("INVX,Nobody,robot,,,,,,,,\n")
    made = call("build", data, "--as-of", before, "--out", first, "--embedding", "DistMult", "--seed", 3)
    assert (made[0], made[1].splitlines()[-1]) == (0, f"1 row set aside: {first / 'rejected.csv'}")
    refreshed = call("refresh", first, data, "--as-of", END, "--out", second, "--horizon", 2)
    assert (refreshed[0], refreshed[1].splitlines()[-1]) == (0, f"1 row set aside: {second / 'rejected.csv'}")
    assert "robot" in (second / "rejected.csv").read_text(encoding="utf-8")
    user = load_build(second).graph.nodes.id[load_build(second).graph.users[4]]
    assert call("recommend", second, "--user", user, "--rules", "none")[0] == 0
    record = json.loads(call("audit", "list", "--format", "json")[1])[0]["id"]
    hashes = [load_build(folder).build_hash for folder in (first, second)]
    for folder in (first, second, tmp_path / "ledger" / "builds"):
        shutil.rmtree(folder)
    assert call("audit", "replay", record)[0] == 2
    code, printed = call("audit", "replay", record, "--data", data)
    assert (code, "the same, bit for bit" in printed) == (0, True)
    assert hashes[1][:12] in printed and hashes[0] != hashes[1]


def test_what_investors_told_is_in_the_next_build_and_that_build_can_be_made_again(
    sample_folder: Path, tmp_path: Path, call: Call
) -> None:
    """A follow is an interest relation and no holding; an answer is a dated level; what was taken back is absent."""
    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    before = END.replace(day=1)
    made = call("build", sample_folder, "--as-of", before, "--out", first, "--embedding", "DistMult", "--seed", 3)
    assert made[0] == 0
    assert call("refresh", first, sample_folder, "--as-of", END, "--out", second)[0] == 0
    plain = load_build(second)
    graph = plain.graph
    user, other = str(graph.user_ids[4]), str(graph.user_ids[5])
    listed = json.loads(call("recommend", second, "--user", user, "--format", "json")[1])
    follow, dismiss = (str(line["asset_id"]) for line in listed[:2])
    industry = str(graph.nodes.id[graph.outgoing(Relation.IN_INDUSTRY).neighbour[0]])
    ledger = open_ledger(tmp_path / "ledger")
    teller = Teller("clerk", "site", graph.name, END)
    said = [("FOLLOWS", follow), ("DISMISSES", dismiss), ("INTERESTED_IN", industry), ("HAS_RISK", "Aggressive")]
    tell(ledger, teller, user, [ToldFact(relation, target, END) for relation, target in said])
    tell(ledger, teller, other, [ToldFact("FOLLOWS", follow, END)])
    tell(ledger, teller, other, [ToldFact("FOLLOWS", follow, END, stands=False)])
    tell(ledger, Teller("clerk", "site", "another market", END), other, [ToldFact("FOLLOWS", follow, END)])
    at_once = json.loads(call("recommend", second, "--user", user, "--format", "json")[1])
    assert call("refresh", first, sample_folder, "--as-of", END, "--out", third)[0] == 0
    after = load_build(third)
    assert json.loads((third / "report.json").read_text())["notes"][-1].startswith("4 relations were told")
    edges, row = after.graph.edges, after.graph.row(NodeKind.USER, user)
    for relation, target in said:
        found = after.graph.outgoing(Relation(relation))
        at = [int(e) for e in found.edges_of(row) if after.graph.nodes.id[edges.tail[e]] == target]
        assert at and {(edges.source[e], edges.as_of[e]) for e in at} == {(TOLD, to_days(END))}
    assert len(after.graph.outgoing(Relation.FOLLOWS).edge) == 1
    # nobody else counts by it: positions, groups of holders and co-investment are as they were
    for name in ("holders", "together"):
        then, now = (getattr(build.scorer.groups, name) for build in (plain, after))
        assert (then != now).sum() == 0
    assert (plain.scorer.interactions.ever != after.scorer.interactions.ever).nnz == 0
    scores = [build.scorer.scores(Positions(np.array([9])))[0] for build in (plain, after)]
    np.testing.assert_allclose(scores[0], scores[1])
    # without the ledger's entries the refreshed build alone gives the list that was given at once
    alone = json.loads(_fresh(tmp_path, call, "recommend", third, "--user", user, "--format", "json"))
    ids = [[line["asset_id"] for line in each] for each in (at_once, alone)]
    assert ids[0] == ids[1] and not {follow, dismiss} & set(ids[0])
    assert call("recommend", third, "--user", user)[0] == 0
    tell(ledger, teller, other, [ToldFact("FOLLOWS", follow, END)])  # later: the build that is made again lacks it
    record = json.loads(call("audit", "list", "--format", "json")[1])[0]["id"]
    for folder in (third, tmp_path / "ledger" / "builds"):
        shutil.rmtree(folder)
    code, printed = call("audit", "replay", record, "--data", sample_folder)
    assert (code, "the same, bit for bit" in printed) == (0, True), printed


def _fresh(tmp_path: Path, call: Call, *words: object) -> str:
    """What a command prints where the ledger is another, empty one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATHFOLIO_LEDGER", str(tmp_path / "other"))
        return call(*words)[1]
