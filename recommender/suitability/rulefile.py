"""Read a market's rules from a TOML file; a file with an error is refused with its line and the remedy."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from pathfolio.kg.errors import DataError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import ASSET_KIND_OF, NodeKind, Relation
from pathfolio.recommender.suitability.reader import TomlReader, found
from pathfolio.recommender.suitability.rules import (
    CONCENTRATIONS,
    DERIVED,
    FORMAT,
    FRESH_FACTS,
    RULE_KINDS,
    Derivation,
    Restriction,
    Rule,
    RuleSet,
    VolatilityScale,
)
from pathfolio.recommender.suitability.verdict import Outcome

SHIPPED: Final = ("eu", "us", "tw")
"""Markets whose default rules come with the package."""

NO_RULES: Final = "none"
"""The shipped file without rules: whoever names it shows what the score alone gives, and every record says so."""

_TABLES: Final = MappingProxyType(
    {
        "": {"format", "market", "version", "title", "base_currency", "purchase_share", "missing_weights",
             "stop_metrics", "foreign_class", "volatility", "levels", "ratings",
             "holding_years", "derive", "restricted", "rule"},
        "levels": {"risk", "capacity", "experience", "horizon"},
        "volatility": {"window_days", "fewest", "limits"},
        "derive": {"class", "least", "most", "of", "kinds", "words"},
        "restricted": {"asset", "issuer", "industry", "country", "category", "reason", "from", "until"},
        "rule": {"id", "kind", "title", "basis", "unknown", "absent", "fail", "derived", "uncertain",
                 "predicted", "tolerance", "group", "limit", "fund_limit", "warn_at", "max_days", "exempt"},
    }
)  # fmt: skip
_NEEDS: Final = MappingProxyType(
    {"concentration": ("group", "limit"), "freshness": ("group", "max_days"), "tradable": ("max_days",)}
)
_LEVELS_OF: Final = MappingProxyType(
    {"risk_level": "risk", "capacity": "capacity", "complexity": "experience", "horizon": "horizon"}
)
_ONLY_FOR: Final = MappingProxyType(
    {
        "absent": frozenset(_LEVELS_OF),
        "tolerance": frozenset({"risk_level", "capacity"}),
        "derived": frozenset({"risk_level", "capacity", "concentration"}),
        "uncertain": frozenset({"risk_level", "capacity"}),
        "predicted": frozenset({*_LEVELS_OF, "freshness"}),
        "group": frozenset({"concentration", "freshness"}),
        "limit": frozenset({"concentration"}),
        "fund_limit": frozenset({"concentration"}),
        "warn_at": frozenset({"concentration"}),
        "max_days": frozenset({"tradable", "freshness"}),
    }
)
"""Settings that mean something to some kinds of rules alone; elsewhere they would be read over, so they are refused."""


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
    try:
        text = raw.decode("utf-8")
        content = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise DataError(f"{origin}:{line}: not UTF-8: save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise DataError(_not_toml(origin, str(error), text)) from None
    return _Reader(origin, text, content).rule_set(hashlib.sha256(raw).hexdigest())


def _not_toml(origin: str, message: str, text: str) -> str:
    found = re.search(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)", message)
    line = 1 if found is None else int(found[1] or len(text.splitlines()) or 1)
    what = message if found is None else message[: found.start()]
    column = f" at column {found[2]}" if found is not None and found[2] else ""
    return f"{origin}:{line}: not valid TOML{column}: {what[:1].lower()}{what[1:]}: correct this line"


class _Reader(TomlReader):
    """A file of rules being read."""

    def rule_set(self, sha256: str) -> RuleSet:
        top = self.content
        self._known(top, "", 1)
        if top.get("format") != FORMAT:
            raise self._error(self._line_of("format"), found(top, "format"), f"write format = {FORMAT}")
        self._known(self._table("levels"), "levels", self._line_of("levels", table=True))
        return RuleSet(
            market=self._text(top, "market"),
            version=self._text(top, "version"),
            title=self._titles(top, self._line_of("title")),
            base_currency=self._text(top, "base_currency"),
            purchase_share=self._fraction(top, "purchase_share", 0.05, self._line_of("purchase_share")),
            equal_weights=self._one_of(top, "missing_weights", ("equal", "unknown"), "unknown") == "equal",
            levels={name: self._numbers(self._table("levels"), name) for name in _TABLES["levels"]},
            ratings=self._ratings(),
            holding_years=self._holding_years(),
            stop_metrics=tuple(self._texts(top, "stop_metrics", self._line_of("stop_metrics"))),
            derivations=tuple(self._derivation(*entry) for entry in self._entries("derive")),
            restrictions=tuple(self._restriction(*entry) for entry in self._entries("restricted")),
            rules=self._rules(),
            sha256=sha256,
            text=self.text,
            volatility=self._volatility(),
            foreign_class=self._whole(top, "foreign_class", 0, self._line_of("foreign_class")),
        )

    # -- the arrays of tables --------------------------------------------------------------------------------

    def _entries(self, name: str) -> Iterable[tuple[dict[str, Any], int]]:
        entries = self.content.get(name, [])
        if not isinstance(entries, list):
            raise self._error(self._line_of(name, table=True), f"[{name}] is one table", f"write [[{name}]]")
        header = re.compile(rf"\s*\[\[\s*{name}\s*\]\]")
        lines = [number for number, line in enumerate(self.lines, 1) if header.match(line)]
        for at, entry in enumerate(entries):
            line = lines[at] if at < len(lines) else 1
            self._known(entry, name, line)
            yield entry, line

    def _rules(self) -> tuple[Rule, ...]:
        rules = tuple(self._rule(*entry) for entry in self._entries("rule"))
        if not rules and self.content.get("market") != NO_RULES:
            raise self._error(len(self.lines), "no [[rule]]", "add at least one rule")
        if rules and self.content.get("market") == NO_RULES:
            raise self._error(self._line_of("market"), f"market = {NO_RULES!r} with rules", "name the market")
        seen: dict[str, int] = {}
        for rule in rules:
            if rule.name in seen:
                where = f"line {seen[rule.name]}"
                raise self._error(rule.line, f"rule id {rule.name!r} is also on {where}", "give each rule its own id")
            seen[rule.name] = rule.line
        return rules

    def _rule(self, entry: dict[str, Any], line: int) -> Rule:
        kind = self._one_of(entry, "kind", RULE_KINDS, None, line)
        for needed in _NEEDS.get(kind, ()):
            if needed not in entry:
                raise self._error(line, f"a {kind} rule without {needed!r}", f"add {needed} = …")
        for key in entry:
            if kind not in _ONLY_FOR.get(key, RULE_KINDS):
                kinds = ", ".join(sorted(_ONLY_FOR[key]))
                raise self._error(
                    self._where(entry, key, line), f"{key!r} in a {kind} rule", f"it is for {kinds} alone"
                )
        if kind in _LEVELS_OF and not self._table("levels").get(_LEVELS_OF[kind]):
            raise self._error(line, f"a {kind} rule without levels", f"add [levels.{_LEVELS_OF[kind]}]")
        groups = FRESH_FACTS if kind == "freshness" else CONCENTRATIONS
        limit = self._fraction(entry, "limit", 1.0, line)
        fund_limit = self._fraction(entry, "fund_limit", limit, line)
        warn_at = self._fraction(entry, "warn_at", limit, line)
        if warn_at > limit:
            raise self._error(self._where(entry, "warn_at", line), f"warn_at = {warn_at}", f"write {limit} or less")
        if fund_limit < limit:
            where = self._where(entry, "fund_limit", line)
            raise self._error(where, f"fund_limit = {fund_limit}", f"write {limit} or more")
        effects = ("reject", "warn", "pass")
        unknown = self._one_of(entry, "unknown", effects, "reject", line)
        fail = self._one_of(entry, "fail", effects[:2], "reject", line)
        derived = self._one_of(entry, "derived", effects[:2], fail, line)
        return Rule(
            name=self._text(entry, "id", line),
            kind=kind,
            title=self._titles(entry, line),
            basis=self._basis(entry, line),
            unknown=Outcome[unknown.upper()],
            absent=Outcome[self._one_of(entry, "absent", effects, unknown, line).upper()],
            fail=Outcome[fail.upper()],
            derived=Outcome[derived.upper()],
            uncertain=Outcome[self._one_of(entry, "uncertain", effects, "pass", line).upper()],
            predicted=Outcome[self._one_of(entry, "predicted", effects, "pass", line).upper()],
            tolerance=self._whole(entry, "tolerance", 0, line),
            group=self._one_of(entry, "group", groups, "", line),
            limit=limit,
            fund_limit=fund_limit,
            warn_at=warn_at,
            max_days=self._whole(entry, "max_days", 0, line, least=int("max_days" in entry)),
            exempt=tuple(word.casefold() for word in self._texts(entry, "exempt", line)),
            line=line,
        )

    def _derivation(self, entry: dict[str, Any], line: int) -> Derivation:
        kinds = self._texts(entry, "kinds", line)
        for kind in kinds:
            if kind not in ASSET_KIND_OF:
                raise self._error(line, f"kind {kind!r}", f"use {', '.join(ASSET_KIND_OF)}")
        target, value = self._one_of(entry, "of", DERIVED, None, line), self._whole(entry, "class", None, line)
        least = self._whole(entry, "least", value, line)
        most = self._whole(entry, "most", value, line)
        for key, wrong, word in (("least", least > value, "less"), ("most", most < value, "more")):
            if wrong or (target == "complexity" and key in entry):
                remedy = f"write {value} or {word}, for a risk_class alone"
                raise self._error(self._where(entry, key, line), found(entry, key), remedy)
        return Derivation(
            target=target,
            value=value,
            least=least,
            most=most,
            kinds=tuple(ASSET_KIND_OF[kind] for kind in kinds),
            words=tuple(word.casefold() for word in self._texts(entry, "words", line)),
            line=line,
        )

    def _volatility(self) -> VolatilityScale | None:
        """How prices make a class; None where the file has no such table."""
        table, line = self._table("volatility"), self._line_of("volatility", table=True)
        if not table:
            return None
        self._known(table, "volatility", line)
        limits = table.get("limits")
        numbers = isinstance(limits, list) and all(isinstance(x, int | float) and x > 0 for x in limits)
        if not limits or not numbers or sorted(set(limits)) != limits:
            remedy = "write rising fractions, such as [0.05, 0.12]"
            raise self._error(self._where(table, "limits", line), found(table, "limits"), remedy)
        return VolatilityScale(
            window_days=self._whole(table, "window_days", None, line, least=28),
            fewest=self._whole(table, "fewest", None, line, least=3),
            limits=tuple(float(x) for x in limits),
        )

    def _restriction(self, entry: dict[str, Any], line: int) -> Restriction:
        kinds = [key for key in entry if key not in {"reason", "from", "until"}]
        if len(kinds) != 1:
            raise self._error(line, f"{len(kinds)} subjects", "name one of asset, issuer, industry, country, category")
        for key in ("from", "until"):
            if key in entry and type(entry[key]) is not date:
                raise self._error(
                    self._where(entry, key, line),
                    f"{key} = {entry[key]!r}",
                    "write a date such as 2026-01-31, without quotes",
                )
        if "from" in entry and "until" in entry and entry["until"] < entry["from"]:
            where = self._where(entry, "until", line)
            raise self._error(where, f"until = {entry['until']}", f"write a day from {entry['from']} on")
        kind, value, reason = kinds[0], self._text(entry, kinds[0], line), self._text(entry, "reason", line)
        return Restriction(kind, value, reason, entry.get("from"), entry.get("until"), line)

    def _ratings(self) -> dict[str, int]:
        values = self._numbers(self.content, "ratings")
        for key, value in self._table("ratings").items():
            if value != int(value):
                raise self._error(self._line_of(key), f"{key} = {value!r}", "write a whole number, 0 or more")
        return {name: int(value) for name, value in values.items()}

    def _holding_years(self) -> dict[int, float]:
        values = self._numbers(self.content, "holding_years")
        for key in values:
            if not key.isdigit():
                raise self._error(self._line_of(key), f"{key!r} in holding_years", "write a risk class, such as 3 = 5")
        return {int(key): value for key, value in values.items()}

    def _known(self, table: Mapping[str, Any], name: str, line: int) -> None:
        for key in table:
            if key not in _TABLES[name]:
                at = self._line_of(key, after=line) or self._line_of(key, after=line, table=True) or line
                raise self._error(at, f"{key!r} is not known here", f"use {', '.join(sorted(_TABLES[name]))}")


def restricted_relation(kind: str) -> tuple[NodeKind, Relation] | None:
    """The node kind and relation by which a restriction finds its assets; None where it names the asset itself."""
    return {
        "issuer": (NodeKind.ISSUER, Relation.ISSUED_BY),
        "industry": (NodeKind.INDUSTRY, Relation.IN_INDUSTRY),
        "country": (NodeKind.COUNTRY, Relation.IN_COUNTRY),
        "category": (NodeKind.CATEGORY, Relation.IN_CATEGORY),
    }.get(kind)
