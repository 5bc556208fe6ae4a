"""`pathfolio explain`: why an asset is recommended to an investor, or the evidence of all lists as a table."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from explain.explanation import Explanation
    from recommender.build import Build

FORMATS: Final = ("text", "json", "html", "svg")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("build", type=Path, metavar="BUILD", help="the folder of a build")
    parser.add_argument("--user", metavar="U", help="the investor's id")
    parser.add_argument("--asset", metavar="A", help="the id of a stock, fund or bond")
    parser.add_argument("--kind", choices=("stock", "fund", "bond"), help="rank among the assets of this kind only")
    parser.add_argument("--lang", default="en", choices=("en", "zh-TW"), help="language (default: en)")
    parser.add_argument("--format", default="text", choices=FORMATS, help="output format (default: text)")
    parser.add_argument("--all", action="store_true", help="explain the whole list of every investor into --out")
    parser.add_argument("-k", type=int, default=10, metavar="K", help="with --all: length of the lists (default: 10)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write there instead of printing")


def run(args: argparse.Namespace) -> None:
    """Explain one pair, or all lists.

    Raises:
        UsageError: options that do not go together, an unknown investor or asset.
        DataError: no build there.
    """
    from kg.errors import UsageError
    from recommender.build import load_build

    if args.all == bool(args.user or args.asset) or (not args.all and not (args.user and args.asset)):
        raise UsageError("name one pair with --user U --asset A, or every list with --all --out FILE.parquet")
    if args.all and args.out is None:
        raise UsageError("--all writes a table: name it with --out FILE.parquet")
    build = load_build(args.build)
    if args.all:
        _explain_all(build, args)
    else:
        _write(_formatted(build, args), args.out)


def _explain_all(build: Build, args: argparse.Namespace) -> None:
    from explain.batch import explain_all
    from kg.progress import Progress

    progress = Progress()
    with progress.stage("load the scorer"):
        scorer = build.scorer
    with progress.stage(f"explain every list into {args.out}") as details:
        rows = explain_all(scorer, args.out, progress, k=args.k, kind=args.kind)
        details.append(f"{rows:,} paths")


def _formatted(build: Build, args: argparse.Namespace) -> str:
    explanation = _explanation(build, args)
    if args.format == "json":
        return json.dumps(explanation.to_json(args.lang), ensure_ascii=False, indent=2) + "\n"
    if args.format == "html":
        from explain.formats_html import as_html

        return str(as_html(explanation, args.lang, is_sample=build.is_sample)) + "\n"
    if args.format == "svg":
        from explain.formats_svg import as_svg

        return str(as_svg(explanation, args.lang)) + "\n"
    from explain.formats_text import as_text

    return as_text(explanation, args.lang, is_sample=build.is_sample)


def _explanation(build: Build, args: argparse.Namespace) -> Explanation:
    from explain.explainer import Explainer
    from explain.place import place_in_list
    from recommender.retrieve import user_position

    scorer = build.scorer
    user = user_position(build.graph, args.user)
    asset = build.graph.asset_row(args.asset) - int(build.graph.assets[0])
    rank = place_in_list(scorer, user, asset, args.kind)
    return Explainer(build.graph, build.build_hash).explain(scorer.account(user, asset), rank, (args.lang,))


def _write(text: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, encoding="utf-8")
