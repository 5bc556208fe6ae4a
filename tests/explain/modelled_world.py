"""A small market whose build has signals."""

from __future__ import annotations

from pathlib import Path

import pytest

from pathfolio.embeddings.train import train_vectors
from pathfolio.kg.contract import read_folder
from pathfolio.kg.progress import Progress
from pathfolio.kg.sample import SampleSize, write_sample_market
from pathfolio.kg.sample.size import END
from pathfolio.kg.tables import Tables
from pathfolio.recommender.build import Build, BuildOptions, write_build
from pathfolio.recommender.gat.attention import train_attention
from pathfolio.recommender.score_inputs import LearnedParts
from pathfolio.web.sources import from_tables
from tests.web.site_world import ATTENTION, VECTORS

SIZE = SampleSize(investors=120, stocks=140, funds=14, bonds=4, years=2)
SILENT = Progress(None)


@pytest.fixture(scope="session")
def signal_tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    folder = tmp_path_factory.mktemp("modelled") / "market"
    write_sample_market(folder, seed=3, size=SIZE)
    return read_folder(folder)


def built(tables: Tables, out: Path, signals: tuple[str, ...]) -> Build:
    source = from_tables(tables, END, SILENT, signals)
    learned = LearnedParts(
        train_vectors(source.graph, VECTORS, SILENT), train_attention(source.graph, ATTENTION, SILENT)
    )
    return write_build(source.graph, learned, out, BuildOptions(), SILENT, source.beside())


@pytest.fixture(scope="session")
def signal_build(signal_tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> Build:
    return built(signal_tables, tmp_path_factory.mktemp("modelled") / "build", ("volatility", "beta"))
