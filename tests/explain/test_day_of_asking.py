"""The day of asking is a fact: rules count ages up to it, records hold it, and old records know none."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.squeeze import Squeezed
from pathfolio.explain.records.adviser import Adviser, Question
from pathfolio.explain.records.asking import clock_day, day_of_asking
from pathfolio.explain.records.audience_record import AudienceQuestion, recorded_audience
from pathfolio.explain.records.desk import Desk
from pathfolio.explain.records.inspect import read_record
from pathfolio.explain.records.keep import keep
from pathfolio.explain.records.layout import TRADITIONAL, WITHOUT_DAY, record_text
from pathfolio.explain.records.record import record_of
from pathfolio.explain.records.replay import find_build, replay
from pathfolio.explain.records.serve import serve
from pathfolio.explain.records.verdict_text import result_text
from pathfolio.explain.wording import wording_of
from pathfolio.kg.errors import UsageError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.languages import DEFAULT
from pathfolio.kg.schema import NodeKind
from pathfolio.recommender.build import Build
from pathfolio.recommender.suitability.gate import Gate
from pathfolio.recommender.suitability.rulefile import SHIPPED, load_rules, parse_rules
from pathfolio.recommender.suitability.rules import RuleSet
from pathfolio.recommender.suitability.verdict import RuleResult
from pathfolio.web.cli import main
from pathfolio.web.site import create_app
from tests.explain.records_world import LOOK, altered, ask, investors
from tests.recommender.suitability_world import AS_OF, prices, rule, tiny_market

BUILD_AGE = 'kind = "freshness"\ngroup = "build"\nmax_days = 30\nfail = "warn"'


@pytest.fixture(scope="module")
def graph() -> KnowledgeGraph:
    return tiny_market()


def found_on(graph: KnowledgeGraph, rules: RuleSet, day: date, user: str = "ann") -> RuleResult:
    """What the one rule finds about tech."""
    at = graph.nodes.id[graph.assets].tolist().index("tech")
    gate = Gate.over(graph, rules, prices()).on(day)
    return gate.screen(graph.row(NodeKind.USER, user), graph.assets).verdict(at).results[0]


def test_ages_of_answers_count_from_the_day_of_asking(graph: KnowledgeGraph) -> None:
    """ann answered on 1 January 2026: 180 days before the snapshot, 366 before 2 January 2027."""
    rules = rule('kind = "freshness"\ngroup = "profile"\nmax_days = 365\nfail = "warn"')
    assert (found_on(graph, rules, AS_OF).measured, found_on(graph, rules, AS_OF).reason) == (180, "fresh")
    late = found_on(graph, rules, date(2027, 1, 2))
    assert (late.measured, late.reason, late.effect.word) == (366, "stale", "warn")


def test_a_build_older_than_the_limit_cautions_or_is_refused(graph: KnowledgeGraph) -> None:
    for fail, effect in (("warn", "warn"), ("reject", "reject")):
        rules = rule(BUILD_AGE.replace("warn", fail))
        assert found_on(graph, rules, AS_OF + timedelta(30)).reason == "fresh"
        old = found_on(graph, rules, AS_OF + timedelta(31))
        assert (old.reason, old.effect.word, old.measured, old.limit) == ("stale", effect, 31, 30)
        assert {fact.relation: fact.as_of for fact in old.facts} == {"TODAY": "2026-07-31", "BUILD": "2026-06-30"}
        for lang, said in (
            ("en", "The data, of June 30, 2026, are 31 days old"),
            ("zh-CN", "距查询日 31 天"),
            ("zh-TW", "距查詢日 31 天"),
        ):
            assert said in result_text(old, lang).replace("30 June 2026", "June 30, 2026")
    before = found_on(graph, rule(BUILD_AGE), AS_OF - timedelta(1))
    assert (before.reason, before.effect.word) == ("later_build", "warn")


def test_restrictions_are_in_force_on_the_day_of_asking(graph: KnowledgeGraph) -> None:
    entry = '[[restricted]]\nasset = "tech"\nreason = "later"\nfrom = 2026-07-15\n'
    rules = rule('kind = "restricted"', extra=entry)
    assert found_on(graph, rules, AS_OF).effect.word == "pass"
    assert found_on(graph, rules, date(2026, 7, 15)).effect.word == "reject"


@pytest.mark.parametrize("market", SHIPPED)
def test_shipped_rules_caution_of_an_old_build(market: str) -> None:
    (build_age,) = [each for each in load_rules(market).rules if each.full_kind == "freshness/build"]
    assert (build_age.fail.word, build_age.max_days) == ("warn", 31)


def test_generated_data_have_a_day_of_their_own_and_real_ones_the_clock(build: Build) -> None:
    assert build.is_sample
    assert day_of_asking(build)() == build.as_of
    assert day_of_asking(build, date(2030, 1, 1))() == date(2030, 1, 1)
    with pytest.raises(UsageError, match=r"--today 2001-01-01 is before the build's day, .* with --as-of 2001-01-01"):
        day_of_asking(build, date(2001, 1, 1))

    class Real:
        is_sample, as_of = False, build.as_of

    assert day_of_asking(Real())() == clock_day()  # type: ignore[arg-type] # all that is asked of a build


def test_the_day_stands_in_the_record_and_replays(adviser: Adviser, build: Build, ledger: Ledger) -> None:
    day = build.as_of + timedelta(400)
    served = serve(adviser, ledger, ask(investors(build)[0], today=day))
    assert (served.record.format, served.record.question.today) == (3, day)
    _, record = read_record(ledger, served.receipt.id, LOOK)
    assert replay(ledger, served.receipt.id, record, find_build(ledger, record, None)).same
    other = replay(ledger, served.receipt.id, altered(record, ("question", "today"), "2026-07-01"), build)
    assert not other.same
    against = {result.reason for line in record.list for result in line.verdict.results or ()}
    assert "stale" in against


def test_a_record_that_knows_no_day_is_of_format_1_and_replays(adviser: Adviser, build: Build, ledger: Ledger) -> None:
    """As they were written before: ages count from the build's day, a verdict has three words; two languages."""
    question = ask(investors(build)[0])
    keep(build, adviser.rules, ledger)
    before = Adviser(build, adviser.rules, (DEFAULT, TRADITIONAL))
    text = record_text(record_of(before, before.advise(question), WITHOUT_DAY))
    assert b"today" not in text
    receipt = ledger.append(Squeezed.of(text), person=question.user_id)
    _, record = read_record(ledger, receipt.id, LOOK)
    assert record.format == 1
    assert {line.verdict.outcome for line in record.list} <= {"pass", "warn"}
    assert replay(ledger, receipt.id, record, build).same
    assert Question.asked(record.question) == question


def test_a_site_asks_for_the_day_each_time(adviser: Adviser, build: Build, ledger: Ledger) -> None:
    """A site that runs past midnight records the next day, and says which day it is."""
    days = [build.as_of]
    client = create_app(build, desk=Desk(adviser, ledger, today=lambda: days[0])).test_client()
    for day in (build.as_of, build.as_of + timedelta(40)):
        days[0] = day
        page = client.get(f"/investors/{investors(build)[0]}")
        _, record = read_record(ledger, page.headers["Pathfolio-Record"], LOOK)
        assert record.question.today == day
        assert wording_of("en").day(day) in page.text.partition('class="colophon"')[2]
        assert ("40 days old on the day of asking" in page.text) == (day != build.as_of)


def test_the_day_of_an_audience_is_recorded_and_counts(build: Build, ledger: Ledger) -> None:
    """A firm that refuses old data has no audience from them."""
    text = load_rules("tw").text
    strict = parse_rules(text[: text.rindex('fail = "warn"')].encode() + b'fail = "reject"\n', "firm.toml")
    desk = Desk(Adviser(build, strict), ledger)
    asset = str(build.graph.nodes.id[build.graph.assets[-1]])
    for days, anybody in ((0, True), (32, False)):
        asked = AudienceQuestion("clerk", "test", asset, 5, build.as_of + timedelta(days))
        assert bool(recorded_audience(desk, asked, ("en",)).people) == anybody


def test_the_command_line_takes_the_day(build: Build, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    strict = tmp_path / "firm.toml"
    text = load_rules("tw").text
    strict.write_text(text[: text.rindex('fail = "warn"')] + 'fail = "reject"\n', encoding="utf-8")
    user, folder = investors(build)[0], str(build.folder)
    assert main(["recommend", folder, "--user", user, "--rules", "tw"]) == 0
    assert f"asked on {build.as_of}, the generated data's own day" in capsys.readouterr().err
    assert main(["recommend", folder, "--user", user, "--rules", "tw", "--today", "2027-06-30"]) == 0
    told = capsys.readouterr()
    assert "asked on 2027-06-30;" in told.err
    assert "365 days old on the day of asking" in told.out
    assert main(["recommend", folder, "--user", user, "--rules", str(strict), "--today", "2027-06-30"]) == 0
    assert "no asset is left to recommend\n! The data, of" in capsys.readouterr().out
    assert main(["recommend", folder, "--user", user, "--today", "2001-01-01"]) == 2
    assert main(["suitability", "check", str(strict), folder, "--today", "2027-06-30", "--format", "json"]) == 0
    capsys.readouterr()
    assert main(["suitability", "check", "tw", folder, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["today"] == build.as_of.isoformat()
    assert sum(found["states"].values()) == pytest.approx(found["assets"])


def test_everybody_s_lists_name_the_day(build: Build, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "all.csv"
    assert main(["recommend", str(build.folder), "--all", "-k", "2", "--today", "2026-12-31", "--out", str(out)]) == 0
    assert "asked on 2026-12-31;" in capsys.readouterr().err
    assert len(pd.read_csv(out)) > 0
