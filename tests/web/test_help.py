"""The help of every command: written in one way, and complete."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterator

import pytest

from pathfolio.web.cli import COMMANDS


def parsers(name: str) -> Iterator[argparse.ArgumentParser]:
    """The parser of a command, and those of its actions."""
    parser = argparse.ArgumentParser(prog=name, description="A.")
    importlib.import_module(f"pathfolio.web.commands.{name}").add_arguments(parser)
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.values()


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_written_in_one_way(name: str) -> None:
    for parser in parsers(name):
        description = parser.description or ""
        assert description[:1].isupper() and description.endswith("."), parser.prog
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                continue
            assert action.help, f"{parser.prog} {action.dest}: no help"
            shown = action.metavar or (action.dest if not action.option_strings and not action.choices else "X")
            assert str(shown)[0].isupper() or str(shown).startswith("all|"), f"{parser.prog}: metavar {shown}"
