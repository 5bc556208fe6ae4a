"""`Speech`: claims put into one language, by the macros of templates/reasons.LANG.j2."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, Final

from jinja2 import Environment, StrictUndefined

from pathfolio.explain.evidence import PathNode, Reason
from pathfolio.explain.reasons.claim import Claim
from pathfolio.explain.wording import Wording, wording_of

_MEMO_SIZE: Final = 10_000


class Speech:
    """One language's sentences.

    Args:
        wording: the language.
    """

    def __init__(self, wording: Wording) -> None:
        """Compile the language's macros."""
        self.wording = wording
        # Sentences are plain text; whoever puts them into HTML escapes them there.
        env = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 - not HTML
        env.filters |= {
            "name": self.name,
            "names": self.names,
            "int": wording.integer,
            "num": wording.number,
            "pct": wording.percent,
            "day": wording.day,
            "kind": wording.kind,
            "plural": wording.plural,
            "peers": wording.peers,
            "group": wording.group,
            "channel": wording.channel,
        }
        self._macros: Any = env.from_string(template_of(wording.lang)).module
        what_if = (
            resources.files("pathfolio.explain").joinpath("templates", f"whatif.{wording.lang}.j2").read_text("utf-8")
        )
        self._what_if: Any = env.from_string(what_if).module
        self._said: dict[Hashable, str] = {}

    def reason(self, claim: Claim) -> Reason:
        """The claim as a sentence."""
        return Reason(self.wording.lang, self._say(claim), claim.evidence, claim.trigger, claim.is_caution)

    def what_if(self, macro: str, values: Mapping[str, Any]) -> str:
        """A sentence of templates/whatif.LANG.j2."""
        return str(getattr(self._what_if, macro)(values))

    def _say(self, claim: Claim) -> str:
        """The sentence; many investors are told the same, so the latest are remembered."""
        key = (claim.trigger, *claim.values.values())
        text = self._said.get(key)
        if text is None:
            if len(self._said) > _MEMO_SIZE:
                self._said.clear()
            text = self._said[key] = str(getattr(self._macros, claim.trigger)(claim.values))
        return text

    def name(self, node: PathNode) -> str:
        """One name, in the language's quotation marks."""
        before, after = self.wording.words["quote"]
        return f"{before}{node.label(self.wording.lang)}{after}"

    def names(self, nodes: Sequence[PathNode]) -> str:
        """Several names: A, B and C."""
        words, names = self.wording.words, [self.name(node) for node in nodes]
        if len(names) < 2:
            return "".join(names)
        return f"{words['comma'].join(names[:-1])}{words['last_comma']}{names[-1]}"


def template_of(lang: str) -> str:
    """The macros of a language's reasons."""
    return resources.files("pathfolio.explain").joinpath("templates", f"reasons.{lang}.j2").read_text("utf-8")


@cache
def speech_of(lang: str) -> Speech:
    """The sentences of a language; raises UsageError where there are none in it.

    >>> speech_of("en").names([PathNode("a", "Stock", "Apple", "蘋果"), PathNode("m", "Stock", "Micron", "美光")])
    'Apple and Micron'
    """
    return Speech(wording_of(lang))
