"""Vectors that leave a build: those of investors only where they are asked for with a purpose; it is recorded."""

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


def add_investors(parser: argparse.ArgumentParser) -> None:
    """The options that ask for investors' vectors."""
    told = "investors' vectors too; they tell what somebody holds almost as positions do, so --purpose has to say why"
    parser.add_argument("--with-investors", action="store_true", help=told)
    parser.add_argument("--purpose", default="", metavar="TEXT", help="why investors' vectors are needed; recorded")


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
    """The vectors that `args` asks for, once the ledger has recorded who takes them, and why.

    Args:
        what: what is done, as the ledger's entry says it.
        form: of the file; `file` and `server` are where to.
        of: which vectors (`pathfolio.recommender.learned_vectors.SETS`).

    Raises:
        UsageError: investors' vectors without a purpose, a purpose without them, or the build has no such vectors.
        LedgerError: it could not be recorded, so nothing may be handed on.
    """
    from pathfolio.explain.ledger.opening import open_ledger
    from pathfolio.explain.records.uses import ExportUse, note_use
    from pathfolio.recommender.learned_vectors import SETS

    purpose = args.purpose.strip()
    if args.with_investors and not purpose:
        raise UsageError("vectors of investors tell what they hold: say --purpose why they are needed")
    if purpose and not args.with_investors:
        raise UsageError("--purpose is for investors' vectors: add --with-investors, or leave it out")
    use = ExportUse(
        who=account_name(),
        what=what,
        build=build.build_hash,
        format=form,
        file=file,
        server=server,
        investors=INCLUDED if purpose else LEFT_OUT,
        purpose=purpose,
    )
    vectors = SETS[of](build)
    ledger = open_ledger()
    note_use(ledger, use)
    ledger.close()
    return vectors if args.with_investors else vectors.without_investors()
