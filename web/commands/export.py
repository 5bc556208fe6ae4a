"""`pathfolio export embeddings`: the vectors of a build for other tools."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pathfolio.web.arguments import add_build, add_described
from pathfolio.web.handed_on import INCLUDED, LEFT_OUT, add_investors, handed_on

FORMATS = ("parquet", "npz", "word2vec", "tsv")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pathfolio export`."""
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    sub = add_described(
        what, "embeddings", "write the KG embedding's vectors, with id, name and type; of investors on request"
    )
    add_build(sub)
    sub.add_argument("--format", choices=FORMATS, required=True, help="tsv writes metadata.tsv beside the vectors")
    sub.add_argument("--out", type=Path, required=True, metavar="FILE", help="a manifest goes to FILE.json")
    add_investors(sub)


def run(args: argparse.Namespace) -> None:
    """Write the vectors and say which files there are."""
    from pathfolio.embeddings.export import export_vectors, licence_of
    from pathfolio.kg.outfile import check_out
    from pathfolio.recommender.build import load_build

    build = load_build(args.build)
    check_out(args.out)
    vectors = handed_on(build, args, what=args.what, form=args.format, file=args.out.name)
    about = {
        "build": build.build_hash,
        "data_set": build.manifest["name"],
        "licence": licence_of(build.manifest["name"], is_sample=build.is_sample),
        "investors": INCLUDED if args.with_investors else LEFT_OUT,
    }
    for path in export_vectors(vectors, args.format, args.out, about):
        sys.stdout.write(f"{path}\n")
