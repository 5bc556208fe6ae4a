"""Wait until a Neo4j answers, give a new one a password of its own and print the environment that names it."""

from __future__ import annotations

import os
import secrets
import sys
import time
from pathlib import Path

from neo4j import GraphDatabase
from neo4j.exceptions import Neo4jError, ServiceUnavailable

PATIENCE = 120.0
"""Seconds; a server on two busy cores answers after 9 to 30."""


def main(uri: str, pid_file: Path, kept: str) -> None:
    """`kept` is the password of a server that had one before; empty for a new server."""
    password = kept or secrets.token_urlsafe(24)
    end = time.monotonic() + PATIENCE
    while not (answers(uri, password) if kept else change_password(uri, password)):
        os.kill(int(pid_file.read_text(encoding="ascii")), 0)  # raises where the server has died
        if time.monotonic() > end:
            sys.exit(f"{uri}: no answer after {PATIENCE:.0f} s")
        time.sleep(0.2)
    for name, value in (("URI", uri), ("USER", "neo4j"), ("PASSWORD", password)):
        sys.stdout.write(f"export PATHFOLIO_NEO4J_{name}={value}\n")


def change_password(uri: str, password: str) -> bool:
    """Replace the password that every new server has; False while the server is not up."""
    change = "ALTER CURRENT USER SET PASSWORD FROM 'neo4j' TO $password"
    return answers(uri, "neo4j", change, "system", password=password)


def answers(uri: str, login: str, query: str = "RETURN 1", database: str = "neo4j", **values: str) -> bool:
    """Whether the server answers a query; False while it is not up."""
    try:
        with GraphDatabase.driver(uri, auth=("neo4j", login), max_transaction_retry_time=0) as driver:
            driver.execute_query(query, database_=database, parameters_=values)
    except (ServiceUnavailable, OSError):
        return False
    except Neo4jError as error:
        if error.code and error.code.startswith("Neo.TransientError"):
            return False
        raise
    return True


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
