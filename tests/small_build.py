"""A build of a small sample market, trained for a moment: real in every part, and quick to make."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from embeddings.train import VectorOptions, train_vectors
from kg.assemble import assemble_graph
from kg.contract import read_folder
from kg.progress import Progress
from kg.sample import SampleSize, write_sample_market
from recommender.build import Build, BuildOptions, write_build
from recommender.gat import AttentionOptions, train_attention
from recommender.scorer import LearnedParts

SIZE = SampleSize(investors=120, stocks=60, funds=12, bonds=6, years=1)
DAY = date(2026, 6, 30)
VECTORS = VectorOptions(model="TransE", dimension=16, seed=3, max_epochs=2)
ATTENTION = AttentionOptions(seed=3, dimension=16, hidden=8, max_epochs=2, patience=1, engine="torch")


def make_small_build(folder: Path) -> Build:
    """The build at folder/build of the data at folder/data."""
    write_sample_market(folder / "data", seed=5, size=SIZE)
    tables, silent = read_folder(folder / "data"), Progress(out=None)
    graph = assemble_graph(tables, DAY)
    learned = LearnedParts(train_vectors(graph, VECTORS, silent), train_attention(graph, ATTENTION, silent))
    return write_build(graph, learned, folder / "build", BuildOptions(), silent, prices=tables.prices, report={})
