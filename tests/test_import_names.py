"""What is installed: `pathfolio` alone, with its types, and unmoved by other packages that are called as its parts."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections import defaultdict
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pathfolio.recommender.build import Build
from pathfolio.recommender.retrieve import rank_for
from pathfolio.web.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("kg", "embeddings", "recommender", "explain", "web")
CALL = "import sys; from pathfolio.web.cli import main; sys.exit(main())"
PACK = """
import sys
from setuptools import build_meta
_, out, *kinds = sys.argv  # setuptools sets others
for kind in kinds:
    getattr(build_meta, f"build_{kind}")(out)
"""
USER_CODE = """from datetime import date
from pathlib import Path
from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.contract import read_folder
right = assemble_graph(read_folder(Path("market")), date(2026, 6, 30)).counts()
wrong = assemble_graph(read_folder(Path("market")), "2026-06-30").counts()
"""
NOTEBOOK_CODE = """from datetime import date
from pathlib import Path
import pandas as pd
import pathfolio
market: pathfolio.Tables = pathfolio.read_market(Path("market"))
frames = {"assets": pd.DataFrame({"asset_id": ["1"]})}
other: pathfolio.Tables = pathfolio.read_market(frames, name="mine")
build: pathfolio.Build = pathfolio.build(market, as_of=date(2026, 6, 30))
recommender = pathfolio.Recommender(build, rules="tw")
lists: pd.DataFrame = recommender.recommend(["U1"], k=5)
why: pathfolio.Explained = recommender.explain("U1", "A1")
specs: list[str | pathfolio.ModelSpec] = ["popularity"]
table: pd.DataFrame = pathfolio.evaluate(market, [pathfolio.Fold(date(2026, 1, 1), date(2026, 6, 30))], specs)
pathfolio.build(market, as_of="2026-06-30")
pathfolio.read_market("market", name="mine")
recommender.recommend(5)
pathfolio.recomend
"""
PROJECT = """
import json, sys
import pathfolio
from pathfolio.web.cli import main
print(pathfolio.__file__, file=sys.stderr)
for words in json.loads(sys.argv[1]):
    try:
        code = main(words)
    except SystemExit as end:
        code = end.code
    if code:
        sys.exit(f"{words}: {code}")
"""


def run(
    *words: str | Path, cwd: Path, environ: dict[str, str] | None = None, fails: bool = False
) -> subprocess.CompletedProcess[str]:
    """A program, and that it ends well."""
    done = subprocess.run(words, cwd=cwd, env=environ, capture_output=True, text=True, check=False)
    assert fails or done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done


def pack(tree: Path, out: Path, *what: str) -> None:
    """Build wheel, sdist or editable wheel as pip has it done."""
    out.mkdir(parents=True)
    run(sys.executable, "-c", PACK, out, *what, cwd=tree)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout, without what was built or cached there."""
    tree = tmp_path_factory.mktemp("checkout") / "pathfolio"
    for name in (*PARTS, ".src"):
        skip = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / name, tree / name, symlinks=True, ignore=skip)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    return tree


@pytest.fixture(scope="module")
def wheel(tree: Path) -> Path:
    """The wheel; an sdist and an editable wheel lie beside it."""
    pack(tree, tree.parent / "dist", "sdist", "wheel")
    pack(tree, tree.parent / "editable", "editable")
    return next((tree.parent / "dist").glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """The Python of a virtual environment in which the wheel is installed, and all else as it is here."""
    folder = wheel.parents[1] / "venv"
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).stdout.strip())
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)  # noqa: S202 -- our own
    # A path file, and none of its own path files is read: no editable install of a checkout comes along.
    (site / "others.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    return python


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A folder to work in, with packages called as the five parts, which raise when they are imported."""
    for name in PARTS:
        package = tmp_path / "trap" / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(f"raise RuntimeError('{name} of another project')\n", encoding="utf-8")
    return tmp_path / "trap"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """What a user's shell has set: nothing of the tests."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PATHFOLIO"))}
    return ours | {"PATHFOLIO_LEDGER": str(tmp_path / "ledger"), "OMP_NUM_THREADS": "1"}


def files_of(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        assert not [member.filename for member in archive.infolist() if (member.external_attr >> 28) == 0o12]
        return set(archive.namelist())


def test_the_wheel_has_pathfolio_alone_and_all_of_it(wheel: Path) -> None:
    files = files_of(wheel)
    assert {name.partition("/")[0] for name in files} == {"pathfolio", "pathfolio-0.1.0.dist-info"}
    apart = {ROOT / "web" / "docs", ROOT / "web" / "bundle"}  # a site and scripts that are made from a checkout
    tracked = {
        f"pathfolio/{path.relative_to(ROOT)}"
        for part in PARTS
        for path in (ROOT / part).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and apart.isdisjoint(path.parents)
    }
    held = {name for name in files if name.startswith("pathfolio/")}
    assert held == tracked | {"pathfolio/__init__.py", "pathfolio/py.typed"}


def test_an_sdist_holds_files_and_gives_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(next(wheel.parent.glob("*.tar.gz"))) as archive:
        assert not [member.name for member in archive if not (member.isfile() or member.isdir())]
        archive.extractall(tmp_path, filter="data")
    unpacked = next(tmp_path.iterdir())
    pack(unpacked, tmp_path / "dist", "wheel")
    again = next((tmp_path / "dist").glob("*.whl"))
    assert files_of(again) == files_of(wheel)


def test_an_editable_install_is_one_path(wheel: Path, tree: Path) -> None:
    with zipfile.ZipFile(next((tree.parent / "editable").glob("*.whl"))) as archive:
        paths = [archive.read(name).decode().split() for name in archive.namelist() if name.endswith(".pth")]
    assert paths == [[str(tree / ".src")]]


def test_links_that_were_checked_out_as_text_are_told_with_the_remedy(tree: Path, tmp_path: Path) -> None:
    shutil.copytree(tree / ".src", tmp_path / ".src", symlinks=True)
    for part in PARTS:
        (tmp_path / ".src" / "pathfolio" / part).unlink()
        (tmp_path / ".src" / "pathfolio" / part).write_text(f"../../{part}", encoding="utf-8")
    done = run(sys.executable, "-c", "import pathfolio.kg", cwd=tmp_path / ".src", fails=True)
    assert "git config core.symlinks true" in done.stderr.splitlines()[-1]


def test_a_users_code_is_checked_against_the_types(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(USER_CODE, encoding="utf-8")
    (tmp_path / "notebook.py").write_text(NOTEBOOK_CODE, encoding="utf-8")
    cache = tmp_path / "cache"
    if (ROOT / ".mypy_cache").is_dir():  # other people's packages need not be read again
        shutil.copytree(ROOT / ".mypy_cache", cache)
    command = (sys.executable, "-m", "mypy", "--strict", "--cache-dir", cache, "--python-executable", installed)
    done = run(*command, "mine.py", "notebook.py", cwd=tmp_path, fails=True)
    found = re.findall(r"(\w+).py:(\d+): error: .*\[([\w-]+)\]", done.stdout)
    assert ("mine", "6", "arg-type") in found, done.stdout + done.stderr
    assert [line for name, line, _ in found if name == "notebook"] == ["14", "15", "16", "17"], done.stdout


def test_no_module_has_two_names() -> None:
    """Nor did one of the five names come in; in a run of all tests, all modules with doctests are loaded by now."""
    names: dict[Path, list[str]] = defaultdict(list)
    for name, module in sys.modules.items():
        if file := getattr(module, "__file__", None):
            names[Path(file).resolve()].append(name)
    environment = Path(sys.prefix).resolve()  # which may lie in the checkout
    ours = {
        path: found
        for path, found in names.items()
        if path.is_relative_to(ROOT) and not path.is_relative_to(environment)
    }
    assert ROOT / "kg" / "graph.py" in ours and Path(__file__) in ours
    assert {str(path): found for path, found in ours.items() if len(found) > 1} == {}
    assert not set(PARTS) & set(sys.modules)


def test_a_project_with_packages_of_these_names(
    installed: Path, trap: Path, environ: dict[str, str], small_build: Build
) -> None:
    """A script beside them, the worst case: its folder is the first that Python and all it starts look in."""
    script = trap / "project.py"
    script.write_text(PROJECT, encoding="utf-8")
    shutil.copytree(small_build.folder, trap / "old")
    market, user = (
        str(small_build.folder.parent / "market"),
        str(small_build.graph.nodes.id[small_build.graph.users[1]]),
    )
    asset = rank_for(small_build.scorer, user, 1)[0].asset_id
    day = str(small_build.graph.as_of)
    calls = [
        *([name, "--help"] for name in COMMANDS),
        ["build", market, "--as-of", day, "--out", "new", "--embedding", "TransE"],
        ["refresh", "new", market, "--as-of", day, "--out", "next"],
        ["recommend", "old", "--user", user, "--rules", "none"],
        ["recommend", "old", "--all", "--out", "lists.parquet"],
        ["explain", "old", "--user", user, "--asset", asset, "--rules", "none", "--lang", "zh-TW"],
        ["audience", "old", "--asset", asset],
        ["evaluate", market, "--fold", "2026-03-31:2026-06-30", "--models", "popularity"],
        ["graph", "export", "old", "--out", "bulk"],
        ["cypher", "--build", "old", "MATCH (u:User) RETURN count(u)"],
        ["export", "embeddings", "old", "--format", "npz", "--out", "vectors.npz"],
        ["suitability", "check", "tw", "old"],
        ["audit", "verify"],
        ["accounts", "--accounts", "accounts.sqlite", "list"],
    ]
    done = run(installed, script, json.dumps(calls), cwd=trap, environ=environ)
    assert Path(done.stderr.splitlines()[0]).is_relative_to(installed.parents[1])
    for part in PARTS:
        assert f"{part} of another project" in run(installed, "-c", f"import {part}", cwd=trap, fails=True).stderr


def test_the_site_and_its_helpers_beside_packages_of_these_names(
    installed: Path, trap: Path, environ: dict[str, str], small_build: Build
) -> None:
    user = str(small_build.graph.nodes.id[small_build.graph.users[1]])
    command = [installed, "-c", CALL, "serve", str(small_build.folder), "--port", "0", "--helpers", "2"]
    with subprocess.Popen(command, cwd=trap, env=environ, stderr=subprocess.PIPE, text=True) as site:
        assert site.stderr is not None
        try:
            address = next(found for line in site.stderr if (found := re.search(r"http://\S+", line)))
            connection = HTTPConnection(urlsplit(address.group()).netloc)
            connection.request("GET", f"/investors/{user}?format=json")
            answer = connection.getresponse()
            assert answer.status == 200 and json.loads(answer.read())
            connection.close()
        finally:
            site.terminate()
