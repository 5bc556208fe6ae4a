"""Requests at random, made from the API's own description: nothing breaks, and nothing of another person comes out.

Needs `schemathesis`, which `pip install 'pathfolio[test]'` brings.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any, Final

from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import openapi
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from werkzeug.test import TestResponse

from pathfolio.kg.schema import NodeKind
from pathfolio.recommender.build import Build
from pathfolio.web.advice import open_desk
from pathfolio.web.site import create_app
from pathfolio.web.site.access.accounts import Accounts
from pathfolio.web.site.access.guard import Access
from pathfolio.web.site.access.roles import AccountRole
from pathfolio.web.site.openapi import openapi_document

_CHECKS: Final = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
"""Which errors of the server are findings says `Fuzzing.judge`: 503 is the answer of a store that is not there."""
_MOST_PDF: Final = 3
"""Laying out a PDF takes seconds."""

_SHORTEST_NAME: Final = 5
_ODD: Final = ("../../etc/passwd", "%00", "' OR 1=1--", "{{7*7}}", "\u202e", "-1", "1e999")
_TRACES: Final = re.compile(r"Traceback \(most recent call last\)|File \"/|sqlalchemy\.|\.py\", line \d")


@dataclass
class Fuzzing:
    """What came of it; each finding names the request.

    Attributes:
        answers: status to how many there were.
        endpoints: path of the description, or of a page, to how many requests were made to it.
        ids, names: of investors whom the asker must not see; an id may come back where the request named it.
    """

    ids: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    answers: Counter[int] = field(default_factory=Counter)
    endpoints: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """How many were made."""
        return self.answers.total()

    def judge(self, endpoint: str, asked: str, status: int, text: str) -> None:
        """Look at one answer."""
        self.answers[status] += 1
        self.endpoints[endpoint] += 1
        if status >= 500 and status not in {501, 503}:
            self.findings.append(f"{asked}: {status}")
        if _TRACES.search(text):
            self.findings.append(f"{asked}: shows its inside")
        words = set(re.findall(r"[\w.-]+", unescape(text)))
        found = [key for key in self.ids & words if key not in asked]
        found += [name for name in self.names if name in text]
        if found:
            self.findings.append(f"{asked}: tells of {found[0]}")


def by_schema(app: Flask, headers: dict[str, str], about: Fuzzing, count: int, known: dict[str, list[str]]) -> None:
    """About `count` requests that schemathesis makes from the description, the answers held to it.

    Args:
        headers: of each request; who asks.
        known: values that there are, by the names of parameters; every other request takes them.
    """
    schema = openapi.from_wsgi("/openapi.json", app)
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    for operation in operations:
        each = max(1, count // len(operations))
        each = min(each, _MOST_PDF) if operation.path.endswith(".pdf") else each
        _run(lambda case: _call(app, case, headers, about, known), operation.as_strategy(), each)


def _call(app: Flask, case: Any, headers: dict[str, str], about: Fuzzing, known: dict[str, list[str]]) -> None:
    if about.requests % 2:
        for part in (case.path_parameters, case.query):
            for name in set(part or {}) & set(known):
                part[name] = known[name][about.requests % len(known[name])]
    asked = f"{case.method} {case.formatted_path} {case.query} {case.body if case.body else ''}"
    response = case.call(headers={**headers, "Accept-Encoding": "identity"})  # it decodes nothing
    try:
        case.validate_response(response, checks=_CHECKS)
    except AssertionError as error:
        about.findings.append(f"{asked}: {' '.join(str(error).split())[:300]}")
    except FailureGroup as error:
        told = " ".join(" ".join(str(each).split()) for each in error.exceptions)
        about.findings.append(f"{asked}: {told[:300]}")
    about.judge(case.operation.path, asked, response.status_code, response.content.decode("utf-8", errors="replace"))


def at_random(app: Flask, headers: dict[str, str], about: Fuzzing, count: int) -> None:
    """`count` requests with any text in paths, arguments, forms and bodies, whatever the description says."""
    others = ("/graph", "/accounts/{name}", "/sign-in", "/static/{name}", "/{name}")
    paths = [*sorted(openapi_document()["paths"]), *others]
    text = st.text(max_size=60) | st.sampled_from(_ODD)
    words = st.dictionaries(text, text, max_size=4)
    asked = st.tuples(
        st.sampled_from(paths),
        st.sampled_from(["GET", "GET", "GET", "POST", "PUT", "HEAD"]),
        text,
        words,
        words,
        st.booleans(),
    )

    def call(values: tuple[str, str, str, dict[str, str], dict[str, str], bool]) -> None:
        path, method, name, query, form, as_json = values
        target = re.sub(r"\{\w+\}", lambda _: name.replace("/", "~1") or "x", path)
        body: dict[str, Any] = {"json": form} if as_json else {"data": form}
        response = app.test_client().open(target, method=method, query_string=query, headers=headers, **body)
        about.judge(path, f"{method} {target!r} {query!r} {form!r}", response.status_code, _text(response))

    _run(call, asked, count)


def _text(response: TestResponse) -> str:
    return response.get_data().decode("utf-8", errors="replace")


def _run(call: Callable[[Any], None], strategy: st.SearchStrategy[Any], count: int) -> None:
    quiet = settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    quiet(seed(7)(given(strategy)(call)))()


def fuzz_site(build: Build, folder: Path, requests: int) -> Fuzzing:
    """`requests` requests at a site with accounts, a quarter each of somebody who has not signed in, of an investor,
    of an analyst and of compliance, who alone may see other investors.

    Args:
        folder: where the site's ledger is made.
    """
    graph, accounts = build.graph, Accounts(":memory:")
    own = str(graph.nodes.id[graph.users[len(graph.users) // 2]])
    accounts.add("ivy", AccountRole.INVESTOR, None, own)
    accounts.add("anna", AccountRole.ANALYST, None)
    accounts.add("carl", AccountRole.COMPLIANCE, None)
    why = {"Pathfolio-Purpose": "test"}
    tokens = {name: {"Authorization": f"Bearer {accounts.new_token(name)}"} | why for name in ("ivy", "anna", "carl")}
    app = create_app(build, Access(accounts), desk=open_desk(build, None, folder))
    app.extensions["pathfolio_graph"].close()
    others, assets = dict(investors_but(app, own)), {str(name) for name in graph.nodes.name[graph.assets]}
    allowed = assets | {str(graph.nodes.name[graph.row(NodeKind.USER, own)])}
    names = frozenset(name for name in others.values() if len(name) > _SHORTEST_NAME) - allowed
    seen = app.test_client().get(f"/investors/{own}?format=json", headers=tokens["carl"]).headers["Pathfolio-Record"]
    known = {"user_id": [own, *list(others)[:3]], "asset_id": [str(key) for key in graph.nodes.id[graph.assets[:5]]]}
    known |= {"record_id": [seen, seen[:4]], "investor": [own], "a": [seen], "b": [seen]}
    about = Fuzzing()
    everybody = frozenset(others) | {own}, names | {str(graph.nodes.name[graph.row(NodeKind.USER, own)])} - assets
    kept_from = {
        "": everybody,
        "ivy": (frozenset(others), names),
        "anna": everybody,
        "carl": (frozenset(), frozenset()),
    }
    for turn, (who, (about.ids, about.names)) in enumerate(kept_from.items(), 1):
        headers, upto = tokens.get(who, {}), requests * turn // len(kept_from)
        by_schema(app, headers, about, (upto - about.requests) // 2, known)
        at_random(app, headers, about, upto - about.requests)
    app.extensions["pathfolio"].desk.ledger.close()
    return about


def investors_but(app: Flask, own: str) -> Iterator[tuple[str, str]]:
    """Id and name of everybody but one investor."""
    graph = app.extensions["pathfolio"].graph
    for row in graph.users.tolist():
        if str(graph.nodes.id[row]) != own:
            yield str(graph.nodes.id[row]), str(graph.nodes.name[row])
