"""`pathfolio serve`: a build as a site."""

from __future__ import annotations

import argparse
from pathlib import Path

from web.arguments import add_build

HOST = "127.0.0.1"
PORT = 8000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pathfolio serve`."""
    add_build(parser)
    add_server_arguments(parser)


def add_server_arguments(parser: argparse.ArgumentParser) -> None:
    """--host and --port, which `demo` has as well."""
    parser.add_argument("--host", default=HOST, help=f"address to listen on (default: {HOST})")
    parser.add_argument("--port", type=int, default=PORT, help=f"port, 0 for any free one (default: {PORT})")


def run(args: argparse.Namespace) -> int:
    """Serve the build until interrupted."""
    return serve_build(args.build, args)


def serve_build(folder: Path, args: argparse.Namespace, *, demo: bool = False) -> int:
    """Serve the build in `folder` on `args.host` and `args.port` until Ctrl-C; returns the exit code.

    Args:
        demo: whether this is the sample market of `pathfolio demo`.

    Raises:
        UsageError: the port is taken, or the address is not this machine alone.
        DataError: there is no build.
    """
    from kg.errors import UsageError
    from kg.progress import Progress
    from recommender.build import load_build
    from web.site import create_app
    from web.site.server import LOOPBACK, address_of, listen, run, say

    build = load_build(folder)
    if args.host not in LOOPBACK:
        raise UsageError(f"{args.host} can be reached by others, and these pages are about persons: use --host {HOST}")
    listener = listen(args.host, args.port)
    progress = Progress()
    with progress.stage(f"load the build of {build.as_of}"):
        app = create_app(build)
        app.extensions["pathfolio"].warm_up()
    label = "sample market, generated data" if build.is_sample else build.graph.name
    say(f"pathfolio is at {address_of(listener, args.host)} ({label}, as of {build.as_of}); Ctrl-C stops it")
    run(app, listener)
    say("stopped")
    return 0
