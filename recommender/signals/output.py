"""The table of an evaluation of signals, as text, CSV, JSON or LaTeX."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pandas as pd

from pathfolio.kg.errors import UsageError
from pathfolio.kg.spreadsheet import safe_table
from pathfolio.recommender.signals.labels import Target
from pathfolio.recommender.signals.record import SignalRecord

_RETURNS: Final = ("rank_ic", "rank_ic_low", "rank_ic_high", "rank_icir", "ic", "top_decile", "top_decile_net")
_MORE_RETURNS: Final = ("turnover", "information_ratio", "drawdown_net", "liquidity_weighted", "deflated_sharpe")
_RISKS: Final = ("qlike", "dm_qlike", "mse_log1p", "mse", "mz_intercept", "mz_slope", "rank_ic", "rank_ic_low")
_SHOWN: Final = MappingProxyType(
    {
        Target.RETURN: (*_RETURNS, *_MORE_RETURNS),
        Target.VOLATILITY: (*_RISKS, "rank_ic_high"),
        Target.BETA: ("mse", "mz_intercept", "mz_slope", "rank_ic", "rank_ic_low", "rank_ic_high"),
    }
)


def to_json(records: Sequence[SignalRecord]) -> str:
    """`{model: {horizon: {metric: value}}}`; what is not known is null."""
    out: dict[str, dict[str, dict[str, float | None]]] = {}
    for record in records:
        known = {name: value if math.isfinite(value) else None for name, value in record.metrics.items()}
        out.setdefault(record.model, {})[str(record.horizon)] = {**known, "seconds": round(record.seconds, 1)}
    return json.dumps(out, indent=1, allow_nan=False) + "\n"


def long_table(records: Sequence[SignalRecord]) -> pd.DataFrame:
    """model, target, horizon, metric, value: a number per row."""
    rows = [(r.model, str(r.target), r.horizon, name, value) for r in records for name, value in r.metrics.items()]
    return pd.DataFrame(rows, columns=["model", "target", "horizon", "metric", "value"])


def to_csv(records: Sequence[SignalRecord]) -> str:
    """The long table."""
    return str(safe_table(long_table(records)).to_csv(index=False, float_format="%.8g"))


def to_text(records: Sequence[SignalRecord]) -> str:
    """A block for each target and horizon, a line for each model."""
    blocks = []
    for target, horizon, group in _groups(records):
        names = _SHOWN[target]
        lines = [[f"{target}, {horizon} days", *names], *[[r.model, *_cells(r, names)] for r in group]]
        widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
        blocks.append(
            "\n".join(
                "  ".join([line[0].ljust(widths[0]), *[c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True)]])
                for line in lines
            )
        )
    return "\n\n".join(blocks) + "\n"


def to_latex(records: Sequence[SignalRecord]) -> str:
    """One `tabular` (booktabs) for each target and horizon."""
    blocks = []
    for target, horizon, group in _groups(records):
        names = _SHOWN[target]
        head = " & ".join(name.replace("_", r"\_") for name in (f"{target}, {horizon} days", *names))
        body = "\n".join(" & ".join([record.model, *_cells(record, names)]) + r" \\" for record in group)
        begin = rf"\begin{{tabular}}{{l{'r' * len(names)}}}"
        blocks.append(f"{begin}\n\\toprule\n{head} \\\\\n\\midrule\n{body}\n\\bottomrule\n\\end{{tabular}}")
    return "\n\n".join(blocks) + "\n"


_WRITERS: Final = MappingProxyType[str, Callable[[Sequence[SignalRecord]], str]](
    {".json": to_json, ".csv": to_csv, ".tex": to_latex, ".txt": to_text}
)
ENDINGS: Final = tuple(_WRITERS)
"""Of files that a table can be written into."""


def written(records: Sequence[SignalRecord], path: Path) -> str:
    """The table in the format of a file's ending.

    Raises:
        UsageError: no format has it.
    """
    if path.suffix not in _WRITERS:
        raise UsageError(f"{path}: cannot tell the format: end the name in {', '.join(_WRITERS)}")
    return _WRITERS[path.suffix](records)


def _groups(records: Sequence[SignalRecord]) -> list[tuple[Target, int, list[SignalRecord]]]:
    keys = sorted({(list(Target).index(r.target), r.horizon) for r in records})
    found = [(list(Target)[at], horizon) for at, horizon in keys]
    return [(t, h, [r for r in records if (r.target, r.horizon) == (t, h)]) for t, h in found]


def _cells(record: SignalRecord, names: Sequence[str]) -> list[str]:
    return [_cell(record.metrics.get(name, math.nan)) for name in names]


def _cell(value: float) -> str:
    if not math.isfinite(value):
        return ""
    return f"{value:.2e}" if 0 < abs(value) < 5e-4 else f"{value:.3f}"
