"""Fixtures that several test files share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

os.environ.setdefault("DGLBACKEND", "pytorch")

if TYPE_CHECKING:
    from recommender.build import Build


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with far-trans, us-2025 and tw-2026; tests that need it are skipped where it is absent."""
    beside = Path(__file__).resolve().parents[1].parent / "shared" / "data"
    folder = Path(os.environ.get("PATHFOLIO_DATA", beside))
    if not folder.is_dir():
        pytest.skip("no real data: set PATHFOLIO_DATA to the folder that holds far-trans, us-2025 and tw-2026")
    return folder


@pytest.fixture(scope="session")
def sample_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small sample market as a market folder: 200 investors, 60 stocks, 12 funds, 4 bonds, two years."""
    from kg.sample import SampleSize, write_sample_market

    folder = tmp_path_factory.mktemp("sample") / "market"
    write_sample_market(folder, 7, SampleSize(investors=200, stocks=60, funds=12, bonds=4, years=2))
    return folder


@pytest.fixture(scope="session")
def sample_build(sample_folder: Path) -> Build:
    """A whole build of the small sample market, made as the command line makes it."""
    from kg.progress import Progress
    from kg.sample.size import END
    from recommender.build import BuildOptions, make_build
    from recommender.training import TrainingOptions
    from web.sources import from_folder

    progress = Progress(out=None)
    source = from_folder(sample_folder, END, progress)
    options = BuildOptions(TrainingOptions(embedding="DistMult"))
    out = sample_folder.parent / "build"
    return make_build(source.graph, out, options, progress, prices=source.prices, report=source.report)
