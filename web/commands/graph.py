"""`pathfolio graph`: the graph, alone or of a build, into Neo4j or the embedded server, or for a bulk import."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pathfolio.web.arguments import add_build, add_described, add_signals, iso_date
from pathfolio.web.graph_algorithm import add_algorithm, run_command
from pathfolio.web.handed_on import add_investors, handed_on

if TYPE_CHECKING:
    from types import FrameType

    from pathfolio.kg.store.address import StoreAddress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pathfolio graph`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    build = add_described(actions, "build", "make the graph alone: no investors are needed, and nothing is trained")
    build.add_argument("data", type=Path, metavar="DATA", help="a market folder or a FAR-Trans folder")
    build.add_argument("--as-of", type=iso_date, required=True, metavar="DATE", help="the day: nothing later is seen")
    build.add_argument("--out", type=Path, required=True, metavar="GRAPH", help="the folder to make or replace")
    add_signals(build, "none")
    load = add_described(actions, "load", "load a build's graph into Neo4j, or into the build's embedded server")
    add_build(load, or_graph=True)
    _add_address(load)
    load.add_argument("--into-nonempty", action="store_true", help="load beside what somebody else keeps there")
    load.add_argument("--replace", action="store_true", help="take the place of another graph, or of a later day's")
    serve = add_described(actions, "serve", "run the build's embedded Bolt server, for any Neo4j client")
    add_build(serve, or_graph=True)
    serve.add_argument("--port", type=int, default=7687, help="on 127.0.0.1 (default: 7687; 0 for a free one)")
    serve.add_argument("--timeout", type=float, default=30.0, metavar="SECONDS", help="of each query (default: 30)")
    export = add_described(actions, "export", "write files for the bulk import of neo4j-admin")
    add_build(export, or_graph=True)
    export.add_argument("--format", choices=("neo4j-admin",), default="neo4j-admin", help="default: neo4j-admin")
    export.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="the folder to write into")
    vectors = add_described(actions, "vectors", "write a build's embeddings into the nodes, with a vector index")
    add_build(vectors)
    _add_address(vectors)
    add_investors(vectors)
    alerts = add_described(actions, "alerts", "ask all saved queries again, and tell whose answers changed")
    add_build(alerts, or_graph=True)
    alerts.add_argument("--format", choices=("table", "json"), default="table", help="default: table")
    _add_address(add_algorithm(actions, "find what is central, alike or tied in the graph: a table with names"))


def _add_address(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--uri", help="a Bolt server (default: PATHFOLIO_NEO4J_URI, else the build's embedded one)")
    parser.add_argument("--user", help="the server's user (default: PATHFOLIO_NEO4J_USER, or neo4j)")
    parser.add_argument("--database", help="the server's database (default: PATHFOLIO_NEO4J_DATABASE, or its own)")


def run(args: argparse.Namespace) -> None:
    """Do one of them."""
    {
        "build": _build,
        "load": _load,
        "serve": _serve,
        "export": _export,
        "vectors": _vectors,
        "alerts": _alerts,
        "algorithm": run_command,
    }[args.action](args)


def _build(args: argparse.Namespace) -> None:
    from pathfolio.kg.graph_folder import check_place_of_graph, write_graph_folder
    from pathfolio.kg.progress import Progress
    from pathfolio.web.sources import from_folder

    check_place_of_graph(args.out)
    progress = Progress()
    source = from_folder(args.data, args.as_of, progress, signals=args.signals or ())
    made = write_graph_folder(source.graph, args.out, progress, source.report, source.write_rejected)
    sys.stdout.write(f"{args.out}: graph {made.manifest.graph_hash[:12]} of {made.manifest.name} as of {made.as_of}\n")
    sys.stdout.write(source.set_aside(args.out))


def _load(args: argparse.Namespace) -> None:
    from pathfolio.kg.progress import Progress
    from pathfolio.kg.storage import load_graph
    from pathfolio.kg.store.bolt import Store
    from pathfolio.kg.store.load import load_into
    from pathfolio.kg.store.service import GraphService

    address = _address(args)
    if address is None:
        with GraphService.of_build(args.build):
            sys.stdout.write(f"{args.build}: its embedded server holds the graph; `pathfolio graph serve` runs it\n")
        return
    graph = load_graph(args.build / "graph")
    with Store(address) as store:
        report = load_into(store, graph, into_nonempty=args.into_nonempty, replace=args.replace, progress=Progress())
    sys.stdout.write(
        f"{address.uri} holds {report.nodes:,} nodes and {report.relations:,} dated relations of {graph.name} as of "
        f"{graph.as_of}: {report.written:,} relations written, {report.deleted:,} removed, in {report.seconds:.1f} s "
        f"({report.rate:,.0f} a second)\n"
    )


def _address(args: argparse.Namespace) -> StoreAddress | None:
    """The server that is named by option or environment; None for the embedded one."""
    import os

    from pathfolio.kg.store.address import address_from_environment

    if args.uri is None and not os.environ.get("PATHFOLIO_NEO4J_URI"):
        return None
    return address_from_environment(args.uri, args.user, args.database)


def _serve(args: argparse.Namespace) -> None:
    from pathfolio.kg.store.answer import Limits
    from pathfolio.kg.store.secret import kept_password
    from pathfolio.kg.store.server import ServerOptions
    from pathfolio.kg.store.service import GraphService

    options = ServerOptions(port=args.port, seconds=args.timeout, password=kept_password())
    signal.signal(signal.SIGTERM, _interrupt)
    with GraphService.of_build(args.build, Limits(seconds=args.timeout), options, share=True) as service:
        if service.server is None:
            sys.stdout.write(f"{service.store.address.uri} serves {args.build} already\n")
            return
        try:
            while True:
                reader = service.server.reader()
                sys.stdout.write(
                    f"{reader.uri}  user {reader.user}  password {reader.password}  database {reader.database}\n"
                    f"Read only; a query ends after {args.timeout:g} s. Ctrl-C ends the server.\n"
                )
                sys.stdout.flush()
                service.server.wait()
                service.revive()
        except KeyboardInterrupt:
            sys.stdout.write("ended\n")


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _export(args: argparse.Namespace) -> None:
    from pathfolio.kg.storage import load_graph
    from pathfolio.kg.store.bulk import write_bulk_files

    arguments = write_bulk_files(load_graph(args.build / "graph"), args.out)
    sys.stdout.write(
        f"{args.out}: in that folder run\n    neo4j-admin database import full neo4j @{arguments.name}\n"
        f"then start the server and run\n    pathfolio graph load {args.build}\nwhich checks it and adds constraints\n"
    )


def _alerts(args: argparse.Namespace) -> None:
    from pathfolio.web.commands.graph_alerts import run as tell

    tell(args)


def _vectors(args: argparse.Namespace) -> None:
    from pathfolio.embeddings.export import licence_of
    from pathfolio.kg.store.bolt import Store
    from pathfolio.kg.store.service import writer_of_build
    from pathfolio.kg.store.vectors import VectorNote, write_vectors
    from pathfolio.recommender.build import load_build

    address = _address(args)
    build = load_build(args.build)
    where = str(args.build if address is None else address.uri)
    vectors = handed_on(build, args, what="vectors", server=where, of="near")
    about = vectors.manifest
    licence = licence_of(build.manifest["name"], is_sample=build.is_sample)
    note = VectorNote(build.build_hash, about.model, about.as_of, licence)
    with writer_of_build(args.build) if address is None else Store(address) as store:
        written = write_vectors(store, vectors.kind, vectors.id.tolist(), vectors.vectors, note)
    missing = f"; {len(vectors) - written:,} of the build's are not there" if written < len(vectors) else ""
    told = f"{written:,} nodes have an embedding ({about.model}, {about.dimension} numbers){missing}"
    sys.stdout.write(f"{where}: {told}\n")
