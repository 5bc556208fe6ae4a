"""`Adapter`: one layout of a data folder, and how it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from pathfolio.kg.tables import Tables


class Adapter(Protocol):
    """Knows one layout. A new one is a file that has an instance, and a line in `pathfolio.kg.contract.ADAPTERS`."""

    @property
    def name(self) -> str:
        """What a folder of the layout is called, with its article: "a market folder"."""
        ...

    @property
    def sign(self) -> str:
        """What `look` looks for, in words: "asset_information.csv"."""
        ...

    def look(self, path: Path) -> bool:
        """Whether the folder is of this layout, by the names of its files alone."""
        ...

    def read(self, path: Path) -> Tables:
        """Its content, checked; rows that break the contract are set aside in `Tables.rejected`.

        Raises:
            DataError: a file is missing or refused.
        """
        ...
