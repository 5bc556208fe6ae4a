"""A bank of a few customers in the layout of FAR-Trans: the whole archive, and a partial copy of the same trades."""

from __future__ import annotations

from pathlib import Path

CUSTOMERS = """\
customerID,customerType,riskLevel,investmentCapacity,lastQuestionnaireDate,timestamp
C1,Mass,Predicted_Income,Predicted_CAP_LT30K,2015-04-27,2018-01-02
C1,Premium,Balanced,CAP_80K_300K,2020-05-01,2020-05-02
C2,Professional,Not_Available,Not_Available,2018-01-02,2018-01-02
C3,Legal Entity,Aggressive,CAP_GT300K,2019-01-02,2019-01-02
C3,Legal Entity,Not_Available,CAP_GT300K,2021-01-02,2021-01-02
NA,Inactive,Conservative,CAP_LT30K,2018-01-02,2018-01-02
"""

ASSETS = """\
ISIN,assetName,assetShortName,assetCategory,assetSubCategory,marketID,sector,industry,timestamp
GRS1,ΔΗΛΟΣ ΜΙΚΤΟ,NA,MTF,Balanced,AEDAK,,,2018-01-02
GRS2,PRODEA REAL ESTATE INVESTMENT COMPANY S.A.,ΠΡΟΝΤ,Stock,,XATH,Real Estate,REIT - Diversified,2018-01-02
GRC3,PRODEA R.E.I.C. S.A.,UNK_73,Bond,Corporate,EBB,Corporate,REIT - Diversified,2021-07-14
GRC3,PRODEA R.E.I.C. S.A.,UNK_73,Bond,Corporate,XATH,Corporate,REIT - Diversified,2021-07-20
LU04,BlackRock Global Funds - World Gold Fund A2,GOLD,Stock,,CCLX,Precious Metals,,2018-01-02
LU04,BlackRock Global Funds - World Gold Fund A2,GOLD,MTF,Equity,CCLX,,,2018-01-02
LU05,BGF World Technology Fund A2 EUR,UNK_74,MTF,Equity,CCLX,,,2019-03-01
US06,,UNK_75,MTF,Other,OOTC,,,2018-01-02
"""

MARKETS = """\
exchangeID,marketID,name,description,country,tradingDays,tradingHours,marketClass
AEDAK,AEDAK,AEDAK Funds,"Funds of two banks, sold in branches",Greece,"Mon,Tue",08:15-15:20,Public Securities
ATHEX,XATH,Athens Exchange S.A. Cash Market,The main market,Greece,"Mon,Tue",08:15-15:20,Public Securities
ATHEX,EBB,Electronic Book Building Athex,A service,Greece,"Mon,Tue",,Private Securities
XLUX,CCLX,Finesti S.A.,A company,Luxembourg,"Mon,Tue",07:00-21:00,Public Securities
OOTC,OOTC,Other OTC,Between two parties,-,"Mon,Tue",07:00-21:00,Public Securities
"""

TRADES = [
    # customer, asset, id, side, date, value, units
    ("C1", "GRS1", 1, "Buy", "2018-02-01", 100, 10),
    ("C1", "GRS1", 1, "Buy", "2018-02-01", 100, 10),  # transactionID is not a key: this is a second purchase
    ("C1", "GRS2", 2, "Buy", "2019-02-01", 50, 5),
    ("C2", "GRS2", 2, "Sell", "2019-02-01", 50, 5),  # what was bought before the records begin
    ("C1", "GRS1", 3, "Sell", "2019-06-01", 220, 20),
    ("C3", "LU04", 4, "Buy", "2020-01-01", 70, 7),  # on the day of the statement
    ("C3", "LU05", 5, "Buy", "2020-03-01", 30, 3),
    ("C2", "GRS2", 6, "Buy", "2020-03-02", 20, 2),  # -5 + 2: still closed, as net units say
    ("C1", "GRS1", 7, "Buy", "2020-04-01", 10, 1),
    ("C1", "GRS2", 8, "Sell", "2020-04-02", 60, 5),
    ("NA", "GRC3", 9, "Buy", "2021-07-14", 1000, 1),
]

STATEMENT_DAY = "2020-01-01"

PRICES = """\
ISIN,timestamp,closePrice
GRS2,2018-01-02,5.2
GRS2,2018-01-03,5.3
US06,2018-01-03,250.75
"""

LIMITS = """\
ISIN,minDate,maxDate,priceMinDate,priceMaxDate,profitability
GRS2,2018-01-02,2022-11-29,5.2,99.9,18.2
"""


def _trades_text(trades: list[tuple[str, str, int, str, str, int, int]]) -> str:
    header = "customerID,ISIN,transactionID,transactionType,timestamp,totalValue,units,channel,marketID\n"
    return header + "".join(f"{c},{i},{n},{s},{d},{v},{u},Branch,XATH\n" for c, i, n, s, d, v, u in trades)


def _statement_text(day: str) -> str:
    """Every pair traded up to and including `day`, with its net units."""
    net: dict[tuple[str, str], int] = {}
    for customer, isin, _, side, traded, _, units in TRADES:
        if traded <= day:
            net[customer, isin] = net.get((customer, isin), 0) + (units if side == "Buy" else -units)
    rows = [f"{customer},{isin},{units}.0,{units > 0}\n" for (customer, isin), units in sorted(net.items())]
    return "customerID,ISIN,net_units,currently_held\n" + "".join(rows)


def write_archive(folder: Path, **changed: str | None) -> Path:
    """The published form: all transactions and prices. `changed` replaces a file's text, None leaves it out."""
    files = {
        "customer_information": CUSTOMERS,
        "asset_information": ASSETS,
        "markets": MARKETS,
        "transactions": _trades_text(TRADES),
        "close_prices": PRICES,
        "limit_prices": LIMITS,
    }
    return _write(folder, {**files, **changed})


def write_partial(folder: Path) -> Path:
    """A partial copy: positions on one day, transactions after it, no prices."""
    _write(folder / "positions", {STATEMENT_DAY: _statement_text(STATEMENT_DAY)})
    after = [trade for trade in TRADES if trade[4] > STATEMENT_DAY]
    return write_archive(folder, transactions=_trades_text(after), close_prices=None)


def _write(folder: Path, files: dict[str, str | None]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        if text is not None:
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder
