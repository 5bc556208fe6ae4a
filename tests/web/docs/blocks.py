"""The code blocks of a page of the documentation, and how each is tried.

- `python` blocks run one after the other in one namespace a page; those that begin with `>>>` as doctests.
- `console` blocks are what a reader types after `$` (`>` goes on with it) and, where shown, what is printed then;
  `...` stands for anything. A command must end well unless the line of its error is shown.
- a block with a `:caption:` is a file of that name, which commands then read.
- a block after a line `*Not run in the tests: why.*` is not run.
"""

from __future__ import annotations

import doctest
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sybil import Document, Example, Region, Sybil
from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer
from sybil.parsers.myst import PythonCodeBlockParser
from sybil.parsers.myst.lexers import DirectiveLexer

from tests.web.docs.shell import Done, Shell

FLAGS: Final = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
_NOT_RUN: Final = re.compile(r"\*Not run in the tests: ([^*\n]{10,})\*\n\n?\Z")
_PICTURES: Final = frozenset({"text", "mermaid"})
"""Languages of blocks that are no code: formulas, layouts of folders, drawings."""


@dataclass(frozen=True)
class Command:
    """What is typed, and what is shown below it; empty where nothing is."""

    typed: str
    shown: str


def commands(block: str) -> list[Command]:
    """The commands of a console block.

    >>> commands("$ one\\n> two\\nshown\\n$ three\\n")
    [Command(typed='one\\ntwo', shown='shown\\n'), Command(typed='three', shown='')]
    """
    found: list[Command] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:], ""))
        elif line.startswith("> ") and not found[-1].shown:
            found[-1] = Command(f"{found[-1].typed}\n{line[2:]}", "")
        else:
            found[-1] = Command(found[-1].typed, f"{found[-1].shown}{line}\n")
    return found


def difference(command: Command, done: Done) -> str:
    """What is wrong with what a command did; empty where all is as shown."""
    refused = any(line.startswith("pathfolio: ") for line in command.shown.splitlines())
    if (done.code != 0) != refused:
        return f"$ {command.typed}\nended with {done.code}:\n{done.out[-3000:]}{done.err[-3000:]}"
    example = doctest.Example(command.typed, command.shown)
    checker = doctest.OutputChecker()
    if not command.shown or checker.check_output(example.want, done.shown, FLAGS):
        return ""
    return f"$ {command.typed}\n{checker.output_difference(example, done.shown, FLAGS)}"


@dataclass(frozen=True)
class _Blocks:
    """Sybil's parser of all blocks but the plain ones in Python."""

    shell: Shell | None

    def __call__(self, document: Document) -> Iterator[Region]:
        fences = RawFencedCodeBlockLexer(re.compile(r"(?P<arguments>[a-z]*)$\n", re.MULTILINE))
        directives = DirectiveLexer("code-block", r"[a-z]+")
        regions: Iterable[Region] = [*fences(document), *directives(document)]
        for region in regions:
            language = region.lexemes["arguments"]
            reason = _NOT_RUN.search(document.text[: region.start])
            if language in _PICTURES and not region.lexemes.get("options"):
                continue
            if language == "python" and "options" not in region.lexemes and not reason:
                continue  # Sybil's own parser has it
            region.parsed = region.lexemes["source"]
            region.evaluator = self._skip if reason else self._try
            yield region

    def _skip(self, example: Example) -> None:
        pass

    def _try(self, example: Example) -> str | None:
        lexemes = example.region.lexemes
        name = lexemes.get("options", {}).get("caption")
        if name:
            Path(name).write_text(str(example.parsed), encoding="utf-8")
            return None
        if lexemes["arguments"] != "console":
            return f"a block of {lexemes['arguments'] or 'no language'}: give it a caption, or say why it is not run"
        assert self.shell is not None
        for command in commands(str(example.parsed)):
            wrong = difference(command, self.shell.run(command.typed))
            if wrong:
                return wrong
        return None


def page_of(path: Path, shell: Shell | None = None) -> Document:
    """A page with its blocks in order; to try them takes a shell."""
    blocks, python = _Blocks(shell), PythonCodeBlockParser(doctest_optionflags=FLAGS)

    def ours(document: Document) -> Iterator[Region]:
        """Python that is run: without what the other parser skips or writes to a file."""
        others = {region.start for region in blocks(document)}
        yield from (region for region in python(document) if region.start not in others)

    return Sybil([blocks, ours], path=str(path.parent), filenames=[path.name]).parse(path)


def is_run(example: Example) -> bool:
    """Whether a block is tried; the others say why they are not."""
    return not _NOT_RUN.search(example.document.text[: example.region.start])
