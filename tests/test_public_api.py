"""The way in from Python: what `import pathfolio` gives, and that it is what the command line gives."""

from __future__ import annotations

import ast
import importlib
import json
import os
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import pathfolio
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.ledger.payloads import RECOMMENDATION
from pathfolio.explain.records.inspect import read_record
from pathfolio.explain.records.replay import replay
from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.graph import FloatArray, IntArray
from pathfolio.kg.languages import languages
from pathfolio.kg.sample import write_sample_market
from pathfolio.kg.tables import COLUMNS, DATE_COLUMNS, NUMBER_COLUMNS
from pathfolio.web.cli import main
from tests.explain.records_world import LOOK
from tests.web.site_world import HOSTILE

SIZE = pathfolio.SampleSize(investors=40, stocks=40, funds=4, bonds=4, years=1)
DAY = date(2026, 6, 30)
FOLD = pathfolio.Fold(date(2026, 3, 31), DAY)

NOTEBOOK = """
from datetime import date
import pathfolio
market = pathfolio.sample_market(pathfolio.SampleSize(investors=40, stocks=40, funds=4, bonds=4, years=1))
build = pathfolio.build(market, as_of=date(2026, 6, 30), embedding="DistMult", quiet=True)
recommender = pathfolio.Recommender(build, rules="tw")
lists = recommender.recommend(build.graph.user_ids[:3], k=5)
why = recommender.explain(lists.user_id[0], lists.asset_id[0], lang="zh-TW")
bare = pathfolio.rank_without_rules(build, lists.user_id.unique(), k=5)
fold = pathfolio.Fold(date(2026, 3, 31), date(2026, 6, 30))
table = pathfolio.evaluate(market, [fold], ["popularity", "random"], quiet=True)
print(build.folder, 3 <= len(lists) <= 15, len(bare), len(why._repr_html_()) > 1000, len(table) > 20)
"""
HEAVY = ("torch", "numpy", "pandas", "pyarrow", "flask", "dgl", "pykeen", "neo4j", "scipy")


def python(code: str, *arguments: str, **environ: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=os.environ | environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A market folder, all of it CSV but the prices."""
    folder = tmp_path_factory.mktemp("public") / "market"
    write_sample_market(folder, 7, SIZE)
    return folder


@pytest.fixture(scope="module")
def frames(folder: Path) -> dict[str, pd.DataFrame]:
    """The tables of that folder as a notebook has them: days are days, and numbers numbers."""
    found = {}
    for path in sorted(folder.glob("*.csv")):
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        for column in DATE_COLUMNS & set(frame):
            frame[column] = pd.to_datetime(frame[column])
        for column in NUMBER_COLUMNS & set(frame):
            frame[column] = frame[column].map(lambda cell: float(cell) if cell else float("nan")).astype(float)
        found[path.stem] = frame
    return found | {"prices": pd.read_parquet(folder / "prices.parquet")}


@pytest.fixture
def recommender(small_build: pathfolio.Build, tmp_path: Path) -> pathfolio.Recommender:
    return pathfolio.Recommender(small_build, rules="tw", ledger=tmp_path / "ledger")


def users_of(build: pathfolio.Build, count: int) -> list[str]:
    return [str(user) for user in build.graph.user_ids[:count]]


# -- the package ---------------------------------------------------------------------------------------------


def test_importing_pathfolio_loads_nothing() -> None:
    code = f"import sys, pathfolio; dir(pathfolio); print([m for m in {HEAVY} if m in sys.modules])"
    assert python(code) == "[]\n"
    used = f"import sys, pathfolio; pathfolio.Tables; print([m for m in {HEAVY[:3]} if m in sys.modules])"
    assert python(used) == "['numpy', 'pandas']\n"


def test_importing_pathfolio_takes_no_time() -> None:
    def fastest(code: str) -> float:
        return min(float(python(code)) for _ in range(5))

    timed = "import time; start = time.perf_counter(); {}; print(time.perf_counter() - start)"
    assert fastest(timed.format("import pathfolio")) < 0.05


def test_names_are_there_and_no_others() -> None:
    assert set(pathfolio.__all__) <= set(dir(pathfolio)) and len(pathfolio.__all__) == len(set(pathfolio.__all__))
    for name in pathfolio.__all__:
        found = getattr(pathfolio, name)
        assert found.__name__ == name and found.__doc__
    with pytest.raises(AttributeError, match="module 'pathfolio' has no attribute 'recomend'"):
        pathfolio.recomend  # noqa: B018


def test_checkers_see_each_name_where_it_comes_from() -> None:
    source = ast.parse(Path(pathfolio.__file__).read_text(encoding="utf-8"))
    seen = {
        name.name: node.module for node in ast.walk(source) if isinstance(node, ast.ImportFrom) for name in node.names
    }
    for name in pathfolio.__all__:
        assert getattr(importlib.import_module(str(seen[name])), name) is getattr(pathfolio, name)


def test_a_notebook(tmp_path: Path) -> None:
    where, *found = python(NOTEBOOK, PATHFOLIO_LEDGER=str(tmp_path / "ledger"), TMPDIR=str(tmp_path)).split()
    assert found == ["True", "15", "True", "True"]
    assert Path(where).is_relative_to(tmp_path) and not Path(where).parent.exists()  # it went with its process
    assert len(list(open_ledger(tmp_path / "ledger").headers(kinds=[RECOMMENDATION]))) == 4


# -- markets -------------------------------------------------------------------------------------------------


def test_tables_in_memory_are_the_folder(folder: Path, frames: dict[str, pd.DataFrame]) -> None:
    market = pathfolio.read_market(folder)
    hashes = {assemble_graph(market, DAY).content_hash, assemble_graph(pathfolio.sample_market(SIZE), DAY).content_hash}
    arrow = {name: pa.Table.from_pandas(frame, preserve_index=False) for name, frame in frames.items()}
    for tables in (frames, arrow):
        again = pathfolio.read_market(tables, name=market.name, is_sample=True, terms=market.terms)
        hashes.add(assemble_graph(again, DAY).content_hash)
        for table in COLUMNS:
            pd.testing.assert_frame_equal(getattr(again, table), getattr(market, table))
    assert len(hashes) == 1


@pytest.mark.parametrize(
    ("table", "column", "value", "says"),
    [
        ("positions", "weight", 1.5, "1.5 not a fraction between 0 and 1: divide percents by 100; leave out short"),
        ("positions", "weight", "much", "'much' not a number: write digits"),
        ("positions", "asset_id", "none", "'none' no such asset"),
        ("transactions", "side", "hold", "'hold' unknown word: write one of: buy, sell"),
        ("assets", "name", None, " empty: fill it in"),
        ("users", "birth_year", 80, " not a year of birth"),
    ],
)
@pytest.mark.parametrize("kind", ["pandas", "arrow"])
def test_a_wrong_cell_is_told(
    frames: dict[str, pd.DataFrame], table: str, column: str, value: object, says: str, kind: str
) -> None:
    wrong = frames[table].astype({column: object})
    wrong.loc[3, column] = value
    given: pd.DataFrame | pa.Table = wrong
    if kind == "arrow":
        text = wrong.assign(**{column: wrong[column].map(lambda cell: None if pd.isna(cell) else str(cell))})
        given = pa.Table.from_pandas(text, preserve_index=False)
    with pytest.warns(UserWarning, match="rows set aside") as told:
        market = pathfolio.read_market(frames | {table: given})
    assert f"{table}, row 3, column {column}:" in str(told[0].message)
    assert says.replace("'", "") in str(told[0].message).replace("'", "")
    assert told[0].filename == __file__
    assert market.rejected["line"].tolist()[0] == 3


def test_a_row_is_called_as_its_frame_calls_it(frames: dict[str, pd.DataFrame]) -> None:
    n = len(frames["facts"])
    for index, row in ((range(100, 100 + n), 105), ([f"r{i}" for i in range(n)], 5), ([0] * n, 5)):
        wrong = frames["facts"].astype({"metric": object}).set_index(pd.Index(index))
        wrong.iloc[5, wrong.columns.get_loc("metric")] = None
        with pytest.warns(UserWarning, match=f"the first: facts, row {row}, column metric: empty"):
            pathfolio.read_market(frames | {"facts": wrong})


def test_what_is_no_market_is_refused_in_one_line(frames: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    assets = frames["assets"]
    for source, says in (
        ({"assets": assets, "position": assets}, "no table is called 'position': call it one of users, assets, "),
        ({"users": frames["users"]}, "no table assets among users: add it"),
        ({"assets": assets.drop(columns="kind")}, "assets: no column 'kind' among "),
        (
            {"assets": assets.assign(kind="share")},
            "assets, row 0, column kind: 'share' unknown word: write one of: stock",
        ),
        ({"assets": assets.iloc[:0]}, "assets: no assets in it: add at least one row"),
        ({"assets": assets.set_axis(["name"] * assets.shape[1], axis=1)}, "assets: column 'name' is there twice"),
        ({"assets": assets.to_dict()}, "table assets is a dict: give each table as a pandas.DataFrame"),
        ([assets], "a market is not a list: give a folder, or a dict of table name to frame"),
        (tmp_path / "none", "no such folder"),
    ):
        with pytest.raises(pathfolio.PathfolioError) as refused:
            pathfolio.read_market(source)  # type: ignore[call-overload]
        assert says in str(refused.value) and "\n" not in str(refused.value)


def test_a_folder_says_itself_what_it_is_called(folder: Path) -> None:
    with pytest.raises(pathfolio.UsageError, match=r"market\.json"):
        pathfolio.read_market(folder, name="mine")  # type: ignore[call-overload]


# -- lists and explanations ----------------------------------------------------------------------------------


def test_lists_are_those_of_the_command_line(
    small_build: pathfolio.Build, recommender: pathfolio.Recommender, capsys: pytest.CaptureFixture[str]
) -> None:
    users = users_of(small_build, 6)
    lists = recommender.recommend(users, k=4, kind="fund")
    assert list(lists) == ["user_id", "rank", "asset_id", "name", "score", "verdict"]
    for user in users:
        command = ["recommend", str(small_build.folder), "--user", user, "-k", "4", "--kind", "fund", "--rules", "tw"]
        assert main([*command, "--format", "json"]) == 0
        told = json.loads(capsys.readouterr().out)
        names = ("user_id", "rank", "asset_id", "name", "score", "suitability")
        ours = lists[lists["user_id"] == user].itertuples(index=False, name=None)
        assert list(ours) == [tuple(line[name] for name in names) for line in told]
    assert len(lists) > 8


def test_every_list_is_in_the_ledger_and_replays(
    small_build: pathfolio.Build, recommender: pathfolio.Recommender, tmp_path: Path
) -> None:
    users = users_of(small_build, 3)
    recommender.recommend([*users, users[0]], k=4)
    why = recommender.explain(users[0], recommender.recommend(users[:1]).asset_id[0])
    ledger: Ledger = open_ledger(tmp_path / "ledger")
    records = list(ledger.headers(kinds=[RECOMMENDATION]))
    assert len(records) == 5 and why.record in {header.id for header in records}
    for header in records:
        _, record = read_record(ledger, header.id, LOOK)
        assert record.question.through == "Python"
        assert replay(ledger, header.id, record, small_build).same
    with pytest.raises(pathfolio.UsageError):
        recommender.recommend([*users, "nobody"])
    assert len(list(ledger.headers(kinds=[RECOMMENDATION]))) == 5


def test_nothing_is_shown_that_cannot_be_recorded(small_build: pathfolio.Build, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no ledger", encoding="utf-8")
    with pytest.raises(pathfolio.LedgerError):
        pathfolio.Recommender(small_build, ledger=tmp_path / "file")


@pytest.mark.parametrize("lang", languages())
def test_an_explanation_shows_itself(
    small_build: pathfolio.Build, recommender: pathfolio.Recommender, lang: str
) -> None:
    user = users_of(small_build, 1)[0]
    lists = recommender.recommend([user], k=2)
    why = recommender.explain(user, lists.asset_id[1], k=2, lang=lang)
    page = why._repr_html_()
    tree = ET.fromstring(page)  # noqa: S314 -- our own; well-formed as XML is well-formed as HTML here
    tags = {element.tag.rpartition("}")[2] for element in tree.iter()}
    assert {"svg", "table", "li", "style"} <= tags and "script" not in tags
    assert not [name for element in tree.iter() for name in element.attrib if name.startswith("on")]
    for reason in why.explanation.reasons_in(lang):
        assert reason.text in "".join(tree.itertext())
    assert str(why).startswith("".join(next(element for element in tree.iter() if element.tag == "h2").itertext()))
    assert HOSTILE in "".join(tree.itertext()) and HOSTILE not in page
    heads = [element.get("class") for element in tree.iter() if element.tag == "p"]
    assert heads[:3] == ["pf-meta", "pf-sample", "pf-verdict"] and heads.count("pf-verdict") == 1
    bars = [element for element in tree.iter() if element.get("class") == "pf-bar-fill"]
    assert len(bars) > 1 and why.explanation.rank == 2 and why.explanation.score == lists.score[1]


def test_the_bare_ranking_passes_no_gate(small_build: pathfolio.Build, recommender: pathfolio.Recommender) -> None:
    users = users_of(small_build, 40)
    gated, bare = recommender.recommend(users, k=3), pathfolio.rank_without_rules(small_build, users, k=3)
    best = small_build.scorer.scores(np.arange(len(users))).max(axis=1)
    everything = pathfolio.rank_without_rules(small_build, users, k=1, include_held=True)
    np.testing.assert_array_equal(everything["score"], best)
    free = pathfolio.Recommender(small_build, rules="none").recommend(users, k=3)
    pd.testing.assert_frame_equal(bare, free.drop(columns="verdict"))
    assert not bare["asset_id"].equals(gated["asset_id"])
    assert list(pathfolio.rank_without_rules(small_build, [])) == list(bare)


def test_wrong_questions_are_told_in_one_line(
    small_build: pathfolio.Build, recommender: pathfolio.Recommender, folder: Path
) -> None:
    user, market = users_of(small_build, 1)[0], pathfolio.read_market(folder)
    for call, says in (
        (lambda: recommender.recommend(user), f"users is {user!r}: give a list of ids"),
        (lambda: recommender.recommend([7]), "an investor's id is a text, not 7: give ['7']"),  # type: ignore[list-item]
        (lambda: recommender.recommend([user], k=0), "a list of 0 assets"),
        (lambda: recommender.recommend([user], kind="share"), "no kind of asset 'share'"),
        (lambda: recommender.explain(user, "none"), "no asset 'none'"),
        (lambda: recommender.explain(user, "none", lang="fr"), "fr"),
        (lambda: pathfolio.build(market, "2026-06-30"), "as_of is '2026-06-30': give a day as"),  # type: ignore[arg-type]
        (lambda: pathfolio.build(market, DAY, out=folder), "exists and is no build"),
        (lambda: pathfolio.Fold(DAY, DAY), "ends before it starts"),
        (lambda: pathfolio.evaluate(market, []), "folds is []: give a list of one or more"),
        (lambda: pathfolio.evaluate(market, [FOLD], ["best"]), "no model 'best': give a ModelSpec, or choose from"),
        (lambda: pathfolio.evaluate(market, [FOLD], ["ease", "ease"]), "two models are called 'ease'"),
    ):
        with pytest.raises(pathfolio.UsageError) as refused:
            call()
        assert says in str(refused.value) and "\n" not in str(refused.value)


# -- evaluation ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Alphabetical:
    """Everybody is to buy what comes last in the alphabet of ids."""

    graph: pathfolio.KnowledgeGraph

    def scores(self, users: IntArray) -> FloatArray:
        return np.tile(np.argsort(np.argsort(self.graph.asset_ids)).astype(float), (len(users), 1))

    def refresh(self, graph: pathfolio.KnowledgeGraph) -> Alphabetical:
        return Alphabetical(graph)


def test_an_own_baseline_is_measured_beside_the_others(folder: Path) -> None:
    own = pathfolio.ModelSpec("alphabetical", lambda graph, seed: Alphabetical(graph), "the last in the alphabet")
    market = pathfolio.read_market(folder)
    table = pathfolio.evaluate(market, [FOLD], ["popularity", own], quiet=True)
    ndcg = table[(table["metric"] == "ndcg@10") & (table["group"] == "warm")].set_index("model")
    assert {"popularity", "alphabetical"} <= set(ndcg.index)
    assert ndcg["reference"]["alphabetical"] == "popularity" and ndcg["n"]["alphabetical"] > 5
    alone = pathfolio.evaluate(market, [FOLD], [own], quiet=True)
    same = alone[(alone["metric"] == "ndcg@10") & (alone["group"] == "warm")].set_index("model")
    assert same["mean"]["alphabetical"] == ndcg["mean"]["alphabetical"]
    assert set(alone["reference"]) == {"alphabetical", ""}


def test_a_build_is_the_command_lines(folder: Path, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        market = pathfolio.read_market(str(folder))
    start = time.time()
    build = pathfolio.build(market, as_of=DAY, out=tmp_path / "ours", embedding="DistMult", quiet=True)
    command = ["build", str(folder), "--as-of", str(DAY), "--out", str(tmp_path / "theirs"), "--embedding", "DistMult"]
    assert main(command) == 0
    theirs = pathfolio.load_build(str(tmp_path / "theirs"))
    assert build.build_hash == theirs.build_hash and build.folder == tmp_path / "ours"
    assert (tmp_path / "ours" / "manifest.json").stat().st_mtime >= start - 1
    assert pq.read_table(tmp_path / "ours" / "prices.parquet").num_rows > 0
