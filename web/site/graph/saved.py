"""Saved queries and scenes, and what saved queries answered on each graph: beside the ledger, in no build."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from pathfolio.explain.ledger.store import LedgerDatabase
from pathfolio.kg.errors import StoreError, UsageError
from pathfolio.kg.store.query import QueryResult
from pathfolio.kg.store.values import to_json

FILE: Final = "graph-saved.sqlite"
LONGEST_NAME: Final = 120
MOST_SAVED: Final = 500

_META: Final = sa.MetaData()
_SAVED: Final = sa.Table(
    "graph_saved",
    _META,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("name", sa.String(LONGEST_NAME), nullable=False),
    sa.Column("owner", sa.String(64), nullable=False),
    sa.Column("created", sa.String(32), nullable=False),
    sa.Column("investors", sa.Boolean, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)
_ANSWERS: Final = sa.Table(
    "graph_answers",
    _META,
    sa.Column("saved", sa.String(16), primary_key=True),
    sa.Column("graph", sa.String(64), primary_key=True),
    sa.Column("as_of", sa.String(10), nullable=False),
    sa.Column("answer", sa.String(64), nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
)


class SavedKind(StrEnum):
    """What can be saved."""

    QUERY = "query"
    SCENE = "scene"


@dataclass(frozen=True)
class SavedAnswer:
    """What a saved query answered on a graph.

    Attributes:
        graph: the content hash of the snapshot.
        answer: a hash of the columns and of the rows, whatever their order.
    """

    graph: str
    as_of: date
    answer: str
    rows: int


@dataclass(frozen=True)
class SavedItem:
    """A query or a scene under a name.

    Attributes:
        id: stands in its link.
        investors: whether it was saved where investors are part of the graph; who may not see them does not see it.
        body: a query's text, name and parameters, or what is on the canvas and how it looks.
        answers: of a query, the newest two.
    """

    id: str
    kind: SavedKind
    name: str
    owner: str
    created: str
    investors: bool
    body: dict[str, Any]
    answers: tuple[SavedAnswer, ...] = ()

    @property
    def has_changed(self) -> bool:
        """Whether a query's answer is another one than on the graph before."""
        return len(self.answers) > 1 and self.answers[0].answer != self.answers[1].answer


class SavedThings:
    """What people saved, in a file beside the ledger's (mode 0600), or in the ledger's own database.

    Args:
        ledger: where the ledger lies.
        investors: whether those who ask may see investors.

    Raises:
        StoreError: it cannot be read or written; so do all methods.
    """

    def __init__(self, ledger: LedgerDatabase, *, investors: bool) -> None:
        """Make the tables where they are absent."""
        self.investors = investors
        self._where = ledger.where
        self._engine = ledger.engine
        if ledger.folder is not None:
            self._engine = _beside(ledger.folder / FILE)
        with self._begun() as connection:
            _META.create_all(connection)

    def add(self, kind: SavedKind, name: str, owner: str, body: dict[str, Any]) -> SavedItem:
        """Save something under a name; of the same owner, kind and name what is new takes the old one's place.

        Raises:
            UsageError: it has no name, or there are too many.
        """
        name = " ".join(name.split())
        if not 0 < len(name) <= LONGEST_NAME:
            raise UsageError(f"a name of {len(name)} characters: give one of 1 to {LONGEST_NAME}")
        if sum(1 for each in self.all() if each.owner == owner) >= MOST_SAVED:
            raise UsageError(f"{MOST_SAVED} things are saved already: remove one first")
        item = SavedItem(
            secrets.token_hex(8), kind, name, owner, datetime.now(UTC).isoformat("T", "seconds"), self.investors, body
        )
        values = {"id": item.id, "kind": kind.value, "name": name, "owner": owner, "created": item.created}
        with self._begun() as connection:
            same = sa.and_(_SAVED.c.owner == owner, _SAVED.c.kind == kind.value, _SAVED.c.name == name)
            connection.execute(_SAVED.delete().where(same))
            connection.execute(_SAVED.insert().values(**values, investors=self.investors, body=json.dumps(body)))
        return item

    def all(self) -> tuple[SavedItem, ...]:
        """All that may be seen, by name."""
        with self._begun() as connection:
            rows = connection.execute(sa.select(_SAVED).order_by(_SAVED.c.name, _SAVED.c.created)).all()
            return tuple(self._item(connection, row) for row in rows if self.investors or not row.investors)

    def find(self, key: str) -> SavedItem | None:
        """What has this id, where it may be seen."""
        return next((each for each in self.all() if each.id == key), None)

    def remove(self, key: str, owner: str) -> bool:
        """Remove what the owner saved; whether there was such a thing."""
        with self._begun() as connection:
            found = connection.execute(_SAVED.delete().where(_SAVED.c.id == key, _SAVED.c.owner == owner)).rowcount
            if found:
                connection.execute(_ANSWERS.delete().where(_ANSWERS.c.saved == key))
        return bool(found)

    def note(self, item: SavedItem, answer: SavedAnswer) -> SavedItem:
        """Remember what a query answered on a graph; the item with it."""
        values = {"as_of": answer.as_of.isoformat(), "answer": answer.answer, "count": answer.rows}
        with self._begun() as connection:
            connection.execute(_ANSWERS.delete().where(_ANSWERS.c.saved == item.id, _ANSWERS.c.graph == answer.graph))
            connection.execute(_ANSWERS.insert().values(saved=item.id, graph=answer.graph, **values))
            row = connection.execute(sa.select(_SAVED).where(_SAVED.c.id == item.id)).one()
            return self._item(connection, row)

    def _item(self, connection: sa.Connection, row: sa.Row[Any]) -> SavedItem:
        query = sa.select(_ANSWERS).where(_ANSWERS.c.saved == row.id).order_by(_ANSWERS.c.as_of.desc()).limit(2)
        answers = tuple(
            SavedAnswer(each.graph, date.fromisoformat(each.as_of), each.answer, each._mapping["count"])
            for each in connection.execute(query)
        )
        kind, body = SavedKind(row.kind), json.loads(row.body)
        return SavedItem(row.id, kind, row.name, row.owner, row.created, bool(row.investors), body, answers)

    @contextmanager
    def _begun(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            found = " ".join(str(getattr(error, "orig", None) or error).split())
            raise StoreError(f"{self._where}: what was saved cannot be read or written ({found})") from None


def _beside(path: Path) -> sa.Engine:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreError(
            f"{path}: nothing can be saved here ({error.strerror}): remove it, or mend its rights"
        ) from None
    return sa.create_engine(f"sqlite:///{path}")


def answer_of(result: QueryResult, graph: str, as_of: date) -> SavedAnswer:
    """What is remembered of an answer: no row of it, only how many there are and their hash."""
    rows = sorted(json.dumps([to_json(value) for value in row], sort_keys=True) for row in result.rows)
    told = json.dumps([list(result.columns), rows, result.cut])
    return SavedAnswer(graph, as_of, hashlib.sha256(told.encode()).hexdigest(), len(rows))
