"""Records of what-if lists: as whole as any other, found, compared, reported and replayed bit for bit."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from msgspec import convert

from pathfolio.explain.ledger.canonical import canonical
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.records.adviser import Adviser, Question
from pathfolio.explain.records.assumption import WHAT_IF, Assumed
from pathfolio.explain.records.columns import unpacked
from pathfolio.explain.records.desk import Desk
from pathfolio.explain.records.find import Finder, Search
from pathfolio.explain.records.history import compare
from pathfolio.explain.records.inspect import list_records, read_record, report_on
from pathfolio.explain.records.layout import plain, record_text
from pathfolio.explain.records.layout.asked import PackedColumn
from pathfolio.explain.records.printed import expanded, printed
from pathfolio.explain.records.record import digest_of, record_of
from pathfolio.explain.records.replay import find_build, replay
from pathfolio.explain.records.serve import serve
from pathfolio.explain.records.told import ReasonsFrom, told
from pathfolio.explain.records.verdict_text import result_text
from pathfolio.explain.records.whole import whole
from pathfolio.kg.languages import languages
from pathfolio.recommender.build import Build
from pathfolio.recommender.suitability.investor import ASSUMED
from pathfolio.recommender.suitability.rulefile import load_rules
from pathfolio.recommender.suitability.verdict import Outcome
from pathfolio.web.cli import main
from pathfolio.web.site import create_app
from tests.explain.ledger_world import entry_of
from tests.explain.records_world import LOOK, altered, ask, cautious, investors

BOLD = Assumed(levels=(("HAS_RISK", "Aggressive"),), years=3.0)


@pytest.fixture(scope="module")
def adviser(small_build: Build) -> Adviser:
    return Adviser(small_build, load_rules("tw"))


@pytest.fixture
def client(adviser: Adviser, ledger: Ledger) -> FlaskClient:
    return create_app(adviser.build, desk=Desk(adviser, ledger)).test_client()


def asked_on_the_site(client: FlaskClient, build: Build) -> list[str]:
    """Ids of the records of four questions: by API and page, for an investor and for somebody new."""
    user, asset = investors(build)[3], str(build.graph.nodes.id[build.graph.assets[7]])
    answers = [
        client.post("/api/what-if", json={"user_id": user, "follow": [asset], "profile": {"horizon": 10}, "k": 6}),
        client.post("/api/questionnaire", json={"profile": {"risk_level": "Aggressive"}, "lang": "zh-TW"}),
        client.get(f"/investors/{user}/what-if?dismiss={asset}&kind=stock"),
        client.get("/questionnaire?risk_level=Aggressive&horizon=3"),
    ]
    assert [answer.status_code for answer in answers] == [200] * 4
    return [answer.headers["Pathfolio-Record"] for answer in answers]


def test_what_the_site_assumed_is_replayed_bit_for_bit(client: FlaskClient, small_build: Build, ledger: Ledger) -> None:
    for name in asked_on_the_site(client, small_build):
        header, record = read_record(ledger, name, LOOK)
        assert header.kind == WHAT_IF
        found = replay(ledger, name, record, find_build(ledger, record, None))
        assert (found.same, found.sealed) == (True, True), found.differences


def test_a_thrifty_record_is_small_says_what_was_shown_and_is_made_whole_again(
    client: FlaskClient, adviser: Adviser, small_build: Build, ledger: Ledger
) -> None:
    for name in asked_on_the_site(client, small_build):
        header, record = read_record(ledger, name, LOOK)
        question = Question.asked(record.question)
        assert question.thrifty
        full = record_of(adviser, adviser.advise(replace(question, thrifty=False)))
        assert len(zlib.compress(record_text(record))) < len(zlib.compress(record_text(full))) / 2
        assert record.whole == digest_of(full)
        shown = [[reason.text for reason in line.reasons or ()] for line in record.list]
        assert shown == [
            [each.text for each in line.explanation.reasons if each.lang == question.lang]
            for line in full.list
            if line.explanation is not None
        ]
        again = whole(ledger, record)
        assert again.reasons_from is ReasonsFrom.REST_COMPUTED_AGAIN
        assert again.lines == told(full).lines
        report = report_on(ledger, header.id, LOOK, "en")
        assert "a digest of what lies behind them" in report.considered
        behind = [bool(each.explanation.paths) for each in again.lines]
        assert [bool(asset.paths) for asset in report.assets] == behind


def test_what_a_thrifty_record_leaves_out_is_not_made_up(
    client: FlaskClient, small_build: Build, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = asked_on_the_site(client, small_build)[0]
    record = read_record(ledger, name, LOOK)[1]
    wrong = whole(ledger, altered(record, ("whole",), "0" * 64))
    assert wrong.reasons_from is ReasonsFrom.REST_DIFFERS
    monkeypatch.setattr("pathfolio.explain.records.whole.kept_build", lambda *_: None)
    gone = whole(ledger, record)
    assert gone.reasons_from is ReasonsFrom.REST_GONE
    for each in (wrong, gone):
        assert [found.explanation.paths for found in each.lines] == [()] * len(record.list)
        shown = printed(each)["list"][0]["explanation"]["reasons"]
        assert shown == plain(record)["list"][0]["reasons"] != []
    for lang in languages():
        assert report_on(ledger, name, LOOK, lang).assets[0].reasons or lang != "en"


def test_records_of_before_are_replayed_as_they_were(adviser: Adviser, ledger: Ledger, small_build: Build) -> None:
    """A question without the word for thrift is one that was recorded whole."""
    made = serve(adviser, ledger, ask(investors(small_build)[1], assumed=BOLD))
    record = read_record(ledger, made.receipt.id, LOOK)[1]
    assert not record.question.thrifty
    assert record.candidates.columns is not None
    assert replay(ledger, made.receipt.id, record, small_build).same


def test_replay_names_what_differs(adviser: Adviser, ledger: Ledger, small_build: Build) -> None:
    made = serve(adviser, ledger, ask(investors(small_build)[1], assumed=BOLD))
    assert made.record.moves is not None
    record = altered(made.record, ("question", "assumed", "years"), 20)
    record = altered(record, ("moves", "listed", 0, 2), made.record.moves.listed[0].was + 1)
    fields = {each.field for each in replay(ledger, made.receipt.id, record, small_build).differences}
    assert "moves.listed[0][2]" in fields
    assert any(field.startswith("investor.levels.horizon") for field in fields)


def test_the_record_of_a_what_if_list_says_it_all(adviser: Adviser, small_build: Build) -> None:
    user = cautious(small_build)
    advice = adviser.advise(ask(user, k=4, assumed=BOLD))
    record = expanded(record_of(adviser, advice))
    assert record["question"]["assumed"] == json.loads(canonical(BOLD.recorded()))
    assert record["investor"]["user_id"] == user
    levels = record["investor"]["levels"]
    assert levels["risk"] == {"head": user, "relation": "HAS_RISK", "source": ASSUMED, "tail": "Aggressive"}
    assert levels["horizon"] == {"head": user, "relation": "YEARS", "source": ASSUMED, "value": 3.0}
    for item, verdict, (asset, rank, was) in zip(
        record["list"], advice.verdicts, record["moves"]["listed"], strict=True
    ):
        assert (asset, rank) == (item["asset_id"], item["rank"])
        assert was >= 0
        assert canonical(item["verdict"]) == canonical(verdict.to_json())
        assert {reason["lang"] for reason in item["explanation"]["reasons"]} == set(languages())
        used = [fact for result in item["verdict"]["results"] for fact in result["facts"]]
        assert not {fact.get("head") for fact in used} & ({*investors(small_build)} - {user})
    columns, rejected_by = record["candidates"]["columns"], record["candidates"]["rejected_by"]
    assert (unpacked(convert(columns["outcome"], PackedColumn)) == Outcome.REJECT).sum() == rejected_by["any"]
    assert len(unpacked(convert(columns["score"], PackedColumn))) == record["candidates"]["count"]


def test_years_said_reject_what_should_be_held_longer(adviser: Adviser) -> None:
    """Rules that only warn of a short horizon reject where the years were said, and the verdict shows it."""
    advice = adviser.advise(ask("", k=76, assumed=Assumed(levels=BOLD.levels, years=0.5)))
    effects = [result for each in advice.rejected for result in each.verdict.results if result.rule == "horizon"]
    assert any((result.outcome, result.effect) == (Outcome.WARN, Outcome.REJECT) for result in effects)
    for to_investor in (False, True):
        told = {result_text(result, "en", to_investor=to_investor) for result in effects}
        assert "It should be held for at least 2 years; the money can stay invested for 0.5 years only." in told
    shown = [result for verdict in advice.verdicts for result in verdict.results if result.rule == "horizon"]
    assert all(result.effect is Outcome.PASS for result in shown)


def test_they_are_listed_found_and_compared(client: FlaskClient, small_build: Build, ledger: Ledger) -> None:
    names = asked_on_the_site(client, small_build)
    user = investors(small_build)[3]
    rows = {row.id: row for row in list_records(ledger, LOOK, ledger.headers(kinds=[WHAT_IF]))}
    assert set(rows) == set(names)
    assert [rows[name].user_id for name in names] == [user, "", user, ""]
    assert all(rows[name].assets for name in names)
    found = Finder(ledger).find(Search(investor=user), LOOK).records
    assert {summary.header.id for summary in found} == {names[0], names[2]}
    first, second = (read_record(ledger, name, LOOK)[1] for name in (names[1], names[3]))
    facts = {name: (one, two) for name, one, two in compare(first, second).facts}
    assert facts["RiskLevel"] == ("Aggressive", "Aggressive")
    assert facts["years"] == ("", "3")
    purpose = {"Pathfolio-Purpose": "complaint 7"}
    for page in (f"/records/{names[0]}", f"/records/{names[1]}", "/records"):
        assert client.get(page, headers=purpose).status_code == 200
    answer = client.get("/records/compare", headers=purpose, query_string={"a": names[0], "b": names[3]})
    assert answer.status_code == 200
    case = client.get(f"/records/{names[1]}/case.zip", headers=purpose)
    assert case.status_code == 200


@pytest.mark.parametrize(
    ("lang", "title", "somebody"),
    [("en", "what-if", "somebody new"), ("zh-CN", "情景测算", "新投资者"), ("zh-TW", "情境試算", "新投資人")],
)
def test_the_report_says_that_it_was_a_what_if(
    adviser: Adviser, ledger: Ledger, lang: str, title: str, somebody: str
) -> None:
    made = serve(adviser, ledger, ask("", assumed=BOLD))
    report = report_on(ledger, made.receipt.id, LOOK, lang)
    assert title in report.title
    assert any(title in notice for notice in report.notices)
    facts = dict(report.facts)
    assert somebody in facts[report.texts["investor"]]
    told = {
        "en": "Risk level Aggressive; invested for 3 years",
        "zh-CN": "风险承受能力：进取型；资金可投资 3 年",
        "zh-TW": "風險屬性：積極型；資金可投資 3 年",
    }
    assert facts[report.texts["assumed"]] == told[lang]


# -- what would move an asset --------------------------------------------------------------------------------


def test_what_would_move_an_asset_counts_in_the_gated_list(adviser: Adviser, small_build: Build) -> None:
    for user in investors(small_build)[:12]:
        listed = adviser.advise(ask(user, k=5)).lines
        if len(listed) < 5:
            continue
        advice = adviser.advise(ask(user, k=5, asset_id=listed[2].asset_id, counterfactual=True))
        assert advice.change is not None
        assert (advice.change.before, advice.lines[0].rank) == (3, 3)


def test_no_answer_is_named_that_would_make_an_asset_suitable(
    adviser: Adviser, ledger: Ledger, small_build: Build
) -> None:
    user = cautious(small_build)
    rejected = adviser.advise(ask(user)).rejected[0].asset_id
    made = serve(adviser, ledger, ask(user, asset_id=rejected, counterfactual=True))
    told = made.record.counterfactual
    assert told is not None
    assert (told.found, told.before, told.answers) == (False, 0, ())
    assert "suitability rules do not let" in told.text["en"]
    assert "不適合您" in told.text["zh-TW"]
    assert replay(ledger, made.receipt.id, made.record, small_build).same


def test_the_command_records_what_it_says(
    adviser: Adviser,
    ledger: Ledger,
    small_build: Build,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PATHFOLIO_LEDGER", str(ledger.folder))
    user = investors(small_build)[3]
    asset = adviser.advise(ask(user)).lines[0].asset_id
    words = ["explain", str(small_build.folder), "--user", user, "--asset", asset, "--what-if", "--rules", "tw"]
    assert main([*words, "--lang", "zh-TW"]) == 0
    said = capsys.readouterr().out.splitlines()[0]
    header = ledger.headers(kinds=["recommendation"])[0]
    record = entry_of(ledger, header.id)
    assert record["counterfactual"]["text"]["zh-TW"] == said
    assert main(["audit", "show", header.id]) == 0
    assert said in capsys.readouterr().out


def test_a_question_comes_back_from_its_record(small_build: Build) -> None:
    for question in (ask("U1"), ask("U1", counterfactual=True, asset_id="A"), ask("", assumed=BOLD, k=3)):
        assert Question.asked(question.recorded()) == question


def test_answers_as_somebody_new_are_sealed_with_the_key_of_who_gave_them(adviser: Adviser, ledger: Ledger) -> None:
    desk, question, seen = Desk(adviser, ledger), ask("", assumed=BOLD), list[str]()
    for person in ("U-17", None):  # the second time it is remembered, and nobody's
        made = desk.show(question, "of whom", lambda advice: [line.user_id for line in advice.lines], person)
        assert set(made.view) == {""}
        seen.append(made.receipt.id)
    assert [header.id for header in ledger.headers(person="U-17", kinds=[WHAT_IF])] == seen[:1]
    assert [ledger.header(record).key == "" for record in seen] == [False, True]
