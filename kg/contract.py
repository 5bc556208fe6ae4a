"""Read a data folder, whatever its layout is: the entrance to everything that comes from files.

Each layout has an adapter (`ADAPTERS`); they are told apart by looking. A file that cannot be used is refused with
`DataError`, in one line that names file, line, column, value and remedy. A row that breaks the contract is set aside in
`Tables.rejected`; no row is dropped in silence.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from pathfolio.kg.adapter import Adapter
from pathfolio.kg.errors import DataError
from pathfolio.kg.far_trans import FarTrans
from pathfolio.kg.market_folder import MarketFolder
from pathfolio.kg.spreadsheet import safe_table
from pathfolio.kg.tables import Tables

ADAPTERS: Final[tuple[Adapter, ...]] = (MarketFolder(), FarTrans())
"""Every layout that can be read."""

_REMEDY: Final = "name " + " or ".join(f"{adapter.name} ({adapter.sign} in it)" for adapter in ADAPTERS)


def read_folder(path: Path) -> Tables:
    """The validated content of a folder of one of the layouts.

    Raises:
        DataError: the folder is of no layout, or of several; or a file in it is refused.
    """
    if not path.is_dir():
        what = "a file, not a folder" if path.exists() else "no such folder"
        raise DataError(f"{path}: {what}: {_REMEDY}")
    fitting = [adapter for adapter in ADAPTERS if adapter.look(path)]
    if not fitting:
        raise DataError(f"{path}: neither layout (it holds {_content(path)}): {_REMEDY}{_hint(path)}")
    if len(fitting) > 1:
        names = " and ".join(adapter.name for adapter in fitting)
        signs = "; ".join(adapter.sign for adapter in fitting)
        raise DataError(f"{path}: both {names}: keep the files of one ({signs})")
    return fitting[0].read(path)


def _content(path: Path) -> str:
    names = sorted(entry.name for entry in path.iterdir())
    shown = ", ".join(names[:6]) + (", …" if len(names) > 6 else "")
    return shown or "nothing"


def _hint(path: Path) -> str:
    """The first folder inside that would do, for archives that unpack into one."""
    for inside in sorted(entry for entry in path.iterdir() if entry.is_dir()):
        if any(adapter.look(inside) for adapter in ADAPTERS):
            return f"; {inside} is one"
    return ""


def write_rejected(tables: Tables, path: Path) -> None:
    """Write the rows that were set aside as CSV, sorted by file and line; the header alone where there are none."""
    rows = tables.rejected.sort_values(["file", "line"], kind="stable")
    safe_table(rows).to_csv(path, index=False, encoding="utf-8", lineterminator="\n")


def read_report(tables: Tables) -> dict[str, Any]:
    """What was read and what was set aside, as plain values for the build's report.

    Returns:
        {"name", "rows_read", "rows_set_aside", "files": {file: {"rows_read", "rows_set_aside",
        "problems": [{"column", "problem", "remedy", "rows"}, …]}}, "notes": [sentence, …]};
        the most frequent problem of a file comes first.
    """
    by_file = tables.rejected.groupby("file", sort=False)
    aside = by_file.size().to_dict()
    files: dict[str, dict[str, Any]] = {
        file: {"rows_read": rows, "rows_set_aside": int(aside.get(file, 0)), "problems": []}
        for file, rows in tables.rows_read.items()
    }
    what = ["file", "column", "problem", "remedy"]
    counts = tables.rejected.groupby(what, sort=False).size().rename("rows").reset_index()
    for row in counts.sort_values("rows", ascending=False, kind="stable").to_dict("records"):
        files[str(row.pop("file"))]["problems"].append(row)
    return {
        "name": tables.name,
        "rows_read": sum(tables.rows_read.values()),
        "rows_set_aside": len(tables.rejected),
        "files": files,
        "notes": list(tables.notes),
    }
