"""`pathfolio serve`: a build as a site, or the console alone of a graph."""

from __future__ import annotations

import argparse
import secrets
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pathfolio.web.advice import add_rules, add_today, open_desk, rules_text, today_text
from pathfolio.web.arguments import add_build
from pathfolio.web.commands.accounts import add_store

if TYPE_CHECKING:
    from socket import socket

    from flask import Flask

    from pathfolio.recommender.build import Build
    from pathfolio.web.site.access.guard import Access
    from pathfolio.web.succession import Life

HOST = "127.0.0.1"
PORT = 8000


@dataclass(frozen=True)
class Seat:
    """Where a site is served, whichever build is.

    Attributes:
        listener: is bound to the address.
        session_key: signs sessions where no accounts keep a key.
        life: what this process shares with the one that started it; None where nobody may take its place.
    """

    listener: socket
    session_key: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)
    life: Life | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pathfolio serve`."""
    add_build(parser, or_graph=True)
    add_server_arguments(parser)
    add_rules(parser)
    add_today(parser)
    add_store(parser)
    parser.add_argument(
        "--url",
        help="where visitors find the site, if not at --host: behind a proxy that speaks HTTPS (https://…), and that "
        "passes on Host and sets X-Forwarded-For and X-Forwarded-Proto",
    )
    parser.add_argument(
        "--follow",
        action="store_true",
        help="take a new build as soon as one is put in place of the one that is served; without it, when told to by "
        "SIGHUP. No request is lost",
    )


def add_server_arguments(parser: argparse.ArgumentParser) -> None:
    """--host and --port, which `demo` has as well."""
    parser.add_argument("--host", default=HOST, help=f"address to listen on (default: {HOST})")
    parser.add_argument("--port", type=int, default=PORT, help=f"port, 0 for any free one (default: {PORT})")
    parser.add_argument(
        "--helpers",
        type=int,
        metavar="N",
        help="processes that compute answers beside the site's own (default: as many as cores, 4 at most; 0: none)",
    )
    parser.add_argument("--graph", action="store_true", help="start the graph server, too, for any Neo4j client")


def run(args: argparse.Namespace) -> int:
    """Serve the build, or the graph alone, until interrupted, and what takes its place when told to."""
    from pathfolio.kg.errors import UsageError
    from pathfolio.kg.graph_folder import holds_graph_alone
    from pathfolio.web.listening import bound
    from pathfolio.web.reported import reported
    from pathfolio.web.succession import CAN_SUCCEED, Succession

    def serve(life: Life | None) -> int:
        seat = Seat(listener, key, life)
        if holds_graph_alone(args.build):
            return _serve_graph(args.build, args, seat)
        return serve_build(args.build, args, seat)

    key = secrets.token_hex(32)
    with bound(args.host, args.port) as listener:
        if CAN_SUCCEED:
            mark = (lambda: _mark(args.build)) if args.follow else None
            return Succession(lambda life: reported(lambda: serve(life), debug=args.debug), mark).run()
        if args.follow:
            raise UsageError("--follow: this system cannot do that: leave it out, and start the site again")
        return serve(None)


def _mark(folder: Path) -> tuple[int, int] | None:
    """Another one where another build, or graph, was put there; None where there is none just now."""
    try:
        found = (folder / "manifest.json").stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def serve_build(
    folder: Path, args: argparse.Namespace, seat: Seat, *, demo: bool = False, ledger: Path | None = None
) -> int:
    """Serve the build in `folder` at a seat until Ctrl-C; returns the exit code.

    Args:
        demo: with sample accounts that the sign-in page shows, as in `pathfolio demo`.
        ledger: where records go; where the environment says, or among the user's data, for None.

    Raises:
        UsageError: others could reach the site though there are no accounts.
        DataError: there is no build.
        LedgerError: the ledger cannot be opened, so nothing could be shown.
    """
    from contextlib import ExitStack, closing

    from pathfolio.explain.records.keep import keep
    from pathfolio.kg.progress import Progress
    from pathfolio.recommender.build import load_build
    from pathfolio.web.listening import BACKLOG, say
    from pathfolio.web.site import create_app
    from pathfolio.web.site.helpers import helpers_for

    build = load_build(folder)
    url = getattr(args, "url", None)
    access = _demo_access(build, args.host) if demo else _access(args.host, url, getattr(args, "accounts", None))
    access = replace(access, session_key=seat.session_key)
    desk = open_desk(build, args.rules, ledger, args.today)
    with ExitStack() as until_the_end:
        until_the_end.callback(desk.ledger.close)
        keep(build, desk.adviser.rules, desk.ledger)  # before another build takes its place; where it cannot, it stops
        seat.listener.listen(BACKLOG)
        with Progress().stage(f"load the build of {build.as_of}"):
            app = create_app(build, access, desk=desk, trusted_hosts=_names(url), behind_proxy=bool(url))
            app.extensions["pathfolio"].warm_up()
            helpers = helpers_for(app, args.helpers)
            if helpers is not None:
                until_the_end.enter_context(closing(helpers))
        told = f"{rules_text(desk.adviser.rules)}; {today_text(desk)}"
        say(f"what is shown is recorded in {desk.ledger.store.where}; {told}")
        _run(app, seat, args, "")
    say("stopped")
    return 0


def _serve_graph(folder: Path, args: argparse.Namespace, seat: Seat) -> int:
    """Serve the console of a graph alone until Ctrl-C; raises as `serve_build`."""
    from contextlib import ExitStack

    from pathfolio.explain.ledger.opening import open_ledger
    from pathfolio.explain.records.asking import day_of_asking
    from pathfolio.kg.errors import UsageError
    from pathfolio.kg.graph_folder import load_graph_folder
    from pathfolio.web.listening import BACKLOG, say
    from pathfolio.web.site import create_app
    from pathfolio.web.site.served import ServedGraph

    for option, value in (("--rules", args.rules), ("--helpers", args.helpers)):
        if value is not None:
            raise UsageError(f"{option} is for recommendations, and {folder} is a graph alone: leave it out")
    source = load_graph_folder(folder)
    access = replace(_access(args.host, args.url, args.accounts), session_key=seat.session_key)
    with ExitStack() as until_the_end:
        ledger = open_ledger()
        until_the_end.callback(ledger.close)
        seat.listener.listen(BACKLOG)
        served = ServedGraph(source, ledger, day_of_asking(source, args.today))
        app = create_app(served, access, trusted_hosts=_names(args.url), behind_proxy=bool(args.url))
        say(f"what is asked is recorded in {ledger.store.where}")
        _run(app, seat, args, "the graph alone, without recommendations; ")
    say("stopped")
    return 0


def _names(url: str | None) -> tuple[str, ...]:
    """The names by which the site may be asked for."""
    from pathfolio.web.site.app import LOOPBACK_NAMES

    return (*LOOPBACK_NAMES, urlsplit(url).hostname or "") if url else LOOPBACK_NAMES


def _run(app: Flask, seat: Seat, args: argparse.Namespace, what: str) -> None:
    """Say where the site is and `what` it has, and answer until Ctrl-C."""
    from contextlib import closing

    from pathfolio.web.listening import address_of, say
    from pathfolio.web.site.server import run

    graph = app.extensions["pathfolio"].graph
    where = getattr(args, "url", None) or address_of(seat.listener, args.host)
    label = "sample market, generated data" if graph.is_sample else graph.name
    say(f"pathfolio is at {where} ({what}{label}, as of {graph.as_of}); Ctrl-C stops it")
    with closing(app.extensions["pathfolio_graph"]) as desk:
        if getattr(args, "graph", False):
            say(desk.started())
        run(app, seat.listener, seat.life)


def _access(host: str, url: str | None, where: str | None) -> Access:
    """Who may use the site: whoever is at this machine, or whoever has an account."""
    from pathfolio.kg.errors import UsageError
    from pathfolio.web.listening import LOOPBACK
    from pathfolio.web.site.access.accounts import Accounts
    from pathfolio.web.site.access.guard import Access
    from pathfolio.web.site.access.oidc import OidcSettings

    parts = urlsplit(url or "")
    if url and (parts.scheme not in {"http", "https"} or not parts.hostname):
        raise UsageError(f"--url {url!r} is no address of a site: write it as https://advice.example.com")
    accounts = Accounts(where) if where else None
    oidc = OidcSettings.from_environment()
    if oidc is not None and accounts is None:
        raise UsageError(f"people sign in at {oidc.issuer}: say with --accounts where their accounts are kept")
    if host in LOOPBACK and not url:
        return Access(accounts, oidc=oidc)
    if not accounts and oidc is None:
        raise UsageError(
            f"{url or host} can be reached by others, and these pages are about persons: make accounts with "
            f"`pathfolio accounts add` and name them with --accounts, or use --host {HOST}"
        )
    if parts.scheme != "https":
        raise UsageError(
            "passwords must not travel in the open: put a proxy that speaks HTTPS in front, and name its --url https://…"
        )
    return Access(accounts, https=True, oidc=oidc)


def _demo_access(build: Build, host: str) -> Access:
    """Sample accounts for one click, on this machine alone."""
    from pathfolio.kg.errors import UsageError
    from pathfolio.web.listening import LOOPBACK
    from pathfolio.web.site.access.samples import sample_access
    from pathfolio.web.site.examples import typical_investor

    if host not in LOOPBACK:
        raise UsageError(f"the demo's accounts need no password, so it stays on this machine: use --host {HOST}")
    return sample_access(typical_investor(build.graph))
