"""A small sample market with a few awkward names in it, built for real: trained for a moment, and quick to make."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pandas as pd
from flask import Flask
from flask.testing import FlaskClient

from pathfolio.embeddings.train import VectorOptions, train_vectors
from pathfolio.kg.progress import Progress
from pathfolio.kg.sample import SampleSize, write_sample_market
from pathfolio.kg.sample.size import END
from pathfolio.recommender.build import Build, BuildOptions, write_build
from pathfolio.recommender.gat.attention import AttentionOptions, train_attention
from pathfolio.recommender.score_inputs import LearnedParts
from pathfolio.web.site import create_app
from pathfolio.web.site.access.samples import sample_access
from pathfolio.web.site.graph.desk import GraphDesk, State
from pathfolio.web.sources import from_folder

SIZE = SampleSize(investors=160, stocks=60, funds=12, bonds=4, years=1)
VECTORS = VectorOptions(model="TransE", dimension=16, seed=3, max_epochs=2)
ATTENTION = AttentionOptions(seed=3, dimension=16, hidden=8, max_epochs=2, patience=1, engine="torch")
HOSTILE = "<script>alert('x')</script> & \"Co\""
SLASHED = "BRK/B~1 ü?#%"
"""An asset's id and name that an address or a page could break on."""


def write_market(folder: Path) -> None:
    """The sample market; its first asset has the id `SLASHED` and the name `HOSTILE`, so has its first investor."""
    write_sample_market(folder, seed=3, size=SIZE)
    assets = pd.read_csv(folder / "assets.csv", dtype=str, keep_default_na=False)
    first = assets["asset_id"][0]
    assets.loc[0, ["name", "name_local"]] = HOSTILE
    assets.to_csv(folder / "assets.csv", index=False)
    users = pd.read_csv(folder / "users.csv", dtype=str, keep_default_na=False)
    users.loc[users["user_id"] == users["user_id"][0], "name"] = HOSTILE
    users.to_csv(folder / "users.csv", index=False)
    for path in folder.glob("*.csv"):
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        frame = frame.replace({c: {first: SLASHED} for c in frame if c.endswith("_id")})
        frame.to_csv(path, index=False)
    prices = pd.read_parquet(folder / "prices.parquet")
    prices["asset_id"] = prices["asset_id"].astype(str).replace({first: SLASHED})
    prices.to_parquet(folder / "prices.parquet", index=False)


@cache
def build_market(folder: Path) -> Path:
    """Build the market in `folder`, once for all tests that name it; returns the build's folder."""
    write_market(folder / "market")
    silent = Progress(None)
    source = from_folder(folder / "market", END, silent)
    learned = LearnedParts(
        train_vectors(source.graph, VECTORS, silent), train_attention(source.graph, ATTENTION, silent)
    )
    options, out = BuildOptions(), folder / "build"
    write_build(source.graph, learned, out, options, silent, source.beside())
    return out


def signed_in(app: Flask, name: str) -> FlaskClient:
    """A browser in which one of the sample's accounts has signed in."""
    client = app.test_client()
    token = re.search(r'csrf_token" value="([^"]+)"', client.get("/sign-in").text)
    assert token is not None
    client.post("/sign-in/sample", data={"csrf_token": token.group(1), "name": name})
    return client


@contextmanager
def with_its_server(build: Build) -> Iterator[Flask]:
    """The site as analysts see it, its graph's server running."""
    app = create_app(build, sample_access("INV000001"))
    app.config["TESTING"] = True
    desk: GraphDesk = app.extensions["pathfolio_graph"]
    desk.start()
    assert desk.wait(120) is State.READY, desk.failure
    yield app
    desk.close()
