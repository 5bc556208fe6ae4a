"""Records by the list that they show: the same list shown again, and what was asked about one of its assets, is a look
at that list, not another one."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from pathfolio.explain.evidence import PathNode


@dataclass(frozen=True)
class RecordLine:
    """One record in the list; `state` and `asset_id` as in `Summary`, `investor` None where nobody of the build can be
    named."""

    id: str
    time: str
    is_what_if: bool
    investor: PathNode | None
    user_id: str
    who: str
    through: str
    assets: tuple[tuple[str, str], ...]
    rejected: int
    build: str
    rules: str
    asset_id: str
    state: Annotated[str, Meta(extra_json_schema={"enum": ["readable", "erased", "altered"]})]


@dataclass(frozen=True)
class ShownList:
    """One list, by its newest record, and the other records that show it or explain an asset of it, newest first."""

    newest: RecordLine
    views: tuple[RecordLine, ...]


def lists_of(lines: Iterable[RecordLine]) -> tuple[ShownList, ...]:
    """The lists that records show, in the order of the newest record of each.

    Two records show one list where investor, build, rules and kind of question are the same and the assets are, in
    their order. An explanation belongs to the newest such list that its asset stands on.

    Args:
        lines: records, the newest first.
    """
    lines = list(lines)
    newest_of: dict[Hashable, RecordLine] = {}
    for line in lines:
        if not line.asset_id:
            newest_of.setdefault(_list_of(line), line)
    newest = list(newest_of.values())
    views: dict[str, list[RecordLine]] = {}
    for line in lines:
        views.setdefault(_shown_by(line, newest_of, newest), []).append(line)
    return tuple(ShownList(shown[0], tuple(shown[1:])) for shown in map(_list_first, views.values()))


def _question(line: RecordLine) -> Hashable:
    whom = line.user_id if line.state == "readable" and line.user_id else line.id
    return whom, line.build, line.rules, line.is_what_if


def _list_of(line: RecordLine) -> Hashable:
    return _question(line), tuple(asset for asset, _ in line.assets)


def _shown_by(line: RecordLine, newest_of: dict[Hashable, RecordLine], newest: list[RecordLine]) -> str:
    """The id of the record under which the line stands."""
    if not line.asset_id:
        return newest_of[_list_of(line)].id
    lists = (each for each in newest if _question(each) == _question(line))
    found = (each for each in lists if line.asset_id in {asset for asset, _ in each.assets})
    return next(found, line).id


def _list_first(lines: list[RecordLine]) -> list[RecordLine]:
    """Its newest list before what explains one of its assets."""
    return sorted(lines, key=lambda line: bool(line.asset_id))
