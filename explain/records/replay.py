"""Replay: compute a recorded answer again and say, field by field, what differs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from msgspec import convert

from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.records.adviser import Adviser, Question
from pathfolio.explain.records.columns import unpacked
from pathfolio.explain.records.keep import kept_build
from pathfolio.explain.records.layout import Printed, Record, plain
from pathfolio.explain.records.layout.asked import PackedColumn
from pathfolio.explain.records.record import record_of, software
from pathfolio.explain.records.whole import recorded_rules
from pathfolio.kg.errors import UsageError
from pathfolio.recommender.build import Build, load_build

_MOST: Final = 200
_ABSENT: Final = "(absent)"


@dataclass(frozen=True)
class ReplayDifference:
    """A field that came out otherwise: its place in the record, then and now."""

    field: str
    recorded: object
    computed: object


@dataclass(frozen=True)
class Replay:
    """What computing a record again gave.

    Attributes:
        build: hash of the build that it was computed with.
        sealed: whether that is the build that the record names, its files verified by their hashes.
        differences: empty where everything is the same, bit for bit; `_MOST` at most.
        software: name to (version then, version now), for those that changed.
    """

    record_id: str
    build: str
    sealed: bool
    differences: tuple[ReplayDifference, ...]
    software: dict[str, tuple[str, str]]

    @property
    def same(self) -> bool:
        """Whether the recorded answer came out again, bit for bit."""
        return not self.differences


def find_build(ledger: Ledger, record: Record, given: Path | None) -> Build:
    """The build to replay with: `given`, or the one that was kept for the record; its files are verified.

    Raises:
        UsageError: it was not kept, and none is given.
        DataError: its files are not as they were sealed.
    """
    wanted = record.build.hash
    folder = given or kept_build(ledger, wanted)
    if folder is None:
        raise UsageError(f"build {wanted[:12]} is gone: name it with --build, or what it was made of with --data")
    return load_build(folder, verify=True)


def replay(ledger: Ledger, record_id: str, record: Record, build: Build) -> Replay:
    """Ask `build` the recorded question again, under the recorded rules, and compare."""
    adviser = Adviser(build, recorded_rules(ledger, record), record.told_in)
    computed = record_of(adviser, adviser.advise(Question.asked(record.question)), record.format)
    then, now = record.software, software()
    changed = {name: (then.get(name, ""), now.get(name, "")) for name in then | now if then.get(name) != now.get(name)}
    sealed = build.build_hash == record.build.hash
    compared = tuple(_limited(differences(_without_software(record), _without_software(computed))))
    return Replay(record_id, build.build_hash, sealed, compared, changed)


def _without_software(record: Record) -> Printed:
    return {name: value for name, value in plain(record).items() if name != "software"}


def _limited(found: Iterator[ReplayDifference]) -> Iterator[ReplayDifference]:
    for number, difference in enumerate(found):
        if number == _MOST:
            return
        yield difference


def differences(recorded: object, computed: object, place: str = "") -> Iterator[ReplayDifference]:
    """Where two values differ, down to single fields; numbers must be the same to the last bit.

    >>> list(differences({"a": [1, 2.0]}, {"a": [1, 2.5]}))
    [ReplayDifference(field='a[1]', recorded=2.0, computed=2.5)]
    """
    if isinstance(recorded, dict) and isinstance(computed, dict):
        if set(recorded) == set(computed) == {"type", "data"}:
            yield from _columns(convert(recorded, PackedColumn), convert(computed, PackedColumn), place)
            return
        for name in sorted(recorded.keys() | computed.keys()):
            where = f"{place}.{name}" if place else name
            yield from differences(recorded.get(name, _ABSENT), computed.get(name, _ABSENT), where)
    elif isinstance(recorded, list | tuple) and isinstance(computed, list | tuple):
        if len(recorded) != len(computed):
            yield ReplayDifference(f"{place} (length)", len(recorded), len(computed))
        for number, (old, new) in enumerate(zip(recorded, computed, strict=False)):
            yield from differences(old, new, f"{place}[{number}]")
    elif recorded != computed or isinstance(recorded, bool) != isinstance(computed, bool):
        yield ReplayDifference(place, recorded, computed)


def _columns(recorded: PackedColumn, computed: PackedColumn, place: str) -> Iterator[ReplayDifference]:
    old, new = unpacked(recorded), unpacked(computed)
    if old.shape != new.shape or old.dtype != new.dtype:
        yield ReplayDifference(f"{place} (length)", len(old), len(new))
        return
    for at in np.flatnonzero(old.view(f"u{old.dtype.itemsize}") != new.view(f"u{new.dtype.itemsize}")):
        yield ReplayDifference(f"{place}[{at}]", old[at].item(), new[at].item())
