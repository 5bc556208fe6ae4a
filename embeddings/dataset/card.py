"""The card of a data set: a README in the form that model hubs read, made from the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

CARD: Final = "README.md"

LOADERS: Final = MappingProxyType(
    {
        "pyg": "import torch; from torch_geometric.data import HeteroData\n"
        'train, valid, test = (HeteroData.from_dict(torch.load(f"{part}.pt")) for part in ("train", "valid", "test"))',
        "dgl": 'import dgl, torch\ntrain = dgl.heterograph(**torch.load("train.pt"))',
        "pykeen": "from pykeen.datasets import PathDataset\n"
        'dataset = PathDataset("train.tsv", testing_path="test.tsv", validation_path="valid.tsv")',
        "parquet": "import pandas as pd\n"
        'nodes, edges = (pd.read_parquet(f"{name}.parquet") for name in ("nodes", "edges"))',
        "graphml": 'import networkx as nx\ngraph = nx.read_graphml("graph.graphml")',
        "rdf": 'import rdflib\ngraph = rdflib.Graph().parse("graph.ttl")',
    }
)
"""By format the two lines of Python that load it, from within its folder."""

_FILES: Final = MappingProxyType(
    {
        "pyg": "In `train.pt`, `valid.pt` and `test.pt` an edge type's `edge_index` is what was known before, from "
        "which `edge_label_index` is to be predicted: in training all that there is, then what came to be known in the "
        "part. `time` is the day since 1970 from which a relation was known (1900-01-01 where the source has none); "
        "`x` are the figures that were known before, scaled as the manifest says under `features`, 0 where `x_known` "
        "is false.",
        "dgl": "`train.pt`, `valid.pt` and `test.pt` are graphs of what was known before each part; `new.pt` has the "
        "two ends of what is to be predicted in it, `ndata.pt` and `edata.pt` what `ndata` and `edata` take, by name "
        "and type.",
        "pykeen": "`train.tsv`, `valid.tsv` and `test.tsv` are triples; entities are written Kind:id, and "
        "`entities.tsv` has their names. What is to be predicted of entities that training does not know stands in "
        "`unseen.tsv`.",
        "parquet": "`edges.parquet` has every dated version of every relation, its part, and from and until which day "
        "it was the current one; `figures.parquet` figures likewise; `features.parquet` those known at the end of "
        "training; `classes.parquet` what assets can be told apart by.",
        "graphml": "`graph.graphml` has the relations of the graph's day, each with its part.",
        "rdf": "`graph.ttl` has the relations of the graph's day, each as a triple and as a statement about it with "
        "its dates, source and part; kinds and relations are tied to terms of FIBO where it has them.",
    }
)


def card_of(about: Mapping[str, Any]) -> str:
    """The card as Markdown.

    Args:
        about: what the manifest says but for its hashes of files.
    """
    form = about["form"]
    lines = [
        "---",
        "license: other",
        f"license_name: {_quoted(about['licence'])}",
        f"pretty_name: {_quoted(about['name'] + ' as of ' + about['as_of'])}",
        "tags: [knowledge-graph, finance, link-prediction]",
        "---",
        "",
        f"# {about['name']} as of {about['as_of']}",
        "",
        f"A knowledge graph of {sum(about['nodes'].values()):,} nodes, made by pathfolio. Investors are "
        f"{about['investors']}. Licence: {about['licence']}.",
        "",
        "```python",
        LOADERS[form],
        "```",
        "",
        _FILES[form],
        "`nodes.parquet` has the nodes with kind, number among their kind, id, names and `fold`, a number from 0 to 9 "
        "that an entity has on every day.",
        "",
        *_split(about),
        "",
        *_to_predict(about),
        "",
        "| relation | train | valid | test |",
        "|---|---|---|---|",
        *_rows(about["relations"]),
        "",
        f"Snapshot: `{about['graph_hash']}`. `manifest.json` has the SHA-256 of each file.",
        "",
    ]
    return "\n".join(lines)


def _split(about: Mapping[str, Any]) -> list[str]:
    if about["train_until"] == about["as_of"]:
        return ["The relations have too few dates to be split by time: all are for training."]
    return [
        f"Relations are split by the day on which they were first known: until {about['train_until']} for training, "
        f"until {about['valid_until']} for validation, later for the test. Nothing in a part was known later than its "
        "last day.",
    ]


def _to_predict(about: Mapping[str, Any]) -> list[str]:
    label = about["label"]
    if label is not None:
        return [
            f"`{label}` is to be predicted: it is left out of the relations, with those from which it would follow."
        ]
    found = ", ".join(f"`{name}`" for name in about["classes"])
    return [f"Assets can be told apart by {found}; who predicts one leaves its relation out."] if found else []


def _rows(relations: Mapping[str, Mapping[str, int]]) -> list[str]:
    kinds = sorted({kind for part in relations.values() for kind in part})
    counts = {kind: " | ".join(f"{part.get(kind, 0):,}" for part in relations.values()) for kind in kinds}
    return [f"| {kind.replace('-', ' ')} | {counts[kind]} |" for kind in kinds]


def _quoted(text: str) -> str:
    """A text of YAML."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
