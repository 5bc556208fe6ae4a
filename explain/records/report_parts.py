"""The parts of a report: one asset's account, its checks and the facts they used, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

from pathfolio.explain.evidence import USER, Fact, Path, PathEdge, PathNode, Reason
from pathfolio.explain.records.fact_words import ReportTexts, fact_text, in_words
from pathfolio.explain.records.told import ToldExplanation, ToldLine, ToldRecord, ToldRejection
from pathfolio.explain.records.verdict_text import look_of, outcome_text, result_text, verdict_text
from pathfolio.kg.bidi import isolated
from pathfolio.kg.languages import language, understood
from pathfolio.recommender.suitability.rule import Rule
from pathfolio.recommender.suitability.verdict import RuleResult

_MOST_PATHS: Final = 25
_MOST_FACTS: Final = 8
_MOST_SOURCES: Final = 2
_UNDATED: Final = 1900
"""The year of what the data give no day for."""


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


class NamedAsset(Protocol):
    """Whatever has an asset's id and its two names."""

    @property
    def asset_id(self) -> str:
        """The asset's id."""

    @property
    def name(self) -> str:
        """Its international name; may be empty."""

    @property
    def name_local(self) -> str:
        """Its local name; may be empty."""


def label_of(item: NamedAsset, lang: str) -> str:
    """An asset's name in the reader's language, its id where it has none."""
    name, local = item.name, item.name_local
    return isolated((local or name if language(lang).local_names else name or local) or item.asset_id)


@dataclass(frozen=True)
class Telling:
    """What the parts of one report have in common: its texts, the rules by their ids, and assets' names by theirs."""

    texts: ReportTexts
    rules: Mapping[str, Rule]
    names: Mapping[str, str]

    @classmethod
    def of(cls, told: ToldRecord, texts: ReportTexts) -> Telling:
        """With the names of all assets in the record's paths, positions, list and rejections."""
        record, lang = told.record, texts.lang
        names = {node.id: node.names[lang] for node in told.nodes if node.id is not None and node.name}
        placed: tuple[NamedAsset, ...] = (*record.investor.positions, *record.list, *record.rejected)
        return cls(texts, told.rules, names | {item.asset_id: label_of(item, lang) for item in placed})

    def title(self, rule: str) -> str:
        """A rule's title as its file has it, its id where the file is not at hand."""
        return self.rules[rule].title[self.texts.lang] if rule in self.rules else rule

    def basis(self, rule: str) -> str:
        """The law or code that a rule serves; empty where the file is not at hand or says nothing."""
        basis = self.rules[rule].basis if rule in self.rules else None
        return "" if basis is None else basis[self.texts.lang]


def asset_part(told: ToldLine, telling: Telling) -> AssetPart:
    """A line of the list with everything behind it."""
    texts, line, explanation = telling.texts, told.line, told.explanation
    wording, lang = texts.wording, texts.lang
    shown, rest = explanation.paths[:_MOST_PATHS], explanation.paths[_MOST_PATHS:]
    value = wording.signed(sum(path.contribution for path in rest), 4)
    return AssetPart(
        rank=line.rank,
        label=label_of(line, lang),
        asset_id=line.asset_id,
        kind=wording.kind(line.kind.capitalize()),
        score=wording.number(line.score, 4),
        outcome=outcome_text(told.verdict.state, lang),
        effect=told.verdict.state,
        warnings=tuple(verdict_text(told.verdict.results, lang)),
        reasons=tuple(_reasons(explanation, texts)),
        parts=tuple(_parts(explanation, texts)),
        paths=tuple(_path_row(path, texts) for path in shown),
        more_paths=texts.filled("more_paths", n=wording.integer(len(rest)), value=value) if rest else "",
        checks=tuple(_check(result, telling) for result in told.verdict.results),
        largest_own=_largest_own(explanation.paths, lang),
    )


def rejected_part(told: ToldRejection, telling: Telling) -> RejectedPart:
    """A rejected asset with the sentences that say why."""
    texts, item, results = telling.texts, told.rejection, told.verdict.results
    checks = (_check(result, telling) for result in results)
    return RejectedPart(
        label=label_of(item, texts.lang),
        asset_id=item.asset_id,
        kind=texts.wording.kind(item.kind.capitalize()),
        place=texts.filled("place", place=item.place),
        score=texts.wording.number(item.score, 4),
        why=tuple(verdict_text(results, texts.lang)),
        checks=tuple(row for row in checks if row.effect != "pass"),
    )


def _check(result: RuleResult, telling: Telling) -> CheckRow:
    """What a rule found, with the facts that it used."""
    texts = telling.texts
    facts = [fact_text(fact, telling.names, texts) for fact in result.facts[:_MOST_FACTS]]
    left = len(result.facts) - len(facts)
    if left:
        facts.append(texts.filled("more_facts", n=texts.wording.integer(left)))
    return CheckRow(
        outcome=outcome_text(result.outcome.word, texts.lang),
        effect=result.effect.word,
        look=look_of(result),
        rule=result.rule,
        title=telling.title(result.rule),
        basis=telling.basis(result.rule),
        text=result_text(result, texts.lang),
        facts=tuple(facts),
    )


def _spoken_in(reasons: Sequence[Reason], lang: str) -> str:
    """The language in which recorded reasons are read in `lang`: some records are older than a language."""
    recorded = {reason.lang for reason in reasons}
    return next((tag for tag in understood(lang) if tag in recorded), lang)


def _reasons(explanation: ToldExplanation, texts: ReportTexts) -> list[ReasonRow]:
    evidence: dict[str, Sequence[PathEdge | Fact]] = {path.id: path.edges for path in explanation.paths}
    evidence |= {fact.id: [fact] for fact in explanation.facts}
    spoken = _spoken_in(explanation.reasons, texts.lang)
    rows = []
    for reason in explanation.reasons:
        if reason.lang == spoken:
            cited = [each for key in reason.evidence for each in evidence.get(key, ())]
            rows.append(ReasonRow(reason.text, _sources(cited, texts)))
    return rows


def _sources(cited: Sequence[PathEdge | Fact], texts: ReportTexts) -> str:
    """The sources of edges or facts with their newest dates, the most used first."""
    days: dict[str, list[date]] = {}
    for each in cited:
        days.setdefault(each.source, []).append(each.as_of)
    order = sorted(days, key=lambda source: -len(days[source]))[:_MOST_SOURCES]
    said = [
        texts.filled("source_of_day", source=in_words(source, texts), day=_dated(max(days[source]), texts))
        for source in order
    ]
    return texts["also"].join(said)


def _dated(day: date, texts: ReportTexts) -> str:
    return texts["undated"] if day.year == _UNDATED else day.isoformat()


def _parts(explanation: ToldExplanation, texts: ReportTexts) -> list[tuple[str, str]]:
    wording = texts.wording
    base = [
        (texts.filled("base", name=wording.channel(name)), wording.signed(value, 4)) for name, value in explanation.base
    ]
    channels = [(wording.channel(part.name), wording.signed(part.value, 4)) for part in explanation.channels]
    return [*base, *channels, (texts["total"], wording.number(explanation.score, 4))]


def _path_row(path: Path, texts: ReportTexts) -> PathRow:
    wording = texts.wording
    steps = [_name(path.nodes[0], texts.lang)]
    for edge, start, end in zip(path.edges, path.nodes, path.nodes[1:], strict=False):
        relation, name = wording.relation(edge.relation, edge.head is None), _name(end, texts.lang)
        steps.append(f"—{relation}→ {name}" if edge.head == start.id else f"←{relation}— {name}")
    value = wording.signed(path.contribution, 4)
    return PathRow(value, wording.channel(path.channel), " ".join(steps), _sources(path.edges, texts))


def _name(node: PathNode, lang: str) -> str:
    return node.names[lang] or node.name


def _largest_own(paths: Sequence[Path], lang: str) -> OwnPart | None:
    """What of the investor's own carries most: the second node of each path, its contributions added up."""
    own: dict[tuple[str, str], PathNode] = {}
    sums: dict[tuple[str, str], float] = {}
    for path in paths:
        node = path.nodes[1]
        if node.kind != USER:
            key = (node.kind, str(node.id))
            own[key] = node
            sums[key] = sums.get(key, 0.0) + path.contribution
    positive = sum(value for value in sums.values() if value > 0)
    if not positive:
        return None
    best = max(sorted(sums), key=lambda key: sums[key])
    return OwnPart(_name(own[best], lang), sums[best], sums[best] / positive)
