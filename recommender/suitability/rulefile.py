"""Read a market's rules from a TOML file; a file with an error is refused with its line and the remedy."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Final

from pathfolio.kg.errors import DataError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import ASSET_KIND_OF
from pathfolio.recommender.suitability.kinds import LEVEL_RELATIONS, RULE_KINDS
from pathfolio.recommender.suitability.options import needed_options, options_of, read_options
from pathfolio.recommender.suitability.reader import TomlFile, TomlTable
from pathfolio.recommender.suitability.rule import Rule
from pathfolio.recommender.suitability.rules import (
    DERIVED,
    FORMAT,
    RESTRICTABLE,
    Derivation,
    Restriction,
    RuleSet,
    VolatilityScale,
)

SHIPPED: Final = ("eu", "us", "tw")
"""Markets whose default rules come with the package."""

NO_RULES: Final = "none"
"""The shipped file without rules: whoever names it shows what the score alone gives, and every record says so."""

_TOP: Final = frozenset(
    {"format", "market", "version", "title", "base_currency", "purchase_share", "missing_weights", "stop_metrics",
     "foreign_class", "volatility", "levels", "ratings", "holding_years", "derive", "restricted", "rule"}
)  # fmt: skip
_OF_EVERY_RULE: Final = frozenset({"id", "kind", "title", "basis", "exempt"})
_VOLATILITY: Final = frozenset({"window_days", "fewest", "limits"})
_DERIVE: Final = frozenset({"class", "least", "most", "of", "kinds", "words"})
_RESTRICTED: Final = frozenset({*RESTRICTABLE, "reason", "from", "until"})


def load_rules(source: str | Path) -> RuleSet:
    """The rules in a TOML file, or the shipped ones of a market (`eu`, `us`, `tw`, or `none`).

    Raises:
        DataError: there is no such file or market, or the file breaks the layout; one line with file, line, value and
            remedy.
    """
    is_market = str(source) in (*SHIPPED, NO_RULES)
    path = Path(__file__).with_name(f"{source}.toml") if is_market else Path(source)
    try:
        raw = path.read_bytes()
    except OSError as error:
        remedy = f"name a TOML file or one of {', '.join((*SHIPPED, NO_RULES))}"
        raise DataError(f"{source}: no rules here ({error.strerror}): {remedy}") from None
    return parse_rules(raw, str(path.name if is_market else source))


def rules_for(graph: KnowledgeGraph) -> RuleSet:
    """The shipped rules for a snapshot: by the currency of most of its assets, EU rules where there is none."""
    currencies = [currency for currency in graph.nodes.currency[graph.assets] if currency]
    most = max(sorted(set(currencies)), key=currencies.count, default="EUR")
    return load_rules({"USD": "us", "TWD": "tw"}.get(most, "eu"))


def parse_rules(raw: bytes, origin: str) -> RuleSet:
    """The rules in the bytes of a file named `origin`; raises DataError as `load_rules` does."""
    file = TomlFile.parse(raw, origin)
    top = file.top
    levels = file.table("levels")
    top.check_keys(_TOP.union(*(kind.tables for kind in RULE_KINDS)))
    if file.content.get("format") != FORMAT:
        raise file.error(file.line_of("format"), top.said("format"), f"write format = {FORMAT}")
    levels.check_keys(LEVEL_RELATIONS)
    return RuleSet(
        market=top.text("market"),
        version=top.text("version"),
        title=top.names("title"),
        base_currency=top.text("base_currency"),
        purchase_share=top.fraction("purchase_share", 0.05),
        equal_weights=top.one_of("missing_weights", ("equal", "unknown"), "unknown") == "equal",
        levels={name: levels.numbers(name) for name in LEVEL_RELATIONS},
        tables={name: top.numbers(name) for kind in RULE_KINDS for name in kind.tables},
        ratings=_ratings(file),
        holding_years=_holding_years(file),
        stop_metrics=tuple(top.texts("stop_metrics")),
        derivations=tuple(_derivation(entry) for entry in file.entries("derive")),
        restrictions=tuple(_restriction(entry) for entry in file.entries("restricted")),
        rules=_rules(file),
        sha256=hashlib.sha256(raw).hexdigest(),
        text=file.text,
        volatility=_volatility(file),
        foreign_class=top.whole("foreign_class", 0),
    )


def _rules(file: TomlFile) -> tuple[Rule, ...]:
    rules = tuple(_rule(entry) for entry in file.entries("rule"))
    if not rules and file.content.get("market") != NO_RULES:
        raise file.error(len(file.lines), "no [[rule]]", "add at least one rule")
    if rules and file.content.get("market") == NO_RULES:
        raise file.error(file.line_of("market"), f"market = {NO_RULES!r} with rules", "name the market")
    seen: dict[str, int] = {}
    for rule in rules:
        if rule.name in seen:
            where = f"line {seen[rule.name]}"
            raise file.error(rule.line, f"rule id {rule.name!r} is also on {where}", "give each rule its own id")
        seen[rule.name] = rule.line
    return rules


def _rule(entry: TomlTable) -> Rule:
    entry.check_keys(_OF_EVERY_RULE.union(*(options_of(kind) for kind in RULE_KINDS)))
    name = entry.one_of("kind", tuple(kind.kind for kind in RULE_KINDS), None)
    kind = next(kind for kind in RULE_KINDS if kind.kind == name)
    for needed in needed_options(kind):
        if needed not in entry.values:
            raise entry.file.error(entry.line, f"a {name} rule without {needed!r}", f"add {needed} = …")
    for key in entry.values:
        if key not in _OF_EVERY_RULE and key not in options_of(kind):
            kinds = ", ".join(sorted(kind.kind for kind in RULE_KINDS if key in options_of(kind)))
            raise entry.error(key, f"{key!r} in a {name} rule", f"it is for {kinds} alone")
    rule = kind(
        name=entry.text("id"),
        title=entry.names("title"),
        basis=entry.names_if_any("basis"),
        exempt=tuple(word.casefold() for word in entry.texts("exempt")),
        line=entry.line,
        **read_options(kind, entry),
    )
    rule.check(entry)
    return rule


def _derivation(entry: TomlTable) -> Derivation:
    entry.check_keys(_DERIVE)
    kinds = entry.texts("kinds")
    for kind in kinds:
        if kind not in ASSET_KIND_OF:
            raise entry.file.error(entry.line, f"kind {kind!r}", f"use {', '.join(ASSET_KIND_OF)}")
    target = entry.one_of("of", DERIVED, None)
    value = entry.whole("class", None)
    least, most = entry.whole("least", value), entry.whole("most", value)
    for key, wrong, word in (("least", least > value, "less"), ("most", most < value, "more")):
        if wrong or (target == "complexity" and key in entry.values):
            raise entry.error(key, entry.said(key), f"write {value} or {word}, for a risk_class alone")
    return Derivation(
        target=target,
        value=value,
        least=least,
        most=most,
        kinds=tuple(ASSET_KIND_OF[kind] for kind in kinds),
        words=tuple(word.casefold() for word in entry.texts("words")),
        line=entry.line,
    )


def _volatility(file: TomlFile) -> VolatilityScale | None:
    """How prices make a class; None where the file has no such table."""
    table = file.table("volatility")
    if not table.values:
        return None
    table.check_keys(_VOLATILITY)
    limits = table.values.get("limits")
    are_numbers = isinstance(limits, list) and all(isinstance(x, int | float) and x > 0 for x in limits)
    if not limits or not are_numbers or sorted(set(limits)) != limits:
        raise table.error("limits", table.said("limits"), "write rising fractions, such as [0.05, 0.12]")
    return VolatilityScale(
        window_days=table.whole("window_days", None, least=28),
        fewest=table.whole("fewest", None, least=3),
        limits=tuple(float(x) for x in limits),
    )


def _restriction(entry: TomlTable) -> Restriction:
    entry.check_keys(_RESTRICTED)
    values = entry.values
    subjects = [key for key in entry.values if key in RESTRICTABLE]
    if len(subjects) != 1:
        raise entry.file.error(entry.line, f"{len(subjects)} subjects", f"name one of {', '.join(RESTRICTABLE)}")
    for key in ("from", "until"):
        if key in values and type(values[key]) is not date:
            raise entry.error(key, entry.said(key), "write a date such as 2026-01-31, without quotes")
    if "from" in values and "until" in values and values["until"] < values["from"]:
        raise entry.error("until", f"until = {values['until']}", f"write a day from {values['from']} on")
    kind = subjects[0]
    return Restriction(
        kind, entry.text(kind), entry.text("reason"), values.get("from"), values.get("until"), entry.line
    )


def _ratings(file: TomlFile) -> dict[str, int]:
    values = file.top.numbers("ratings")
    for key, value in file.table("ratings").values.items():
        if value != int(value):
            raise file.error(file.line_of(key), f"{key} = {value!r}", "write a whole number, 0 or more")
    return {name: int(value) for name, value in values.items()}


def _holding_years(file: TomlFile) -> dict[int, float]:
    values = file.top.numbers("holding_years")
    for key in values:
        if not key.isdigit():
            raise file.error(file.line_of(key), f"{key!r} in holding_years", "write a risk class, such as 3 = 5")
    return {int(key): value for key, value in values.items()}
