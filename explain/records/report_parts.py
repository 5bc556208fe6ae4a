"""The parts of a report: one asset's account, its checks and the facts they used, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from pathfolio.explain.records.fact_words import ReportTexts, fact_text, in_words
from pathfolio.explain.records.tables import names_of, node_key
from pathfolio.explain.records.verdict_text import look_of, outcome_text, result_text, verdict_text
from pathfolio.explain.wording import Wording, wording_of
from pathfolio.kg.bidi import isolated
from pathfolio.kg.languages import language, understood
from pathfolio.kg.languages.names import Names

_MOST_PATHS: Final = 25
_MOST_FACTS: Final = 8
_MOST_SOURCES: Final = 2
_UNEXPLAINED: Final[Mapping[str, Any]] = MappingProxyType(
    {"base": [], "channels": [], "paths": [], "facts": [], "reasons": []}
)
"""Of a list that was handed out bare, where the build that could explain it is gone."""


@dataclass(frozen=True)
class ReasonRow:
    """A sentence with the sources of its evidence."""

    text: str
    sources: str


@dataclass(frozen=True)
class PathRow:
    """An evidence path in words: its value, how it goes, where it is from."""

    value: str
    channel: str
    steps: str
    sources: str


@dataclass(frozen=True)
class CheckRow:
    """One rule's finding: its id, title and basis in law, and the facts that it used.

    Attributes:
        look: how it is coloured: its effect, or unknown where that let pass what was not decided.
    """

    outcome: str
    effect: str
    look: str
    rule: str
    title: str
    basis: str
    text: str
    facts: tuple[str, ...]


@dataclass(frozen=True)
class OwnPart:
    """How much of what speaks for an asset rests on one thing of the investor's own."""

    name: str
    value: float
    share: float


@dataclass(frozen=True)
class AssetPart:
    """One recommended asset.

    Attributes:
        warnings: sentences of the rules that warn.
        parts: how the score adds up: name and value.
        more_paths: what stands for the paths that are not listed; empty where all are.
        largest_own: the investor's own position or answer on which most rests; None where none speaks for it.
    """

    rank: int
    label: str
    asset_id: str
    kind: str
    score: str
    outcome: str
    effect: str
    warnings: tuple[str, ...]
    reasons: tuple[ReasonRow, ...]
    parts: tuple[tuple[str, str], ...]
    paths: tuple[PathRow, ...]
    more_paths: str
    checks: tuple[CheckRow, ...]
    largest_own: OwnPart | None


@dataclass(frozen=True)
class RejectedPart:
    """One asset that the score would have listed and the rules did not let through; the rules that it passed are
    left out of `checks`."""

    label: str
    asset_id: str
    kind: str
    place: str
    score: str
    why: tuple[str, ...]
    checks: tuple[CheckRow, ...]


def label_of(item: Mapping[str, Any], lang: str) -> str:
    """An asset's name in the reader's language, its id where it has none."""
    first, second = ("name_local", "name") if language(lang).local_names else ("name", "name_local")
    return isolated(str(item.get(first) or item.get(second) or item["asset_id"]))


def asset_part(item: Mapping[str, Any], record: Mapping[str, Any], texts: ReportTexts, lang: str) -> AssetPart:
    """A line of the list with everything behind it."""
    wording, explanation = wording_of(lang), item.get("explanation") or {**_UNEXPLAINED, "score": item["score"]}
    verdict = item["verdict"]
    shown, rest = explanation["paths"][:_MOST_PATHS], explanation["paths"][_MOST_PATHS:]
    names = {node_key(row): names_of(row)[lang] for row in record.get("tables", {}).get("nodes", ())}
    value = wording.signed(sum(path["contribution"] for path in rest), 4)
    return AssetPart(
        rank=item["rank"],
        label=label_of(item, lang),
        asset_id=item["asset_id"],
        kind=wording.kind(item["kind"].capitalize()),
        score=wording.number(item["score"], 4),
        outcome=outcome_text(verdict["outcome"], lang),
        effect=verdict["outcome"],
        warnings=tuple(verdict_text(verdict, lang)),
        reasons=tuple(_reasons(explanation, texts, lang)),
        parts=tuple(_parts(explanation, texts, wording)),
        paths=tuple(_path_row(path, names, texts, wording) for path in shown),
        more_paths=texts.filled("more_paths", n=wording.integer(len(rest)), value=value) if rest else "",
        checks=checks(verdict, record, texts),
        largest_own=_largest_own(explanation, names),
    )


def rejected_part(item: Mapping[str, Any], record: Mapping[str, Any], texts: ReportTexts) -> RejectedPart:
    """A rejected asset with the sentences that say why."""
    lang, wording = texts.lang, wording_of(texts.lang)
    return RejectedPart(
        label=label_of(item, lang),
        asset_id=item["asset_id"],
        kind=wording.kind(item["kind"].capitalize()),
        place=texts.filled("place", place=item["place"]),
        score=wording.number(item["score"], 4),
        why=tuple(verdict_text(item["verdict"], lang)),
        checks=tuple(row for row in checks(item["verdict"], record, texts) if row.effect != "pass"),
    )


def checks(verdict: Mapping[str, Any], record: Mapping[str, Any], texts: ReportTexts) -> tuple[CheckRow, ...]:
    """Every rule's finding, in the order of the rule file."""
    lang, rows = texts.lang, []
    names = _names(record, lang)
    for result in verdict["results"]:
        facts = [fact_text(fact, names, texts) for fact in result["facts"][:_MOST_FACTS]]
        left = len(result["facts"]) - len(facts)
        facts += [texts.filled("more_facts", n=wording_of(lang).integer(left))] if left else []
        outcome, text = outcome_text(result["outcome"], lang), result_text(result, lang)
        title, basis = rule_title(record, result["rule"], lang), rule_basis(record, result["rule"], lang)
        look = look_of(result["outcome"], result["effect"])
        rows.append(CheckRow(outcome, result["effect"], look, result["rule"], title, basis, text, tuple(facts)))
    return tuple(rows)


def _names(record: Mapping[str, Any], lang: str) -> dict[str, str]:
    """Names of all assets that a record names: of its paths, positions, list and rejections."""
    found = {str(row[0]): names_of(row)[lang] for row in record.get("tables", {}).get("nodes", ()) if row[2]}
    positions = ({**fact, "asset_id": fact["tail"]} for fact in record["investor"]["positions"])
    for item in (*positions, *record["list"], *record["rejected"]):
        found[str(item["asset_id"])] = label_of(item, lang)
    return found


def spoken_in(reasons: Sequence[Mapping[str, Any]], lang: str) -> str:
    """The language in which recorded reasons are read in `lang`: some records are older than a language."""
    recorded = {reason["lang"] for reason in reasons}
    return next((tag for tag in understood(lang) if tag in recorded), lang)


def rule_title(record: Mapping[str, Any], rule: str, lang: str) -> str:
    """A rule's title as its file has it, its id where the file is not at hand."""
    told = record.get("rule_texts", {}).get(rule, {})
    titles = {tag: text for tag, text in told.items() if tag != "basis"}
    return Names(titles)[lang] if titles else rule


def rule_basis(record: Mapping[str, Any], rule: str, lang: str) -> str:
    """The law or code that a rule serves; empty where the file is not at hand or says nothing."""
    basis = record.get("rule_texts", {}).get(rule, {}).get("basis", {})
    return Names(basis)[lang] if basis else ""


def _reasons(explanation: Mapping[str, Any], texts: ReportTexts, lang: str) -> list[ReasonRow]:
    evidence = {path["id"]: path["edges"] for path in explanation["paths"]}
    evidence |= {fact["id"]: [fact] for fact in explanation["facts"] if "id" in fact}
    spoken = spoken_in(explanation["reasons"], lang)
    rows = []
    for reason in explanation["reasons"]:
        if reason["lang"] == spoken:
            edges = [edge for key in reason["evidence"] for edge in evidence.get(key, [])]
            rows.append(ReasonRow(reason["text"], _sources(edges, texts)))
    return rows


def _sources(edges: list[Mapping[str, Any]], texts: ReportTexts) -> str:
    """The sources of edges or facts with their newest dates, the most used first."""
    days: dict[str, list[str]] = {}
    for edge in edges:
        days.setdefault(str(edge.get("source") or ""), []).append(str(edge.get("as_of") or ""))
    order = sorted(days, key=lambda source: -len(days[source]))[:_MOST_SOURCES]
    said = [
        texts.filled("source_of_day", source=in_words(each, texts), day=_dated(max(days[each]), texts))
        for each in order
    ]
    return texts["also"].join(said)


def _dated(day: str, texts: ReportTexts) -> str:
    return texts["undated"] if not day or day.startswith("1900") else day


def _parts(explanation: Mapping[str, Any], texts: ReportTexts, wording: Wording) -> list[tuple[str, str]]:
    base = [
        (texts.filled("base", name=wording.channel(part["name"])), wording.signed(part["value"], 4))
        for part in explanation["base"]
    ]
    channels = [(wording.channel(part["name"]), wording.signed(part["value"], 4)) for part in explanation["channels"]]
    return [*base, *channels, (texts["total"], wording.number(explanation["score"], 4))]


def _path_row(path: Mapping[str, Any], names: Mapping[str, str], texts: ReportTexts, wording: Wording) -> PathRow:
    nodes = [_node_name(node, names) for node in path["nodes"]]
    steps = [nodes[0]]
    for edge, start, name in zip(path["edges"], path["nodes"], nodes[1:], strict=False):
        forward = edge["head"] == start["id"]
        relation = wording.relation(edge["relation"])
        steps.append(f"—{relation}→ {name}" if forward else f"←{relation}— {name}")
    value = wording.signed(path["contribution"], 4)
    return PathRow(value, wording.channel(path["channel"]), " ".join(steps), _sources(path["edges"], texts))


def _node_name(node: Mapping[str, Any], names: Mapping[str, str]) -> str:
    key = node["name"] if node["id"] is None else node["id"]  # others, summed up, are told apart by how many they are
    return str(names.get(f"{node['kind']}/{key}") or node["name"])


def _largest_own(explanation: Mapping[str, Any], names: Mapping[str, str]) -> OwnPart | None:
    """What of the investor's own carries most: the second node of each path, its contributions added up."""
    sums: dict[tuple[str, str], float] = {}
    for path in explanation["paths"]:
        node = path["nodes"][1]
        if node["kind"] != "User":
            key = (node["kind"], str(node["id"]))
            sums[key] = sums.get(key, 0.0) + path["contribution"]
    positive = sum(value for value in sums.values() if value > 0)
    if not positive:
        return None
    best = max(sorted(sums), key=lambda key: sums[key])
    found = {(n["kind"], str(n["id"])): n for path in explanation["paths"] for n in path["nodes"]}
    return OwnPart(_node_name(found[best], names), sums[best], sums[best] / positive)
