"""The directive ```` ```{made} NAME ````: the reference of that name, made from the code that is documented."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Final

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from pathfolio.web.docs.made.command_line import command_line
from pathfolio.web.docs.made.data_contract import data_contract
from pathfolio.web.docs.made.http_api import http_api
from pathfolio.web.docs.made.ledger_format import entry_structs, record_structs
from pathfolio.web.docs.made.python_api import python_api
from pathfolio.web.docs.made.record_format import record_format
from pathfolio.web.docs.made.rule_files import rule_files

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

REFERENCES: Final[Mapping[str, Callable[[], str]]] = MappingProxyType(
    {
        "command-line": command_line,
        "data-contract": data_contract,
        "entry-structs": entry_structs,
        "http-api": http_api,
        "python-api": python_api,
        "record-format": record_format,
        "record-structs": record_structs,
        "rule-files": rule_files,
    }
)
"""Name to the function that returns the Markdown."""


class Made(SphinxDirective):
    """Puts a reference where the directive stands, headings included."""

    required_arguments: ClassVar[int] = 1

    def run(self) -> list[nodes.Node]:
        """The nodes of the reference's Markdown."""
        return self.parse_text_to_nodes(REFERENCES[self.arguments[0]](), allow_section_headings=True)


def _as_written(_app: object, _what: str, _name: str, _found: object, _options: object, lines: list[str]) -> None:
    """Docstrings name absolute values and alternatives with a bar, which is no mark of Markdown."""
    for i, line in enumerate(lines):
        pieces = line.split("`")
        pieces[::2] = [
            piece if line.lstrip().startswith((">>>", "...")) else piece.replace("|", "\\|") for piece in pieces[::2]
        ]
        lines[i] = "`".join(pieces)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Tell Sphinx of the directive."""
    app.add_directive("made", Made)
    app.connect("autodoc-process-docstring", _as_written)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
