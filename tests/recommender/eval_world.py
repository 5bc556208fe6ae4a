"""Small worlds for the tests of evaluation: two tastes, statements and transactions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pathfolio.kg.tables import COLUMNS, Tables, empty_table, typed_table


def make_tables(**frames: list[dict[str, Any]]) -> Tables:
    """Tables with these rows; tables that are not named are empty."""
    tables = {name: empty_table(name) for name in COLUMNS}
    tables |= {name: typed_table(name, pd.DataFrame(rows)) for name, rows in frames.items()}
    return Tables(**tables, name="small world")


def positions(day: str, *pairs: str) -> list[dict[str, Any]]:
    """Statement rows from texts such as "ann:A"."""
    split = (pair.split(":") for pair in pairs)
    return [{"user_id": user, "asset_id": asset, "as_of": day, "units": 1.0} for user, asset in split]


def trades(*texts: str) -> list[dict[str, Any]]:
    """Transaction rows from texts such as "2020-02-01 ann buy A"."""
    split = (text.split() for text in texts)
    return [{"date": d, "user_id": u, "side": s, "asset_id": a, "units": 1.0} for d, u, s, a in split]


def assets(*texts: str) -> list[dict[str, Any]]:
    """Asset rows from texts such as "A stock Steel 2019-01-01" (id, kind, sector, listed)."""
    split = (text.split() for text in texts)
    return [
        {"asset_id": a, "kind": k, "name": f"{a} Corp", "sector": s, "listed": day, "as_of": day}
        for a, k, s, day in split
    ]


def two_tastes(seed: int = 0, users: int = 60) -> Tables:
    """Half of the investors like assets A00..A09, half B00..B09; they buy on through 2020.

    Each starts with four of their own on 2020-01-01 and buys three more, one a month at most. New assets of both
    tastes are listed on 2020-07-01. Risk levels follow taste, sectors too.
    """
    rng = np.random.default_rng(seed)
    names = [f"{taste}{number:02d}" for taste in "AB" for number in range(10)]
    listed = [f"{n} {'stock' if int(n[1:]) % 3 else 'fund'} Sector{n[0]} 2019-01-01" for n in names]
    listed += [f"{taste}9{number} stock Sector{taste} 2020-07-01" for taste in "AB" for number in range(2)]
    held, traded, people = [], [], []
    for number in range(users):
        taste, user = "AB"[number % 2], f"u{number:03d}"
        level = {"A": "Aggressive", "B": "Predicted_Conservative"}[taste]
        people.append({"user_id": user, "risk_level": level, "segment": "Mass", "as_of": "2019-06-01"})
        own = rng.permutation([f"{taste}{i:02d}" for i in range(10)]).tolist()
        held += [f"{user}:{asset}" for asset in own[:4]]
        months = np.sort(rng.permutation(np.arange(2, 12))[:3])
        bought = [*own[4:6], f"{taste}9{number % 4 // 2}"]
        for month, asset in zip(months, bought, strict=True):
            late = max(int(month), 7) if asset[1] == "9" else int(month)
            traded.append(f"2020-{late:02d}-{rng.integers(2, 27):02d} {user} buy {asset}")
    traded.append("2020-08-15 newcomer buy A01")
    return make_tables(
        users=people,
        assets=assets(*listed),
        positions=positions("2020-01-01", *held),
        transactions=trades(*traded),
    )


def write_folder(tables: Tables, path: Path) -> Path:
    """The tables as a market folder."""
    for name in ("users", "assets", "positions", "transactions"):
        frame = getattr(tables, name).dropna(axis=1, how="all")
        frame = frame.drop(columns=[c for c in ("segment",) if c in frame]) if name == "users" else frame
        frame = frame.drop(columns=[c for c in ("as_of",) if c in frame]) if name == "assets" else frame
        frame.to_csv(path / f"{name}.csv", index=False)
    return path
