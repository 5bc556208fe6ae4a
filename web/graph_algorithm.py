"""`pathfolio graph algorithm`: an algorithm on a build's graph, a graph alone, or the one that a store holds."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pathfolio.kg.spreadsheet import RULE
from pathfolio.web.arguments import add_described
from pathfolio.web.handed_on import add_investors, note_export

if TYPE_CHECKING:
    from pathfolio.kg.graph import KnowledgeGraph


def add_algorithm(actions: Any, summary: str) -> argparse.ArgumentParser:
    """The options of `pathfolio graph algorithm`, but those of an address."""
    parser = add_described(actions, "algorithm", summary)
    parser.add_argument("name", nargs="?", metavar="NAME", help="which one; --list tells of them and of their options")
    parser.add_argument(
        "build", nargs="?", type=Path, metavar="BUILD", help="a build or a graph; else that of the store"
    )
    parser.add_argument("--list", action="store_true", help="list the algorithms and their options")
    parser.add_argument(
        "-P", dest="parameters", action="append", default=[], metavar="NAME=VALUE", help="an option of the algorithm"
    )
    parser.add_argument(
        "--format", choices=("table", "csv", "json", "parquet"), default="table", help=f"default: table; {RULE}"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write there instead of to standard output")
    parser.add_argument("--max-rows", type=int, default=10_000, metavar="N", help="default: 10,000")
    add_investors(parser, "let it see investors and what they hold, too; --purpose has to say why")
    return parser


def run_command(args: argparse.Namespace) -> None:
    """List the algorithms, or run one, once it is recorded, and write its table."""
    from pathfolio.kg.algorithms.run import algorithm_of, run_algorithm
    from pathfolio.kg.errors import UsageError
    from pathfolio.kg.outfile import check_out
    from pathfolio.kg.store.parameters import parse_assignments
    from pathfolio.web.cypher_formats import write_result

    if args.list:
        _print_list()
        return
    if args.name is None:
        raise UsageError("name an algorithm; --list tells which there are")
    if args.max_rows < 1:
        raise UsageError(f"--max-rows {args.max_rows}: write 1 or more")
    if args.format == "parquet" and args.out is None and sys.stdout.isatty():
        raise UsageError("--format parquet goes with --out FILE")
    if args.out is not None:
        check_out(args.out)
    algorithm = algorithm_of(args.name, {name: text for name, (text, _) in parse_assignments(args.parameters).items()})
    graph, source, server = _graph(args)
    file = "" if args.out is None else args.out.name
    what = " ".join(["algorithm", args.name, *args.parameters])
    note_export(args, source, what=what, form=args.format, file=file, server=server)
    write_result(run_algorithm(graph, algorithm, args.max_rows, investors=args.with_investors), args.format, args.out)


def _graph(args: argparse.Namespace) -> tuple[KnowledgeGraph, str, str]:
    """The graph, the hash of what it is from, and the server that it is read from; empty where it is from a folder."""
    if args.build is not None:
        from pathfolio.kg.errors import UsageError
        from pathfolio.web.sources import opened

        if args.uri is not None:
            raise UsageError("give a build or --uri, and not both")
        return (*opened(args.build), "")
    from pathfolio.kg.store import read_graph
    from pathfolio.kg.store.address import address_from_environment
    from pathfolio.kg.store.bolt import Store

    with Store(address_from_environment(args.uri, args.user, args.database)) as store:
        graph = read_graph(store)
    return graph, graph.content_hash, store.address.uri


def _print_list() -> None:
    from pathfolio.kg.algorithms.run import ALGORITHMS, described
    from pathfolio.kg.languages import DEFAULT

    for name in ALGORITHMS:
        about = described(name)
        sys.stdout.write(f"{name}: {about.title[DEFAULT]}\n    {about.sentence[DEFAULT]}\n")
        for option in about.options:
            usual = f" (default: {option.default})" if option.default else ""
            sys.stdout.write(f"    -P {option.name}=…  {option.about[DEFAULT]}{usual}\n")
        sys.stdout.write("\n")
