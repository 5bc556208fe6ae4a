"""Exported vectors, loaded again with the tools that their users use, have the same nearest neighbours."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from gensim.models import KeyedVectors

from pathfolio.embeddings.export import FORMATS, export_vectors, word_of
from pathfolio.embeddings.scoring import FORMULAS
from pathfolio.embeddings.spectral import start_vectors
from pathfolio.embeddings.triples import triples_of
from pathfolio.embeddings.vectors import EntityVectors, VectorManifest
from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.kg.errors import UsageError
from pathfolio.kg.schema import ASSET_KINDS, KIND_CODE, NODE_KINDS, NodeKind
from pathfolio.kg.store import layout
from pathfolio.kg.store.bolt import Store
from pathfolio.kg.store.catalog import named_query
from pathfolio.kg.store.query import run_query
from pathfolio.kg.store.vectors import read_vectors
from pathfolio.recommender.build import Build
from pathfolio.recommender.channels.learned import AttentionCloseness
from pathfolio.recommender.disclosed import disclosed
from pathfolio.recommender.learned_vectors import of_neighbours
from pathfolio.web.cli import main
from tests.explain.ledger_world import entry_of
from tests.kg.store_world import SERVERS, address_of, empty

AWKWARD = (
    ("A B", "two words"), ("A%20B", "what two words look like when they are written as one"), ("NA", "NA"),
    ("x\ty", "a tab\tin the name"), ("z", "two\nlines"),
    ("台積電", "台積電 TSMC"), ("ΔΗΛΟΣ", "ΔΗΛΟΣ"), ('q"q', '"quoted"'),
)  # fmt: skip
"""Ids and names of stocks that trip careless writers."""

Loaded = tuple[list[str], npt.NDArray[np.float64]]


@pytest.fixture
def vectors() -> EntityVectors:
    """Random vectors of the awkward stocks and of 40 industries, sorted by (kind, id)."""
    ids = sorted(key for key, _ in AWKWARD)
    names = [dict(AWKWARD)[key] for key in ids]
    industries = [f"industry {number:02d}" for number in range(40)]
    kind = [KIND_CODE[NodeKind.STOCK]] * len(ids) + [KIND_CODE[NodeKind.INDUSTRY]] * len(industries)
    values = np.random.default_rng(3).standard_normal((len(kind), 12)).astype(np.float32)
    manifest = VectorManifest("RotatE", 12, 3, 4, {"mrr": 0.5}, (), "0" * 64, date(2022, 6, 30), 99, {"pykeen": "1"})
    texts = (np.array([*part, *industries], dtype=object) for part in (ids, names))
    return EntityVectors(np.array(kind, np.int8), *texts, values, manifest)


def _parquet(path: Path) -> Loaded:
    frame = pd.read_parquet(path)
    return (frame["kind"] + ":" + frame["id"]).tolist(), np.stack(frame["vector"].to_list())


def _npz(path: Path) -> Loaded:
    with np.load(path, allow_pickle=False) as file:
        return [f"{k}:{i}" for k, i in zip(file["kind"], file["id"], strict=True)], file["vectors"]


def _word2vec(path: Path) -> Loaded:
    loaded = KeyedVectors.load_word2vec_format(str(path), binary=False)
    names = pd.read_csv(f"{path}.entities.tsv", sep="\t", dtype=str, keep_default_na=False, quoting=3)
    id_of = dict(zip(names["word"], names["type"] + ":" + names["id"], strict=True))
    return [id_of[word] for word in loaded.index_to_key], loaded.vectors


def _tsv(path: Path) -> Loaded:
    data = pd.read_csv(path.with_name(path.name + ".labels.tsv"), sep="\t", dtype=str, keep_default_na=False, quoting=3)
    return (data["type"] + ":" + data["id"]).tolist(), pd.read_csv(path, sep="\t", header=None).to_numpy()


LOADERS: dict[str, Callable[[Path], Loaded]] = {
    "parquet": _parquet, "npz": _npz, "word2vec": _word2vec, "tsv": _tsv,
}  # fmt: skip


def _neighbours(vectors: npt.NDArray[np.float64], row: int) -> list[int]:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.argsort(-(unit @ unit[row]), kind="stable")[:6].tolist()


def _cosines(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit @ unit.T


def _labels(vectors: EntityVectors) -> list[str]:
    return [f"{NODE_KINDS[k].value}:{i}" for k, i in zip(vectors.kind, vectors.id, strict=True)]


@pytest.mark.parametrize("form", FORMATS)
def test_round_trip(form: str, vectors: EntityVectors, tmp_path: Path) -> None:
    files = export_vectors(vectors, form, tmp_path / f"vectors.{form}", {"build": "b" * 64, "licence": "CC-BY 4.0"})
    labels, loaded = LOADERS[form](files[0])
    one_line = form in ("tsv", "word2vec")
    assert labels == [" ".join(label.split()) if one_line else label for label in _labels(vectors)]
    np.testing.assert_array_equal(loaded.astype(np.float32), vectors.vectors)
    for row in range(0, len(vectors), 7):
        assert _neighbours(loaded, row) == _neighbours(vectors.vectors.astype(np.float64), row)
    manifest = json.loads(files[-1].read_text(encoding="utf-8"))
    wanted = {"format": form, "build": "b" * 64, "model": "RotatE", "dimension": 12, "entities": 48}
    wanted |= {"metric": "cosine", "as_of": "2022-06-30", "licence": "CC-BY 4.0"}
    assert {key: manifest[key] for key in wanted} == wanted


def test_gensim_finds_the_same_neighbours(vectors: EntityVectors, tmp_path: Path) -> None:
    path, *_ = export_vectors(vectors, "word2vec", tmp_path / "vectors.txt", {})
    loaded = KeyedVectors.load_word2vec_format(str(path), binary=False)
    words = [word_of(*label.split(":", 1)) for label in _labels(vectors)]
    assert len(set(words)) == len(vectors), "no two entities share a word"
    for row in (0, 5, 20):
        expected = [words[other] for other in _neighbours(vectors.vectors.astype(np.float64), row)[1:]]
        assert [word for word, _ in loaded.most_similar(words[row], topn=5)] == expected


def test_names_are_exported(vectors: EntityVectors, tmp_path: Path) -> None:
    names = vectors.name.tolist()
    parquet, *_ = export_vectors(vectors, "parquet", tmp_path / "v.parquet", {})
    assert pd.read_parquet(parquet)["name"].tolist() == names
    npz, *_ = export_vectors(vectors, "npz", tmp_path / "v.npz", {})
    assert np.load(npz)["name"].tolist() == names
    for form, labels in (("tsv", tmp_path / "v.tsv.labels.tsv"), ("word2vec", tmp_path / "v.word2vec.entities.tsv")):
        export_vectors(vectors, form, tmp_path / f"v.{form}", {})
        lines = labels.read_text(encoding="utf-8").splitlines()
        assert len(lines) == len(vectors) + 1
        column = lines[0].split("\t").index("name")
        assert [line.split("\t")[column] for line in lines[1:]] == [" ".join(name.split()) for name in names]


@pytest.mark.parametrize("form", FORMATS)
def test_same_vectors_same_bytes(form: str, vectors: EntityVectors, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    a, b = (export_vectors(vectors, form, tmp_path / folder / "v.out", {}) for folder in ("a", "b"))
    assert [path.read_bytes() for path in a] == [path.read_bytes() for path in b]


@pytest.mark.parametrize(
    ("form", "name", "message"),
    [
        ("csv", "v.csv", "unknown format 'csv'"),
        ("npz", "absent/v.npz", "no such folder"),
    ],
)
def test_wrong_calls(form: str, name: str, message: str, vectors: EntityVectors, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        export_vectors(vectors, form, tmp_path / name, {})
    assert list(tmp_path.iterdir()) == []


def test_command(sample_build: Build, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "v.parquet"
    assert main(["export", "embeddings", str(sample_build.folder), "--format", "parquet", "--out", str(out)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        str(out),
        *(f"{out}.{end}" for end in ("relations.tsv", "md", "json")),
    ]
    rows, vectors = pd.read_parquet(out), sample_build.vectors.without_investors()
    np.testing.assert_array_equal(np.stack(rows["vector"].to_list()), vectors.vectors)
    assert "User" not in set(rows["kind"])
    manifest = json.loads(Path(f"{out}.json").read_text(encoding="utf-8"))
    learned_from = disclosed(sample_build.graph).content_hash
    assert (manifest["build"], manifest["graph_hash"]) == (sample_build.build_hash, learned_from)
    assert manifest["licence"].startswith("generated data")
    assert manifest["investors"] == "left out"


def test_two_exports_into_one_folder(vectors: EntityVectors, tmp_path: Path) -> None:
    """The labels of one are not written over by the other's."""
    first, second = export_vectors(vectors, "tsv", tmp_path / "a", {}), vectors.take(vectors.kind > 1)
    before = [path.read_bytes() for path in first]
    export_vectors(second, "tsv", tmp_path / "b", {})
    assert [path.read_bytes() for path in first] == before
    assert len(_tsv(tmp_path / "b")[0]) == len(second) < len(vectors) == len(_tsv(tmp_path / "a")[0])


def test_the_cards_numpy_scores_what_was_exported(small_build: Build, tmp_path: Path) -> None:
    """The code in the card, the vectors' file and that of the relations are all that is needed."""
    out = tmp_path / "v.parquet"
    export_vectors(small_build.vectors, "parquet", out, {"data_set": "a: market", "licence": "none"})
    text = Path(f"{out}.md").read_text(encoding="utf-8")
    head, body = text.removeprefix("---\n").split("\n---\n", 1)
    fields = dict(line.split(": ", 1) for line in head.splitlines())
    results = json.loads(fields["model-index"])[0]["results"][0]
    assert results["dataset"] == {"name": "a: market"}
    manifest = json.loads(Path(f"{out}.json").read_text(encoding="utf-8"))
    values = {each["type"]: each["value"] for each in results["metrics"]}
    assert values == pytest.approx(manifest["metrics"], abs=1e-4)
    assert "holds vectors of people" in body
    scope: dict[str, Any] = {}
    exec(body.split("```python\n")[1].split("```")[0], scope)  # noqa: S102 -- our own text
    frame = pd.read_parquet(out).set_index(["kind", "id"])["vector"]
    lines = Path(f"{out}.relations.tsv").read_text(encoding="utf-8").splitlines()
    relations = {name: numbers for name, *numbers in (line.split("\t") for line in lines)}
    assert set(relations) == set(manifest["relations"])
    user = frame["User"].iloc[0]
    assets = np.stack(frame["Stock"].to_list())
    told = scope["score"](manifest["model"], user, np.array(relations["HOLDS"], np.float32), assets)
    assert manifest["score"] == FORMULAS[manifest["model"]]
    assert told.shape == (len(assets),)
    assert np.ptp(told) > 0


@pytest.mark.parametrize("of", ["kg", "near", "gat"])
def test_sets_of_vectors(of: str, small_build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closeness in the channel `gat` is the inner product of what is exported; what is near is by a mean of two
    cosines, of learned vectors and, twice, of eigenvectors."""
    monkeypatch.setenv("PATHFOLIO_LEDGER", str(tmp_path / "ledger"))
    out = tmp_path / "v.npz"
    assert (
        main(["export", "embeddings", str(small_build.folder), "--of", of, "--format", "npz", "--out", str(out)]) == 0
    )
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir() if path.is_file()} == {0o600}
    entry = entry_of(open_ledger(tmp_path / "ledger"), open_ledger(tmp_path / "ledger").headers(kinds=["export"])[0].id)
    assert entry["what"] == ("embeddings" if of == "kg" else f"embeddings {of}")
    if of == "near":
        with np.load(out) as file:
            found = dict(zip(zip(file["kind"], file["id"], strict=True), file["vectors"].astype(float), strict=True))
        graph, learned = disclosed(small_build.graph), small_build.vectors
        triples = triples_of(graph)
        spectral = start_vectors(triples, learned.manifest.dimension, learned.manifest.seed)
        assets = np.flatnonzero(np.isin(triples.entities, graph.assets))[:9]
        rows = triples.entities[assets]
        keys = [(graph.kind_of(row).value, graph.nodes.id[row]) for row in rows.tolist()]
        mine = np.array([found[key] for key in keys])
        cosines = [_cosines(part) for part in (learned.align(graph)[0][rows].astype(float), spectral[assets])]
        np.testing.assert_allclose(mine @ mine.T, np.average(cosines, axis=0, weights=[1, 2]), atol=1e-5)
        assert "User" not in {kind for kind, _ in found}
    if of == "gat":
        with np.load(out) as file:
            vectors = file["vectors"].astype(float)
        factors = small_build.scorer.channel(AttentionCloseness).propagation.factors()
        np.testing.assert_allclose(vectors @ vectors.T, factors @ factors.T, atol=1e-5)


def test_no_towers(small_build: Build, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = ["export", "embeddings", str(small_build.folder), "--of", "towers", "--format", "npz"]
    assert main([*call, "--out", str(tmp_path / "v.npz")]) == 2
    assert "no two towers here" in capsys.readouterr().err
    assert not list(tmp_path.glob("v.npz*"))


def test_investors_only_with_a_purpose(
    sample_build: Build, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What people hold can be read off their vectors: who takes them says why, and the ledger keeps it."""
    monkeypatch.setenv("PATHFOLIO_LEDGER", str(tmp_path / "ledger"))
    out = tmp_path / "v.npz"
    call = ["export", "embeddings", str(sample_build.folder), "--format", "npz", "--out", str(out)]
    for wrong in (["--with-investors"], ["--with-investors", "--purpose", " "], ["--purpose", "a study"]):
        assert main([*call, *wrong]) == 2
        assert "--purpose" in capsys.readouterr().err
    assert not out.exists()
    assert main([*call, "--with-investors", "--purpose", "a study"]) == 0
    with np.load(out, allow_pickle=False) as file:
        assert len(file["vectors"]) == len(sample_build.vectors)
    assert out.stat().st_mode & 0o777 == 0o600
    assert json.loads(Path(f"{out}.json").read_text(encoding="utf-8"))["investors"] == "included"
    ledger = open_ledger(tmp_path / "ledger")
    headers = ledger.headers(kinds=["export"])
    entries = [entry_of(ledger, header.id) for header in headers]
    assert [(entry["investors"], entry["purpose"]) for entry in entries] == [("included", "a study")]


@pytest.mark.parametrize("server", SERVERS)
def test_as_node_vectors_with_the_same_neighbours(
    server: str, sample_build: Build, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`graph load` and `graph vectors`, then the driver's and the vector index's word for who is near."""
    address = address_of(server)
    with Store(address) as store:
        empty(store)
    for name in ("uri", "user", "password", "database"):
        monkeypatch.setenv(f"PATHFOLIO_NEO4J_{name.upper()}", getattr(address, name))
    vectors = of_neighbours(sample_build).without_investors()
    assert main(["graph", "load", str(sample_build.folder)]) == 0
    everybody = ["graph", "vectors", str(sample_build.folder), "--with-investors", "--purpose", "a study"]
    assert main(everybody) == 0
    assert f"{len(sample_build.vectors):,} nodes have an embedding" in capsys.readouterr().out
    assert main(["graph", "vectors", str(sample_build.folder)]) == 0
    assert f"{len(vectors):,} nodes have an embedding" in capsys.readouterr().out
    funds = np.flatnonzero(vectors.kind == KIND_CODE[NodeKind.FUND])
    assets = np.flatnonzero(np.isin(vectors.kind, [KIND_CODE[kind] for kind in ASSET_KINDS]))
    nearest = named_query("nearest")
    with Store(address) as store:
        assert not len(read_vectors(store, NodeKind.USER)[0]), "those that were asked for before are gone"
        ids, names, values = read_vectors(store, NodeKind.FUND)
        assert (ids, names) == (vectors.id[funds].tolist(), vectors.name[funds].tolist())
        np.testing.assert_array_equal(values, vectors.vectors[funds])
        about = store.read(layout.READ_META)[0][0]
        assert about["embedding_build"] == sample_build.build_hash
        assert about["embedding_licence"].startswith("generated data")
        unit = vectors.vectors[assets] / np.linalg.norm(vectors.vectors[assets], axis=1, keepdims=True)
        for at in (0, len(assets) // 2, len(assets) - 1):
            cosine = unit @ unit[at]
            cosine[at] = -2.0
            found = run_query(store, nearest.text_for(store.dialect), {"asset": vectors.id[assets[at]], "most": 5}).rows
            assert [row[2] for row in found] == pytest.approx(np.sort(cosine)[::-1][:5], abs=1e-5)
            best = vectors.id[assets[np.argsort(-cosine, kind="stable")[:5]]].tolist()
            assert {row[0] for row in found} == set(best)
