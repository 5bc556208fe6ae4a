"""The report on one record: what a lawyer reads on the first page, then the whole account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Final

from babel.dates import format_datetime
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from pathfolio.explain.ledger.entry import Header
from pathfolio.explain.records.fact_words import LEVEL_KINDS, FactRow, ReportTexts, fact_row, in_words
from pathfolio.explain.records.layout import Record
from pathfolio.explain.records.layout.asked import (
    RecordedAssumption,
    RecordedCandidates,
    RecordedFact,
    RecordedInvestor,
    RecordedPosition,
)
from pathfolio.explain.records.report_parts import (
    AssetPart,
    RejectedPart,
    Telling,
    asset_part,
    label_of,
    rejected_part,
)
from pathfolio.explain.records.told import ReasonsFrom, ToldLine, ToldRecord, used_fact
from pathfolio.explain.records.verdict_text import verdict_text
from pathfolio.explain.wording import wording_of
from pathfolio.kg.bidi import isolated
from pathfolio.kg.labels import local_label
from pathfolio.kg.languages import language, words
from pathfolio.kg.languages.filling import filled
from pathfolio.recommender.assumed import YEARS
from pathfolio.recommender.suitability.investor import ASSUMED
from pathfolio.recommender.suitability.used_facts import PREDICTED

_ON_FIRST_PAGE: Final = 4
"""Rejected assets on the first page."""

_REASONS_ON_FIRST_PAGE: Final = 8
"""Reasons on the first page, of all assets together; at least one of each."""


@dataclass(frozen=True)
class Integrity:
    """What the ledger says of the record when the report is made.

    Attributes:
        problem: empty where the record is as it was written.
        leaf: its leaf hash, in hex.
        proof: the inclusion proof with its checkpoint, as text.
    """

    origin: str
    size: int
    key: str
    leaf: str
    proof: str
    problem: str
    made: datetime


@dataclass(frozen=True)
class Report:
    """All that the template shows; every text is in the report's language.

    Attributes:
        title: what kind of record it is; `heading`: what stands above its assets.
        notices: what has to be known before all else: sample data, or that it answers a what-if question.
        facts: the rows under the title: label and value.
        assets: what was recommended; `warnings` without those in `for_all`.
        for_all: warnings that every one of several assets has.
        rejected: what was not, with the sentences that say why.
        changes: what would have changed the result.
        identity: label and value.
        integrity: where the record stands; whether it is sound; how to verify it without this software.
    """

    lang: str
    texts: ReportTexts
    sound: bool
    title: str
    heading: str
    notices: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    considered: str
    assets: tuple[AssetPart, ...]
    for_all: tuple[str, ...]
    rejected: tuple[RejectedPart, ...]
    changes: tuple[str, ...]
    identity: tuple[tuple[str, str], ...]
    integrity: tuple[str, ...]
    profile: tuple[FactRow, ...]
    positions: tuple[FactRow, ...]
    weighting: str
    statistics: tuple[tuple[str, str, str, str], ...]
    leaf: str
    proof: str
    made: str
    on_first_page: int = _ON_FIRST_PAGE

    @property
    def reasons_on_first_page(self) -> int:
        """How many reasons of each asset: one of many assets, more where there are few."""
        return max(1, _REASONS_ON_FIRST_PAGE // max(1, len(self.assets)))


def make_report(
    told: ToldRecord, header: Header, integrity: Integrity, lang: str, *, changes: Sequence[str] = ()
) -> Report:
    """The report on a record.

    Args:
        changes: sentences on what would have changed the result, computed with the build; where there are none,
            what the record itself tells is said.
    """
    texts, record = report_texts(lang), told.record
    telling = Telling.of(told, texts)
    is_what_if = record.question.assumed is not None
    asked_about_one = bool(record.question.asset_id)
    made = moment_text(integrity.made, lang)
    verdict = "integrity_broken" if integrity.problem else "integrity_sound"
    assets = [asset_part(line, telling) for line in told.lines]
    for_all = _warnings_of_all(assets)
    return Report(
        lang=lang,
        texts=texts,
        sound=not integrity.problem,
        title=texts["title_what_if" if is_what_if else "title_asset" if asked_about_one else "title"],
        heading=texts["supposed" if is_what_if else "explained" if asked_about_one else "recommended"],
        notices=(
            *((texts["sample"],) if record.data.is_sample else ()),
            *((texts["what_if"],) if is_what_if else ()),
        ),
        facts=tuple(_facts(told, header, texts)),
        considered=_considered(told, telling),
        assets=tuple(replace(a, warnings=tuple(w for w in a.warnings if w not in for_all)) for a in assets),
        for_all=for_all,
        rejected=tuple(rejected_part(item, telling) for item in told.rejected),
        changes=(*(changes or _own_part(told.lines, assets, texts)), *_rules_in_the_way(told, texts)),
        identity=tuple(_identity(record, texts)),
        integrity=(
            texts.filled(
                "integrity_text",
                seq=texts.wording.integer(header.seq),
                origin=integrity.origin,
                size=texts.wording.integer(integrity.size),
                public_key=integrity.key,
            ),
            texts.filled(verdict, time=made, problem=integrity.problem),
            texts["offline"],
        ),
        profile=tuple(
            fact_row(used_fact(fact), texts, field=texts.levels.get(name, name))
            for name, fact in record.investor.levels.items()
        ),
        positions=tuple(_position(position, texts) for position in record.investor.positions),
        weighting=texts[f"weighting_{record.investor.weighting}"],
        statistics=tuple(_statistics(record.candidates, telling)),
        leaf=integrity.leaf,
        proof=integrity.proof,
        made=texts.filled("made", time=made),
    )


def report_html(report: Report) -> str:
    """The report as one HTML file that needs nothing else and prints well."""
    spoken = language(report.lang)
    shown = {"report": report, "t": report.texts, "families": spoken.families, "colon": spoken.colon}
    return _environment().get_template("report.html").render(shown)


def moment_text(moment: datetime, lang: str) -> str:
    """A moment in UTC, written out."""
    pattern = report_texts(lang)["moment"]
    return str(format_datetime(moment.astimezone(UTC), pattern, tzinfo=UTC, locale=wording_of(lang).locale))


@cache
def report_texts(lang: str) -> ReportTexts:
    """The report's fixed texts in a language; raises UsageError where there are none."""
    tables = (words(lang, "report", name) for name in ("levels", "facts", "notes"))
    return ReportTexts(lang, words(lang, "report"), *tables)


@cache
def _environment() -> Environment:
    loader = PackageLoader("pathfolio.explain.records", "templates")
    return Environment(loader=loader, autoescape=select_autoescape(), undefined=StrictUndefined, trim_blocks=True)


def _facts(told: ToldRecord, header: Header, texts: ReportTexts) -> list[tuple[str, str]]:
    record = told.record
    question, investor = record.question, record.investor
    name = isolated(investor.name) or texts.filled("unnamed", id=investor.user_id[:6])
    who = texts.filled("in_brackets", text=name, note=investor.user_id)
    asked_by = texts.filled("in_brackets", text=question.who, note=in_words(question.through, texts))
    assumed = [] if question.assumed is None else [(texts["assumed"], _assumed(told, question.assumed, texts))]
    assumed += [(texts["told_label"], _told(told, texts))] if question.told else []
    data = [in_words(record.data.name, texts), texts.filled("as_of", day=texts.wording.day(record.data.as_of))]
    if question.today is not None:  # records of format 1 know none
        data.append(texts.filled("asked_on", day=texts.wording.day(question.today)))
    return [
        (texts["record"], header.id),
        (texts["time"], moment_text(header.moment, texts.lang)),
        (texts["investor"], who if investor.user_id else texts["somebody_new"]),
        (texts["asked_by"], asked_by),
        (texts["question"], _question(record, texts)),
        *assumed,
        (texts["data"], texts["also"].join(data)),
        (texts["known"], _profile(investor, texts)),
    ]


def _profile(investor: RecordedInvestor, texts: ReportTexts) -> str:
    """The investor's levels in one line, when they were told, and how many positions are known."""
    parts = [_level(name, fact, texts) for name, fact in investor.levels.items()]
    days = [fact.as_of for fact in investor.levels.values() if fact.note != PREDICTED and fact.as_of]
    if days:
        parts.append(texts.filled("told_on", day=texts.wording.day(datetime.fromisoformat(max(days)).date())))
    count = len(investor.positions)
    key = "one_position" if count == 1 else "count_positions" if count else "without_positions"
    parts.append(texts.filled(key, n=texts.wording.integer(count)))
    return texts["also"].join(parts)


def _level(name: str, fact: RecordedFact, texts: ReportTexts) -> str:
    """One answer; what the source predicted instead says so."""
    number = texts.wording.number(fact.value or 0, 0)
    tail = fact_row(used_fact(fact), texts, field=name).value
    said = filled(texts.lang, texts.facts[fact.relation], tail=tail, value=number)
    return texts.filled("predicted", level=said) if fact.note == PREDICTED else said


def _question(record: Record, texts: ReportTexts) -> str:
    question = record.question
    if question.asset_id:
        asset = label_of(record.list[0], texts.lang) if record.list else question.asset_id
        return texts.filled("question_asset", asset=asset)
    kind = texts[f"kind_{question.kind or 'all'}"]
    if question.assumed is not None:
        return texts.filled("question_what_if", k=question.k, kind=kind)
    held = texts["with_held"] if question.include_held else ""
    return texts.filled("question_list", k=question.k, kind=kind, held=held)


def _told(told: ToldRecord, texts: ReportTexts) -> str:
    """What the investor told here that counts for the answer, each with its day."""
    names = {node.id: node.names[texts.lang] for node in told.nodes if node.id is not None}
    parts = []
    for fact in told.record.question.told:
        name = names.get(fact.target, fact.target)
        what = f"{texts.wording.relation(fact.relation)}{texts.wording.language.colon}{name}"
        if fact.relation == YEARS:
            what = texts.filled("told_years", n=fact.target)
        said = what if fact.stands else texts.filled("told_back", what=what)
        parts.append(texts.filled("in_brackets", text=said, note=texts.wording.day(fact.day)))
    return texts["also"].join(parts)


def _assumed(told: ToldRecord, assumed: RecordedAssumption, texts: ReportTexts) -> str:
    """What a what-if question assumes: levels, years, interests, and the assets followed and dismissed."""
    investor, wording = told.record.investor, texts.wording
    names = {node.id: node.names[texts.lang] for node in told.nodes if node.id is not None}
    parts = [
        _named_level(table, fact.relation, fact.tail, texts)
        for table, fact in investor.levels.items()
        if fact.source == ASSUMED and fact.tail
    ]
    objective = assumed.levels.get("SEEKS")
    if assumed.years is not None and objective and not investor.user_id:
        # years, where they are said, stand in the rules' place of the objective that was answered, too
        parts.append(_named_level("horizon", "SEEKS", objective, texts))
    if assumed.years is not None:
        parts.append(texts.filled("assumed_years", n=wording.number(assumed.years, 0)))
    chosen = {"interests": assumed.interests, "follow": assumed.follow, "dismiss": assumed.dismiss}
    for name, ids in chosen.items():
        if ids:
            joined = wording.language.comma.join(names.get(each, each) for each in ids)
            parts.append(texts.filled(f"assumed_{name}", names=joined))
    return texts["also"].join(parts) or texts["assumed_nothing"]


def _named_level(table: str, relation: str, level: str, texts: ReportTexts) -> str:
    label = local_label(LEVEL_KINDS[relation], level, texts.lang)
    return texts.filled("named_level", table=texts.levels[table], level=label)


def _warnings_of_all(assets: Sequence[AssetPart]) -> tuple[str, ...]:
    if len(assets) < 2:
        return ()
    return tuple(text for text in assets[0].warnings if all(text in asset.warnings for asset in assets))


def _considered(told: ToldRecord, telling: Telling) -> str:
    """How many passed, what rejected the others; for a list that was handed out bare, where its reasons are from."""
    texts, candidates = telling.texts, told.record.candidates
    counts = {"count": candidates.count, "allowed": candidates.allowed}
    sentences = [
        texts.filled("considered", **{name: texts.wording.integer(count) for name, count in counts.items()}),
        _rejections(candidates.rejected_by, telling),
        "" if told.reasons_from is ReasonsFrom.RECORDED else texts[told.reasons_from.name.lower()],
    ]
    return texts["next_sentence"].join(sentence for sentence in sentences if sentence)


def _rejections(counts: Mapping[str, int], telling: Telling) -> str:
    """How many each rule rejected, the most first."""
    texts, integer = telling.texts, telling.texts.wording.integer
    rules = sorted(((n, rule) for rule, n in counts.items() if n and rule != "any"), key=lambda each: -each[0])
    if not rules:
        return ""
    named = [texts.filled("rule_count", rule=telling.title(rule), n=integer(n)) for n, rule in rules]
    total = integer(counts["any"]) if "any" in counts else ""
    several = sum(n for n, _ in rules) > counts.get("any", 0)
    said = texts.filled("rejections", n=total, rules=texts["also"].join(named))
    return texts["next_sentence"].join([said, texts["several_rules"]]) if several else said


def _own_part(lines: Sequence[ToldLine], assets: Sequence[AssetPart], texts: ReportTexts) -> list[str]:
    """What the record alone tells: on what of the investor's own the first asset rests most."""
    own = assets[0].largest_own if assets else None
    if own is None:
        return []
    rest = texts.wording.number(lines[0].line.score - own.value, 4)
    share = texts.wording.percent(own.share, 0)
    told = {"asset": assets[0].label, "value": rest, "score": assets[0].score, "share": share, "node": own.name}
    return [texts.filled("change_own", **told)]


def _rules_in_the_way(told: ToldRecord, texts: ReportTexts) -> list[str]:
    """Which rule the best of the rejected would have had to pass."""
    if not told.rejected:
        return []
    best = told.rejected[0].rejection
    rule = " ".join(verdict_text(told.rejected[0].verdict.results, texts.lang)).rstrip(".。")
    return [texts.filled("change_rule", asset=label_of(best, texts.lang), place=best.place, rule=rule)]


def _identity(record: Record, texts: ReportTexts) -> list[tuple[str, str]]:
    rules = record.rules
    return [
        (texts["build"], record.build.hash),
        (texts["graph"], record.data.graph_hash),
        (texts["rules"], f"{rules.market} {rules.version}, SHA-256 {rules.sha256}"),
        (texts["software"], ", ".join(f"{name} {version}" for name, version in record.software.items())),
    ]


def _position(position: RecordedPosition, texts: ReportTexts) -> FactRow:
    share = "" if position.value is None else texts.wording.percent(position.value)
    return replace(fact_row(used_fact(position), texts, field=label_of(position, texts.lang)), value=share)


def _statistics(candidates: RecordedCandidates, telling: Telling) -> list[tuple[str, str, str, str]]:
    """Every rule's title, basis, rejections and warnings, in the order of the rule file."""
    integer, order = telling.texts.wording.integer, list(telling.rules)
    counted = [(rule, count) for rule, count in candidates.rejected_by.items() if rule != "any"]
    counted.sort(key=lambda each: order.index(each[0]) if each[0] in order else len(order))
    return [
        (telling.title(rule), telling.basis(rule), integer(count), integer(candidates.warned_by.get(rule, 0)))
        for rule, count in counted
    ]
