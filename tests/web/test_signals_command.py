"""`pathfolio signals`: the commands, their files, and errors in one line."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pandas as pd
import pytest

from pathfolio.web.cli import main
from tests.recommender.signals.worlds import rows

ENDINGS = ("", "_rank", "_record", "_record_low", "_record_high")


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bars") / "bars.parquet"
    rows(reverts=0.1).to_parquet(path)
    return path


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A market folder of the same prices, in two industries."""
    folder = tmp_path_factory.mktemp("market")
    frame = rows()
    frame.to_parquet(folder / "prices.parquet")
    assets = pd.DataFrame({"asset_id": sorted(set(frame["asset_id"]))})
    assets["name"], assets["kind"] = assets["asset_id"], "stock"
    assets["industry"] = ["Steel", "Chips"] * (len(assets) // 2)
    assets.to_csv(folder / "assets.csv", index=False)
    return folder


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["signals", "list", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"reversal", "ridge", "lightgbm", "ewma", "har", "garch"} <= {row["name"] for row in found}
    assert all(row["options"] and row["paper"] for row in found)
    assert main(["signals", "list"]) == 0
    assert "-P ewma.decay=0.94" in capsys.readouterr().out


def test_evaluate(bars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "metrics.json"
    asked = [
        "signals",
        "evaluate",
        str(bars),
        "--models",
        "reversal,ewma",
        "--from",
        "2022-01-03",
        "--to",
        "2022-06-30",
    ]
    assert main([*asked, "--horizons", "1,5", "--out", str(out)]) == 0
    found = json.loads(out.read_text())
    assert set(found) == {"reversal", "ewma"}
    assert set(found["ewma"]) == {"1", "5"}
    assert {"rank_ic", "ic", "qlike"} <= set(found["ewma"]["1"])
    assert main([*asked, "--horizons", "1", "--largest", "20", "-P", "reversal.days=4"]) == 0
    assert "volatility, 1 days" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (["--split", "random"], 2, "random k-fold is refused"),
        (["--models", "oracle"], 2, "no model 'oracle'"),
        (["--from", "2031-01-01"], 2, "has no day from 2031-01-01"),
        (["-P", "ewma"], 2, "write it as -P"),
        (["--assets", "S01,X"], 2, "has no asset 'X'"),
        (["--cost", "3"], 2, "--cost is a fraction"),
        (["--out", "metrics.doc"], 2, "name a .json or a"),
    ],
)
def test_a_wrong_call_is_one_line(
    bars: Path, capsys: pytest.CaptureFixture[str], more: list[str], code: int, said: str
) -> None:
    given = more if "--models" in more else ["--models", "ewma", *more]
    assert main(["signals", "evaluate", str(bars), *given]) == code
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("pathfolio: ")]
    assert len(errors) == 1
    assert said in errors[0]


def test_what_is_no_market_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["signals", "facts", str(tmp_path / "none"), "--as-of", "2022-06-30"]) == 3
    assert "no such file" in capsys.readouterr().err


def test_fit_writes_forecasts_and_a_card(bars: Path, tmp_path: Path) -> None:
    call = ["signals", "fit", str(bars), "--model", "har", "--as-of", "2022-06-30", "--horizon", "5"]
    assert main([*call, "--out", str(tmp_path / "har")]) == 0
    card = json.loads((tmp_path / "har" / "card.json").read_text())
    forecasts = pd.read_parquet(tmp_path / "har" / "forecasts.parquet")
    assert len(forecasts) == card["assets"] == 40
    assert forecasts["date"].max() == pd.Timestamp("2022-06-30")
    assert 0 < card["low"] < card["record"] < card["high"] < 1
    assert card["options"] == {"shrink": 250}
    assert card["as_of"] == "2022-06-30"


def test_facts_are_rows_of_the_contract(market: Path, tmp_path: Path) -> None:
    out = tmp_path / "facts.csv"
    assert main(["signals", "facts", str(market), "--as-of", "2022-06-30", "--out", str(out)]) == 0
    found = pd.read_csv(out)
    assert list(found.columns) == ["asset_id", "metric", "value", "unit", "as_of", "known_at", "source"]
    assert set(found["metric"]) == {f"modelled_{n}{s}" for n in ("volatility", "beta") for s in ENDINGS} | {
        "modelled_beta_market"
    }
    assert set(found["as_of"]) == {"2022-06-30"}
    ranks = found[found["metric"] == "modelled_volatility_rank"]
    assert set(ranks["unit"]) == {"of 20"}
    assert sorted(ranks["value"])[::2] == list(range(1, 21))
    source = found["source"].iloc[0]
    assert source.startswith("ewma (J.P. Morgan 1996")
    assert "63 trading days ahead; rank correlation with what followed 0." in source


def test_each_signal_has_a_card(market: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whose record is that of the facts beside it."""
    cards = tmp_path / "cards"
    assert main(["signals", "facts", str(market), "--as-of", "2022-06-30", "--cards", str(cards)]) == 0
    found = pd.read_csv(io.StringIO(capsys.readouterr().out))
    for name, model in (("volatility", "ewma"), ("beta", "beta-vasicek")):
        card = json.loads((cards / f"{name}.json").read_text())
        assert (card["model"], card["horizon"], card["assets"]) == (model, 63, 40)
        told = found.loc[found["metric"] == f"modelled_{name}_record", "value"].unique()
        assert card["record"] == pytest.approx(told[0], abs=1e-4)
        assert card["paper"] in found.loc[found["metric"] == f"modelled_{name}", "source"].iloc[0]


def test_facts_of_the_folder_can_be_read_back(market: Path, tmp_path: Path) -> None:
    """What it writes is a table that the folder may have."""
    from pathfolio.kg.contract import read_folder

    for name in ("assets.csv", "prices.parquet"):
        (tmp_path / name).write_bytes((market / name).read_bytes())
    assert main(["signals", "facts", str(market), "--as-of", "2022-06-30", "--out", str(tmp_path / "facts.csv")]) == 0
    tables = read_folder(tmp_path)
    assert len(tables.facts) == 40 * (2 * len(ENDINGS) + 1)
    assert not len(tables.rejected)
