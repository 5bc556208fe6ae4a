"""`Speech`: claims put into one language, by the sentences of its folder (sections reasons and what_if)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Final

from jinja2 import Environment, StrictUndefined

from pathfolio.explain.evidence import PathNode, Reason
from pathfolio.explain.explanation import Explanation
from pathfolio.explain.reasons.claim import Claim
from pathfolio.explain.wording import Wording, wording_of
from pathfolio.kg.languages import words

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
            "model": wording.model,
        }
        self._macros: Any = env.from_string(wording.voiced(template_of(wording.lang, "reasons"))).module
        self._what_if: Any = env.from_string(wording.voiced(template_of(wording.lang, "what_if"))).module
        self._said: dict[Hashable, str] = {}

    def reason(self, claim: Claim) -> Reason:
        """The claim as a sentence."""
        return Reason(self.wording.lang, self._say(claim), claim.evidence, claim.trigger, claim.is_caution)

    def what_if(self, macro: str, values: Mapping[str, object]) -> str:
        """A sentence of the section what_if."""
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
        before, after = self.wording.language.quote
        return f"{before}{node.label(self.wording.lang)}{after}"

    def names(self, nodes: Sequence[PathNode]) -> str:
        """Several names: A, B and C."""
        language = self.wording.language
        names = [self.name(node) for node in nodes]
        if len(names) < 2:
            return "".join(names)
        return f"{language.comma.join(names[:-1])}{language.last_comma}{names[-1]}"


def template_of(lang: str, section: str = "reasons") -> str:
    """A section's phrases and sentences as macros of a claim's values, `c`; phrases first, for sentences use them."""
    texts = {**words(lang, section, "phrases"), **words(lang, section)}
    return "".join(f"{{% macro {name}(c) %}}{text}{{% endmacro %}}" for name, text in texts.items())


def reasons_of_person(explanation: Explanation, lang: str) -> tuple[Reason, ...]:
    """The explanation's reasons in a language, of the investor; as they were said where only that is known."""
    said, claims = explanation.reasons_in(lang), explanation.claims
    if len(claims) != len(said):
        return said
    speech = speech_of(lang, is_of_person=True)
    return tuple(replace(reason, text=speech.reason(claim).text) for reason, claim in zip(said, claims, strict=True))


@cache
def speech_of(lang: str, is_of_person: bool = False) -> Speech:
    """The sentences of a language, to the investor or of the investor; raises UsageError where there are none in it.

    >>> from pathfolio.kg.languages.names import Names
    >>> names = {"a": {"en": "Apple", "zh-TW": "蘋果"}, "m": {"en": "Micron", "zh-TW": "美光"}}
    >>> speech_of("en").names([PathNode(key, "Stock", Names(of)) for key, of in names.items()])
    'Apple and Micron'
    """
    return Speech(wording_of(lang, is_of_person))
