"""`pathfolio cypher`: ask the graph in Cypher, or a named query; nothing that is asked can write."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pathfolio.kg.spreadsheet import RULE
from pathfolio.web.advice import account_name
from pathfolio.web.arguments import iso_date

if TYPE_CHECKING:
    from pathfolio.kg.store.answer import Limits
    from pathfolio.kg.store.catalog import NamedQuery
    from pathfolio.kg.store.service import GraphService


@dataclass(frozen=True)
class CommandQuestion:
    """What is asked: a query of one's own, or a named one; `values` are its parameters'."""

    text: str
    named: NamedQuery | None
    values: Mapping[str, object]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pathfolio cypher`."""
    parser.add_argument(
        "query", nargs="?", metavar="QUERY", help="a query that reads, or - to read it from standard input"
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--uri", help="a Bolt server (default: PATHFOLIO_NEO4J_URI)")
    where.add_argument(
        "--build",
        type=Path,
        metavar="BUILD",
        help="the embedded server of a build or a graph: the one that `pathfolio graph serve BUILD` runs, else one "
        "that starts anew for each question, which takes longer than the answer",
    )
    parser.add_argument("--user", help="the server's user (default: PATHFOLIO_NEO4J_USER, or neo4j)")
    parser.add_argument("--database", help="the server's database (default: PATHFOLIO_NEO4J_DATABASE, or its own)")
    parser.add_argument(
        "--list", action="store_true", help="list the named queries and their parameters (--format json for programs)"
    )
    parser.add_argument("--name", metavar="NAME", help="ask a named query")
    parser.add_argument(
        "-P",
        dest="parameters",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter; NAME:TYPE=VALUE where a value looks like another type (text, number, date, list …)",
    )
    parser.add_argument(
        "--as-of", type=iso_date, metavar="DATE", help="the parameter $as_of (default: the graph's day)"
    )
    parser.add_argument(
        "--format", choices=("table", "csv", "json", "parquet"), default="table", help=f"default: table; {RULE}"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write there instead of to standard output")
    parser.add_argument("--timeout", type=float, default=30.0, metavar="SECONDS", help="default: 30")
    parser.add_argument("--max-rows", type=int, default=10_000, metavar="N", help="default: 10,000")


def run(args: argparse.Namespace) -> None:
    """List the named queries, or ask one question, once it is recorded, and print the answer."""
    from pathfolio.kg.errors import UsageError
    from pathfolio.kg.outfile import check_out
    from pathfolio.kg.store.answer import Limits
    from pathfolio.web.cypher_formats import write_result

    if args.list:
        _print_list(args.format)
        return
    if (args.query is None) == (args.name is None):
        raise UsageError("give a query, or a named one with --name (--list lists them), and not both")
    if args.format == "parquet" and args.out is None and sys.stdout.isatty():
        raise UsageError("--format parquet goes with --out FILE")
    if args.out is not None:
        check_out(args.out)
    limits = Limits(seconds=args.timeout, rows=args.max_rows)
    question = _question(args)
    with _service(args, limits) as service:
        _note(question, args, service)
        if question.named is not None and question.named.needs_vectors:
            service.check_vectors(question.named.name)
        text = question.text if question.named is None else question.named.text_for(service.dialect)
        result = service.run(text, question.values)
    write_result(result, args.format, args.out)


def _question(args: argparse.Namespace) -> CommandQuestion:
    """What to ask, checked before any server is started for it."""
    from pathfolio.kg.store.catalog import named_query
    from pathfolio.kg.store.guard import check_query
    from pathfolio.kg.store.parameters import free_parameters

    if args.name is not None:
        named = named_query(args.name)
        return CommandQuestion("", named, named.values_from_words(_with_day(args)))
    text = sys.stdin.read() if args.query == "-" else args.query
    values = free_parameters(_with_day(args))
    check_query(text, values)
    return CommandQuestion(text, None, values)


def _note(question: CommandQuestion, args: argparse.Namespace, service: GraphService) -> None:
    """Record who asks what, and where; raises LedgerError where it cannot be recorded, so that nothing is asked."""
    from pathfolio.explain.ledger.opening import open_ledger
    from pathfolio.explain.records.uses import QueryUse, note_use

    taken = args.out is not None or args.format != "table"
    use = QueryUse(
        who=account_name(),
        name="" if question.named is None else question.named.name,
        query=question.text,
        parameters=json.dumps(question.values, default=str),
        lines="",
        format=args.format if taken else "",
        file="" if args.out is None else args.out.name,
        server=service.store.address.uri if args.build is None else str(args.build.resolve()),
    )
    ledger = open_ledger()
    note_use(ledger, use)
    ledger.close()


def _with_day(args: argparse.Namespace) -> list[str]:
    day = [] if args.as_of is None else [f"as_of:date={args.as_of}"]
    return [*args.parameters, *day]


def _service(args: argparse.Namespace, limits: Limits) -> GraphService:
    from pathfolio.kg.store.address import address_from_environment
    from pathfolio.kg.store.service import GraphService

    if args.build is not None:
        return GraphService.of_build(args.build, limits)
    return GraphService.at(address_from_environment(args.uri, args.user, args.database), limits)


def _print_list(wanted: str) -> None:
    """The named queries for people, or as JSON."""
    from pathfolio.kg.errors import UsageError
    from pathfolio.kg.languages import DEFAULT
    from pathfolio.kg.store.catalog import named_queries

    if wanted == "json":
        listed = [_listed(query) for query in named_queries().values()]
        sys.stdout.write(json.dumps(listed, ensure_ascii=False, indent=1) + "\n")
        return
    if wanted != "table":
        raise UsageError(f"--list has no --format {wanted}: choose table or json")
    for name, query in named_queries().items():
        sys.stdout.write(f"{name}: {query.title[DEFAULT]}\n    {query.sentence[DEFAULT]}\n")
        for parameter in query.parameters:
            default = "" if parameter.default is None else f" (default: {parameter.default})"
            sys.stdout.write(f"    -P {parameter.name}={parameter.type.upper()}  {parameter.about[DEFAULT]}{default}\n")
        words = " ".join(f"-P {word}" for word in query.example.split())
        sys.stdout.write(f"    pathfolio cypher --name {name} {words}\n\n")


def _listed(query: NamedQuery) -> dict[str, object]:
    """A named query as `--list --format json` tells it, in English."""
    from pathfolio.kg.languages import DEFAULT

    return {
        "name": query.name,
        "title": query.title[DEFAULT],
        "sentence": query.sentence[DEFAULT],
        "parameters": [
            {"name": each.name, "type": each.type, "default": each.default, "about": each.about[DEFAULT]}
            for each in query.parameters
        ],
        "example": dict(word.split("=", 1) for word in query.example.split()),
        "needs_vectors": query.needs_vectors,
        "query": query.text,
        "query_on_neo4j": query.neo4j,
    }
