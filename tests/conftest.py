"""Fixtures that several test files share."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadFileScheduling

import pathfolio  # noqa: F401  before tests load numpy, which it holds to one arithmetic
from tests import ROOT

os.environ.setdefault("DGLBACKEND", "pytorch")
_NUMBERS = itertools.count()
# What the tests start imports the checkout too, from whichever folder it runs, whatever is installed.
SOURCE = ROOT / ".src"
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(SOURCE), os.environ.get("PYTHONPATH"))))

if TYPE_CHECKING:
    from pathfolio.explain.ledger.ledger import Ledger
    from pathfolio.explain.records.adviser import Adviser
    from pathfolio.recommender.build import Build


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadFileScheduling:
    """Under `-n 2` a file's tests stay together, and all that ask the one Neo4j server do: their names say so."""

    class ByFileAndServer(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "neo4j" if "neo4j" in nodeid else str(super()._split_scope(nodeid))

    return ByFileAndServer(config, log)


def pytest_itemcollected(item: pytest.Item) -> None:
    """What asks the Neo4j server has it in its name."""
    assert item.get_closest_marker("neo4j") is None or "neo4j" in item.nodeid, item.nodeid


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with far-trans, us-2025 and tw-2026; tests that need it are skipped where it is absent."""
    beside = ROOT.parent / "shared" / "data"
    folder = Path(os.environ.get("PATHFOLIO_DATA", beside))
    if not folder.is_dir():
        pytest.skip("no real data: set PATHFOLIO_DATA to the folder that holds far-trans, us-2025 and tw-2026")
    return folder


@pytest.fixture(scope="session", autouse=True)
def own_ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What is recommended in tests is recorded in a ledger of their own, never in the user's."""
    folder = tmp_path_factory.mktemp("recorded") / "ledger"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATHFOLIO_LEDGER", str(folder))
        patch.setenv("PATHFOLIO_LEDGER_MARKS", str(folder.parent / "marks"))
        for name in ("PATHFOLIO_LEDGER_KEY", "PATHFOLIO_LEDGER_MASTER_KEY", "PATHFOLIO_BUILDS", "PATHFOLIO_RULES"):
            patch.delenv(name, raising=False)
        yield folder


@pytest.fixture(scope="module", autouse=True)
def files_ledger(own_ledger: Path) -> Iterator[Path]:
    """Each file's in a folder of its own: answers that one file's tests save change no list of another's."""
    folder = own_ledger.parent / f"ledger-{next(_NUMBERS)}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATHFOLIO_LEDGER", str(folder))
        yield folder


@pytest.fixture(autouse=True)
def own_marks(files_ledger: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a test sees of ledgers is kept for itself alone; nothing is written there before it opens one."""
    marks = files_ledger.parent / f"marks-{next(_NUMBERS)}"
    monkeypatch.setenv("PATHFOLIO_LEDGER_MARKS", str(marks))
    return marks


@pytest.fixture(scope="session")
def small_build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """A build of 160 investors and 76 assets, trained for a moment; see `tests.web.site_world`."""
    from pathfolio.recommender.build import load_build
    from tests.web.site_world import build_market

    return load_build(build_market(tmp_path_factory.getbasetemp() / "site"))


@pytest.fixture(scope="session")
def build(small_build: Build) -> Build:
    """What the tests of the site and of records ask."""
    return small_build


@pytest.fixture(scope="session")
def adviser(build: Build) -> Adviser:
    """Advises on that build by Taiwan's rules."""
    from pathfolio.explain.records.adviser import Adviser
    from pathfolio.recommender.suitability.rulefile import load_rules

    return Adviser(build, load_rules("tw"))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """An empty ledger with keys of its own."""
    from pathfolio.explain.ledger.opening import open_ledger

    return open_ledger(tmp_path / "ledger", environ={})


@pytest.fixture(scope="session")
def sample_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small sample market as a market folder: 200 investors, 60 stocks, 12 funds, 4 bonds, two years."""
    from pathfolio.kg.sample import SampleSize, write_sample_market

    folder = tmp_path_factory.mktemp("sample") / "market"
    write_sample_market(folder, 7, SampleSize(investors=200, stocks=60, funds=12, bonds=4, years=2))
    return folder


@pytest.fixture(scope="session")
def sample_build(sample_folder: Path) -> Build:
    """A whole build of the small sample market, made as the command line makes it."""
    from pathfolio.kg.progress import Progress
    from pathfolio.kg.sample.size import END
    from pathfolio.recommender.build import BuildOptions, make_build
    from pathfolio.recommender.training import TrainingOptions
    from pathfolio.web.sources import from_folder

    progress = Progress(out=None)
    source = from_folder(sample_folder, END, progress)
    options = BuildOptions(TrainingOptions(embedding="DistMult"))
    out = sample_folder.parent / "build"
    return make_build(source.graph, out, options, progress, source.beside())
