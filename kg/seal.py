"""The seal of a folder: its manifest.json names the SHA-256 of each file, and one over all that the manifest says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

MANIFEST: Final = "manifest.json"


def sealed(about: Mapping[str, Any], folder: Path, hash_name: str) -> dict[str, Any]:
    """The manifest of all files that are in `folder` now.

    Args:
        about: what else it says.
        hash_name: under it the manifest has the SHA-256 over `about` and the hashes of the files.
    """
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    whole = {**about, "files": {path.relative_to(folder).as_posix(): _sha256(path) for path in paths}}
    return {hash_name: _hash_of(whole), **whole}


def changed_files(
    folder: Path, manifest: Mapping[str, Any], hash_name: str, told: Callable[[str], object] = str
) -> Iterator[tuple[str, str]]:
    """Sealed files that are not as the manifest says, each with what is wrong: changed or missing.

    Args:
        manifest: of `folder`, of whatever format.
        hash_name: as in `sealed`.
        told: is given the name of each file before it is hashed.
    """
    for name, expected in manifest["files"].items():
        told(name)
        path = folder / name
        if not path.is_file():
            yield name, "missing"
        elif _sha256(path) != expected:
            yield name, "changed"
    if _hash_of({key: value for key, value in manifest.items() if key != hash_name}) != manifest[hash_name]:
        yield MANIFEST, "changed"


def versions_of(*libraries: str) -> dict[str, str | None]:
    """The versions of what made a folder; None for a library that is not installed."""
    return {name: _version(name) for name in libraries}


def write_json(path: Path, value: object) -> None:
    """Write JSON that people can read, the same bytes for the same value."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _hash_of(about: Mapping[str, Any]) -> str:
    text = json.dumps(about, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
