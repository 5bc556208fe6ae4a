"""Put a finished folder in place of another in one step, so that a crash leaves the old one whole."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Final

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2


@contextmanager
def replace_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder beside `target`; when the block ends well it takes target's place and the old one goes.

    Everything is written through to the disk before. On Linux the exchange is one system call; elsewhere a
    crash in the middle can leave the old folder under its set-aside name, from which the next one that begins puts
    it back. What a process left beside when it was killed goes then too. The folder is its owner's alone, whatever
    the umask, since what is built is about persons.
    """
    target = target.absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    with _locked(target.parent):
        _sweep(target)
        aside = Path(tempfile.mkdtemp(prefix=_making(target), dir=target.parent))
        held = os.open(aside, os.O_RDONLY)
        _lock(held)
    try:
        yield aside
        _close_to_others(aside)
        _write_through(aside)
        with _locked(target.parent) as parent:
            _put_in_place(aside, target)
            os.fsync(parent)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        os.close(held)


def _close_to_others(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        path.chmod(0o700 if path.is_dir() else 0o600)


def _making(target: Path) -> str:
    """How the names begin of the folders in which another `target` is made."""
    return f".{target.name}-making-"


def _set_aside(target: Path) -> Path:
    """Where `target` stands for a moment, on systems that cannot exchange two folders."""
    return target.with_name(f".{target.name}-set-aside")


def _sweep(target: Path) -> None:
    """Put back what was set aside, and delete folders that nobody holds any more."""
    if _set_aside(target).exists():
        if target.exists():
            shutil.rmtree(_set_aside(target))
        else:
            _set_aside(target).rename(target)
    for path in target.parent.iterdir():
        if not path.name.startswith(_making(target)) or not path.is_dir() or fcntl is None:
            continue
        found = os.open(path, os.O_RDONLY)
        if _lock(found, wait=False):
            shutil.rmtree(path, ignore_errors=True)
        os.close(found)


@contextmanager
def _locked(folder: Path) -> Iterator[int]:
    """Alone among those who begin or end in `folder`; yields its descriptor."""
    held = os.open(folder, os.O_RDONLY)
    try:
        _lock(held)
        yield held
    finally:
        os.close(held)


def _lock(descriptor: int, *, wait: bool = True) -> bool:
    """Hold a folder until its descriptor is closed; False where somebody else does."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # held, or a file system without locks
        return False
    return True


def _put_in_place(aside: Path, target: Path) -> None:
    if not target.exists():
        aside.rename(target)
    elif not _exchange(aside, target):
        target.rename(_set_aside(target))
        aside.rename(target)
        shutil.rmtree(_set_aside(target), ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one system call; False where the system has none."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        return False
    done: int = libc.renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
    return done == 0


def _write_through(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
