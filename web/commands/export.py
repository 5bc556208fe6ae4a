"""`pathfolio export`: the vectors of a build, or its graph as a data set, for other tools."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pathfolio.web.arguments import add_build, add_described, iso_date
from pathfolio.web.handed_on import INCLUDED, LEFT_OUT, add_investors, handed_on, note_export

if TYPE_CHECKING:
    from pathfolio.embeddings.dataset.split import CutOffs
    from pathfolio.kg.schema import Relation

FORMATS = ("parquet", "npz", "word2vec", "tsv")
SETS = ("kg", "near", "gat", "towers")
DATASET_FORMATS = ("pyg", "dgl", "pykeen", "parquet", "graphml", "rdf")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pathfolio export`."""
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    sub = add_described(
        what, "embeddings", "write what was learned as vectors, with id, name and type; of investors on request"
    )
    add_build(sub)
    sub.add_argument("--format", choices=FORMATS, required=True, help="tsv writes labels to FILE.labels.tsv")
    sub.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="a manifest goes to FILE.json, a card to FILE.md"
    )
    sub.add_argument(
        "--of",
        choices=SETS,
        default=SETS[0],
        help="vectors of the KG embedding (default), of what is near what by the cosine, of the GAT or the two towers",
    )
    add_investors(sub)
    _add_dataset(what)


def _add_dataset(what: Any) -> None:
    sub = add_described(what, "dataset", "write the graph for machine learning, split by time; investors on request")
    add_build(sub, or_graph=True)
    sub.add_argument(
        "--format",
        choices=DATASET_FORMATS,
        required=True,
        help="of PyTorch Geometric, DGL or PyKEEN; tables, GraphML or Turtle; the card in the folder has the loader",
    )
    sub.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="the folder to make")
    sub.add_argument(
        "--train-until",
        type=iso_date,
        metavar="DATE",
        help="what is known on this day is for training (default: 80 %%)",
    )
    sub.add_argument(
        "--valid-until",
        type=iso_date,
        metavar="DATE",
        help="what is first known until this day is for validation, what comes later for the test",
    )
    sub.add_argument(
        "--label",
        metavar="RELATION",
        help="the relation of assets that is to be predicted, such as IN_INDUSTRY: it is left out of the graph",
    )
    add_investors(sub, "investors, what is said of them and what they hold, too; --purpose has to say why")


def run(args: argparse.Namespace) -> None:
    """Write what is asked for and say where it is."""
    {"embeddings": _embeddings, "dataset": _dataset}[args.what](args)


def _embeddings(args: argparse.Namespace) -> None:
    from pathfolio.embeddings.export import export_vectors, licence_of
    from pathfolio.kg.outfile import check_out
    from pathfolio.recommender.build import load_build

    build = load_build(args.build)
    check_out(args.out)
    vectors = handed_on(build, args, what=_what(args), form=args.format, file=args.out.name, of=args.of)
    about = {
        "build": build.build_hash,
        "data_set": build.manifest["name"],
        "licence": licence_of(build.manifest["name"], is_sample=build.is_sample),
        "investors": INCLUDED if args.with_investors else LEFT_OUT,
    }
    for path in export_vectors(vectors, args.format, args.out, about):
        sys.stdout.write(f"{path}\n")


def _what(args: argparse.Namespace) -> str:
    """As the ledger's entry says it; the KG embedding's are the embeddings."""
    return str(args.what) if args.of == SETS[0] else f"{args.what} {args.of}"


def _dataset(args: argparse.Namespace) -> None:
    from pathfolio.embeddings.dataset.content import dataset_of
    from pathfolio.embeddings.dataset.write import DatasetSource, check_new_folder, export_dataset
    from pathfolio.embeddings.export import licence_of
    from pathfolio.web.sources import opened

    check_new_folder(args.out)
    cuts, label = _cut_offs(args), _label(args.label)
    graph, source_hash = opened(args.build)
    data = dataset_of(graph, cuts, label, investors=args.with_investors)
    note_export(args, source_hash, what=args.what, form=args.format, file=args.out.name)
    source = DatasetSource(graph.name, graph.content_hash, licence_of(graph.name, is_sample=graph.is_sample))
    made = export_dataset(data, args.format, args.out, source)
    parts = ", ".join(f"{sum(kinds.values()):,} {part}" for part, kinds in made["relations"].items())
    sys.stdout.write(f"{args.out}: {sum(made['nodes'].values()):,} nodes; relations: {parts}\n")


def _cut_offs(args: argparse.Namespace) -> CutOffs | None:
    from pathfolio.embeddings.dataset.split import CutOffs
    from pathfolio.kg.errors import UsageError

    if (args.train_until is None) != (args.valid_until is None):
        raise UsageError("--train-until and --valid-until go together: name both days, or neither")
    return None if args.train_until is None else CutOffs(args.train_until, args.valid_until)


def _label(name: str | None) -> Relation | None:
    from pathfolio.kg.errors import UsageError
    from pathfolio.kg.schema import ATTRIBUTE_RELATIONS, Relation

    if name is not None and name not in list(ATTRIBUTE_RELATIONS):
        raise UsageError(f"--label {name}: no relation that assets have: choose {', '.join(ATTRIBUTE_RELATIONS)}")
    return None if name is None else Relation(name)
