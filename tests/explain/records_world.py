"""What the tests of records ask, and of whom."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from pathfolio.explain.records.adviser import Adviser, Question
from pathfolio.explain.records.inspect import Look
from pathfolio.explain.records.layout import Record, parse_record, record_text
from pathfolio.recommender.build import Build
from pathfolio.recommender.suitability.rulefile import load_rules

LOOK = Look("clerk", "test")


def investors(build: Build) -> list[str]:
    return [str(x) for x in build.graph.nodes.id[build.graph.users]]


def cautious(build: Build) -> str:
    """An investor whose level forbids much."""
    gate = Adviser(build, load_rules("tw")).gate
    allowed = [int(gate.screen(int(user), build.graph.assets).allowed.sum()) for user in build.graph.users]
    return investors(build)[int(np.argmin(allowed))]


def ask(user_id: str, **values: Any) -> Question:
    return Question("clerk", "command line", user_id, **values)


def altered(record: Record, place: tuple[str | int, ...], value: object) -> Record:
    """The record with another value at `place`, by the names and numbers that its JSON has there."""
    written: Any = json.loads(record_text(record))
    inner = written
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return parse_record(json.dumps(written).encode())
