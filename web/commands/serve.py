"""`pathfolio serve`: a build as a site."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pathfolio.web.advice import add_rules, add_today, open_desk, rules_text, today_text
from pathfolio.web.arguments import add_build
from pathfolio.web.commands.accounts import add_store

if TYPE_CHECKING:
    from pathfolio.recommender.build import Build
    from pathfolio.web.site.access.guard import Access

HOST = "127.0.0.1"
PORT = 8000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pathfolio serve`."""
    add_build(parser)
    add_server_arguments(parser)
    add_rules(parser)
    add_today(parser)
    add_store(parser)
    parser.add_argument(
        "--url",
        help="where visitors find the site, if not at --host: behind a proxy that speaks HTTPS (https://…), and that "
        "passes on Host and sets X-Forwarded-For and X-Forwarded-Proto",
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
    """Serve the build until interrupted."""
    return serve_build(args.build, args)


def serve_build(folder: Path, args: argparse.Namespace, *, demo: bool = False, ledger: Path | None = None) -> int:
    """Serve the build in `folder` on `args.host` and `args.port` until Ctrl-C; returns the exit code.

    Args:
        demo: with sample accounts that the sign-in page shows, as in `pathfolio demo`.
        ledger: where records go; where the environment says, or among the user's data, for None.

    Raises:
        UsageError: the port is taken, or others could reach the site though there are no accounts.
        DataError: there is no build.
        LedgerError: the ledger cannot be opened, so nothing could be shown.
    """
    from contextlib import ExitStack, closing

    from pathfolio.explain.records.keep import keep
    from pathfolio.kg.progress import Progress
    from pathfolio.recommender.build import load_build
    from pathfolio.web.site import create_app
    from pathfolio.web.site.app import LOOPBACK_NAMES
    from pathfolio.web.site.helpers import helpers_for
    from pathfolio.web.site.server import address_of, listen, run, say

    build = load_build(folder)
    url = getattr(args, "url", None)
    access = _demo_access(build, args.host) if demo else _access(args.host, url, getattr(args, "accounts", None))
    desk = open_desk(build, args.rules, ledger, args.today)
    with ExitStack() as until_the_end:
        until_the_end.callback(desk.ledger.close)
        keep(build, desk.adviser.rules, desk.ledger)  # before another build takes its place; where it cannot, it stops
        listener = until_the_end.enter_context(listen(args.host, args.port))
        with Progress().stage(f"load the build of {build.as_of}"):
            names = (urlsplit(url).hostname or "",) if url else ()
            app = create_app(build, access, desk=desk, trusted_hosts=(*LOOPBACK_NAMES, *names), behind_proxy=bool(url))
            app.extensions["pathfolio"].warm_up()
            helpers = helpers_for(app, args.helpers)
            if helpers is not None:
                until_the_end.enter_context(closing(helpers))
        label = "sample market, generated data" if build.is_sample else build.graph.name
        told = f"{rules_text(desk.adviser.rules)}; {today_text(desk)}"
        say(f"what is shown is recorded in {desk.ledger.store.where}; {told}")
        say(f"pathfolio is at {url or address_of(listener, args.host)} ({label}, as of {build.as_of}); Ctrl-C stops it")
        graph = until_the_end.enter_context(closing(app.extensions["pathfolio_graph"]))
        if getattr(args, "graph", False):
            say(graph.started())
        run(app, listener)
    say("stopped")
    return 0


def _access(host: str, url: str | None, where: str | None) -> Access:
    """Who may use the site: whoever is at this machine, or whoever has an account."""
    from pathfolio.kg.errors import UsageError
    from pathfolio.web.site.access.accounts import Accounts
    from pathfolio.web.site.access.guard import Access
    from pathfolio.web.site.access.oidc import OidcSettings
    from pathfolio.web.site.server import LOOPBACK

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
    from pathfolio.web.site.access.samples import sample_access
    from pathfolio.web.site.examples import typical_investor
    from pathfolio.web.site.server import LOOPBACK

    if host not in LOOPBACK:
        raise UsageError(f"the demo's accounts need no password, so it stays on this machine: use --host {HOST}")
    return sample_access(typical_investor(build.graph))
