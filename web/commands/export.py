"""`pathfolio export embeddings`: the vectors of a build for other tools."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pathfolio.web.arguments import add_build, add_described
from pathfolio.web.handed_on import INCLUDED, LEFT_OUT, add_investors, handed_on

FORMATS = ("parquet", "npz", "word2vec", "tsv")
SETS = ("kg", "gat", "towers")


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
        "--of", choices=SETS, default=SETS[0], help="vectors of the KG embedding (default), the GAT or the two towers"
    )
    add_investors(sub)


def run(args: argparse.Namespace) -> None:
    """Write the vectors and say which files there are."""
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
