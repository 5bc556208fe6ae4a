"""What leaves a build: investors and what is theirs only where they are asked for with a purpose; it is recorded."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from pathfolio.kg.errors import UsageError
from pathfolio.web.advice import account_name

if TYPE_CHECKING:
    from pathfolio.embeddings.vectors import EntityVectors
    from pathfolio.recommender.build import Build

LEFT_OUT: Final = "left out"
INCLUDED: Final = "included"


_VECTORS_TOO: Final = (
    "investors' vectors too; they tell what somebody holds almost as positions do, so --purpose has to say why"
)


def add_investors(parser: argparse.ArgumentParser, told: str = _VECTORS_TOO) -> None:
    """The options that ask for investors; `told` is what the first one is for."""
    parser.add_argument("--with-investors", action="store_true", help=told)
    parser.add_argument("--purpose", default="", metavar="TEXT", help="why investors are needed; recorded")


def handed_on(
    build: Build,
    args: argparse.Namespace,
    *,
    what: str,
    form: str = "",
    file: str = "",
    server: str = "",
    of: str = "kg",
) -> EntityVectors:
    """The vectors that `args` asks for, once the ledger has recorded who takes them, and why; as `note_export`.

    `of` says which (`pathfolio.recommender.learned_vectors.SETS`); UsageError where the build has none of them.
    """
    from pathfolio.recommender.learned_vectors import SETS

    vectors = SETS[of](build)
    note_export(args, build.build_hash, what=what, form=form, file=file, server=server)
    return vectors if args.with_investors else vectors.without_investors()


def note_export(
    args: argparse.Namespace, source: str, *, what: str, form: str = "", file: str = "", server: str = ""
) -> None:
    """Record who takes what, and why where investors are in it.

    Args:
        source: the hash of the build, or of the graph.
        what: what is done, as the ledger's entry says it.
        form: of the file; `file` and `server` are where to.

    Raises:
        UsageError: investors without a purpose, or a purpose without them.
        LedgerError: it could not be recorded, so nothing may be handed on.
    """
    from pathfolio.explain.ledger.opening import open_ledger
    from pathfolio.explain.records.uses import ExportUse, note_use

    purpose = args.purpose.strip()
    if args.with_investors and not purpose:
        raise UsageError("what is learned of investors tells what they hold: say --purpose why they are needed")
    if purpose and not args.with_investors:
        raise UsageError("--purpose is for investors: add --with-investors, or leave it out")
    use = ExportUse(
        who=account_name(),
        what=what,
        build=source,
        format=form,
        file=file,
        server=server,
        investors=INCLUDED if purpose else LEFT_OUT,
        purpose=purpose,
    )
    ledger = open_ledger()
    note_use(ledger, use)
    ledger.close()
