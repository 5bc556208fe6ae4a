"""The exceptions that pathfolio raises, and what the command line makes of each.

Every message is one line that names what was found, where, and the remedy.
"""

from __future__ import annotations


class PathfolioError(Exception):
    """Base of all errors that a person can act on; the command line exits with `exit_code`."""

    exit_code = 1


class UsageError(PathfolioError):
    """The call was wrong: an unknown investor, asset, model or option value."""

    exit_code = 2


class DataError(PathfolioError):
    """The data was refused: a table, a build or a file breaks its contract."""

    exit_code = 3


class SchemaError(DataError):
    """A node, relation or version that the schema does not know."""


class StoreError(PathfolioError):
    """The graph store could not be reached, refused a request or holds another graph."""


class LedgerError(PathfolioError):
    """The ledger could not be written, read or verified."""
