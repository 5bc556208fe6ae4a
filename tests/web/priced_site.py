"""The site of a small market whose assets have three years of closes."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from pathfolio.embeddings.train import train_vectors
from pathfolio.kg.progress import Progress
from pathfolio.kg.sample import SampleSize, write_sample_market
from pathfolio.kg.sample.size import END
from pathfolio.recommender.build import Build, BuildOptions, load_build, write_build
from pathfolio.recommender.gat.attention import train_attention
from pathfolio.recommender.score_inputs import LearnedParts
from pathfolio.web.site import create_app
from pathfolio.web.sources import from_folder
from tests.web.site_world import ATTENTION, VECTORS

SIZE = SampleSize(investors=120, stocks=140, funds=14, bonds=4, years=3)


@pytest.fixture(scope="session")
def priced_build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    folder = tmp_path_factory.mktemp("priced")
    write_sample_market(folder / "market", seed=3, size=SIZE)
    silent = Progress(None)
    source = from_folder(folder / "market", END, silent)
    learned = LearnedParts(
        train_vectors(source.graph, VECTORS, silent), train_attention(source.graph, ATTENTION, silent)
    )
    write_build(source.graph, learned, folder / "build", BuildOptions(), silent, source.beside())
    return load_build(folder / "build")


@pytest.fixture(scope="session")
def priced_app(priced_build: Build) -> Flask:
    app = create_app(priced_build)
    app.config["TESTING"] = True
    return app


@pytest.fixture
def priced(priced_app: Flask) -> FlaskClient:
    return priced_app.test_client()


def holder(build: Build, fewest: int = 5) -> str:
    """An investor who holds so many assets."""
    from pathfolio.kg.schema import Relation

    counts = build.graph.outgoing(Relation.HOLDS).degree()
    row = next(row for row in build.graph.users.tolist() if counts[row] >= fewest)
    return str(build.graph.nodes.id[row])


def newcomer(build: Build) -> str:
    """An investor who holds nothing."""
    from pathfolio.kg.schema import Relation

    counts = build.graph.outgoing(Relation.HOLDS).degree()
    row = next(row for row in build.graph.users.tolist() if counts[row] == 0)
    return str(build.graph.nodes.id[row])
