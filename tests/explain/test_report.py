"""The report on one record: complete on its first page, printable, and with Chinese text that can be selected."""

from __future__ import annotations

import io
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest
from pypdf import PdfReader

from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.records import pdf
from pathfolio.explain.records.adviser import Adviser
from pathfolio.explain.records.inspect import Look, integrity_of, report_on
from pathfolio.explain.records.layout import Record
from pathfolio.explain.records.pdf import pdf_of
from pathfolio.explain.records.printed import expanded
from pathfolio.explain.records.report import Report, make_report, report_html, report_texts
from pathfolio.explain.records.serve import serve
from pathfolio.explain.records.told import told
from pathfolio.explain.records.verdict_text import outcome_text, result_text
from pathfolio.explain.wording import wording_of
from pathfolio.kg.errors import PathfolioError, UsageError
from pathfolio.kg.languages import languages
from pathfolio.recommender.build import Build
from pathfolio.recommender.suitability.kinds import RULE_KINDS
from pathfolio.recommender.suitability.rulefile import load_rules
from pathfolio.recommender.suitability.verdict import EXEMPT, STATES, Outcome, RuleResult, UsedFact
from pathfolio.web.site.texts import texts_of
from tests.explain.records_world import altered, ask, investors

LANGS = languages()
LOOK = Look("counsel", "complaint 7")


def with_rejections(adviser: Adviser) -> str:
    """An investor with a full list, for which many assets were passed over."""
    for user_id in investors(adviser.build):
        advice = adviser.advise(ask(user_id))
        if len(advice.lines) == 10 and len(advice.rejected) > 5:
            return user_id
    raise AssertionError("no such investor")


@pytest.fixture(scope="module")
def world(small_build: Build, tmp_path_factory: pytest.TempPathFactory) -> tuple[Ledger, str, Record, Adviser]:
    """A ledger, the id of a record with rejections, the record, and who advised."""
    folder = tmp_path_factory.mktemp("report")
    adviser = Adviser(small_build, load_rules("tw"))
    clock = lambda: datetime(2026, 7, 1, 9, 30, tzinfo=UTC)  # noqa: E731 -- a clock that stands
    ledger = open_ledger(folder / "ledger", environ={}, clock=clock)
    served = serve(adviser, ledger, ask(with_rejections(adviser)))
    assert served.advice.rejected
    return ledger, served.receipt.id, served.record, adviser


@pytest.fixture(scope="module", params=LANGS)
def report(world: tuple[Ledger, str, Record, Adviser], request: pytest.FixtureRequest) -> Report:
    ledger, name, _, _ = world
    return report_on(ledger, name, LOOK, request.param)


@pytest.fixture(scope="module")
def made(report: Report) -> bytes:
    """The report as PDF, made once a language."""
    if shutil.which("fc-list") is None:
        pytest.skip("no fontconfig: install Debian's fonts-noto-cjk")
    return pdf_of(report_html(report))


@pytest.fixture(scope="module")
def pages(made: bytes) -> list[str]:
    """The text of each page, without white space."""
    return [squeezed(page.extract_text()) for page in PdfReader(io.BytesIO(made)).pages]


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def test_the_first_page_says_it_all(
    report: Report, pages: list[str], world: tuple[Ledger, str, Record, Adviser]
) -> None:
    """Who, what, when, why, what was rejected and why, what would have changed it, identity and integrity."""
    ledger, name, record, _ = world
    first, *rest = pages
    assert rest
    expected = [
        name,
        record.investor.user_id,
        "clerk",
        *(value for _, value in report.identity),
        *(asset.label for asset in report.assets),
        *(text for item in report.rejected[: report.on_first_page] for text in (item.label, *item.why)),
        *report.changes,
        *report.integrity,
        *(reason.text for asset in report.assets for reason in asset.reasons[:1]),
    ]
    missing = [text for text in expected if squeezed(text) not in first]
    assert not missing
    assert squeezed(ledger.verifiers[0].text) in first


def test_the_account_follows(report: Report, pages: list[str], world: tuple[Ledger, str, Record, Adviser]) -> None:
    record = world[2]
    text = "".join(pages[1:])
    for asset in report.assets:
        assert all(squeezed(reason.text) in text for reason in asset.reasons)
        assert all(squeezed(row.text) in text for row in asset.checks)
        assert all(squeezed(f"{part}{value}") in text for part, value in asset.parts)
    for position in report.positions:
        assert squeezed(position.field) in text
    assert squeezed(report.proof) in text
    assert len(report.positions) == len(record.investor.positions)


def test_names_are_in_the_reader_s_language(report: Report) -> None:
    chinese = re.compile(r"[\u4e00-\u9fff]")
    labels = [asset.label for asset in report.assets]
    texts = [reason.text for asset in report.assets for reason in asset.reasons] + list(report.changes)
    assert texts
    for text in labels + texts:
        assert bool(chinese.search(text)) == (report.lang != "en")
    if report.lang != "en":
        steps = [path.steps for asset in report.assets for path in asset.paths]
        assert all(chinese.search(step) for step in steps)


def test_sums_in_the_report(report: Report, world: tuple[Ledger, str, Record, Adviser]) -> None:
    """The parts of a score as printed add up to the score as printed, but for rounding."""
    for asset in report.assets:
        *parts, (_, total) = asset.parts
        numbers = [float(value.replace("−", "-").replace(",", "")) for _, value in parts]
        assert sum(numbers) == pytest.approx(float(total.replace(",", "")), abs=1e-4 * len(numbers))


def test_the_page_needs_nothing_else(report: Report) -> None:
    html = report_html(report)
    assert not re.findall(r"(?:src|href)\s*=", html)
    assert "url(" not in html and "<script" not in html
    assert f'lang="{report.lang}"' in html


def test_text_from_records_is_escaped(world: tuple[Ledger, str, Record, Adviser]) -> None:
    ledger, name, record, _ = world
    record = altered(record, ("investor", "name"), "<script>alert(1)</script>")
    header = ledger.header(name)
    html = report_html(make_report(told(record), header, integrity_of(ledger, header), "en"))
    assert "<script>" not in html and "&lt;script&gt;" in html


def test_a_report_on_an_altered_record_says_so(world: tuple[Ledger, str, Record, Adviser]) -> None:
    ledger, name, record, _ = world
    header = ledger.header(name)
    broken = replace(integrity_of(ledger, header), problem="altered: its hash does not lead to the signed root")
    for lang in LANGS:
        report = make_report(told(record), header, broken, lang)
        assert not report.sound
        assert "integrity broken" in report_html(report)
        assert any("altered" in text for text in report.integrity)


def test_without_the_build_the_record_still_tells_what_it_rests_on(
    world: tuple[Ledger, str, Record, Adviser],
) -> None:
    ledger, name, record, _ = world
    for lang in LANGS:
        report = report_on(ledger, name, LOOK, lang)
        assert report.changes
        rejected = expanded(record)["rejected"][0]
        assert any(str(rejected["place"]) in text for text in report.changes)


def found_by(kind: str, reason: str, measured: float | None, limit: float | None, subject: str = "") -> RuleResult:
    return RuleResult("r", kind, Outcome.PASS, Outcome.PASS, reason, measured, limit, subject, ())


def test_every_finding_has_a_sentence_in_each_language() -> None:
    for lang, kind in product(LANGS, RULE_KINDS):
        for full_kind in kind.full_kinds():
            for reason in (*kind.reasons_of(full_kind), EXEMPT):
                result = found_by(full_kind, reason, 0.5, 2.0, "X")
                text = result_text(result, lang)
                assert text and f"{full_kind}: {reason}" not in text and "{" not in text
    for lang in LANGS:
        assert [outcome_text(word, lang) for word in (*STATES, "unknown")]


def test_what_is_not_known_says_what_the_rules_make_of_it() -> None:
    """An unknown finding ends with its effect, and an investor is spoken to."""
    found = found_by("risk_level", "no_level", 4.0, None)
    effects = (Outcome.REJECT, Outcome.WARN, Outcome.PASS)
    said = {effect.word: replace(found, outcome=Outcome.UNKNOWN, effect=effect) for effect in effects}
    for lang in LANGS:
        for to_investor in (False, True):
            assert len({result_text(each, lang, to_investor=to_investor) for each in said.values()}) == 3
    assert result_text(said["reject"], "en") == (
        "The investor's risk level is not known. Not knowing this, the rules do not let the asset through."
    )
    text = result_text(said["warn"], "en", to_investor=True)
    assert text == "Your risk level is not known. The rules let the asset through with a caution."
    assert result_text(said["reject"], "zh-TW", to_investor=True) == "您的風險屬性不明。因資料不明，規則不予通過。"
    assert result_text(found, "en") == "The investor's risk level is not known."


def test_old_answers_are_dated_and_to_be_renewed() -> None:
    found = found_by("freshness/profile", "stale", 1818.0, 365.0)
    dated = replace(found, facts=(UsedFact("U1", "ANSWERS", as_of="2021-07-08"),))
    assert result_text(found, "en", to_investor=True).startswith("Your answers are 1,818 days old; the rules allow 365")
    assert result_text(dated, "en").startswith("The investor's answers, of July 8, 2021, are 1,818 days old")
    assert "問卷（2021年7月8日）距今 1,818 天，超過規則容許的 365 天" in result_text(dated, "zh-TW")


def test_no_such_language(world: tuple[Ledger, str, Record, Adviser]) -> None:
    with pytest.raises(UsageError, match="no language 'fr'"):
        report_on(world[0], world[1], LOOK, "fr")


def test_no_chinese_font(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "_has_font", lambda: False)
    with pytest.raises(PathfolioError, match="install Debian's fonts-noto-cjk"):
        pdf_of("<p>台積電</p>")


def test_pdf_is_made_for_archives(made: bytes) -> None:
    assert made.startswith(b"%PDF-1.7")
    reader = PdfReader(io.BytesIO(made))
    assert reader.xmp_metadata is not None
    assert "pdfaid" in str(reader.xmp_metadata.rdf_root.toxml())
    fonts = [font for page in reader.pages for font in page["/Resources"]["/Font"].values()]
    assert fonts
    for font in fonts:
        descriptor = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"]
        assert {"/FontFile2", "/FontFile3"} & set(descriptor)


def test_others_are_counted_as_in_the_record(report: Report, world: tuple[Ledger, str, Record, Adviser]) -> None:
    """Each path through other investors says how many they are, in either language."""
    record = expanded(world[2])
    for item, asset in zip(record["list"], report.assets, strict=True):
        for path, row in zip(item["explanation"]["paths"], asset.paths, strict=False):
            if any(node["id"] is None for node in path["nodes"]):
                assert re.search(rf"\b{path['count']}\b|{path['count']} 位", row.steps), (path["count"], row.steps)


def test_a_verdict_has_the_same_word_in_the_report_and_on_the_site() -> None:
    for lang in LANGS:
        site, report = texts_of(lang), report_texts(lang)
        for word in {*STATES, *(outcome.word for outcome in Outcome)}:
            assert outcome_text(word, lang) == site.say(f"verdict_{word}")
        assert report["base"].startswith(wording_of(lang).page("base"))
        assert report["warns"].lower().startswith(outcome_text("warn", lang))
