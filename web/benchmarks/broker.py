"""A broker's market of any size, made from a seed: what `pathfolio bench growth` builds and serves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pathfolio.kg.graph import FloatArray, IntArray, to_days

NAME: Final = "Broker (generated)"
START: Final = date(2023, 6, 30)
STATEMENT: Final = date(2026, 3, 31)
END: Final = date(2026, 6, 30)
"""Purchases begin after the first day, and positions are stated on the second; nothing is dated after the last."""

PURCHASES: Final = 12
"""Of an investor, in the mean; some make one, few a hundred. Of what is bought twice the first one stays, so that about
ten positions do."""

_FUNDS, _BONDS = 0.25, 0.05
_NEW = 0.05
"""Shares of the assets that are funds and bonds, and that were listed after `START`."""

_ZIPF: Final = 0.8
_LIKED: Final = 2
_BY_TASTE: Final = 0.6
_SOLD: Final = 0.1
"""Popularity falls with the rank to this power; investors like so many industries, and buy such a share in them;
such a share of what was bought is sold again."""

_IN_A_FUND: Final = 20
_MARKETS: Final = {"XTAI": "Taiwan", "XNYS": "United States", "XNAS": "United States", "XLON": "United Kingdom"}
_LEVELS: Final = {
    "risk_level": ("Conservative", "Income", "Balanced", "Aggressive"),
    "objective": ("Capital Preservation", "Income", "Retirement", "Balanced Growth", "Capital Growth"),
    "experience": ("Beginner", "Intermediate", "Experienced"),
    "capacity": ("under USD 30k", "USD 30k-80k", "USD 80k-300k", "over USD 300k"),
    "segment": ("Mass", "Premium", "Professional"),
}


@dataclass(frozen=True)
class Broker:
    """The market of so many investors and assets; the same numbers and seed give the same tables."""

    investors: int
    assets: int
    seed: int = 7

    def write(self, folder: Path) -> int:
        """Write the market folder, in Parquet; returns how many positions were ever bought."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, columns in self.tables().items():
            pq.write_table(pa.table(dict(columns)), folder / f"{name}.parquet", compression="zstd")
        about = {"name": NAME, "sample": True, "adjusted_for": ["splits", "dividends"], "risk_free": {"USD": 0.04}}
        (folder / "market.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
        return len(self._bought[0])

    def tables(self) -> dict[str, Mapping[str, pa.Array]]:
        """Name of each table of the data contract to its columns."""
        return {
            "users": self._users(),
            "assets": self._assets(),
            "transactions": self._transactions(),
            "positions": self._positions(),
            "fund_holdings": self._fund_holdings(),
            "facts": self._facts(),
            "prices": self._prices(),
        }

    # -- assets ------------------------------------------------------------------------------------------------

    @cached_property
    def _asset_id(self) -> pa.Array:
        return _numbered("A", self.assets)

    @cached_property
    def _kind(self) -> IntArray:
        """(assets,) 0 for stocks, 1 for funds, 2 for bonds, in every industry and at every popularity."""
        draw = self._random("kind").random(self.assets)
        kind = np.where(draw < _BONDS, 2, np.where(draw < _BONDS + _FUNDS, 1, 0))
        kind[:2] = 0  # a fund has something to hold
        return kind

    @cached_property
    def _industry(self) -> IntArray:
        """(assets,) ascending, so that those of an industry lie side by side."""
        return np.arange(self.assets) * self._industries // self.assets

    @property
    def _industries(self) -> int:
        return int(np.clip(self.assets // 20, 2, 100))

    @cached_property
    def _popularity(self) -> FloatArray:
        rank = self._random("popularity").permutation(self.assets) + 1.0
        return np.asarray(rank**-_ZIPF)

    @cached_property
    def _listed(self) -> IntArray:
        """(assets,) days since 1970."""
        rng = self._random("listed")
        days = to_days(START) - rng.integers(400, 8000, self.assets)
        new = np.flatnonzero(rng.random(self.assets) < _NEW)
        days[new] = rng.integers(to_days(START), to_days(END) - 14, len(new))
        return days

    def _assets(self) -> dict[str, pa.Array]:
        number = np.arange(self.assets)
        is_stock, is_fund = self._kind == 0, self._kind == 1
        market = self._random("market").integers(len(_MARKETS), size=self.assets)
        names = pa.array([f"{('Company', 'Fund', 'Bond')[kind]} {i}" for i, kind in enumerate(self._kind.tolist())])
        return {
            "asset_id": self._asset_id,
            "kind": _words(("stock", "fund", "bond"), self._kind),
            "name": names,
            "currency": _words(("USD",), number * 0),
            "category": _masked(_named("Category", self._industry // 3), is_fund),
            "industry": _masked(_named("Industry", self._industry), is_stock),
            "sector": _masked(_named("Sector", self._industry // 8), is_stock),
            "issuer": _masked(_named("House", number % max(self.assets // 60, 3)), ~is_stock),
            "market": _words(tuple(_MARKETS), market),
            "country": _words(tuple(_MARKETS.values()), market),
            "risk_rating": _named("RR", np.where(self._kind == 2, 2, 3 + number % 3), gap=""),
            "expense_ratio": _masked(pa.array(np.full(self.assets, 0.01)), is_fund),
            "listed": _dates(self._listed),
        }

    def _fund_holdings(self) -> dict[str, pa.Array]:
        """What a fund holds: stocks that are next to it in the order of industries."""
        stocks, funds = np.flatnonzero(self._kind == 0), np.flatnonzero(self._kind == 1)
        many = min(_IN_A_FUND, len(stocks))
        first = np.clip(np.searchsorted(stocks, funds) - many // 2, 0, len(stocks) - many)
        held = stocks[first[:, None] + np.arange(many)].ravel()
        days = np.full(len(held), to_days(STATEMENT))
        weight = np.tile(np.linspace(2, 1, many) / (1.5 * many), len(funds)).round(4)
        owner = self._asset_id.take(pa.array(np.repeat(funds, many)))
        columns = {"fund_id": owner, "asset_id": self._asset_id.take(pa.array(held)), "as_of": _dates(days)}
        return {**columns, "weight": pa.array(weight), "known_at": _dates(days + 20)}

    def _facts(self) -> dict[str, pa.Array]:
        """Figures of accounts, one of a year for each asset."""
        metrics = ("dividend_yield", "pe_ratio", "roe")
        days = np.array([to_days(date(year, 6, 30)) for year in (2023, 2024, 2025)])
        asset, metric, day = (part.ravel() for part in np.indices((self.assets, len(metrics), len(days))))
        value = self._random("facts").lognormal(0, 0.4, len(asset)) * np.array([0.02, 15.0, 0.1])[metric]
        columns = {"asset_id": self._asset_id.take(pa.array(asset)), "metric": _words(metrics, metric)}
        dated = {"as_of": _dates(days[day]), "known_at": _dates(days[day] + 30)}
        return {**columns, "value": pa.array(value.round(6)), **dated, "source": _words(("accounts",), asset * 0)}

    def _prices(self) -> dict[str, pa.Array]:
        """A close of every business day since a month before `START`, as random walks."""
        days = np.arange(to_days(START) - 40, to_days(END) + 1)
        days = days[np.is_busday(days.astype("datetime64[D]"))]
        steps = self._random("prices").normal(3e-4, 0.015, (self.assets, len(days)))
        close = (100 * np.exp(steps.cumsum(axis=1))).round(2)
        asset, day = (part.ravel() for part in np.indices(close.shape))
        quoted = days[day] >= self._listed[asset]
        chosen = self._asset_id.take(pa.array(asset[quoted]))
        return {"asset_id": chosen, "date": _dates(days[day[quoted]]), "close": pa.array(close.ravel()[quoted])}

    # -- investors ---------------------------------------------------------------------------------------------

    @cached_property
    def _user_id(self) -> pa.Array:
        return _numbered("U", self.investors)

    def _users(self) -> dict[str, pa.Array]:
        rng = self._random("users")
        stated = {name: _words(words, rng.integers(len(words), size=self.investors)) for name, words in _LEVELS.items()}
        born = pa.array(rng.integers(1940, 2005, self.investors).astype(float))
        return {
            "user_id": self._user_id,
            **stated,
            "birth_year": born,
            "as_of": _dates(np.full(self.investors, _START)),
        }

    @cached_property
    def _bought(self) -> tuple[IntArray, IntArray, IntArray]:
        """Who bought what on which day since 1970, each (positions,): every pair once, by investor."""
        rng = self._random("bought")
        spread = rng.lognormal(0, 0.8, self.investors)
        number = np.clip(rng.poisson(spread / spread.mean() * PURCHASES), 1, max(self.assets // 3, 1))
        user = np.repeat(np.arange(self.investors), number)
        liked = rng.integers(self._industries, size=(self.investors, _LIKED))
        industry = liked[user, rng.integers(_LIKED, size=len(user))]
        bounds = np.searchsorted(self._industry, np.arange(self._industries + 1))
        total = np.concatenate([[0.0], np.cumsum(self._popularity)])
        by_taste = rng.random(len(user)) < _BY_TASTE
        low = np.where(by_taste, total[bounds[industry]], 0.0)
        high = np.where(by_taste, total[bounds[industry + 1]], total[-1])
        point = low + rng.random(len(user)) * (high - low)
        asset = np.clip(np.searchsorted(total, point, "right") - 1, 0, self.assets - 1)
        user, asset = np.divmod(np.unique(user * self.assets + asset), self.assets)
        first = np.maximum(self._listed[asset], _START)
        day = first + (rng.random(len(user)) * (to_days(END) - first)).astype(np.int64) + 1
        return user, asset, _business(day)

    @cached_property
    def _sold(self) -> IntArray:
        """(positions,) the day on which each was sold, after `END` for those that were not."""
        rng, bought = self._random("sold"), self._bought[2]
        day = _business(bought + rng.integers(20, 400, len(bought)))
        return np.where(rng.random(len(bought)) < _SOLD, day, to_days(END) + 1)

    def _transactions(self) -> dict[str, pa.Array]:
        user, asset, bought = self._bought
        again = np.flatnonzero(self._sold <= to_days(END))
        at = np.concatenate([np.arange(len(user)), again])
        day = np.concatenate([bought, self._sold[again]])
        is_sale = np.arange(len(at)) >= len(user)
        order = np.argsort(day, kind="stable")
        return {
            "user_id": self._user_id.take(pa.array(user[at][order])),
            "asset_id": self._asset_id.take(pa.array(asset[at][order])),
            "date": _dates(day[order]),
            "side": _words(("buy", "sell"), is_sale[order].astype(np.int64)),
            "units": pa.array(np.full(len(at), 10.0)),
            "value": pa.array(np.full(len(at), 1000.0)),
        }

    def _positions(self) -> dict[str, pa.Array]:
        """What was held on the day of the statement."""
        user, asset, bought = self._bought
        stated = to_days(STATEMENT)
        held = np.flatnonzero((bought <= stated) & (self._sold > stated))
        owner = user[held]
        weight = (1.0 / np.bincount(owner, minlength=self.investors)[owner]).round(6)
        return {
            "user_id": self._user_id.take(pa.array(owner)),
            "asset_id": self._asset_id.take(pa.array(asset[held])),
            "as_of": _dates(np.full(len(held), stated)),
            "units": pa.array(np.full(len(held), 10.0)),
            "value": pa.array(np.full(len(held), 1000.0)),
            "weight": pa.array(weight),
        }

    def _random(self, part: str) -> np.random.Generator:
        """The random numbers of one part, whatever the others draw."""
        return np.random.default_rng([self.seed, *part.encode()])


_START: Final = to_days(START)


def _business(day: IntArray) -> IntArray:
    """The last business day up to each."""
    rolled = np.busday_offset(day.astype("datetime64[D]"), 0, roll="backward")
    return np.asarray(rolled.astype("datetime64[D]").astype(np.int64))


def _numbered(prefix: str, count: int) -> pa.Array:
    return pa.array([f"{prefix}{i:07d}" for i in range(count)])


def _named(prefix: str, number: IntArray, gap: str = " ") -> pa.Array:
    return _words([f"{prefix}{gap}{i}" for i in range(int(number.max(initial=0)) + 1)], number)


def _words(words: tuple[str, ...] | list[str], number: IntArray) -> pa.Array:
    return pa.array(words, pa.string()).take(pa.array(number))


def _masked(values: pa.Array, kept: npt.NDArray[np.bool_]) -> pa.Array:
    return pc.if_else(pa.array(kept), values, pa.scalar(None, values.type))


def _dates(day: IntArray) -> pa.Array:
    return pa.array(day.astype(np.int32), pa.int32()).cast(pa.date32())
