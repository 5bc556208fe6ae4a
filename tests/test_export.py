"""Exported vectors, loaded again with the tools that their users use, have the same nearest neighbours."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from embeddings.export import FORMATS, export_vectors
from recommender.build import Build

Loaded = tuple[list[str], npt.NDArray[np.float64]]


def _parquet(path: Path) -> Loaded:
    frame = pd.read_parquet(path)
    return (frame["kind"] + ":" + frame["id"]).tolist(), np.stack(frame["vector"].to_list())


def _npz(path: Path) -> Loaded:
    with np.load(path, allow_pickle=False) as file:
        return [f"{k}:{i}" for k, i in zip(file["kind"], file["id"], strict=True)], file["vectors"]


def _word2vec(path: Path) -> Loaded:
    """The word2vec text format by its definition: counts in the first line, one word and its numbers a line."""
    head, *lines = path.read_text(encoding="utf-8").splitlines()
    words = [line.split(" ") for line in lines]
    n, d = map(int, head.split())
    assert (len(words), {len(w) - 1 for w in words}) == (n, {d})
    return [w[0] for w in words], np.array([w[1:] for w in words], dtype=np.float64)


def _tsv(path: Path) -> Loaded:
    data = pd.read_csv(path.with_name("metadata.tsv"), sep="\t", dtype=str, keep_default_na=False, quoting=3)
    return (data["type"] + ":" + data["id"]).tolist(), pd.read_csv(path, sep="\t", header=None).to_numpy()


LOADERS: dict[str, Callable[[Path], Loaded]] = {
    "parquet": _parquet, "npz": _npz, "word2vec": _word2vec, "tsv": _tsv,
}  # fmt: skip


def _neighbours(vectors: npt.NDArray[np.float64], row: int) -> list[int]:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.argsort(-(unit @ unit[row]), kind="stable")[:6].tolist()


@pytest.mark.parametrize("form", FORMATS)
def test_round_trip(form: str, sample_build: Build, tmp_path: Path) -> None:
    vectors = sample_build.vectors
    files = export_vectors(vectors, form, tmp_path / f"vectors.{form}", {"build": sample_build.build_hash})
    labels, loaded = LOADERS[form](files[0])
    assert len(labels) == len(vectors)
    np.testing.assert_allclose(loaded, vectors.vectors, rtol=1e-6)
    for row in range(0, len(vectors), 37):
        assert _neighbours(loaded, row) == _neighbours(vectors.vectors.astype(np.float64), row)
    manifest = json.loads(files[-1].read_text(encoding="utf-8"))
    assert manifest["build"] == sample_build.build_hash
    assert (manifest["dimension"], manifest["entities"]) == loaded.shape[::-1]
