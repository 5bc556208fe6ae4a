"""The reference of rule files: the kinds of rules with their settings, and the rules that come with the package."""

from __future__ import annotations

import inspect
import re

from pathfolio.kg.languages import DEFAULT
from pathfolio.recommender.suitability.kinds import RULE_KINDS
from pathfolio.recommender.suitability.options import needed_options, options_of
from pathfolio.recommender.suitability.rule import Rule
from pathfolio.recommender.suitability.rulefile import SHIPPED, load_rules
from pathfolio.recommender.suitability.rules import RuleSet
from pathfolio.web.docs.made.markdown import code, codes, plain, table


def rule_files() -> str:
    """The kinds of rules, then the rules of each shipped market."""
    return "\n\n".join([*(_kind(kind) for kind in RULE_KINDS), *(_market(load_rules(market)) for market in SHIPPED)])


def _kind(kind: type[Rule]) -> str:
    """A kind: what it says, its settings, the tables of the file that it reads."""
    needed = needed_options(kind)
    rows = [
        (code(name), _described(option), "**yes**" if name in needed else "", _meaning(kind, name))
        for name, option in options_of(kind).items()
    ]
    told = plain((inspect.getdoc(kind) or "").partition("\n")[0])
    reads = f"\n\nReads the tables {codes(kind.tables)} of the file." if kind.tables else ""
    settings = table(["setting", "what it may be", "required", "meaning"], rows)
    return f"## Kind {code(kind.kind)}\n\n{told}\n\n{settings}{reads}"


def _described(option: object) -> str:
    """What an option may be, in the words of its class, and the words that it allows."""
    words = getattr(option, "words", ()) or tuple(outcome.word for outcome in getattr(option, "allowed", ()))
    if words:
        return codes(words)
    least = getattr(option, "least", None)
    told = plain((inspect.getdoc(type(option)) or "").partition("\n")[0].rstrip("."))
    return f"a whole number from {least}" if least is not None else told[:1].lower() + told[1:]


def _meaning(kind: type[Rule], name: str) -> str:
    """The sentence on the setting in the docstring of the class that declares it."""
    for owner in kind.__mro__:
        found = re.search(rf"^ +{name}: (.+(?:\n {{12,}}.+)*)", owner.__doc__ or "", re.MULTILINE)
        if found:
            return plain(" ".join(found[1].split()))
    return ""


def _market(rules: RuleSet) -> str:
    rows = [
        (code(rule.name), code(rule.kind), plain(rule.title[DEFAULT]), plain(rule.basis[DEFAULT] if rule.basis else ""))
        for rule in rules.rules
    ]
    head = f"## Shipped: {code(rules.market)}, {plain(rules.title[DEFAULT])}\n\nVersion {rules.version}."
    return f"{head}\n\n{table(['rule', 'kind', 'what it says', 'basis in law'], rows)}"
