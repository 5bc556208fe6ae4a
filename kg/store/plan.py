"""What a server's own plan of a query says that it would do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pathfolio.kg.store.answer import QueryError
from pathfolio.kg.store.guard import PROCEDURES
from pathfolio.kg.store.tokens import words

_SHOWS: Final = words("showindexes showconstraints showfunctions showprocedures")
_REACHING: Final = ("loadcsv", "administrationcommand", "terminatetransactions", "setownpassword")
_STEP: Final = re.compile(r"^\s*\+ (CREATE|MERGE|SET|DELETE|REMOVE|FOREACH|LOAD CSV|CALL)\b *([\w.`]*)", re.MULTILINE)
"""A step of the embedded server's plan, and the procedure that it calls."""


def shown_plan(plan: Mapping[str, Any]) -> str:
    """The plan as text: the server's own, or one line per operator, what it draws from indented below it."""
    text = str(plan.get("args", {}).get("string-representation", "")).rstrip()
    return text or "\n".join(_lines(plan, 0))


def _lines(plan: Mapping[str, Any], depth: int) -> Iterator[str]:
    if not plan:
        return
    args = plan.get("args", {})
    operator = str(plan.get("operatorType", "")).partition("@")[0]
    estimate = f"{args['EstimatedRows']:.3g} rows" if "EstimatedRows" in args else ""
    measured = f"{args['Rows']:,} rows, {args['DbHits']:,} hits" if {"Rows", "DbHits"} <= args.keys() else ""
    rows = f"  ({measured or estimate})" if measured or estimate else ""
    yield f"{'  ' * depth}{operator} {args.get('Details', '')}{rows}"
    for child in plan.get("children", ()):
        yield from _lines(child, depth + 1)


def check_plan(plan: Mapping[str, object], shown: str) -> None:
    """Refuse a plan that writes, loads a file, looks at users, or calls a procedure that analysts may not call.

    Args:
        plan: as the driver gives it; empty where the server has no operators to show.
        shown: the same as text.

    Raises:
        QueryError: it does.
    """
    for operator, details in _operators(plan):
        name = details.partition("(")[0].strip().lower()
        is_shown = operator.startswith("show") and operator.partition("@")[0] not in _SHOWS
        is_called = operator.startswith("procedurecall") and name not in PROCEDURES
        if operator.startswith(_REACHING) or is_shown or is_called:
            raise QueryError(f"the server would run {details or operator}: only what reads the graph is run")
    for step, name in _STEP.findall(shown):
        if step != "CALL" or (name not in ("", "SUBQUERY") and name.lower() not in PROCEDURES):
            raise QueryError(f"the server would {step} {name}".rstrip() + ": only what reads the graph is run")


def _operators(plan: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each operator's name in small letters, and its details."""
    if plan:
        yield str(plan.get("operatorType", "")).lower(), str(plan.get("args", {}).get("Details", ""))
    for child in plan.get("children", ()):
        yield from _operators(child)
