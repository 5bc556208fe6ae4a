"""The command line. A command's module is imported when it is called, so that `pathfolio --help` is instant."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from types import MappingProxyType
from typing import Final, NoReturn

from pathfolio.web.reported import reported

COMMANDS: Final = MappingProxyType(
    {
        "demo": "build the bundled sample market and serve it on 127.0.0.1:8000",
        "build": "read a data folder, or a graph store, and build a model of it as of a date",
        "refresh": "make the next day's build with the same weights",
        "recommend": "print one investor's list, or write everybody's",
        "explain": "say why an asset is recommended to an investor, with the evidence",
        "audience": "list whom an asset suits, for staff",
        "evaluate": "measure ranking quality on temporal folds or day by day, beside baselines",
        "signals": "models of returns, volatility and beta, with their record: list, evaluate, fit, write facts",
        "graph": "make the graph alone, load it into Neo4j, serve it over Bolt, export it, or run algorithms on it",
        "cypher": "ask the graph, read-only",
        "export": "write the embeddings, or the graph as a data set, for other tools",
        "suitability": "check suitability rules against a build",
        "audit": "list, verify, replay and export the records of what was recommended",
        "serve": "serve a build as a site, or the console of a graph alone",
        "accounts": "say who may sign in to the site",
        "bench": "run the benchmarks",
    }
)
"""Command name to its one line of help; `recommend` lives in `pathfolio.web.commands.recommend`, and so on."""


_OTHERS: Final = 0o077
"""What a command writes is about persons, so it is its owner's alone: files of mode 0600, folders 0700."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 failed, 2 wrong call, 3 data refused."""
    argv = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in argv
    os.environ.setdefault("DGLBACKEND", "pytorch")  # else DGL prints, and writes a file into the home folder
    before = os.umask(_OTHERS)
    try:
        return reported(lambda: _run([word for word in argv if word != "--debug"], debug=debug), debug=debug)
    finally:
        os.umask(before)


def _run(argv: list[str], *, debug: bool) -> int:
    name = next((word for word in argv if not word.startswith("-")), None)
    parser = _Parser(prog="pathfolio", description="Recommendations whose explanation is the score.")
    parser.add_argument("--version", action="version", version=_version() if "--version" in argv else "")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    module = None
    for command, summary in COMMANDS.items():
        sub = commands.add_parser(command, help=summary, description=summary[0].upper() + summary[1:] + ".")
        if command == name:
            module = importlib.import_module(f"pathfolio.web.commands.{command}")
            module.add_arguments(sub)
    parser.epilog = "--debug with any command shows the traceback of an error."
    args = parser.parse_args(argv, argparse.Namespace(debug=debug))
    if module is None:
        parser.print_help()
        return 0 if not argv else 2
    return int(module.run(args) or 0)


def _version() -> str:
    from importlib.metadata import version

    return f"pathfolio {version('pathfolio')}"
