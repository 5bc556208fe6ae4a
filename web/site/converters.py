"""Ids in addresses: any text, a slash included."""

from __future__ import annotations

from werkzeug.routing import BaseConverter


class IdConverter(BaseConverter):
    """An id as one part of a path; "/" stands as "~1" and "~" as "~0", as in JSON Pointers (RFC 6901).

    >>> from werkzeug.routing import Map
    >>> IdConverter(Map()).to_url("BRK/B"), IdConverter(Map()).to_python("BRK~1B")
    ('BRK~1B', 'BRK/B')
    """

    regex = "[^/]+"
    part_isolating = True

    def to_python(self, value: str) -> str:
        """The id."""
        return value.replace("~1", "/").replace("~0", "~")

    def to_url(self, value: str) -> str:
        """The id as it stands in an address."""
        return super().to_url(value.replace("~", "~0").replace("/", "~1"))
