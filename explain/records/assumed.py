"""Records of what-if lists: what was assumed, and what was listed under it; kept apart from recommendations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from explain.assumed import AssumedList
from explain.ledger.writer import Receipt
from explain.records.desk import Desk
from explain.records.keep import keep
from explain.records.record import software
from explain.records.serve import tags_of

WHAT_IF: Final = "what-if"
FORMAT: Final = 1


def record_what_if(
    desk: Desk, who: str, through: str, user_id: str | None, assumed: Mapping[str, Any], found: AssumedList
) -> Receipt:
    """Append the record of one what-if list; once it returns, the list may be shown.

    Args:
        who, through: as in `explain.records.adviser.Question`.
        user_id: whose key seals it; None for somebody whom the snapshot does not have, of whom nothing is known but
            these answers.
        assumed: the answers and the assets followed and dismissed, in JSON's types.

    Raises:
        LedgerError: it could not be recorded, so there is nothing to show.
    """
    adviser, ledger = desk.adviser, desk.ledger
    keep(adviser.build, adviser.rules, ledger)
    lines = [
        {"rank": line.move.rank, "was": line.move.was, "asset_id": line.explanation.asset_id, "score": line.score}
        for line in found.lines
    ]
    record = {
        "format": FORMAT,
        "question": {"who": who, "through": through, "user_id": user_id, "assumed": dict(assumed)},
        "build": {"hash": adviser.build.build_hash, "versions": dict(adviser.build.manifest["versions"])},
        "rules": {"market": adviser.rules.market, "version": adviser.rules.version, "sha256": adviser.rules.sha256},
        "software": software(),
        "list": lines,
    }
    return ledger.append(record, person=user_id, kind=WHAT_IF, tags=tags_of(adviser))
