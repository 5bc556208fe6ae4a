"""`view`: what a page declares of itself, from which it is guarded, read, shown and described."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from functools import wraps
from typing import Any, Final, get_args, get_type_hints

from werkzeug import Response

from pathfolio.web.site.access.guard import needs
from pathfolio.web.site.access.roles import Permission
from pathfolio.web.site.parameters import Argument, ArgumentGroup, parameters_of
from pathfolio.web.site.render import answered

_MARK: Final = "pathfolio_view"
_JSON: Final = "application/json"

Function = Callable[..., Any]
"""A view as a module of pages writes it: it takes the parts of its path and arguments, and returns its page."""


@dataclass(frozen=True)
class ViewDeclaration:
    """What a view declares.

    Attributes:
        tag: the group of the description that it stands in; empty for what is for people alone.
        summary, about: the first line of its docstring, and the rest.
        answer: the type of what it shows; None for a file.
        media: the media type of what it answers with.
        body: the type of the JSON that it takes, None where it takes none.
        errors: statuses of errors beside those that follow from its permission and its parameters.
        recorded: whether the answer is a record, whose id stands in a header.
        for_purpose: whether it is about records, so that nobody sees it without saying why.
        tells_errors: whether what is wrong with a question is part of the answer's JSON.
    """

    permission: Permission
    tag: str
    summary: str
    about: str
    parameters: tuple[Argument | ArgumentGroup, ...]
    answer: Any
    media: str
    body: Any
    errors: tuple[int, ...]
    recorded: bool
    for_purpose: bool
    tells_errors: bool

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """All parameters one by one."""
        out: list[Argument] = []
        for each in self.parameters:
            out += each.arguments if isinstance(each, ArgumentGroup) else [each]
        return tuple(out)


def view(
    permission: Permission,
    *,
    tag: str = "",
    media: str = _JSON,
    body: object = None,
    errors: tuple[int, ...] = (),
    recorded: bool = False,
    tells_errors: bool = False,
) -> Callable[[Function], Callable[..., Response]]:
    """Make a view of a function; the arguments are as in `ViewDeclaration`, all else is read off it.

    The function is called with the parts of its path, and with the query's arguments read and checked. A page that it
    returns is shown as HTML or as JSON, whichever is asked for.
    """

    def made(function: Function) -> Callable[..., Response]:
        parameters = parameters_of(function)

        @wraps(function)
        def shown(**path: str) -> Response:
            read = {each.name: each.read() for each in parameters if each.name not in path}
            return answered(function(**path, **read))

        summary, _, about = (function.__doc__ or "").strip().partition("\n\n")
        declared = ViewDeclaration(
            permission,
            tag,
            summary.removesuffix("."),
            " ".join(about.split()),
            parameters,
            _answer(function),
            media,
            body,
            errors,
            recorded,
            getattr(function, "for_purpose", False),
            tells_errors,
        )
        setattr(shown, _MARK, declared)
        return needs(permission)(shown)

    return made


def view_of(function: Callable[..., object]) -> ViewDeclaration | None:
    """What a view declares; None for what is no view of ours."""
    found: ViewDeclaration | None = getattr(function, _MARK, None)
    return found


def _answer(function: Function) -> type | None:
    """What the JSON is made of that the function's page, or dataclass, is written as; None where it returns none."""
    returned = get_type_hints(function)["return"]
    for kind in (returned, *get_args(returned)):
        if isinstance(kind, type) and is_dataclass(kind):
            twin = vars(kind).get("twin")
            return kind if twin is None else get_type_hints(twin)["return"]
    return None
