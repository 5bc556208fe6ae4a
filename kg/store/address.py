"""Where a graph store is and as whom to ask it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pathfolio.kg.errors import UsageError

SCHEMES: Final = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")
_REMEDY: Final = "write it as bolt://host:7687 or neo4j://host:7687 (neo4j+s:// where the server has a certificate)"


@dataclass(frozen=True)
class StoreAddress:
    """A Bolt server, one of its databases, and a user of it.

    Attributes:
        uri: one of `SCHEMES`; neo4j:// asks a cluster for its members, +s needs a trusted certificate.
        database: empty for the user's home database.

    Raises:
        UsageError: the URI is none, or has a password in it.
    """

    uri: str
    user: str = "neo4j"
    password: str = field(default="", repr=False)
    database: str = ""

    def __post_init__(self) -> None:
        scheme, separator, rest = self.uri.partition("://")
        host = rest.partition("/")[0].partition("?")[0]
        if "@" in host:
            raise UsageError("a store's URI has no user or password in it: set PATHFOLIO_NEO4J_USER and _PASSWORD")
        if scheme not in SCHEMES or not separator or not host:
            raise UsageError(f"{self.uri!r} is no Bolt URI: {_REMEDY}")


def address_from_environment(
    uri: str | None = None,
    user: str | None = None,
    database: str | None = None,
    environment: Mapping[str, str] = os.environ,
) -> StoreAddress:
    """The address that PATHFOLIO_NEO4J_URI, _USER, _PASSWORD and _DATABASE give; what is passed here overrides them.

    Raises:
        UsageError: no URI is given, or it is none.
    """
    found = uri or environment.get("PATHFOLIO_NEO4J_URI", "")
    if not found:
        raise UsageError("no graph store is named: give --uri, set PATHFOLIO_NEO4J_URI, or name a build with --build")
    return StoreAddress(
        uri=found,
        user=user or environment.get("PATHFOLIO_NEO4J_USER", "neo4j"),
        password=environment.get("PATHFOLIO_NEO4J_PASSWORD", ""),
        database=database or environment.get("PATHFOLIO_NEO4J_DATABASE", ""),
    )
