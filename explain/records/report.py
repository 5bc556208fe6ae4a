"""The report on one record: what a lawyer reads on the first page, then the whole account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from babel.dates import format_datetime
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from pathfolio.explain.ledger.entry import Header
from pathfolio.explain.records.fact_words import LEVEL_KINDS, FactRow, ReportTexts, fact_row, in_words
from pathfolio.explain.records.report_parts import (
    AssetPart,
    RejectedPart,
    asset_part,
    label_of,
    rejected_part,
    rule_basis,
    rule_title,
)
from pathfolio.explain.records.tables import names_of
from pathfolio.explain.records.verdict_text import verdict_text
from pathfolio.explain.records.whole import COMPUTED_AGAIN, GONE, REST_COMPUTED_AGAIN, REST_DIFFERS, REST_GONE
from pathfolio.explain.wording import wording_of
from pathfolio.kg.bidi import isolated
from pathfolio.kg.labels import local_label
from pathfolio.kg.languages import language, words
from pathfolio.recommender.suitability.investor import ASSUMED
from pathfolio.recommender.suitability.used_facts import PREDICTED

_ON_FIRST_PAGE: Final = 4
"""Rejected assets on the first page."""

_REASONS_ON_FIRST_PAGE: Final = 8
_WHERE_FROM: Final = MappingProxyType(
    {
        COMPUTED_AGAIN: "computed_again",
        GONE: "build_gone",
        REST_COMPUTED_AGAIN: "rest_computed_again",
        REST_DIFFERS: "rest_differs",
        REST_GONE: "rest_gone",
    }
)
"""Where the reasons of a record are from to the text that says so."""

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
    record: Mapping[str, Any], header: Header, integrity: Integrity, lang: str, *, changes: Sequence[str] = ()
) -> Report:
    """The report on a record.

    Args:
        record: the payload, as `record_of` made it.
        changes: sentences on what would have changed the result, computed with the build; where there are none,
            what the record itself tells is said.
    """
    texts = report_texts(lang)
    verdict = "integrity_broken" if integrity.problem else "integrity_sound"
    made = moment_text(integrity.made, lang)
    investor, is_what_if = record["investor"], "assumed" in record["question"]
    asked_about_one = bool(record["question"]["asset_id"])
    assets = [asset_part(item, record, texts, lang) for item in record["list"]]
    for_all = _warnings_of_all(assets)
    return Report(
        lang=lang,
        texts=texts,
        sound=not integrity.problem,
        title=texts["title_what_if" if is_what_if else "title_asset" if asked_about_one else "title"],
        heading=texts["supposed" if is_what_if else "explained" if asked_about_one else "recommended"],
        notices=(
            *((texts["sample"],) if record["data"]["is_sample"] else ()),
            *((texts["what_if"],) if is_what_if else ()),
        ),
        facts=tuple(_facts(record, header, texts, lang)),
        considered=_considered(record, texts, lang),
        assets=tuple(replace(a, warnings=tuple(w for w in a.warnings if w not in for_all)) for a in assets),
        for_all=for_all,
        rejected=tuple(rejected_part(item, record, texts) for item in record["rejected"]),
        changes=(*(changes or _own_part(record, texts, lang)), *_rules_in_the_way(record, texts, lang)),
        identity=tuple(_identity(record, texts)),
        integrity=(
            texts.filled(
                "integrity_text",
                seq=wording_of(lang).integer(header.seq),
                origin=integrity.origin,
                size=wording_of(lang).integer(integrity.size),
                public_key=integrity.key,
            ),
            texts.filled(verdict, time=made, problem=integrity.problem),
            texts["offline"],
        ),
        profile=tuple(
            fact_row(fact, texts, field=texts.levels.get(name, name)) for name, fact in investor["levels"].items()
        ),
        positions=tuple(_position(fact, texts, lang) for fact in investor["positions"]),
        weighting=texts[f"weighting_{investor['weighting']}"],
        statistics=tuple(_statistics(record, lang)),
        leaf=integrity.leaf,
        proof=integrity.proof,
        made=texts.filled("made", time=made),
    )


def report_html(report: Report) -> str:
    """The report as one HTML file that needs nothing else and prints well."""
    families = language(report.lang).families
    return _environment().get_template("report.html").render(report=report, t=report.texts, families=families)


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


def _facts(record: Mapping[str, Any], header: Header, texts: ReportTexts, lang: str) -> list[tuple[str, str]]:
    question, investor, data = record["question"], record["investor"], record["data"]
    name = isolated(investor["name"]) or texts.filled("unnamed", id=str(investor["user_id"])[:6])
    who = texts.filled("in_brackets", text=name, note=investor["user_id"])
    who = who if investor["user_id"] else texts["somebody_new"]
    asked_by = texts.filled("in_brackets", text=question["who"], note=in_words(question["through"], texts))
    assumed = [(texts["assumed"], _assumed(record, texts))] if "assumed" in question else []
    day = wording_of(lang).day(date.fromisoformat(data["as_of"]))
    asked = question.get("today")  # records of format 1 know none
    today = [texts.filled("asked_on", day=wording_of(lang).day(date.fromisoformat(asked)))] if asked else []
    return [
        (texts["record"], header.id),
        (texts["time"], moment_text(header.moment, lang)),
        (texts["investor"], who),
        (texts["asked_by"], asked_by),
        (texts["question"], _question(record, texts, lang)),
        *assumed,
        (texts["data"], texts["also"].join([in_words(data["name"], texts), texts.filled("as_of", day=day), *today])),
        (texts["known"], _profile(record, texts, lang)),
    ]


def _profile(record: Mapping[str, Any], texts: ReportTexts, lang: str) -> str:
    """The investor's levels in one line, when they were told, and how many positions are known."""
    investor, wording = record["investor"], wording_of(lang)
    parts = [_level(name, fact, texts) for name, fact in investor["levels"].items()]
    told = [fact for fact in investor["levels"].values() if fact.get("note") != PREDICTED]
    days = [day for fact in told if (day := str(fact.get("as_of", "")))]
    if days:
        parts.append(texts.filled("told_on", day=wording.day(datetime.fromisoformat(max(days)).date())))
    count = len(investor["positions"])
    key = "one_position" if count == 1 else "count_positions" if count else "without_positions"
    parts.append(texts.filled(key, n=wording.integer(count)))
    return texts["also"].join(parts)


def _level(name: str, fact: Mapping[str, Any], texts: ReportTexts) -> str:
    """One answer; what the source predicted instead says so."""
    number = wording_of(texts.lang).number(fact.get("value", 0), 0)
    said = texts.facts[fact["relation"]].format(tail=fact_row(fact, texts, field=name).value, value=number)
    return texts.filled("predicted", level=said) if fact.get("note") == PREDICTED else said


def _question(record: Mapping[str, Any], texts: ReportTexts, lang: str) -> str:
    question = record["question"]
    if question["asset_id"]:
        asset = label_of(record["list"][0], lang) if record["list"] else question["asset_id"]
        return texts.filled("question_asset", asset=asset)
    kind, held = texts[f"kind_{question['kind'] or 'all'}"], texts["with_held"] if question["include_held"] else ""
    if "assumed" in question:
        return texts.filled("question_what_if", k=question["k"], kind=kind)
    return texts.filled("question_list", k=question["k"], kind=kind, held=held)


def _assumed(record: Mapping[str, Any], texts: ReportTexts) -> str:
    """What a what-if question assumes: levels, years, interests, and the assets followed and dismissed."""
    assumed, wording = record["question"]["assumed"], wording_of(texts.lang)
    names = {str(row[0]): names_of(row)[texts.lang] for row in _nodes(record)}
    parts = [
        f"{texts.levels[table]} {local_label(LEVEL_KINDS[fact['relation']], fact['tail'], texts.lang)}"
        for table, fact in record["investor"]["levels"].items()
        if fact.get("source") == ASSUMED and "tail" in fact
    ]
    objective = assumed["levels"].get("SEEKS")
    if assumed["years"] is not None and objective and not record["investor"]["user_id"]:
        # years, where they are said, stand in the rules' place of the objective that was answered, too
        parts.append(f"{texts.levels['horizon']} {local_label(LEVEL_KINDS['SEEKS'], objective, texts.lang)}")
    if assumed["years"] is not None:
        parts.append(texts.filled("assumed_years", n=wording.number(assumed["years"], 0)))
    for name in ("interests", "follow", "dismiss"):
        if assumed[name]:
            joined = wording.language.comma.join(names.get(each, each) for each in assumed[name])
            parts.append(texts.filled(f"assumed_{name}", names=joined))
    return texts["also"].join(parts) or texts["assumed_nothing"]


def _nodes(record: Mapping[str, Any]) -> list[list[Any]]:
    nodes: list[list[Any]] = record["tables"]["nodes"]
    return nodes


def _warnings_of_all(assets: Sequence[AssetPart]) -> tuple[str, ...]:
    if len(assets) < 2:
        return ()
    return tuple(text for text in assets[0].warnings if all(text in asset.warnings for asset in assets))


def _considered(record: Mapping[str, Any], texts: ReportTexts, lang: str) -> str:
    """How many passed, what rejected the others; for a list that was handed out bare, where its reasons are from."""
    sentences = [texts.filled("considered", **_counts(record, lang)), _rejections(record, texts, lang)]
    sentences.append(texts[_WHERE_FROM[record["reasons"]]] if record.get("reasons") in _WHERE_FROM else "")
    return texts["next_sentence"].join(sentence for sentence in sentences if sentence)


def _rejections(record: Mapping[str, Any], texts: ReportTexts, lang: str) -> str:
    """How many each rule rejected, the most first."""
    counts, wording = record["candidates"]["rejected_by"], wording_of(lang)
    rules = sorted(((n, rule) for rule, n in counts.items() if n and rule != "any"), key=lambda each: -each[0])
    if not rules:
        return ""
    named = [texts.filled("rule_count", rule=rule_title(record, rule, lang), n=wording.integer(n)) for n, rule in rules]
    total = wording.integer(counts["any"]) if "any" in counts else ""
    several = sum(n for n, _ in rules) > counts.get("any", 0)
    told = texts.filled("rejections", n=total, rules=texts["also"].join(named))
    return texts["next_sentence"].join([told, texts["several_rules"]]) if several else told


def _counts(record: Mapping[str, Any], lang: str) -> dict[str, str]:
    wording = wording_of(lang)
    return {name: wording.integer(record["candidates"][name]) for name in ("count", "allowed")}


def _own_part(record: Mapping[str, Any], texts: ReportTexts, lang: str) -> list[str]:
    """What the record alone tells: on what of the investor's own the first asset rests most."""
    wording, out = wording_of(lang), []
    for item in record["list"][:1]:
        own = asset_part(item, record, texts, lang).largest_own
        if own is not None:
            values = {"share": wording.percent(own.share, 0), "node": own.name}
            rest = wording.number(item["score"] - own.value, 4)
            score = wording.number(item["score"], 4)
            out.append(texts.filled("change_own", asset=label_of(item, lang), value=rest, score=score, **values))
    return out


def _rules_in_the_way(record: Mapping[str, Any], texts: ReportTexts, lang: str) -> list[str]:
    """Which rule the best of the rejected would have had to pass."""
    out = []
    for item in record["rejected"][:1]:
        rule = " ".join(verdict_text(item["verdict"], lang)).rstrip(".。")
        out.append(texts.filled("change_rule", asset=label_of(item, lang), place=item["place"], rule=rule))
    return out


def _identity(record: Mapping[str, Any], texts: ReportTexts) -> list[tuple[str, str]]:
    rules, software = record["rules"], record["software"]
    return [
        (texts["build"], record["build"]["hash"]),
        (texts["graph"], record["data"]["graph_hash"]),
        (texts["rules"], f"{rules['market']} {rules['version']}, SHA-256 {rules['sha256']}"),
        (texts["software"], ", ".join(f"{name} {version}" for name, version in software.items())),
    ]


def _position(fact: Mapping[str, Any], texts: ReportTexts, lang: str) -> FactRow:
    row = fact_row(fact, texts, field=label_of({**fact, "asset_id": fact["tail"]}, lang))
    share = wording_of(lang).percent(fact["value"]) if "value" in fact else ""
    return FactRow(row.field, share, row.source, row.day, row.note)


def _statistics(record: Mapping[str, Any], lang: str) -> list[tuple[str, str, str, str]]:
    """Every rule's title, basis, rejections and warnings, in the order of the rule file."""
    candidates, wording = record["candidates"], wording_of(lang)
    order = list(record.get("rule_texts", {}))
    counted = [(rule, count) for rule, count in candidates["rejected_by"].items() if rule != "any"]
    counted.sort(key=lambda each: order.index(each[0]) if each[0] in order else len(order))
    warned = candidates["warned_by"]
    return [
        (
            rule_title(record, rule, lang),
            rule_basis(record, rule, lang),
            wording.integer(count),
            wording.integer(warned.get(rule, 0)),
        )
        for rule, count in counted
    ]
