"""From validated `Tables` to the `KnowledgeGraph` of one day."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd

from pathfolio.kg.compile import compile_graph
from pathfolio.kg.figures import figure_facts
from pathfolio.kg.graph import KnowledgeGraph, to_days
from pathfolio.kg.positions import position_versions
from pathfolio.kg.schema import ASSET_KIND_OF, RELATIONS, UNDATED, NodeKind, Relation, Role, columns_of
from pathfolio.kg.sectors import industry_sectors
from pathfolio.kg.tables import Tables

PREDICTED_PREFIX: Final = "Predicted_"
"""A level that starts so was estimated by the source; the edge keeps the level and is marked."""


def assemble_graph(tables: Tables, as_of: date) -> KnowledgeGraph:
    """What was known on `as_of`, from `tables`: the one place where the cut-off enters.

    Each non-empty attribute of an investor or asset becomes a relation to a node of its own; a later row without
    a value leaves the last known value standing.
    """
    kind_of = _asset_kinds(tables.assets, as_of)
    edges = [
        _position_edges(tables, kind_of),
        *_trade_edges(tables, kind_of),
        *_user_edges(tables),
        *_asset_edges(tables, kind_of),
        _fund_edges(tables, kind_of),
        _fact_edges(tables, kind_of),
        _figure_edges(tables, kind_of, as_of),
        _rating_edges(tables, kind_of),
        *_relation_edges(tables, kind_of),
    ]
    nodes = [_user_nodes(tables, as_of), _asset_nodes(tables, kind_of, as_of), tables.labels]
    edge_frame = pd.concat([e for e in edges if len(e)], ignore_index=True) if any(map(len, edges)) else edges[0]
    del edges  # of millions of positions they take as much memory as what comes next
    node_frame = pd.concat([n for n in nodes if len(n)] or nodes, ignore_index=True)
    return compile_graph(node_frame, edge_frame, as_of, name=tables.name, is_sample=tables.is_sample)


def _day_numbers(dates: pd.Series[Any]) -> pd.Series[float]:
    """Days since 1970 as float64, NaN where there is no date."""
    return ((dates - pd.Timestamp(0)) / pd.Timedelta(days=1)).astype("float64")


def _known_rows(frame: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Rows dated on or before `as_of`, undated ones first, oldest to newest."""
    rows = frame[frame["as_of"].isna() | (frame["as_of"] <= pd.Timestamp(as_of))]
    return rows.sort_values("as_of", kind="stable", na_position="first")


def _asset_kinds(assets: pd.DataFrame, as_of: date) -> dict[str, str]:
    """Asset id to node kind, by the newest row that was known; assets known only later have their first kind."""
    later = assets.sort_values("as_of", kind="stable", na_position="first").drop_duplicates("asset_id")
    rows = pd.concat([later, _known_rows(assets, as_of)]).drop_duplicates("asset_id", keep="last")
    return {a: ASSET_KIND_OF[k].value for a, k in zip(rows["asset_id"], rows["kind"], strict=True)}


def _first_days(rows: pd.DataFrame, key: str) -> pd.Series[float]:
    """For each value of `key`, in sorted order, the days since 1970 of its oldest row; undated is oldest."""
    return _day_numbers(rows["as_of"]).fillna(to_days(UNDATED)).groupby(rows[key]).min()


def _user_nodes(tables: Tables, as_of: date) -> pd.DataFrame:
    rows = _known_rows(tables.users, as_of)
    newest = rows.groupby("user_id")[["name", "income_band", "birth_year"]].last().reset_index()
    known = _first_days(rows, "user_id").to_numpy()
    return newest.rename(columns={"user_id": "id"}).assign(kind=NodeKind.USER.value, known_at=known)


def _asset_nodes(tables: Tables, kind_of: dict[str, str], as_of: date) -> pd.DataFrame:
    """One row per asset that has a row by `as_of`; it is known from its listing, or else from its first row."""
    rows = _known_rows(tables.assets, as_of)
    newest = rows.groupby("asset_id")[["name", "name_local", "ticker", "isin", "currency", "listed"]].last()
    newest = newest.reset_index().rename(columns={"asset_id": "id"})
    listed = _day_numbers(newest["listed"])
    known = listed.fillna(pd.Series(_first_days(rows, "asset_id").to_numpy()))
    return newest.assign(kind=newest["id"].map(kind_of), listed=listed, known_at=known)


def _edges(
    relation: Relation,
    head: tuple[object, object],
    tail: tuple[object, object],
    as_of: pd.Series[Any],
    known_at: pd.Series[Any] | None = None,
    **properties: object,
) -> pd.DataFrame:
    """An edge frame; `head` and `tail` are (kind, ids), dates are datetimes, undated where null."""
    day = _day_numbers(as_of).fillna(to_days(UNDATED))
    known = day if known_at is None else _day_numbers(known_at).fillna(day)
    return pd.DataFrame(
        {
            "relation": relation.value,
            "head_kind": head[0],
            "head_id": head[1],
            "tail_kind": tail[0],
            "tail_id": tail[1],
            "weight": np.nan,
            "value": np.nan,
            "amount": np.nan,
            "qualifier": "",
            "source": "",
            "as_of": day.astype(np.int32),
            "known_at": known.astype(np.int32),
            **properties,
        }
    )


def _position_edges(tables: Tables, kind_of: dict[str, str]) -> pd.DataFrame:
    versions = position_versions(tables.positions, tables.transactions)
    frame = _edges(
        Relation.HOLDS,
        (NodeKind.USER.value, versions["user_id"]),
        (versions["asset_id"].map(kind_of), versions["asset_id"]),
        versions["as_of"],
        versions["known_at"],
        weight=versions["weight"],
        value=versions["units"],
        amount=versions["amount"],
        qualifier=versions["table"].map({"positions": "statement", "transactions": "transaction"}),
        source=versions["table"].map({t: tables.source_of(t) for t in ("positions", "transactions")}),
    )
    return frame.assign(relation=versions["relation"])


def _trade_edges(tables: Tables, kind_of: dict[str, str]) -> list[pd.DataFrame]:
    """What was bought and what was sold, of each day the sum; units and money are null where any of its rows has none.

    A transaction is known on its own day (`pathfolio.kg.positions`).
    """
    out = []
    source = tables.source_of("transactions")
    for side, relation in (("buy", Relation.BOUGHT), ("sell", Relation.SOLD)):
        rows = tables.transactions[tables.transactions["side"] == side]
        by_day = rows.groupby(["user_id", "asset_id", "date"], observed=True)
        days = by_day[["units", "value"]].sum(skipna=False)
        channels = by_day["channel"].agg(["first", "nunique"])
        days = days.assign(channel=channels["first"].where(channels["nunique"] == 1)).reset_index()
        user = (NodeKind.USER.value, days["user_id"])
        edges = _edges(relation, user, _asset_end(days, kind_of), days["date"], source=source)
        out.append(edges.assign(value=days["units"], amount=days["value"], qualifier=days["channel"].fillna("")))
    return out


def _user_edges(tables: Tables) -> list[pd.DataFrame]:
    """Levels and segments; an institution without a segment is in one of that name, since other rules hold for it.

    A level is of the day of the answers, where the source tells it, and known from the row's own day on; one that the
    source predicted is of the row's day.
    """
    out = []
    institution = tables.users["kind"].where(tables.users["kind"] == "institution")
    users = tables.users.assign(segment=tables.users["segment"].fillna(institution))
    for column, relation in columns_of(Role.PROFILE).items():
        rows = users[users[column].notna()]
        level = rows[column].str.removeprefix(PREDICTED_PREFIX)
        mark = np.where(rows[column].str.startswith(PREDICTED_PREFIX), "predicted", "")
        tail = (RELATIONS[relation].tails[0].value, level)
        user = (NodeKind.USER.value, rows["user_id"])
        days = rows["as_of"]
        if RELATIONS[relation].is_level:
            days = rows["answered"].where(mark == "").fillna(rows["as_of"])
        edges = _edges(relation, user, tail, days, rows["as_of"], qualifier=mark, source=tables.source_of("users"))
        out.append(edges)
    return out


def _asset_edges(tables: Tables, kind_of: dict[str, str]) -> list[pd.DataFrame]:
    source = tables.source_of("assets")
    out = []
    for column, relation in columns_of(Role.ATTRIBUTE).items():
        rows = tables.assets[tables.assets[column].notna()]
        tail = (RELATIONS[relation].tails[0].value, rows[column])
        out.append(_edges(relation, _asset_end(rows, kind_of), tail, _asset_dates(rows), source=source))
    classes = (NodeKind.ASSET_CLASS.value, tables.assets["kind"].str.capitalize())
    dates = _asset_dates(tables.assets)
    out.append(_edges(Relation.IN_CLASS, _asset_end(tables.assets, kind_of), classes, dates, source=source))
    both = industry_sectors(tables.assets, _asset_dates(tables.assets))
    industry, sector = (NodeKind.INDUSTRY.value, both["industry"]), (NodeKind.SECTOR.value, both["sector"])
    out.append(_edges(Relation.IN_SECTOR, industry, sector, both["day"], source=source))
    costs = tables.assets[tables.assets["expense_ratio"].notna()]
    metric = (NodeKind.METRIC.value, "expense_ratio")
    edges = _edges(Relation.HAS_FACT, _asset_end(costs, kind_of), metric, _asset_dates(costs), source=source)
    out.append(edges.assign(value=costs["expense_ratio"], qualifier="fraction"))
    return out


def _asset_dates(rows: pd.DataFrame) -> pd.Series[Any]:
    return rows["as_of"].fillna(rows["listed"])


def _asset_end(rows: pd.DataFrame, kind_of: dict[str, str], column: str = "asset_id") -> tuple[Any, Any]:
    return rows[column].map(kind_of), rows[column]


def _fund_edges(tables: Tables, kind_of: dict[str, str]) -> pd.DataFrame:
    rows = tables.fund_holdings
    fund = (NodeKind.FUND.value, rows["fund_id"])
    source = tables.source_of("fund_holdings")
    edges = _edges(Relation.INVESTS_IN, fund, _asset_end(rows, kind_of), rows["as_of"], rows["known_at"], source=source)
    return edges.assign(weight=rows["weight"])


def _fact_edges(tables: Tables, kind_of: dict[str, str]) -> pd.DataFrame:
    return _stated(tables.facts, tables.source_of("facts"), kind_of)


def _figure_edges(tables: Tables, kind_of: dict[str, str], as_of: date) -> pd.DataFrame:
    """What the closes say of the assets that are known; a figure that the source states of the same day stands."""
    newest = _known_rows(tables.assets, as_of).groupby("asset_id")[["kind", "category", "currency"]].last()
    figures = figure_facts(tables.prices, newest.reset_index(), as_of, tables.terms, tables.source_of("prices"))
    key = ["asset_id", "metric", "as_of"]
    stated = pd.MultiIndex.from_frame(tables.facts[key].astype({"asset_id": object, "metric": object}))
    return _stated(figures[~pd.MultiIndex.from_frame(figures[key]).isin(stated)], "", kind_of)


def _stated(rows: pd.DataFrame, source: str, kind_of: dict[str, str]) -> pd.DataFrame:
    """Edges of a table of facts; `source` stands where a row names none."""
    return _edges(
        Relation.HAS_FACT,
        _asset_end(rows, kind_of),
        (NodeKind.METRIC.value, rows["metric"]),
        rows["as_of"],
        rows["known_at"],
        value=rows["value"],
        qualifier=rows["unit"].fillna(""),
        source=rows["source"].fillna(source),
    )


def _rating_edges(tables: Tables, kind_of: dict[str, str]) -> pd.DataFrame:
    rows = tables.analyst_ratings
    return _edges(
        Relation.RATED_BY,
        _asset_end(rows, kind_of),
        (NodeKind.ANALYST_FIRM.value, rows["analyst_firm"]),
        rows["date"],
        value=rows["target_price_usd"],
        qualifier=rows["rating"].fillna(""),
        source=tables.source_of("analyst_ratings"),
    )


def _relation_edges(tables: Tables, kind_of: dict[str, str]) -> list[pd.DataFrame]:
    out = []
    for word, rows in tables.relations.groupby("relation"):
        relation = Relation(str(word))
        spec = RELATIONS[relation]
        if not set(spec.tails) & set(ASSET_KIND_OF.values()) and len(spec.tails) > 1:
            rows = _to_each_kind(rows, spec.tails, tables.assets)  # noqa: PLW2901 - as often as there are kinds
        head = (_end_kinds(rows["source_id"], spec.heads, kind_of), rows["source_id"])
        tails = rows["tail_kind"] if "tail_kind" in rows else _end_kinds(rows["target_id"], spec.tails, kind_of)
        tail = (tails, rows["target_id"])
        source = rows["source"].fillna(tables.source_of("relations"))
        out.append(_edges(relation, head, tail, rows["as_of"], rows["known_at"], weight=rows["weight"], source=source))
    return out


def _to_each_kind(rows: pd.DataFrame, kinds: tuple[NodeKind, ...], assets: pd.DataFrame) -> pd.DataFrame:
    """The rows with `tail_kind`: of each kind whose name the target is, since a sector may be called as a type of fund
    is; the first one where no asset names it."""
    of_kind = [(kind, rows["target_id"].isin(assets[_COLUMN_OF[kind]].dropna())) for kind in kinds]
    named = np.any([found.to_numpy(bool) for _, found in of_kind], axis=0)
    parts = [rows[found].assign(tail_kind=kind.value) for kind, found in of_kind]
    out: pd.DataFrame = pd.concat([*parts, rows[~named].assign(tail_kind=kinds[0].value)], ignore_index=True)
    return out


_COLUMN_OF: Final = {RELATIONS[r].tails[0]: column for column, r in columns_of(Role.ATTRIBUTE).items()}


def _end_kinds(ids: pd.Series[Any], allowed: tuple[NodeKind, ...], kind_of: dict[str, str]) -> pd.Series[Any]:
    """The kind of each id: its asset kind where the relation allows that, else the relation's other kind."""
    others = [kind.value for kind in allowed if kind not in ASSET_KIND_OF.values()]
    kinds = ids.map(kind_of).where(ids.map(kind_of).isin([kind.value for kind in allowed]))
    return kinds.fillna(others[0]) if others else kinds
