"""The reference of the command line, from its parsers."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterator

from pathfolio.web.cli import COMMANDS
from pathfolio.web.docs.made.markdown import code, plain, table


def command_line() -> str:
    """Every command with its actions and options."""
    return "\n\n".join(part for command in COMMANDS for part in _described(_parser(command), 2))


def _parser(command: str) -> argparse.ArgumentParser:
    summary = COMMANDS[command]
    parser = argparse.ArgumentParser(f"pathfolio {command}", description=summary[0].upper() + summary[1:] + ".")
    importlib.import_module(f"pathfolio.web.commands.{command}").add_arguments(parser)
    return parser


def _described(parser: argparse.ArgumentParser, depth: int) -> Iterator[str]:
    yield f"{'#' * depth} {parser.prog}"
    yield plain(parser.description or "")
    actions = [action for action in parser._actions if not isinstance(action, argparse._SubParsersAction)]
    rows = [_row(action, parser.prog) for action in actions if not isinstance(action, argparse._HelpAction)]
    inner = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not inner:
        usage = parser.format_usage().removeprefix("usage: ").strip()
        yield f"```text\n{usage}\n```"
    if rows:
        yield table(["argument", "meaning"], rows)
    for choices in inner:
        for action in choices.choices.values():
            yield from _described(action, depth + 1)


def _row(action: argparse.Action, program: str) -> tuple[str, str]:
    """How an argument is written, and what it means."""
    names = ", ".join(code(name) for name in action.option_strings)
    value = "" if action.nargs == 0 else _value(action)
    called = f"{names} {code(value)}" if names and value else names or code(value)
    required = " *Required.*" if action.required and action.option_strings else ""
    shown = {name: given for name, given in vars(action).items() if given is not argparse.SUPPRESS}
    told = (action.help or "") % {**shown, "prog": program}
    return called, plain(told[:1].upper() + told[1:]) + required


def _value(action: argparse.Action) -> str:
    if isinstance(action.metavar, str):
        return action.metavar
    if action.choices is not None:
        return "|".join(str(choice) for choice in action.choices)
    return action.dest.upper() if action.option_strings else action.dest
