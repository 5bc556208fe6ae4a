"""`pathfolio export embeddings`: the vectors of a build for other tools."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pathfolio.web.advice import account_name
from pathfolio.web.arguments import add_build, add_described

FORMATS = ("parquet", "npz", "word2vec", "tsv")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pathfolio export`."""
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    sub = add_described(what, "embeddings", "write the KG embedding's vectors, with id, name and type")
    add_build(sub)
    sub.add_argument("--format", choices=FORMATS, required=True, help="tsv writes metadata.tsv beside the vectors")
    sub.add_argument("--out", type=Path, required=True, metavar="FILE", help="a manifest goes to FILE.json")


def run(args: argparse.Namespace) -> None:
    """Write the vectors and say which files there are."""
    from pathfolio.embeddings.export import export_vectors, licence_of
    from pathfolio.explain.ledger.ledger import open_ledger
    from pathfolio.explain.records.uses import EXPORT, note_use
    from pathfolio.recommender.build import load_build

    build, ledger = load_build(args.build), open_ledger()
    file = {"format": args.format, "file": args.out.name}
    note_use(ledger, EXPORT, account_name(), what=args.what, build=build.build_hash, **file)
    ledger.close()
    about = {
        "build": build.build_hash,
        "data_set": build.manifest["name"],
        "licence": licence_of(build.manifest["name"], is_sample=build.is_sample),
    }
    for path in export_vectors(build.vectors, args.format, args.out, about):
        sys.stdout.write(f"{path}\n")
