"""FAR-Trans in both its forms: a small synthetic archive whose graph is known, and the real data where it is there."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.contract import read_folder
from pathfolio.kg.errors import DataError
from pathfolio.kg.far_trans import ISSUER_SOURCE
from pathfolio.kg.graph import KnowledgeGraph, to_days
from pathfolio.kg.issuers import issuer_key, shared_issuers
from pathfolio.kg.schema import NodeKind, Relation
from pathfolio.kg.tables import Tables
from tests.kg.far_trans_files import CUSTOMERS, LIMITS, write_archive, write_partial

LATE = date(2022, 1, 1)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    return read_folder(write_archive(tmp_path_factory.mktemp("archive")))


def _neighbours(graph: KnowledgeGraph, kind: NodeKind, node: str, relation: Relation) -> list[str]:
    row = graph.row(kind, node)
    return [graph.nodes.id[tail] for tail in graph.outgoing(relation).of(row)]


def _positions(graph: KnowledgeGraph) -> dict[tuple[str, str], tuple[str, float]]:
    """(investor, asset) to (relation, units)."""
    edges, ids = graph.edges, graph.nodes.id
    return {
        (ids[edges.head[at]], ids[edges.tail[at]]): (relation.value, float(edges.value[at]))
        for relation in (Relation.HOLDS, Relation.HELD)
        for at in graph.edges_between(relation)
    }


def test_the_archive_is_read(archive: Tables) -> None:
    assert archive.name == "FAR-Trans"
    assert {name: len(getattr(archive, name)) for name in ("users", "assets", "transactions", "prices")} == {
        "users": 6,
        "assets": 7,
        "transactions": 11,
        "prices": 3,
    }
    assert archive.positions.empty
    assert archive.users["kind"].tolist() == ["retail", "retail", "retail", "institution", "institution", "retail"]
    assert archive.users["risk_level"].tolist()[:2] == ["Predicted_Income", "Balanced"]
    assert archive.users["capacity"].isna().tolist() == [False, False, True, False, False, False]
    assert set(archive.users["user_id"]) == {"C1", "C2", "C3", "NA"}


def test_assets_keep_every_dated_row_and_their_first_day(archive: Tables) -> None:
    assets = archive.assets
    bond = assets[assets["asset_id"] == "GRC3"]
    assert bond["as_of"].dt.strftime("%Y-%m-%d").tolist() == ["2021-07-14", "2021-07-20"]
    assert set(bond["listed"]) == {pd.Timestamp("2021-07-14")}
    assert bond["market"].tolist() == ["EBB", "XATH"]
    first = assets.drop_duplicates("asset_id").set_index("asset_id")
    assert first["kind"].to_dict() == {"GRS1": "fund", "GRS2": "stock", "GRC3": "bond", "LU04": "fund", "LU05": "fund",
                                       "US06": "fund"}  # fmt: skip
    assert first.loc["GRS1", ["name", "ticker"]].tolist() == ["ΔΗΛΟΣ ΜΙΚΤΟ", "NA"]
    assert first.loc[["GRC3", "US06"], "ticker"].isna().all()


def test_a_fund_that_is_listed_as_a_share_too_is_a_fund(archive: Tables) -> None:
    (found,) = archive.rejected.to_dict("records")
    assert (found["file"], found["line"]) == ("asset_information.csv", 6)
    assert found["value"] == "LU04, 2018-01-02 (first on line 7)"


def test_levels_are_the_latest_known_and_marked_where_the_bank_estimated_them(archive: Tables) -> None:
    early, late = assemble_graph(archive, date(2020, 1, 1)), assemble_graph(archive, LATE)
    assert _neighbours(early, NodeKind.USER, "C1", Relation.HAS_RISK) == ["Income"]
    assert _neighbours(late, NodeKind.USER, "C1", Relation.HAS_RISK) == ["Balanced"]
    assert _neighbours(late, NodeKind.USER, "C3", Relation.HAS_RISK) == ["Aggressive"]  # later it is not available
    assert _neighbours(late, NodeKind.USER, "C2", Relation.HAS_RISK) == []
    for graph, mark in ((early, "predicted"), (late, "")):
        edge = graph.outgoing(Relation.HAS_RISK).edges_of(graph.row(NodeKind.USER, "C1"))[0]
        assert graph.edges.qualifier[edge] == mark
    assert late.display_name(late.row(NodeKind.CAPACITY, "CAP_GT300K")) == "over EUR 300,000"


def test_markets_have_names_and_countries_and_assets_none(archive: Tables) -> None:
    graph = assemble_graph(archive, LATE)
    athens = graph.row(NodeKind.MARKET, "XATH")
    assert graph.display_name(athens) == "Athens Exchange S.A. Cash Market"
    assert _neighbours(graph, NodeKind.MARKET, "XATH", Relation.IN_COUNTRY) == ["Greece"]
    assert _neighbours(graph, NodeKind.MARKET, "OOTC", Relation.IN_COUNTRY) == []
    assert _neighbours(graph, NodeKind.STOCK, "GRS2", Relation.IN_COUNTRY) == []


def test_an_issuer_is_shared_from_the_day_of_its_second_asset(archive: Tables) -> None:
    before, after = assemble_graph(archive, date(2021, 7, 13)), assemble_graph(archive, date(2021, 7, 14))
    assert _neighbours(before, NodeKind.STOCK, "GRS2", Relation.ISSUED_BY) == []
    assert _neighbours(after, NodeKind.STOCK, "GRS2", Relation.ISSUED_BY) == ["Prodea"]
    assert _neighbours(after, NodeKind.BOND, "GRC3", Relation.ISSUED_BY) == ["Prodea"]
    assert _neighbours(after, NodeKind.FUND, "LU04", Relation.ISSUED_BY) == ["BlackRock"]
    edges = after.edges_between(Relation.ISSUED_BY)
    assert set(after.edges.source[edges]) == {ISSUER_SOURCE}
    assert after.edges.known_at[edges].max() == to_days(date(2021, 7, 14))


def test_what_is_known_of_the_whole_period_reaches_nothing(tmp_path: Path) -> None:
    plain = assemble_graph(read_folder(write_archive(tmp_path / "a")), LATE)
    other = read_folder(write_archive(tmp_path / "b", limit_prices=LIMITS.replace("18.2", "-0.9")))
    none = read_folder(write_archive(tmp_path / "c", limit_prices=None))
    assert plain.content_hash == assemble_graph(other, LATE).content_hash == assemble_graph(none, LATE).content_hash
    assert any("limit_prices.csv: not read" in note for note in other.notes)
    assert other.facts.empty


def test_both_forms_say_the_same_of_who_holds_what(tmp_path: Path, archive: Tables) -> None:
    partial = read_folder(write_partial(tmp_path))
    assert len(partial.positions) == 4
    for day in (date(2020, 1, 1), date(2020, 3, 15), LATE):
        assert _positions(assemble_graph(archive, day)) == _positions(assemble_graph(partial, day)), day
    assert _positions(assemble_graph(partial, LATE)) == {
        ("C1", "GRS1"): ("HOLDS", 1.0),
        ("C1", "GRS2"): ("HELD", 0.0),
        ("C2", "GRS2"): ("HELD", 0.0),
        ("C3", "LU04"): ("HOLDS", 7.0),
        ("C3", "LU05"): ("HOLDS", 3.0),
        ("NA", "GRC3"): ("HOLDS", 1.0),
    }
    assert any("1 rows have fewer than 0 units" in note for note in partial.notes)


REFUSED = [
    ({"customer_information": None}, "no customer_information.csv"),
    ({"transactions": None}, "neither transactions.csv nor positions/DATE.csv"),
    ({"asset_information": "ISIN,assetName\nA,B\n"}, "asset_information.csv, line 1: no column 'assetCategory'"),
    ({"close_prices": "ISIN,timestamp,closePrice\nGRS2,2018-01-02,free\n"}, "close_prices.csv, line 2, column closePr"),
]


@pytest.mark.parametrize(("changed", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_an_archive_that_lacks_something_is_refused(
    tmp_path: Path, changed: dict[str, str | None], message: str
) -> None:
    with pytest.raises(DataError) as refusal:
        read_folder(write_archive(tmp_path, **changed))
    assert message in str(refusal.value)


def test_a_statement_must_be_called_after_its_day(tmp_path: Path) -> None:
    folder = write_partial(tmp_path)
    (folder / "positions" / "2020-02-30.csv").write_text("customerID,ISIN,net_units\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"positions/2020-02-30\.csv: its name is not a date"):
        read_folder(folder)


def test_rows_about_unknown_customers_and_assets_are_set_aside(tmp_path: Path) -> None:
    customers = CUSTOMERS.replace("NA,Inactive", "N0,Inactive")
    tables = read_folder(write_archive(tmp_path, customer_information=customers))
    assert tables.rejected[["file", "line", "column", "value"]].values.tolist()[1:] == [
        ["transactions.csv", 12, "customerID", "NA"]
    ]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_row_of_a_damaged_archive_is_lost(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = write_partial(write_archive(Path(name)))
        path = data.draw(st.sampled_from(sorted(folder.rglob("*.csv"))))
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, len(content) - 1))
            content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.sampled_from([b"", b",", b"9", b'"', b"\n"]))
            content = content or bytearray(b"\n")
        path.write_bytes(content)
        try:
            tables = read_folder(folder)
        except DataError as refusal:
            assert len(str(refusal).splitlines()) == 1
            return
    kept = {"customer_information.csv": len(tables.users), "asset_information.csv": len(tables.assets)}
    kept |= {"transactions.csv": len(tables.transactions)}
    kept["positions/2020-01-01.csv"] = len(tables.positions)
    aside = tables.rejected["file"].value_counts()
    for file, rows in kept.items():
        assert rows + int(aside.get(file, 0)) == tables.rows_read[file]


# -- issuers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "key"),
    [
        (["Goldman Sachs", "The Goldman Sachs Group Inc", "GOLDMAN SACHS GLOBAL CURRENCY"], "goldman sachs"),
        (["BGF Euro Reserve Fund", "MIGSDRI BlackRock Global Funds - US Dollar Reserve"], "BlackRock"),
        (["ΔΗΛΟΣ ΜΙΚΤΟ", "DHLOS BLUE CHIPS", "Delos USD Bond Fund", "A/K  DHLOS SYNTHESIS"], "Delos"),
        (["Johnson & Johnson", "Johnson&Johnson"], "Johnson & Johnson"),
        (["iShares J.P. Morgan $ EM Bond", "Ishares Usd Short Dur"], "iShares"),
        (["J.P. Morgan Funds", "JPMorgan Funds", "Jpmorgan Chase & Co"], "JPMorgan"),
        (["NATIONAL BANK OF GREECE", "NBG INT - EUROPEAN ALLSTARS-A"], "National Bank of Greece"),
        (["Cyprus", "CYPRUS 4.25 04/11/25"], "cyprus"),
    ],
)
def test_one_issuer_is_written_in_several_ways(names: list[str], key: str) -> None:
    assert {issuer_key(name) for name in names} == {key}


def test_words_that_many_issuers_begin_with_do_not_join_them() -> None:
    names = ["Deutsche Post AG", "Deutsche Telekom AG", "Bank of Greece", "Bank of Cyprus", "European Reliance",
             "European Investment Bank", "Hellenic Telecom", "Hellenic Exchanges", "E. Pairis", "E. Other"]  # fmt: skip
    assert len({issuer_key(name) for name in names}) == len(names)


def test_a_later_asset_changes_nothing_about_an_issuers_past() -> None:
    names = pd.Series(["LAMDA DEVELOPMENT S.A. (CR)", "Lamda Development SA", "Lonely plc", None])
    days = pd.Series(pd.to_datetime(["2018-01-02", "2020-07-22", "2018-01-02", "2018-01-02"]))
    shared = shared_issuers(names, days)
    assert shared["issuer"].tolist() == ["Lamda", "Lamda"]
    assert shared["as_of"].tolist() == [days[0], days[1]]
    assert shared["known_at"].tolist() == [days[1], days[1]]
    assert shared_issuers(names.iloc[[0, 2, 3]], days.iloc[[0, 2, 3]]).empty


# -- the real data --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bank(real_data: Path) -> Tables:
    return read_folder(real_data / "far-trans")


CUT = date(2022, 6, 30)


@pytest.mark.realdata
def test_the_real_bank(bank: Tables) -> None:
    assert bank.name == "FAR-Trans"
    assert sum(bank.rows_read.values()) == 500_068
    assert bank.rejected["file"].tolist() == ["asset_information.csv"] * 3
    graph = assemble_graph(bank, CUT)
    investors = {graph.edges.head[at] for r in (Relation.HOLDS, Relation.HELD) for at in graph.edges_between(r)}
    assert len(investors) == 27_337
    counts = graph.counts()
    assert counts["edges"]["HOLDS"] + counts["edges"]["HELD"] == 81_579
    assert counts["nodes"]["Market"] == 38
    assert "ΔΗΛΟΣ" in " ".join(graph.nodes.name[graph.assets])


@pytest.mark.realdata
def test_statements_and_the_trades_between_them_agree(bank: Tables) -> None:
    """Positions of July 2020 and the trades of half a year give the statement of January 2021."""
    one, two = pd.Timestamp("2020-07-01"), pd.Timestamp("2021-01-01")
    first = replace(bank, positions=bank.positions[bank.positions["as_of"] == one].reset_index(drop=True))
    second = replace(bank, positions=bank.positions[bank.positions["as_of"] == two].reset_index(drop=True))
    replayed, stated = (_positions(assemble_graph(tables, two.date())) for tables in (first, second))
    assert replayed.keys() == stated.keys()
    assert {pair: relation for pair, (relation, _) in replayed.items()} == {p: r for p, (r, _) in stated.items()}
    assert all(abs(replayed[pair][1] - stated[pair][1]) < 1e-6 for pair in stated)


@pytest.mark.realdata
def test_what_happens_after_the_cut_changes_nothing(bank: Tables) -> None:
    cut = pd.Timestamp("2021-01-01")

    def later_altered(frame: pd.DataFrame, column: str, **values: object) -> pd.DataFrame:
        later = frame[column] > cut
        return pd.concat([frame[~later], frame[later].assign(**values).iloc[::2]], ignore_index=True)

    altered = replace(
        bank,
        users=later_altered(bank.users, "as_of", risk_level="Reckless", segment="Other"),
        assets=later_altered(bank.assets, "as_of", name="Renamed", market="XXXX", sector="Other"),
        positions=later_altered(bank.positions, "as_of", units=1.0),
        transactions=later_altered(bank.transactions, "date", side="sell"),
    )
    assert assemble_graph(bank, cut.date()).content_hash == assemble_graph(altered, cut.date()).content_hash
