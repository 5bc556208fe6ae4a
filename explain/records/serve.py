"""Serving: an answer is recorded before it is handed on, and what it rests on is kept as long as the record."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from explain.ledger.ledger import RECOMMENDATION, Ledger
from explain.ledger.writer import Receipt
from explain.records.adviser import Advice, Adviser, Question
from explain.records.record import record_of
from kg.errors import LedgerError
from recommender.build import Build
from recommender.suitability.rules import RuleSet

BUILD: Final = "build"
RULES: Final = "rules"
BUILDS_VARIABLE: Final = "PATHFOLIO_BUILDS"
_AT_ONCE: Final = 256


@dataclass(frozen=True)
class Served:
    """An answer that may be shown, since it was recorded: the receipt proves it."""

    advice: Advice
    record: dict[str, Any]
    receipt: Receipt


def serve(adviser: Adviser, ledger: Ledger, question: Question) -> Served:
    """Answer `question`, once the answer is in the ledger.

    Raises:
        LedgerError: it could not be recorded, so there is nothing to show.
        UsageError: unknown investor, asset or kind.
    """
    keep(adviser.build, adviser.rules, ledger)
    advice = adviser.advise(question)
    record = record_of(adviser, advice)
    receipt = ledger.append(record, person=question.user_id, kind=RECOMMENDATION, tags=_tags(adviser))
    return Served(advice, record, receipt)


def serve_all(adviser: Adviser, ledger: Ledger, questions: Iterable[Question]) -> Iterator[Served]:
    """Many answers, recorded some hundred at a time; each is handed on once its group is in the ledger."""
    keep(adviser.build, adviser.rules, ledger)
    group: list[tuple[Advice, dict[str, Any]]] = []
    for question in questions:
        advice = adviser.advise(question)
        group.append((advice, record_of(adviser, advice, whole=False)))
        if len(group) == _AT_ONCE:
            yield from _recorded(adviser, ledger, group)
            group = []
    yield from _recorded(adviser, ledger, group)


def _recorded(adviser: Adviser, ledger: Ledger, group: list[tuple[Advice, dict[str, Any]]]) -> Iterator[Served]:
    records = [(record, advice.question.user_id) for advice, record in group]
    receipts = ledger.append_many(records, kind=RECOMMENDATION, tags=_tags(adviser))
    for (advice, record), receipt in zip(group, receipts, strict=True):
        yield Served(advice, record, receipt)


def _tags(adviser: Adviser) -> dict[str, str]:
    """What a record's header says in the open."""
    as_of = adviser.build.as_of.isoformat()
    return {"build": adviser.build.build_hash, "rules": adviser.rules.sha256, "as_of": as_of}


# -- what records rest on ------------------------------------------------------------------------------------


def keep(build: Build, rules: RuleSet, ledger: Ledger) -> None:
    """Before a build's first record: put its manifest, its assets and the rules into the ledger, and keep its files."""
    known = ledger.noted
    if (BUILD, build.build_hash) not in known:
        keep_files(build, builds_folder(ledger))
        _register(ledger, BUILD, build.build_hash, _about_build(build))
    if (RULES, rules.sha256) not in known:
        about = {"market": rules.market, "version": rules.version, "sha256": rules.sha256, "text": rules.text}
        _register(ledger, RULES, rules.sha256, about)


def _register(ledger: Ledger, kind: str, sha256: str, payload: dict[str, Any]) -> None:
    if not any(header.tags.get("sha256") == sha256 for header in ledger.headers(kinds=[kind])):
        ledger.append(payload, person=None, kind=kind, retention="ledger", tags={"sha256": sha256})
    ledger.noted.add((kind, sha256))


def registered(ledger: Ledger, kind: str, sha256: str) -> dict[str, Any]:
    """The build or rules that a record names; raises LedgerError where the ledger has no entry of them."""
    for header in ledger.headers(kinds=[kind]):
        if header.tags.get("sha256") == sha256:
            payload: dict[str, Any] = ledger.unsealed(ledger.leaf(header.id))
            return payload
    raise LedgerError(f"the ledger has no entry of {kind} {sha256[:12]}: it was written by other means")


def _about_build(build: Build) -> dict[str, Any]:
    graph = build.graph
    columns = {
        name: [str(x) for x in getattr(graph.nodes, name)[graph.assets]] for name in ("id", "name", "name_local")
    }
    columns["kind"] = [graph.kind_of(int(row)).lower() for row in graph.assets]
    text = (build.folder / "manifest.json").read_text(encoding="utf-8")
    return {"manifest": text, "assets": columns}


def builds_folder(ledger: Ledger) -> Path:
    """Where builds that records refer to are kept: PATHFOLIO_BUILDS, or beside the ledger's keys."""
    return Path(os.environ.get(BUILDS_VARIABLE) or ledger.folder / "builds")


def kept_build(ledger: Ledger, build_hash: str) -> Path | None:
    """The folder of a build that was kept, or None."""
    folder = builds_folder(ledger) / build_hash
    return folder if (folder / "manifest.json").exists() else None


def keep_files(build: Build, archive: Path) -> Path:
    """Keep a build's files under its hash: as further names of the same files, or copied from another disk.

    A build's files are never written to, only replaced as a whole, so a further name is as good as a copy.
    """
    target = archive / build.build_hash
    if (target / "manifest.json").exists():
        return target
    try:
        archive.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside = Path(tempfile.mkdtemp(prefix=".new-", dir=archive))
        shutil.copytree(build.folder, aside / "build", copy_function=_link)
        (aside / "build").rename(target)
        aside.rmdir()
    except OSError as error:
        if not (target / "manifest.json").exists():  # else another process has just kept it
            raise LedgerError(
                f"{archive}: cannot keep build {build.build_hash[:12]} ({error.strerror}): make room, or set "
                f"{BUILDS_VARIABLE} to another folder; nothing was recorded"
            ) from None
    return target


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
