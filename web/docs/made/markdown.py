"""Pieces of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""A table; cells may hold Markdown on one line.

    >>> print(table(["a", "b"], [["1", "x|y"]]))
    | a | b |
    |---|---|
    | 1 | x\|y |
    """
    lines = [list(head), ["---"] * len(head), *(list(row) for row in rows)]
    return "\n".join(_line(cells, rule=i == 1) for i, cells in enumerate(lines))


def _line(cells: Sequence[str], *, rule: bool) -> str:
    if rule:
        return f"|{'|'.join(cells)}|"
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def code(text: str) -> str:
    """As code in a line; nothing for nothing.

    >>> code("a"), code("")
    ('`a`', '')
    """
    return f"`{text}`" if text else ""


def codes(texts: Iterable[str]) -> str:
    """Several, with commas between them.

    >>> codes(["a", "b"])
    '`a`, `b`'
    """
    return ", ".join(code(text) for text in texts)


def plain(text: str) -> str:
    """A sentence in which nothing is meant as Markdown or HTML.

    >>> print(plain("a * <b> of `c`"))
    a \\* \\<b> of `c`
    """
    for mark in ("*", "_", "<", "[", "$"):
        text = text.replace(mark, f"\\{mark}")
    return text
