"""The kinds of suitability rules, a class each.

Who adds one writes its class in a file here, and its sentences in the texts of each language. The reader of rule
files, the gate, records and reports know kinds from here alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from inspect import isabstract
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Final

from pathfolio.recommender.suitability.kinds.levels import LevelRule
from pathfolio.recommender.suitability.rule import Rule


def _kinds() -> Iterator[type[Rule]]:
    """The classes of this folder's modules that are whole and say what their kind is, by the modules' names."""
    for module in sorted(each.name for each in iter_modules(__path__, f"{__name__}.")):
        for found in vars(import_module(module)).values():
            is_rule = isinstance(found, type) and issubclass(found, Rule) and not isabstract(found)
            if is_rule and found.__module__ == module and "kind" in vars(found):
                yield found


RULE_KINDS: Final = tuple(_kinds())

KIND_OF: Final = MappingProxyType({name: kind for kind in RULE_KINDS for name in kind.full_kinds()})
"""From the kind as records name it to the class."""

FRACTIONS: Final = frozenset().union(*(kind.fractions for kind in RULE_KINDS))
"""Relations of facts that rules use whose value is a fraction."""

LEVEL_RELATIONS: Final = MappingProxyType(
    {kind.table: kind.relation for kind in RULE_KINDS if issubclass(kind, LevelRule)}
)
"""Tables of levels in a rule file, and the relation that leads to an investor's level."""
