"""A market folder small enough to check by eye, with every table, Chinese names and identifiers that look missing."""

from __future__ import annotations

from pathlib import Path

from pathfolio.kg.tables import Tables

FILES = {
    "users": """\
user_id,name,kind,risk_level,objective,birth_year,as_of
None,王小明,retail,Balanced,Growth,1980,2024-01-01
007,Ada,retail,Predicted_Income,,,2024-01-01
007,Ada,retail,Aggressive,,,2025-03-01
null,The Pension Fund,institution,,,,
""",
    "assets": """\
asset_id,kind,name,name_local,ticker,market,country,sector,industry,issuer,listed,expense_ratio
2330,stock,TSMC,台積電,2330,TWSE,Taiwan,Technology,Semiconductors,,1994-09-05,
0050,fund,Taiwan Top 50,元大台灣50,0050,TWSE,Taiwan,,,Yuanta,2003-06-30,0.0043
00400A,fund,Active High Income,主動高息,00400A,TWSE,Taiwan,,,Cathay,,
NA,stock,Nano Labs,,NA,NASDAQ,China,Technology,Semiconductors,,,
NaN,bond,Nan County 2030,,,TWSE,,,,,,
""",
    "positions": """\
user_id,asset_id,as_of,known_at,units,value,weight
007,2330,2024-06-30,2024-07-15,10,9000,0.9
007,NA,2024-06-30,2024-07-15,5,1000,0.1
None,0050,2024-12-31,,3,540,1
""",
    "transactions": """\
user_id,asset_id,date,side,units,value,channel
007,2330,2025-01-10,buy,1,1000,app
007,2330,2025-01-10,buy,1,1000,app
null,NaN,2025-02-01,Sell,4,400,
""",
    "fund_holdings": """\
fund_id,asset_id,as_of,weight,known_at
0050,2330,2025-06-30,0.55,2025-07-10
0050,NA,2025-06-30,0,2025-07-10
00400A,2330,2025-06-30,0.08,
""",
    "prices": """\
asset_id,date,open,high,low,close,volume
2330,2025-06-27,1050,1060,1045,1055,25000000
2330,2025-06-30,1055,1065,1050,1060,18000000
NA,2025-06-30,,,,3.2,1000
""",
    "facts": """\
asset_id,metric,value,unit,as_of,known_at,source
2330,pe_ratio,22.5,ratio,2025-03-31,2025-05-15,company report
2330,market_cap,27000000000000,TWD,2025-03-31,,
2330,revenue,2900000000000,TWD,2025-03-31,,
""",
    "relations": """\
source_id,relation,target_id,weight,as_of,known_at,source
2330,SUPPLIES,NA,0.3,2025-01-01,2025-02-01,analyst notes
TWSE,IN_COUNTRY,Taiwan,,,,
Semiconductors,in_sector,Technology,,,,
""",
    "analyst_ratings": """\
asset_id,date,analyst_firm,rating,target_price_usd
NA,2025-05-01,N/A Research,Buy,4.5
""",
}


ASSETS_ALONE: dict[str, str | bytes | None] = {name: None for name in FILES if name != "assets"}
"""Changes that leave all but the assets out."""

MANY = {
    "positions": "".join(f"None,2330,20{year}-01-01,,1,1,0.5\n" for year in range(10, 20)),
    "transactions": "None,2330,2025-01-10,buy,1,1,\n" * 9,
    "prices": "".join(f"2330,2024-01-{day},1,1,1,1,1\n" for day in range(10, 20)),
    "fund_holdings": "".join(f"0050,2330,2024-01-{day},0.5,\n" for day in range(10, 20)),
    "facts": "".join(f"2330,pe_ratio,{day},ratio,2024-01-{day},,\n" for day in range(10, 20)),
    "relations": "".join(f"2330,SUPPLIES,NA,,2024-01-{day},,\n" for day in range(10, 20)),
    "users": "".join(f"person {n},,,,,,\n" for n in range(10)),
    "assets": "".join(f"asset {n},stock,Name {n},,,,,,,,,\n" for n in range(10)),
    "analyst_ratings": "".join(f"NA,2024-01-{day},A firm,Buy,\n" for day in range(10, 20)),
}
"""Good rows of each table, so that one bad row is far from the half."""


def write_market(folder: Path, **changed: str | bytes | None) -> Path:
    """The folder with these files; `changed` replaces a table's text, None leaves the file out."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {**FILES, **changed}.items():
        if isinstance(text, bytes):
            (folder / f"{name}.csv").write_bytes(text)
        elif text is not None:
            (folder / f"{name}.csv").write_text(text, encoding="utf-8", newline="")
    return folder


def kept_and_rejected(tables: Tables) -> dict[str, tuple[int, int]]:
    """For each file of a market folder: rows that became rows of its table, and rows that were set aside."""
    aside = tables.rejected["file"].value_counts().to_dict()
    return {file: (len(getattr(tables, file.split(".")[0])), int(aside.get(file, 0))) for file in tables.rows_read}
