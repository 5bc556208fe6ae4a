"""Whether the builds that records rest on are as they were sealed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from pathfolio.explain.ledger.entry import Header
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.records.keep import BUILD, BuildEntry, builds_folder, records_of_builds, registered
from pathfolio.kg.errors import LedgerError
from pathfolio.kg.progress import Progress
from pathfolio.recommender.build import changed_since_sealed

_UNSEALED: Final = ("report.json", "rejected.csv")
"""What older versions kept beside the sealed files; nothing is computed from it."""


class WhichBuilds(StrEnum):
    """Which builds are verified."""

    ALL = "all"
    """All that records refer to: one that is not kept is missing."""
    HERE = "here"
    """Those that are kept on this machine."""
    NONE = "none"


@dataclass(frozen=True)
class VerifiedBuild:
    """A build that records refer to, or that is kept.

    Attributes:
        records: how many refer to it.
        files: how many sealed files were hashed.
        size: their bytes.
        problems: what is wrong, each with the file's name; empty where it is as it was sealed.
    """

    build_hash: str
    records: int
    files: int
    size: int
    problems: tuple[str, ...]


def verify_builds(
    ledger: Ledger, which: WhichBuilds, progress: Progress, *, record: Header | None = None
) -> list[VerifiedBuild]:
    """Every build by the hashes in its manifest, and the manifest by the ledger's own copy of it, by their hashes.

    Args:
        record: only the build that this one refers to, if it does.
    """
    if which is WhichBuilds.NONE:
        return []
    archive = builds_folder(ledger)
    try:
        counts, known = records_of_builds(ledger), {each.tags.get("sha256") for each in ledger.headers(kinds=[BUILD])}
    except LedgerError:  # a damaged ledger, which its own verification tells of
        counts, known = Counter(), set()
    kept = {path.parent.name for path in archive.glob("*/manifest.json")}
    wanted = kept | set(counts) if record is None else {record.tags.get("build", "")} & set(counts)
    if which is WhichBuilds.HERE:
        wanted &= kept
    return [_verified(ledger, archive / name, counts[name], name in known, progress) for name in sorted(wanted)]


def _verified(ledger: Ledger, folder: Path, records: int, known: bool, progress: Progress) -> VerifiedBuild:
    name = folder.name
    if not (folder / "manifest.json").exists():
        problem = f"not kept in {folder.parent}: put it back, or verify where it is (--builds here leaves it out)"
        return VerifiedBuild(name, records, 0, 0, (problem,))
    with progress.stage(f"verify build {name[:12]}") as details:
        try:
            manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            problems = tuple(_problems(ledger, folder, manifest, known, progress))
            sizes = [path.stat().st_size for path in map(folder.joinpath, manifest["files"]) if path.is_file()]
        except (ValueError, TypeError, KeyError, AttributeError):
            problems, sizes = ("manifest.json: changed since the build was sealed: it cannot be read",), []
        details.append(f"{len(sizes):,} files, {sum(sizes) / 1e6:,.1f} MB")
    return VerifiedBuild(name, records, len(sizes), sum(sizes), problems)


def _problems(
    ledger: Ledger, folder: Path, manifest: Mapping[str, Any], known: bool, progress: Progress
) -> Iterator[str]:
    if manifest["build_hash"] != folder.name:
        yield f"manifest.json: of another build, {str(manifest['build_hash'])[:12]}"
    if known and not _is_as_recorded(ledger, folder):
        yield "manifest.json: not as the ledger has it"
    for name, problem in changed_since_sealed(folder, manifest, lambda name: progress.update(f"hash {name}")):
        yield f"{name}: {problem} since the build was sealed"
    expected = {"manifest.json", *_UNSEALED, *manifest["files"]}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name not in expected and not path.is_dir():
            yield f"{name}: added since the build was sealed"


def _is_as_recorded(ledger: Ledger, folder: Path) -> bool:
    """Whether the manifest is the one that the ledger's entry of the build repeats."""
    try:
        recorded = registered(ledger, BuildEntry, folder.name).manifest
    except LedgerError:  # the entry itself is altered, which the ledger's own verification tells
        return True
    return (folder / "manifest.json").read_text(encoding="utf-8") == recorded
