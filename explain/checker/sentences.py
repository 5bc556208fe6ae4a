"""Sentences read back: each language's templates of reasons, turned into patterns.

A template is text with values in it, `{{ c.n | int }}`, and with choices, `{% if c.weight is none %}`; both may call
other macros. Of each value the filter tells how it is written, of each choice the branch that was written tells what
the test must have been. What a template may not be made of is refused, so no sentence is written that cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from types import MappingProxyType
from typing import Final

from jinja2 import Environment, nodes

from pathfolio.explain.checker.said import Meaning
from pathfolio.explain.checker.written import DayForm, NumberForm
from pathfolio.explain.speech import template_of
from pathfolio.explain.wording import Wording, wording_of
from pathfolio.kg.languages import words

_TABLES: Final = MappingProxyType(
    {
        "kind": "kinds",
        "plural": "plurals",
        "peers": "peers",
        "group": "groups",
        "channel": "channels",
        "model": "models",
    }
)
"""The filters that take a word from a table of the language's wording."""


class UnreadableTemplateError(ValueError):
    """A template says something in a way that cannot be read back."""


@dataclass(frozen=True)
class _Place:
    """A group of a pattern: the value whose text stands there, and how it is read; None where it makes no sense."""

    name: str
    read: Callable[[str], Meaning | None]


@dataclass(frozen=True)
class _Branch:
    """A group that marks a branch: the value that it shows to be true or false, or the two that it shows equal."""

    name: str
    is_so: bool
    equal: str = ""


@dataclass(frozen=True)
class SentencePattern:
    """One template as a pattern."""

    pattern: re.Pattern[str]
    places: Mapping[str, _Place]
    branches: Mapping[str, _Branch]

    def read(self, text: str) -> dict[str, Meaning] | None:
        """What the text says, by the names of the claim's values; None where it is no such sentence."""
        match = self.pattern.fullmatch(text)
        if match is None:
            return None
        found: dict[str, Meaning] = {}
        written = {group: part for group, part in match.groupdict().items() if part is not None}
        for group in written.keys() & self.places.keys():
            place = self.places[group]
            value = place.read(written[group])
            if value is None or found.setdefault(place.name, value) != value:
                return None
        for group in written.keys() & self.branches.keys():
            branch = self.branches[group]
            if not branch.equal:
                found[branch.name] = branch.is_so
            elif branch.is_so:
                same = found.get(branch.name, found.get(branch.equal))
                found |= {} if same is None else {branch.name: same, branch.equal: same}
        return found


@cache
def sentences_of(lang: str) -> Mapping[str, SentencePattern]:
    """The sentences of a language by the names of their templates.

    Raises:
        UnreadableTemplateError: one is written in a way that cannot be read back.
    """
    return sentences_of_template(template_of(lang), wording_of(lang))


def sentences_of_template(text: str, wording: Wording) -> Mapping[str, SentencePattern]:
    """The sentences of a template's macros by the names of these; raises as `sentences_of` does."""
    body = Environment(autoescape=False).parse(text).body  # noqa: S701 - not HTML
    macros = {node.name: node for node in body if isinstance(node, nodes.Macro)}
    return MappingProxyType({name: _Compiler(name, wording, macros).sentence() for name in macros})


@dataclass(frozen=True)
class _Compiler:
    """Makes one pattern; groups are numbered, since a value may stand in several places."""

    name: str
    wording: Wording
    macros: Mapping[str, nodes.Macro]
    places: dict[str, _Place] = field(default_factory=dict)
    branches: dict[str, _Branch] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)

    def sentence(self) -> SentencePattern:
        # A name may hold anything, line ends included.
        shape = self._all(self.macros[self.name].body)
        return SentencePattern(re.compile(shape, re.DOTALL), self.places, self.branches)

    def _all(self, parts: Sequence[nodes.Node]) -> str:
        return "".join(map(self._part, parts))

    def _part(self, part: nodes.Node) -> str:
        match part:
            case nodes.Output():
                return self._all(part.nodes)
            case nodes.TemplateData(data=text) | nodes.Const(value=str(text)):
                return re.escape(text)
            case nodes.Call(node=nodes.Name(name=name)) if name in self.macros:
                return self._all(self.macros[name].body)
            case nodes.If(test=test, body=body, elif_=[], else_=other):
                return self._choice(test, body, other)
            case nodes.CondExpr(test=test, expr1=one, expr2=nodes.Expr() as other):
                return self._choice(test, [one], [other])
            case nodes.Filter():
                return self._value(part)
        raise self._unreadable(part)

    def _unreadable(self, part: nodes.Node) -> UnreadableTemplateError:
        return UnreadableTemplateError(
            f"sentence {self.name!r} in {self.wording.lang}: {part} cannot be read back: "
            "write values as {{ c.value | filter }} and choices as {% if c.value %}, without elif"
        )

    def _choice(self, test: nodes.Node, body: Sequence[nodes.Node], other: Sequence[nodes.Node]) -> str:
        return f"(?:{self._mark(test, True)}{self._all(body)}|{self._mark(test, False)}{self._all(other)})"

    def _mark(self, test: nodes.Node, is_so: bool) -> str:
        """An empty group that stands where the branch was taken; none where the branch tells of no value."""
        match test:
            case nodes.Getattr(attr=name):
                branch = _Branch(name, is_so)
            case nodes.Compare(
                expr=nodes.Getattr(attr=name), ops=[nodes.Operand(op="eq", expr=nodes.Getattr(attr=same))]
            ):
                branch = _Branch(name, is_so, same)
            case _:
                return ""
        group = f"b{next(self.numbers)}"
        self.branches[group] = branch
        return f"(?P<{group}>)"

    def _value(self, part: nodes.Filter) -> str:
        shape, read, name = self._form(part)
        group = f"v{next(self.numbers)}"
        self.places[group] = _Place(name, read)
        before, after = self.wording.language.quote if part.name == "name" else ("", "")
        return f"{re.escape(before)}(?P<{group}>{shape}){re.escape(after)}"

    def _form(self, part: nodes.Filter) -> tuple[str, Callable[[str], Meaning | None], str]:
        """How a value is written, how that is read, and which value it is."""
        match part:
            case nodes.Filter(name="lower", node=nodes.Filter(node=nodes.Getattr(attr=name)) as inner):
                return *self._word(inner.name, str.lower), name
            case nodes.Filter(name=form, node=nodes.Getattr(attr=name)):
                return *self._written(form), name
        raise self._unreadable(part)

    def _written(self, form: str) -> tuple[str, Callable[[str], Meaning | None]]:
        number = NumberForm(self.wording.locale)
        day = DayForm(self.wording.locale)
        if form in _TABLES:
            return self._word(form, str)
        if form == "names":
            before, after = map(re.escape, self.wording.language.quote)
            return f"{before}.+{after}", str
        known: dict[str, tuple[str, Callable[[str], Meaning | None]]] = {
            "name": (".+", str),
            "int": (number.whole, number.read_whole),
            "num": (number.decimal, number.read),
            "pct": (number.percent, number.read),
            "day": (day.shape, day.read),
        }
        return known[form]

    def _word(self, form: str, change: Callable[[str], str]) -> tuple[str, Callable[[str], Meaning | None]]:
        """A word of a table; a channel that no table knows is called as its name is, with spaces."""
        keys = {change(word): key for key, word in words(self.wording.lang, _TABLES[form]).items()}
        shape = "|".join(map(re.escape, sorted(keys, key=len, reverse=True)))
        if form == "channel":
            return f"{shape}|.+?", lambda text: keys.get(text, text.replace(" ", "_"))
        return shape, keys.get
