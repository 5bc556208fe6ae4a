"""Channels of a build's own: data that is checked, sealed, served and explained like the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from pathfolio.explain.explainer import Explainer
from pathfolio.explain.wording import LANGUAGES
from pathfolio.kg.errors import DataError, UsageError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.progress import Progress
from pathfolio.kg.schema import Relation
from pathfolio.recommender.build import Beside, Build, BuildOptions, load_build, write_build
from pathfolio.recommender.channels.own import OWN_VECTORS, OwnVectors, own_channels
from pathfolio.recommender.evaluation.ablation import parts_of, score_parts
from pathfolio.recommender.investor_rows import InvestorRows
from pathfolio.recommender.own_table import read_vectors
from pathfolio.recommender.propagation import asset_edges
from pathfolio.web.site.families import family_of


class Bourse:
    """Ties assets to their market."""

    name = "bourse"
    weight = 0.2

    def fit(self, graph: KnowledgeGraph) -> sp.csr_array:
        asset, market = asset_edges(graph, Relation.LISTED_ON)
        return sp.csr_array((np.ones(len(asset)), (asset, market)), (len(graph.assets), len(graph)))


def _vectors(graph: KnowledgeGraph) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = graph.assets.tolist()
    industries = np.unique(asset_edges(graph, Relation.IN_INDUSTRY)[1]).tolist()
    frame = pd.DataFrame(
        {"id": graph.nodes.id[[*rows, *industries]], "kind": [*[""] * len(rows), *["Industry"] * len(industries)]}
    )
    numbers = rng.normal(size=(len(frame), 3)).round(3)
    return frame.assign(**{f"v{at}": numbers[:, at] for at in range(3)})


@pytest.fixture(scope="module")
def own_build(small_build: Build, tmp_path_factory: pytest.TempPathFactory) -> Build:
    graph = small_build.graph
    own = own_channels(graph, read_vectors(_vectors(graph)), [Bourse()])
    learned = replace(small_build.learned, own=own)
    out = tmp_path_factory.mktemp("own") / "build"
    return write_build(graph, learned, out, BuildOptions(), Progress(None), Beside())


def test_own_channels_are_sealed_and_add_up(own_build: Build, small_build: Build) -> None:
    assert own_build.manifest["own"] == {OWN_VECTORS: 0.1, "own_bourse": 0.2}
    assert {"own/own_vectors.parquet", "own/own_bourse.parquet"} <= set(own_build.manifest["files"])
    assert "own" not in small_build.manifest
    scorer = load_build(own_build.folder, verify=True).scorer
    assert scorer.part_names[-2:] == (OWN_VECTORS, "own_bourse")
    rows = InvestorRows.of(scorer.interactions, np.arange(30))
    parts = score_parts(scorer, rows)
    np.testing.assert_allclose(sum(parts.values()), scorer.sum_rows(rows), atol=1e-9)
    assert np.abs(parts[OWN_VECTORS]).max() > 0 and np.abs(parts["own_bourse"]).max() > 0
    assert parts_of(scorer.learned.own)["own_bourse"] == ("own_bourse",)
    np.testing.assert_array_equal(scorer.refresh(own_build.graph).sum_rows(rows), scorer.sum_rows(rows))


def test_accounts_have_the_parts_values_and_every_path_is_in_the_graph(own_build: Build) -> None:
    scorer, explainer, seen = own_build.scorer, Explainer(own_build.graph, ""), set()
    users = np.flatnonzero(np.diff(scorer.interactions.ever.indptr) > 1)[:6]
    parts = score_parts(scorer, InvestorRows.of(scorer.interactions, users))
    for at, user in enumerate(users.tolist()):
        for asset in range(0, len(own_build.graph.assets), 7):
            account = scorer.account(user, asset)
            told = {channel.name: channel.value for channel in account.channels}
            for name in (OWN_VECTORS, "own_bourse"):
                assert told.get(name, 0.0) == pytest.approx(parts[name][at, asset], abs=1e-9)
            found = explainer.explain(account, 1, LANGUAGES)
            seen |= {path.channel for path in found.paths}
    assert {OWN_VECTORS, "own_bourse"} <= seen
    assert family_of("own_bourse") == "own"
    with pytest.raises(UsageError, match="no channel 'look_through'"):
        family_of("look_through")


def test_vectors_that_are_wrong_are_refused_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "v.csv"
    for text, said in (
        ("id,v0\nA,x\n", "v.csv: row 2: v0 'x': not a number"),
        ("id,v0\nA,1\nA,2\n", "row 3: id 'A': there twice"),
        ("id,v0\n,1\n", "row 2: id is empty"),
        ("id,v1\nA,1\n", "no column 'v0'"),
        ("id,kind,v0\nA,Planet,1\n", "kind 'Planet'"),
        ("id,v0,v1\nA,0,0\n", "points nowhere"),
        ("id,colour,v0\nA,red,1\n", "column 'colour'"),
        ("id,kind,v0\nA,,1\nB,User,1\n", "row 3: id 'B' is a person's"),
        ("id,v0,v1\nA,1,2\nB,1\n", "row 3: v1 '': not a number"),
        ("id,v0\nA,1,2\nB,1,2\n", "more cells than the header"),
        ("id,v0\nA,1\nB,1,2\n", "cannot be read as .csv .*line 3"),
        ("id,v0\nA,NaN\n", "v0 'NaN': not a number"),
        ("id,v0\nA,inf\n", "v0 'inf': not a number"),
        ("id,v0\n", "no vector of an asset"),
        ("", "cannot be read as .csv"),
    ):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match=said) as raised:
            read_vectors(file)
        assert "\n" not in str(raised.value)
    file.write_text("id,v0,v1\nNA,1,2\n", encoding="utf-8")
    assert read_vectors(file).id == ("NA",)
    with pytest.raises(UsageError, match="no such file"):
        read_vectors(tmp_path / "none.csv")


def test_channels_that_are_none_are_refused(small_build: Build) -> None:
    graph = small_build.graph

    class Named(Bourse):
        def __init__(self, name: str) -> None:
            self.name = name

    class Untied(Bourse):
        def fit(self, graph: KnowledgeGraph) -> sp.csr_array:
            return sp.csr_array(np.ones((len(graph.assets), len(graph))))

    class Small(Bourse):
        def fit(self, graph: KnowledgeGraph) -> sp.csr_array:
            return sp.csr_array((2, 2))

    for given, said in (
        ([Named("No Name")], "a channel called 'No Name'"),
        ([Bourse(), Bourse()], "two channels are called 'own_bourse'"),
        ([Untied()], "has no relation to"),
        ([Small()], "give a csr_array of"),
    ):
        with pytest.raises(UsageError, match=said):
            own_channels(graph, None, given)
    stranger = OwnVectors(("",), ("nobody",), np.ones((1, 2), np.float32))
    with pytest.raises(DataError, match="no id is that of an asset"):
        own_channels(graph, stranger, ())


def test_ids_that_the_snapshot_does_not_know_are_told_and_people_refused(small_build: Build) -> None:
    graph, two = small_build.graph, np.ones((2, 2), np.float32)
    asset, person = str(graph.asset_ids[0]), str(graph.user_ids[0])
    assert OwnVectors(("",), (asset,), two[:1]).check(graph) == ()
    later = OwnVectors(("", ""), (asset, "listed tomorrow"), two)
    assert later.check(graph) == ("listed tomorrow",)
    assert own_channels(graph, later, ()) == (later,), "and stay, for a day that knows them"
    with pytest.raises(DataError, match=f"id '{person}' is an investor's"):
        own_channels(graph, OwnVectors(("", ""), (asset, person), two), ())
