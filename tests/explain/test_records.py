"""Records of what was served: made, recorded before it is shown, and read back."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from msgspec import convert

from pathfolio.explain.ledger.canonical import canonical
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.opening import open_ledger
from pathfolio.explain.records.adviser import Advice, Adviser, Question
from pathfolio.explain.records.columns import packed, unpacked
from pathfolio.explain.records.desk import Desk
from pathfolio.explain.records.inspect import list_records, read_record
from pathfolio.explain.records.keep import drop_unused, keep_files, kept_build, kept_builds
from pathfolio.explain.records.layout import FORMAT, record_text
from pathfolio.explain.records.layout.asked import PackedColumn, RecordedRules
from pathfolio.explain.records.printed import expanded
from pathfolio.explain.records.record import record_of
from pathfolio.explain.records.replay import replay
from pathfolio.explain.records.serve import serve
from pathfolio.explain.records.told import names_of
from pathfolio.kg.errors import LedgerError, UsageError
from pathfolio.recommender.build import Build, load_build
from pathfolio.recommender.investor_rows import InvestorRows
from pathfolio.recommender.retrieve import rank_for, user_position
from pathfolio.recommender.suitability.rulefile import load_rules, parse_rules
from pathfolio.recommender.suitability.verdict import Outcome
from pathfolio.web.site import create_app
from tests.explain.records_world import LOOK, ask, cautious, investors

# -- the answer ----------------------------------------------------------------------------------------------


def test_a_gate_that_lets_all_pass_leaves_the_list_as_it_is(build: Build) -> None:
    text = load_rules("tw").text
    rules = parse_rules((text[: text.index("[[rule]]")] + '[[rule]]\nid = "none"\nkind = "restricted"\n'
                         'title = { en = "x", zh-TW = "x" }\n').encode(), "open.toml")  # fmt: skip
    adviser = Adviser(build, rules)
    for user_id in investors(build)[:15]:
        for kind in (None, "fund"):
            advice = adviser.advise(ask(user_id, k=5, kind=kind))
            assert list(advice.lines) == rank_for(build.scorer, user_id, 5, kind)
            assert advice.rejected == ()


def test_what_is_listed_passed_and_what_was_passed_over_did_not(adviser: Adviser, build: Build) -> None:
    advice = adviser.advise(ask(cautious(build)))
    assert advice.rejected
    assert all(verdict.outcome < Outcome.REJECT for verdict in advice.verdicts)
    assert all(rejected.verdict.outcome is Outcome.REJECT for rejected in advice.rejected)
    scores = [line.score for line in advice.lines]
    assert scores == sorted(scores, reverse=True)
    assert [line.rank for line in advice.lines] == list(range(1, len(scores) + 1))
    ungated = rank_for(build.scorer, cautious(build), len(build.graph.assets))
    for rejected in advice.rejected:
        assert ungated[rejected.place - 1].asset_id == rejected.asset_id


def test_one_asset(adviser: Adviser, build: Build) -> None:
    asset = str(build.graph.nodes.id[build.graph.assets[3]])
    advice = adviser.advise(ask(investors(build)[0], asset_id=asset))
    assert [line.asset_id for line in advice.lines] == [asset]
    with pytest.raises(UsageError, match="no asset 'nothing'"):
        adviser.advise(ask(investors(build)[0], asset_id="nothing"))
    with pytest.raises(UsageError, match="no user 'nobody'"):
        adviser.advise(ask("nobody"))


# -- the record ----------------------------------------------------------------------------------------------


def test_a_record_says_it_all(adviser: Adviser, build: Build) -> None:
    advice = adviser.advise(ask(cautious(build), k=4))
    record = expanded(record_of(adviser, advice))
    assert record["question"]["user_id"] == record["investor"]["user_id"] == cautious(build)
    assert record["build"]["hash"] == build.build_hash
    assert record["rules"]["sha256"] == adviser.rules.sha256
    for item, explanation, verdict in zip(record["list"], advice.explanations, advice.verdicts, strict=True):
        assert canonical(item["explanation"]) == canonical(explanation.to_json())
        assert canonical(item["verdict"]) == canonical(verdict.to_json())
        assert {reason["lang"] for reason in item["explanation"]["reasons"]} <= set(record["languages"])
    columns = {
        name: unpacked(convert(column, PackedColumn)) for name, column in record["candidates"]["columns"].items()
    }
    assert columns["score"].tobytes() == advice.scores.tobytes()
    assert (columns["outcome"] == Outcome.REJECT).sum() == record["candidates"]["rejected_by"]["any"]
    held = {position["tail"] for position in record["investor"]["positions"]}
    assets = build.graph.nodes.id[build.graph.assets]
    assert held.isdisjoint(assets[columns["asset"]].tolist())
    assert all(item["verdict"]["outcome"] == "reject" for item in record["rejected"])


def test_names_are_by_language_and_in_earlier_formats_one(adviser: Adviser, build: Build) -> None:
    advice = adviser.advise(ask(investors(build)[0]))
    now, earlier = (record_of(adviser, advice, version) for version in (FORMAT, 2))
    assert {type(node.names) for node in now.tables.nodes} == {dict}
    assert {type(node.names) for node in earlier.tables.nodes} == {str}
    rows, earlier_rows = (record.tables.nodes for record in (now, earlier))
    assert any(names_of(row)["en"] != names_of(row)["zh-TW"] for row in rows)
    for lang in earlier.told_in:
        assert [names_of(row)[lang] for row in rows] == [names_of(row)[lang] for row in earlier_rows]
    assert expanded(now)["local_names"].keys() == expanded(earlier)["local_names"].keys()


def test_nobody_else_is_in_a_record(adviser: Adviser, build: Build) -> None:
    me, *others = investors(build)
    text = record_text(record_of(adviser, adviser.advise(ask(me)))).decode()
    assert me in text
    assert not [other for other in others if f'"{other}"' in text]


@pytest.mark.parametrize("dtype", ["f8", "i4", "i1"])
def test_columns_come_back_bit_for_bit(dtype: str) -> None:
    values = np.random.default_rng(1).integers(0, 255, 800, np.uint8).view(dtype)
    assert unpacked(packed(values)).tobytes() == values.tobytes()


# -- served --------------------------------------------------------------------------------------------------


def test_served_is_recorded_and_reads_back(adviser: Adviser, build: Build, ledger: Ledger) -> None:
    served = serve(adviser, ledger, ask(investors(build)[0], lang="zh-TW"))
    header, record = read_record(ledger, served.receipt.id, LOOK)
    assert record == served.record
    assert header.tags == {"build": build.build_hash, "rules": adviser.rules.sha256, "as_of": "2026-06-30"}
    assert [h.kind for h in ledger.headers()] == ["access", "recommendation", "rules", "build", "ledger"]
    serve(adviser, ledger, ask(investors(build)[1]))
    assert [h.kind for h in ledger.headers()][:2] == ["recommendation", "access"]  # build and rules stand once
    rows = list_records(ledger, LOOK, ledger.headers(kinds=["recommendation"]))
    assert [row.user_id for row in rows] == [investors(build)[1], investors(build)[0]]
    assert list(rows[1].assets) == [line.asset_id for line in served.advice.lines]


def test_what_cannot_be_recorded_is_not_served(adviser: Adviser, build: Build, ledger: Ledger) -> None:
    serve(adviser, ledger, ask(investors(build)[0]))
    database = ledger.folder / "ledger.sqlite"
    database.rename(database.with_suffix(".gone"))
    with pytest.raises(LedgerError, match="is gone or was replaced"):
        serve(adviser, ledger, ask(investors(build)[1]))


def test_the_desk_s_records_are_those_of_the_answer(adviser: Adviser, build: Build, ledger: Ledger) -> None:
    """What is remembered is recorded again byte for byte, but for who asked and through what."""
    desk, user = Desk(adviser, ledger), cautious(build)
    calls = []

    def view(advice: Advice) -> list[str]:
        calls.append(1)
        return [line.asset_id for line in advice.lines]

    for who in ("ann", "bob", "ann"):
        question = Question(who, "site", user)
        shown = desk.show(question, "ids", view)
        payload = ledger.opened(ledger.leaf(shown.receipt.id))
        assert payload == record_text(record_of(adviser, adviser.advise(question)))
        assert shown.view == [line.asset_id for line in adviser.advise(question).lines]
    assert len(calls) == 1
    assert len(ledger.headers(person=user)) == 3


def test_the_desk_forgets_what_it_has_no_room_for(adviser: Adviser, build: Build, ledger: Ledger) -> None:
    desk = Desk(adviser, ledger, remembered=1)
    for _ in range(2):
        shown = desk.show(ask(investors(build)[0], k=3), "n", lambda advice: len(advice.lines))
        assert shown.view == 3
    assert desk._answers == {}
    assert desk._size == 0


def test_the_desk_shows_nothing_that_is_not_recorded(adviser: Adviser, build: Build, ledger: Ledger) -> None:
    desk = Desk(adviser, ledger)
    desk.show(ask(investors(build)[0]), "n", lambda advice: len(advice.lines))
    database = ledger.folder / "ledger.sqlite"
    database.rename(database.with_suffix(".gone"))
    with pytest.raises(LedgerError, match="is gone or was replaced"):
        desk.show(ask(investors(build)[0]), "n", lambda advice: len(advice.lines))


def test_builds_are_kept_as_long_as_a_record_refers_to_them(
    adviser: Adviser, build: Build, ledger: Ledger, tmp_path: Path
) -> None:
    serve(adviser, ledger, ask(investors(build)[0]))
    unused = tmp_path / "other"
    shutil.copytree(build.folder, unused)
    manifest = json.loads((unused / "manifest.json").read_text())
    (unused / "manifest.json").write_text(json.dumps(manifest | {"build_hash": "f" * 64}))
    keep_files(load_build(unused), ledger.folder / "builds")
    assert [(kept.build_hash, kept.records) for kept in kept_builds(ledger)] == sorted(
        [(build.build_hash, 1), ("f" * 64, 0)]
    )
    assert [kept.build_hash for kept in drop_unused(ledger)] == ["f" * 64]
    assert [kept.build_hash for kept in kept_builds(ledger)] == [build.build_hash]


def test_a_build_whose_place_another_has_taken_is_not_kept_for_it(build: Build, ledger: Ledger, tmp_path: Path) -> None:
    folder, user = tmp_path / "serving", investors(build)[2]
    shutil.copytree(build.folder, folder)
    adviser = Adviser(load_build(folder), load_rules("tw"))
    manifest = folder / "manifest.json"
    text = manifest.read_text(encoding="utf-8")
    manifest.unlink()  # the parts are further names of the first build's own
    manifest.write_text(text.replace(build.build_hash, "f" * 64), encoding="utf-8")
    with pytest.raises(LedgerError, match=r"another build took its place .* start again; nothing was recorded"):
        serve(adviser, ledger, ask(user))
    assert not list((ledger.folder / "builds").iterdir())
    manifest.write_text(text, encoding="utf-8")
    serve(adviser, ledger, ask(user))
    shutil.rmtree(ledger.folder / "builds")  # as by `audit builds --drop-unused` beside an idle site
    serve(adviser, ledger, ask(user))
    assert kept_build(ledger, build.build_hash) is not None


def test_a_rank_is_the_place_in_the_gated_list(adviser: Adviser, build: Build) -> None:
    user = cautious(build)
    advice = adviser.advise(ask(user, k=len(build.graph.assets)))
    for line in (advice.lines[0], advice.lines[len(advice.lines) // 2], advice.lines[-1]):
        assert adviser.advise(ask(user, asset_id=line.asset_id)).explanations[0].rank == line.rank
    rejected = adviser.advise(ask(user, asset_id=advice.rejected[0].asset_id))
    assert (rejected.explanations[0].rank, rejected.verdicts[0].outcome) == (0, Outcome.REJECT)


def test_lists_are_complete_wherever_enough_assets_pass(adviser: Adviser, build: Build) -> None:
    for user in investors(build)[:40]:
        for kind in (None, "stock", "bond"):
            advice = adviser.advise(ask(user, kind=kind))
            led = build.scorer.led_to(
                InvestorRows.of(build.scorer.interactions, np.array([user_position(build.graph, user)]))
            )
            enough = advice.screening.allowed & led[0, advice.screening.at]
            assert len(advice.lines) == min(10, int(enough.sum()))


def test_no_rules_at_all(build: Build, ledger: Ledger) -> None:
    adviser = Adviser(build, load_rules("none"))
    served = serve(adviser, ledger, ask(investors(build)[3]))
    assert list(served.advice.lines) == rank_for(build.scorer, investors(build)[3])
    assert served.record.rules == RecordedRules("none", "2026-07-01", load_rules("none").sha256, ())
    _, record = read_record(ledger, served.receipt.id, LOOK)
    assert replay(ledger, served.receipt.id, record, build).same


def test_questions_are_frozen(build: Build) -> None:
    question = ask(investors(build)[0])
    assert replace(question, k=3) != question


def test_why_something_is_restricted_is_told_to_staff_alone(small_build: Build, tmp_path: Path) -> None:
    user = investors(small_build)[3]
    rules = load_rules("tw")
    asset = Adviser(small_build, rules).advise(ask(user)).lines[0].asset_id
    secret = f'\n[[restricted]]\nasset = "{asset}"\nreason = "Takeover in preparation"\n'
    ledger = open_ledger(tmp_path / "secret", environ={})
    adviser = Adviser(small_build, parse_rules((rules.text + secret).encode(), "firm.toml"))
    client = create_app(small_build, desk=Desk(adviser, ledger)).test_client()
    for address in (f"/investors/{user}", f"/investors/{user}/assets/{asset}", f"/investors/{user}/what-if"):
        for query in ("?lang=en", "?lang=zh-TW", "?format=json"):
            answer = client.get(address + query)
            assert answer.status_code == 200
            assert "Takeover" not in answer.text
            assert "estricted list" not in answer.text
            assert "限制名單" not in answer.text
    assert "does not offer it at present" in client.get(f"/investors/{user}?lang=en").text
    name = client.get(f"/investors/{user}").headers["Pathfolio-Record"]
    assert "Takeover in preparation" in client.get(f"/records/{name}", headers={"Pathfolio-Purpose": "x"}).text
