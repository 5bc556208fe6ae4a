"""The table of an evaluation as text, CSV, JSON or LaTeX."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd

from pathfolio.kg.errors import UsageError
from pathfolio.kg.spreadsheet import safe_table
from pathfolio.recommender.evaluation.registry import MODELS

_INTERVAL_METRIC: Final = "ndcg@10"


def to_text(table: pd.DataFrame) -> str:
    """One block per window, kind and group; a line per model, nDCG@10 with its interval and difference first."""
    blocks = [_block(key, rows) for key, rows in _groups(table)]
    return "\n\n".join(blocks) + "\n"


def to_csv(table: pd.DataFrame) -> str:
    """The long table, a number per line."""
    return str(safe_table(table).to_csv(index=False, float_format="%.6f"))


def to_json(table: pd.DataFrame) -> str:
    """`{"rows": [...]}`, one object per number; what is not known is null."""
    rows = [{key: _plain(value) for key, value in row.items()} for row in _records(table)]
    return json.dumps({"rows": rows}, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def to_latex(table: pd.DataFrame) -> str:
    """One `tabular` (booktabs) per window, kind and group."""
    return "\n".join(_latex_block(key, rows) for key, rows in _groups(table))


WRITERS: Final = MappingProxyType[str, Callable[[pd.DataFrame], str]](
    {".json": to_json, ".csv": to_csv, ".tex": to_latex, ".txt": to_text}
)
"""File ending to the function that makes its content."""


def writer_for(path: Path) -> Callable[[pd.DataFrame], str]:
    """The writer for a file's ending.

    Raises:
        UsageError: no format has this ending.
    """
    if path.suffix not in WRITERS:
        raise UsageError(f"{path}: cannot tell the format: end the name in {', '.join(WRITERS)}")
    return WRITERS[path.suffix]


def _groups(table: pd.DataFrame) -> list[tuple[tuple[str, ...], pd.DataFrame]]:
    """Ranking metrics and what lists would have earned apart."""
    parts = []
    for key, rows in table.groupby(["window", "mode", "kind", "group"], sort=False):
        names = tuple(str(part) for part in key)
        parts.append(((*names, ""), rows[rows["horizon"] == 0]))
        parts.append(((*names, ", returns"), rows[rows["horizon"] > 0]))
    return [(key, rows) for key, rows in parts if len(rows)]


def wide(rows: pd.DataFrame) -> pd.DataFrame:
    """One line per model (and horizon), one text column per metric, of one window, kind and group."""
    metrics = rows["metric"].unique()
    lines = []
    for (model, horizon), part in rows.groupby(["model", "horizon"], sort=False):
        by_metric = {str(row["metric"]): row for row in _records(part)}
        line = {"model": str(model)} | ({"days": str(horizon)} if horizon else {})
        for metric in metrics:
            line |= _texts(str(metric), by_metric.get(str(metric)))
        lines.append(line)
    return pd.DataFrame(lines).fillna("")


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in rows.to_dict("records")]


def _texts(metric: str, row: dict[str, Any] | None) -> dict[str, str]:
    value = "" if row is None else _number(row["mean"])
    if metric != _INTERVAL_METRIC or row is None:
        return {metric: value}
    interval = f"{_number(row['low'])}..{_number(row['high'])}"
    parts = (row["difference"], row["difference_low"], row["difference_high"])
    compared = not np.isnan(row["difference"])
    difference = f"{parts[0]:+.4f} ({parts[1]:+.4f}..{parts[2]:+.4f})" if compared else ""
    spread = {"spread over seeds": f"{row['spread']:.4f} ({row['seeds']})"} if row["seeds"] > 1 else {}
    return {metric: value, "95 % interval": interval, **spread, "difference": difference}


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.4f}"


def _block(key: tuple[str, ...], rows: pd.DataFrame) -> str:
    window, mode, kind, group, part = key
    unit = "investors" if mode == "frozen" else "events"
    best = next((name for name in rows["reference"] if name), "")
    is_baseline = best in MODELS and MODELS[best].baseline
    compared = f", {'best baseline' if is_baseline else 'compared with'} {best}" if best else ""
    head = f"{window} {mode}, {kind}, {group}{part}: {rows['n'].max()} {unit}{compared}"
    return head + "\n" + _aligned(wide(rows))


def _aligned(frame: pd.DataFrame) -> str:
    columns = [[str(name), *map(str, frame[name])] for name in frame]
    widths = [max(map(len, column)) for column in columns]
    padded = [
        [cell.ljust(width) if first else cell.rjust(width) for cell in column]
        for first, (column, width) in zip(
            [True] + [False] * len(widths), zip(columns, widths, strict=True), strict=False
        )
    ]
    return "\n".join("  ".join(line).rstrip() for line in zip(*padded, strict=True))


def _latex_block(key: tuple[str, ...], rows: pd.DataFrame) -> str:
    frame = wide(rows)
    head = " & ".join(_escape(str(name)) for name in frame)
    body = [" & ".join(_escape(str(cell)) for cell in line) + r" \\" for line in frame.to_numpy().tolist()]
    columns = "l" + "r" * (len(frame.columns) - 1)
    lines = [
        f"% {', '.join(key[:4])}{key[4]}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        head + r" \\",
        r"\midrule",
    ]
    return "\n".join([*lines, *body, r"\bottomrule", r"\end{tabular}", ""])


def _escape(text: str) -> str:
    for plain in "&%$#_{}":
        text = text.replace(plain, "\\" + plain)
    return text.replace("..", " to ")


def _plain(value: object) -> Any:
    if isinstance(value, float | np.floating):
        return None if np.isnan(value) else round(float(value), 6)
    return value.item() if isinstance(value, np.generic) else value
