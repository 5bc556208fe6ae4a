"""The data set's parts against the snapshots of their days, and each format opened by its own library."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dgl
import igraph
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import rdflib
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pykeen.datasets import PathDataset
from rdflib.namespace import RDF
from torch_geometric.data import HeteroData

from pathfolio.embeddings.dataset.card import LOADERS
from pathfolio.embeddings.dataset.content import Dataset, dataset_of
from pathfolio.embeddings.dataset.split import CutOffs, Part
from pathfolio.embeddings.dataset.write import FORMATS, DatasetSource, export_dataset
from pathfolio.embeddings.export import word_of
from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import IntArray, KnowledgeGraph, to_date
from pathfolio.kg.schema import KIND_CODE, NODE_KINDS, RELATION_KINDS, NodeKind, Relation
from pathfolio.recommender.build import Build
from pathfolio.web.cli import main
from pathfolio.web.commands.export import DATASET_FORMATS
from tests.explain.ledger_world import entry_of
from tests.kg.random_market import DAY, random_market

Triple = tuple[str, str, str, str, str]


def triples(graph: KnowledgeGraph, at: IntArray) -> set[Triple]:
    """Kind and id of the head, relation, kind and id of the tail."""
    edges = graph.edges

    def named(row: int) -> tuple[str, str]:
        return NODE_KINDS[graph.nodes.kind[row]].value, str(graph.nodes.id[row])

    return {
        (*named(edges.head[e]), RELATION_KINDS[edges.relation[e]].value, *named(edges.tail[e])) for e in at.tolist()
    }


def of_day(graph: KnowledgeGraph, day: date) -> set[Triple]:
    """The relations of the snapshot of a day, figures aside."""
    then = graph.at(day)
    found = triples(then, np.flatnonzero(then.current))
    return {each for each in found if each[2] != "HAS_FACT"}


def ever(graph: KnowledgeGraph, day: date) -> set[Triple]:
    """All that could be known until a day; whoever held something counts as holding it."""
    then = graph.at(day)
    found = triples(then, np.arange(len(then.edges)))
    return found | {
        (*head, "HELD" if name == "HOLDS" else "HOLDS", *tail)
        for *head, name, k, i in found
        for tail in [(k, i)]
        if name in ("HOLDS", "HELD")
    }


@pytest.fixture(scope="module")
def data(sample_build: Build) -> Dataset:
    return dataset_of(sample_build.graph)


@pytest.fixture(scope="module")
def made(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("datasets")
    source = DatasetSource("sample", data.graph.content_hash, "generated data, free to use")
    for form in FORMATS:
        export_dataset(data, form, folder / form, source)
    return {form: folder / form for form in FORMATS}


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), early=st.integers(150, 390), late=st.integers(1, 149), investors=st.booleans())
def test_parts_are_what_the_snapshots_of_their_days_say(seed: int, early: int, late: int, investors: bool) -> None:
    graph = random_market(seed, edges=60)
    cuts = CutOffs(DAY - timedelta(early), DAY - timedelta(late))
    data = dataset_of(graph, cuts, investors=investors)
    whole = data.graph
    assert investors or not len(whole.users)
    train, valid, test = (triples(whole, data.new(part)) for part in Part)
    assert train == of_day(whole, cuts.train)
    assert valid == of_day(whole, cuts.valid) - ever(whole, cuts.train)
    assert test == of_day(whole, DAY) - ever(whole, cuts.valid)
    for part, day in ((Part.TRAIN, cuts.train), (Part.VALID, cuts.train), (Part.TEST, cuts.valid)):
        assert triples(whole, data.context(part)) == of_day(whole, day)
        known = data.context(part)
        assert all(to_date(days) <= day for days in whole.edges.known_at[known].tolist())


def test_figures_are_those_of_the_day(data: Dataset) -> None:
    then = data.graph.at(data.cuts.train)
    figures = data.figures(data.days[Part.TRAIN])
    at = then.edges_between(Relation.HAS_FACT)
    wanted = {(then.nodes.id[then.edges.head[e]], then.nodes.id[then.edges.tail[e]]): then.edges.value[e] for e in at}
    ids = data.graph.nodes.id[figures.rows]
    table = {
        (ids[row], figures.metrics[column]): figures.values[row, column]
        for row, column in np.argwhere(~np.isnan(figures.values))
    }
    assert table == wanted
    assert wanted, "the sample has figures"
    newest = data.figures(data.days[Part.TEST])
    assert not np.array_equal(newest.values, figures.values, equal_nan=True), "later figures are others"


def test_usual_parts_are_all_there(data: Dataset) -> None:
    sizes = [len(data.new(part)) for part in Part]
    assert data.cuts.train < data.cuts.valid < data.graph.as_of
    assert min(sizes) > 0
    assert sizes[0] > sum(sizes[1:])


def test_a_label_is_left_out_with_what_tells_it(sample_build: Build) -> None:
    data = dataset_of(sample_build.graph, label=Relation.IN_SECTOR)
    assert {Relation.IN_SECTOR.value, Relation.IN_INDUSTRY.value}.isdisjoint(data.graph.counts()["edges"])
    assert [each.relation for each in data.classes()] == [Relation.IN_SECTOR]
    industry = dataset_of(sample_build.graph, label=Relation.IN_INDUSTRY).graph.counts()["edges"]
    assert Relation.IN_INDUSTRY.value not in industry
    assert Relation.IN_SECTOR.value in industry


def test_pyg(made: dict[str, Path], data: Dataset) -> None:
    loaded = {part: HeteroData.from_dict(torch.load(made["pyg"] / f"{part.value}.pt")) for part in Part}
    nodes = pd.read_parquet(made["pyg"] / "nodes.parquet")
    for part, graph in loaded.items():
        assert graph.validate()
        assert set(graph.node_types) == {kind.value for kind in data.kinds} - {"Metric"}
        assert sum(graph[kind].edge_label_index.shape[1] for kind in graph.edge_types) == len(data.new(part))
        assert graph.num_edges == len(data.context(part))
    train = loaded[Part.TRAIN]
    assert all(torch.equal(train[kind].edge_index, train[kind].edge_label_index) for kind in train.edge_types)
    ids = {kind: part["id"].tolist() for kind, part in nodes.groupby("kind", observed=True)}
    name = ("Fund", "INVESTS_IN", "Stock")
    found = {("Fund", ids["Fund"][h], name[1], "Stock", ids["Stock"][t]) for h, t in train[name].edge_index.T.tolist()}
    assert found == {each for each in triples(data.graph, data.new(Part.TRAIN)) if (each[0], *each[2:4]) == name}
    x, known = train["Stock"].x, train["Stock"].x_known
    assert torch.isfinite(x).all()
    assert (x[~known] == 0).all()
    assert x[known].abs().max() > 0.5
    assert {"y_in_industry", "y_in_sector"} <= set(train["Stock"].keys())


def test_a_label_in_tensors(sample_build: Build, tmp_path: Path) -> None:
    data = dataset_of(sample_build.graph, label=Relation.IN_INDUSTRY)
    export_dataset(data, "pyg", tmp_path / "out", DatasetSource("sample", "0" * 64, "free"))
    stocks = HeteroData.from_dict(torch.load(tmp_path / "out" / "test.pt"))["Stock"]
    masks = torch.stack([stocks.train_mask, stocks.val_mask, stocks.test_mask]).sum(dim=0)
    assert torch.equal(masks == 1, stocks.y >= 0)
    assert stocks.train_mask.sum() > stocks.val_mask.sum() > 0
    names = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))["classes"]["IN_INDUSTRY"]
    graph = sample_build.graph
    at = graph.edges_between(Relation.IN_INDUSTRY)
    wanted = dict(zip(graph.nodes.id[graph.edges.head[at]], graph.nodes.id[graph.edges.tail[at]], strict=True))
    ids = graph.nodes.id[graph.rows(NodeKind.STOCK)]
    assert [names[number] for number in stocks.y.tolist()] == [wanted[stock] for stock in ids]


def test_dgl(made: dict[str, Path], data: Dataset) -> None:
    folder = made["dgl"]
    for part in Part:
        graph = dgl.heterograph(**torch.load(folder / f"{part.value}.pt"))
        assert graph.num_edges() == len(data.context(part))
        assert graph.num_nodes() == len(data.nodes)
        for name, values in torch.load(folder / "ndata.pt")[part.value].items():
            graph.ndata[name] = values
        for name, values in torch.load(folder / "edata.pt")[part.value].items():
            graph.edata[name] = values
        assert graph.nodes["Stock"].data["x"].shape[0] == graph.num_nodes("Stock")
        new = torch.load(folder / "new.pt")[part.value]
        assert sum(len(head) for head, _tail in new.values()) == len(data.new(part))


def test_pykeen(made: dict[str, Path], data: Dataset) -> None:
    folder = made["pykeen"]
    loaded = PathDataset(folder / "train.tsv", testing_path=folder / "test.tsv", validation_path=folder / "valid.tsv")
    words: set[str] = set()
    for part, factory in zip(Part, (loaded.training, loaded.validation, loaded.testing), strict=True):
        assert factory is not None
        unseen = (folder / "unseen.tsv").read_text(encoding="utf-8").splitlines()
        count = sum(line.startswith(f"{part.value}\t") for line in unseen)
        assert factory.num_triples + count == len(data.new(part))
        words |= set(factory.entity_to_id)
    entities = pd.read_csv(folder / "entities.tsv", sep="\t", dtype=str, keep_default_na=False, quoting=3)
    assert set(entities["entity"]) == words
    assert [word_of(k, i) for k, i in zip(entities["kind"], entities["id"], strict=True)] == entities["entity"].tolist()
    triples_there = {(word_of(a, b), r, word_of(c, d)) for a, b, r, c, d in triples(data.graph, data.new(Part.TRAIN))}
    assert {tuple(row) for row in loaded.training.label_triples(loaded.training.mapped_triples)} == triples_there


def test_parquet(made: dict[str, Path], data: Dataset) -> None:
    edges = pd.read_parquet(made["parquet"] / "edges.parquet")
    assert len(edges) == len(data.relations)
    day = data.cuts.train
    begun = edges["current_from"].isna() | (edges["current_from"] <= day)
    then = edges[begun & (edges["current_until"].isna() | (edges["current_until"] > day))]
    columns = ["head_kind", "head_id", "relation", "tail_kind", "tail_id"]
    assert set(then[columns].itertuples(index=False, name=None)) == of_day(data.graph, day)
    assert set(then["part"]) == {"train"}
    assert edges["head_name"].ne("").all()
    features = pd.read_parquet(made["parquet"] / "features.parquet")
    assert set(features["kind"]) <= {"Stock", "Fund", "Bond"}
    known = (~np.isnan(data.figures(data.days[Part.TRAIN]).values)).any(axis=0)
    assert features.filter(like="x_").notna().any().tolist() == known.tolist()
    assert known.sum() > 3
    figures = pd.read_parquet(made["parquet"] / "figures.parquet")
    assert figures["value"].notna().all()
    classes = pd.read_parquet(made["parquet"] / "classes.parquet")
    assert {"IN_INDUSTRY", "IN_SECTOR"} <= set(classes["relation"])
    assert not (edges["known_at"].astype(str) == "1900-01-01").any(), "what has no date has none"


def test_graphml(made: dict[str, Path], data: Dataset) -> None:
    path = made["graphml"] / "graph.graphml"
    graph = nx.read_graphml(path)
    there = triples(data.graph, data.seen(data.days[Part.TEST]))
    found = {(word_of(a, b), r, word_of(c, d)) for a, b, r, c, d in there}
    assert {(head, about["relation"], tail) for head, tail, about in graph.edges(data=True)} == found
    assert graph.number_of_nodes() == len(data.nodes)
    stock = str(data.graph.nodes.id[data.graph.rows(NodeKind.STOCK)[0]])
    assert graph.nodes[f"Stock:{stock}"]["node_id"] == stock
    other = igraph.Graph.Read_GraphML(str(path))
    assert (other.vcount(), other.ecount()) == (graph.number_of_nodes(), graph.number_of_edges())
    assert set(other.es["part"]) == {part.value for part in Part}


def test_rdf(made: dict[str, Path], data: Dataset) -> None:
    graph = rdflib.Graph().parse(made["rdf"] / "graph.ttl")
    share = rdflib.URIRef("https://spec.edmcouncil.org/fibo/ontology/SEC/Equities/EquityInstruments/Share")
    assert len(list(graph.subjects(RDF.type, share))) == len(data.graph.rows(NodeKind.STOCK))
    asked = """
        SELECT ?fund ?stock ?weight WHERE {
          ?s rdf:subject ?f ; rdf:predicate pf:INVESTS_IN ; rdf:object ?t ; pf:weight ?weight .
          ?f pf:INVESTS_IN ?t ; dcterms:identifier ?fund . ?t a fibo-sec-eq-eq:Share ; dcterms:identifier ?stock }
    """
    edges = data.graph.edges
    at = [e for e in data.seen(data.days[Part.TEST]) if edges.relation[e] == RELATION_KINDS.index(Relation.INVESTS_IN)]
    ids = data.graph.nodes.id
    wanted = {
        (ids[edges.head[e]], ids[edges.tail[e]], edges.weight[e])
        for e in at
        if data.graph.kind_of(edges.tail[e]) is NodeKind.STOCK
    }
    assert {(str(f), str(s), float(w)) for f, s, w in graph.query(asked)} == wanted
    statements = len(list(graph.subjects(RDF.type, RDF.Statement)))
    figures = data.figures(data.days[Part.TEST])
    assert statements == len(data.seen(data.days[Part.TEST])) + int((~np.isnan(figures.values)).sum())


def test_awkward_texts_survive(tmp_path: Path) -> None:
    """Names and ids with quotes, tabs, ideographs and characters that XML has no place for."""
    awkward = {'q"q\\': "line\none", "台 積": "<&>\u200f'", "x\ty#": "bell \x07 end"}
    graph = random_market(5, assets=9)
    ids, names = graph.nodes.id.copy(), graph.nodes.name.copy()
    rows = np.flatnonzero(graph.nodes.kind >= KIND_CODE[NodeKind.INDUSTRY])[:3]
    for row, (key, name) in zip(rows, awkward.items(), strict=True):
        ids[row], names[row] = key, name
    strange = replace(graph, nodes=replace(graph.nodes, id=ids, name=names))
    data = dataset_of(strange)
    for form in FORMATS:
        export_dataset(data, form, tmp_path / form, DatasetSource("awkward", "0" * 64, 'a "free" licence'))
    read = nx.read_graphml(tmp_path / "graphml" / "graph.graphml")
    shown = {about["node_id"]: about["name"] for _, about in read.nodes(data=True)}
    assert {key: shown[key] for key in awkward} == {k: n.replace("\x07", "\ufffd") for k, n in awkward.items()}
    turtle = rdflib.Graph().parse(tmp_path / "rdf" / "graph.ttl")
    identifier, label = rdflib.DCTERMS.identifier, rdflib.RDFS.label
    told = {str(key): str(turtle.value(node, label)) for node, key in turtle.subject_objects(identifier)}
    assert {key: told[key] for key in awkward} == {k: n.replace("\x07", "\ufffd") for k, n in awkward.items()}
    nodes = pd.read_parquet(tmp_path / "pykeen" / "nodes.parquet")
    assert dict(zip(nodes["id"], nodes["name"], strict=True)).items() >= awkward.items()


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_data_give_the_same_bytes(form: str, made: dict[str, Path], data: Dataset, tmp_path: Path) -> None:
    source = DatasetSource("sample", data.graph.content_hash, "generated data, free to use")
    again = export_dataset(dataset_of(data.graph), form, tmp_path / "again", source)
    files = {path.name: path.read_bytes() for path in made[form].iterdir()}
    assert {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()} == files
    assert set(again["files"]) == set(files) - {"manifest.json"}
    assert LOADERS[form] in files["README.md"].decode()


def test_a_graph_without_days_is_for_training(tmp_path: Path) -> None:
    graph = random_market(1, edges=40)
    day = graph.edges.known_at.copy()
    day[:] = day.min()
    flat = replace(
        graph,
        edges=replace(graph.edges, known_at=day, as_of=day),
        nodes=replace(graph.nodes, known_at=np.full(len(graph), day[0])),
    )
    data = dataset_of(flat)
    assert [len(data.new(part)) > 0 for part in Part] == [True, False, False]
    export_dataset(data, "pykeen", tmp_path / "out", DatasetSource("flat", "0" * 64, "free"))
    assert "too few dates" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")


def test_formats_of_the_command_are_those_there_are() -> None:
    assert tuple(FORMATS) == DATASET_FORMATS


def _call(build: Path, form: str, out: Path, *more: str) -> list[str]:
    return ["export", "dataset", str(build), "--format", form, "--out", str(out), *more]


@pytest.mark.parametrize("form", FORMATS)
def test_nobody_is_in_it_unless_asked_for(form: str, sample_build: Build, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(_call(sample_build.folder, form, out)) == 0
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["investors"] == "left out"
    assert "User" not in manifest["nodes"]
    assert manifest["licence"].startswith("generated data")
    content = b"".join(path.read_bytes() for path in out.iterdir())
    for text in (*sample_build.graph.user_ids[:20], "HOLDS", "SEEKS"):
        assert text.encode() not in content, text
    for path in out.glob("*.parquet"):  # which compresses texts
        for name in pd.read_parquet(path).filter(regex="(^|_)(id|kind|relation)$"):
            there = set(pd.read_parquet(path)[name])
            assert there.isdisjoint({*sample_build.graph.user_ids, "User", "HOLDS", "HELD", "SEEKS"}), (path, name)
    assert {path.stat().st_mode & 0o777 for path in out.iterdir()} == {0o600}
    assert out.stat().st_mode & 0o777 == 0o700


def test_people_only_with_a_purpose(
    sample_build: Build, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATHFOLIO_LEDGER", str(tmp_path / "ledger"))
    out = tmp_path / "out"
    for wrong in (["--with-investors"], ["--with-investors", "--purpose", " "], ["--purpose", "a study"]):
        assert main(_call(sample_build.folder, "pyg", out, *wrong)) == 2
        assert "--purpose" in capsys.readouterr().err
    assert not out.exists()
    assert main(_call(sample_build.folder, "pyg", out, "--with-investors", "--purpose", "a study")) == 0
    users = HeteroData.from_dict(torch.load(out / "test.pt"))["User"]
    assert users.num_nodes == len(sample_build.graph.users)
    ledger = open_ledger(tmp_path / "ledger")
    entries = [entry_of(ledger, header.id) for header in ledger.headers(kinds=["export"])]
    assert [(e["what"], e["format"], e["investors"], e["purpose"]) for e in entries] == [
        ("dataset", "pyg", "included", "a study")
    ]
    assert entries[0]["build"] == sample_build.build_hash


WRONG: list[tuple[list[str], str]] = [
    (["--train-until", "2026-01-01"], "--train-until and --valid-until go together"),
    (["--train-until", "2026-03-01", "--valid-until", "2026-01-01"], "the cut-off 2026-01-01 is before 2026-03-01"),
    (["--train-until", "2026-03-01", "--valid-until", "2099-01-01"], "leave no part of a graph of"),
    (["--label", "IN_FASHION"], "--label IN_FASHION: no relation that assets have: choose IN_INDUSTRY"),
    (["--label", "AFFECTED_BY"], "no asset of .* has AFFECTED_BY to predict: choose one of IN_CLASS"),
]


@pytest.mark.parametrize(("given", "message"), WRONG)
def test_wrong_calls(
    given: list[str], message: str, sample_build: Build, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(_call(sample_build.folder, "parquet", out, *given)) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert re.search(message, err), err
    assert not out.exists()


def test_what_is_there_stays(sample_build: Build, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    for out, message in ((tmp_path, "exists: name a folder"), (tmp_path / "no" / "out", "no such folder")):
        assert main(_call(sample_build.folder, "rdf", out)) == 2
        assert message in capsys.readouterr().err
    assert main(_call(tmp_path, "rdf", tmp_path / "out")) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    with pytest.raises(UsageError, match="unknown format 'csv': choose pyg"):
        export_dataset(dataset_of(sample_build.graph), "csv", tmp_path / "out", DatasetSource("x", "", ""))


def test_a_graph_alone_will_do(sample_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = ["graph", "build", str(sample_folder), "--as-of", "2026-06-30", "--out", str(tmp_path / "graph")]
    assert main(made) == 0
    assert main(_call(tmp_path / "graph", "pykeen", tmp_path / "out")) == 0
    assert " nodes; relations: " in capsys.readouterr().out
    manifest: dict[str, Any] = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    about = json.loads((tmp_path / "graph" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["graph_hash"] == about["graph_hash"]
