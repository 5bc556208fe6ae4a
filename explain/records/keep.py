"""What records rest on: builds, their manifests and rules are kept as long as a record refers to them."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import msgspec

from pathfolio.explain.ledger.entry import Header, Said, open_payload
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.payloads import Payload
from pathfolio.kg.errors import DataError, LedgerError
from pathfolio.kg.swap import replace_folder
from pathfolio.recommender.build import Build, changed_since_sealed
from pathfolio.recommender.suitability.rules import RuleSet

BUILD: Final = "build"
RULES: Final = "rules"
BUILDS_VARIABLE: Final = "PATHFOLIO_BUILDS"

_MOST_AT_ONCE: Final = 1 << 30
"""Bytes that the kernel copies in one call."""


class AssetColumns(msgspec.Struct, frozen=True):
    """A build's assets in its order, a column each for their ids, names and kinds."""

    id: tuple[str, ...]
    name: tuple[str, ...]
    name_local: tuple[str, ...]
    kind: tuple[str, ...]


class BuildEntry(Payload, frozen=True):
    """A build: its manifest's text, and the assets that its records' columns count."""

    entry_kind: ClassVar[str] = BUILD
    manifest: str
    assets: AssetColumns


class RulesEntry(Payload, frozen=True):
    """A rule file, whole."""

    entry_kind: ClassVar[str] = RULES
    market: str
    version: str
    sha256: str
    text: str


def keep(build: Build, rules: RuleSet, ledger: Ledger) -> None:
    """Before a build's first record: put its manifest, its assets and the rules into the ledger, and keep its files."""
    known = ledger.noted
    keep_files(build, builds_folder(ledger))
    if (BUILD, build.build_hash) not in known:
        _register(ledger, build.build_hash, _about_build(build))
    if (RULES, rules.sha256) not in known:
        _register(ledger, rules.sha256, RulesEntry(rules.market, rules.version, rules.sha256, rules.text))


def _register(ledger: Ledger, sha256: str, entry: Payload) -> None:
    kind = entry.entry_kind
    if not any(header.tags.get("sha256") == sha256 for header in ledger.headers(kinds=[kind])):
        ledger.note(entry, tags={"sha256": sha256})
    ledger.noted.add((kind, sha256))


def registered(ledger: Ledger, said: type[Said], sha256: str) -> Said:
    """The build or rules that a record names; raises LedgerError where the ledger has no entry of them."""
    return open_payload(ledger.leaf(_entry_of(ledger, said.entry_kind, sha256).id), None, said)


def registered_at(ledger: Ledger, said: type[Payload], sha256: str) -> int:
    """The place in the ledger at which it was registered; raises as `registered`."""
    return _entry_of(ledger, said.entry_kind, sha256).seq


def _entry_of(ledger: Ledger, kind: str, sha256: str) -> Header:
    for header in ledger.headers(kinds=[kind]):
        if header.tags.get("sha256") == sha256:
            return header
    raise LedgerError(f"the ledger has no entry of {kind} {sha256[:12]}: it was written by other means")


def _about_build(build: Build) -> BuildEntry:
    nodes, assets = build.graph.nodes, build.graph.assets
    columns = AssetColumns(
        id=tuple(map(str, nodes.id[assets])),
        name=tuple(map(str, nodes.name[assets])),
        name_local=tuple(map(str, nodes.name_local[assets])),
        kind=tuple(build.graph.kind_of(row).lower() for row in assets.tolist()),
    )
    return BuildEntry((build.folder / "manifest.json").read_text(encoding="utf-8"), columns)


def builds_folder(ledger: Ledger) -> Path:
    """Where builds that records refer to are kept: PATHFOLIO_BUILDS, or beside the ledger's keys."""
    return Path(os.environ.get(BUILDS_VARIABLE) or ledger.folder / "builds")


def kept_build(ledger: Ledger, build_hash: str) -> Path | None:
    """The folder of a build that was kept, or None."""
    folder = builds_folder(ledger) / build_hash
    return folder if (folder / "manifest.json").exists() else None


def keep_files(build: Build, archive: Path) -> Path:
    """Keep a copy of a build's sealed files under its hash, on disk and write-protected once this returns.

    A copy, since whoever edits the build's folder would edit a further name of the same file, too; where the file
    system can share blocks between copies, it takes no room.

    Raises:
        LedgerError: there is no room, a file is not as it was sealed, or another build is where this one was.
    """
    target = archive / build.build_hash
    if (target / "manifest.json").exists() and (target / "manifest.json").stat().st_nlink == 1:
        return target
    try:
        archive.mkdir(parents=True, exist_ok=True, mode=0o700)
        with replace_folder(target) as aside:
            if (target / "manifest.json").exists():  # kept as further names of the build's files, by older versions
                shutil.copytree(target, aside, dirs_exist_ok=True)
            else:
                _copy_sealed(build, aside)
        for path in target.rglob("*"):
            path.chmod(0o700 if path.is_dir() else 0o400)
    except DataError as error:
        raise LedgerError(f"{error}; nothing was recorded") from None
    except OSError as error:
        if not (target / "manifest.json").exists():  # else another process has just kept it
            raise LedgerError(
                f"{archive}: cannot keep build {build.build_hash[:12]} ({error.strerror}): make room, or set "
                f"{BUILDS_VARIABLE} to another folder; nothing was recorded"
            ) from None
    return target


def _copy_sealed(build: Build, aside: Path) -> None:
    """Copy what the manifest names; raises DataError where that is not as it was sealed."""
    for name in ("manifest.json", *build.manifest["files"]):
        if (build.folder / name).is_file():
            (aside / name).parent.mkdir(parents=True, exist_ok=True)
            _copy(build.folder / name, aside / name)
    build.check_in_place()  # else these are another build's files
    for name, problem in changed_since_sealed(aside, build.manifest):
        if name != "manifest.json":  # as it was read when the build was opened
            raise DataError(f"{build.folder / name}: {problem} since the build was sealed: restore it or build again")


def _copy(source: Path, target: Path) -> None:
    """Within the kernel where it can, which shares blocks on file systems that do."""
    try:
        with source.open("rb") as old, target.open("wb") as new:
            while os.copy_file_range(old.fileno(), new.fileno(), _MOST_AT_ONCE):
                pass
    except (AttributeError, OSError):  # another system, or two file systems
        shutil.copyfile(source, target)


@dataclass(frozen=True)
class KeptBuild:
    """A build that is kept.

    Attributes:
        records: how many records refer to it whose content is still there.
        size: bytes of its files.
    """

    build_hash: str
    folder: Path
    records: int
    size: int


def kept_builds(ledger: Ledger) -> list[KeptBuild]:
    """All builds that are kept, by their hashes."""
    counts = records_of_builds(ledger)
    folders = sorted(path.parent for path in builds_folder(ledger).glob("*/manifest.json"))
    return [KeptBuild(path.name, path, counts[path.name], _size(path)) for path in folders]


def records_of_builds(ledger: Ledger) -> Counter[str]:
    """How many records refer to a build, by its hash, of those whose content is still there."""
    return Counter(header.tags["build"] for header in ledger.headers() if "build" in header.tags)


def drop_unused(ledger: Ledger) -> list[KeptBuild]:
    """Delete the kept builds that no record refers to any more; returns them.

    A build is kept before its first record is written, so this is not for moments at which lists are served.
    """
    unused = [kept for kept in kept_builds(ledger) if not kept.records]
    for kept in unused:
        shutil.rmtree(kept.folder)
    return unused


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
