"""A console in which the documentation's commands run: `pathfolio` in this process, all else in bash."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pathfolio.web.cli import main

_ASSIGNMENT: Final = re.compile(r"(?:export )?([A-Z][A-Z0-9_]*)=(.*)", re.DOTALL)
_PROGRAM: Final = "import sys; from pathfolio.web.cli import main; sys.exit(main())"
_PROGRESS: Final = re.compile(r"^ *[0-9.]+ s  .*\n", re.MULTILINE)
_STARTS_WITHIN: Final = 120.0
"""Seconds that a server may take until it says where it is."""

_NOT_HERE: Final = "serve"
"""Makes copies of its process, which must not be this one."""


@dataclass(frozen=True)
class Done:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def shown(self) -> str:
        """What a reader sees: the output, where it was recorded and the line of an error, without progress."""
        told = [line for line in self.err.splitlines(True) if line.startswith(("pathfolio: ", "record "))]
        return _PROGRESS.sub("", self.out) + "".join(told)


@dataclass
class Shell:
    """One reader's console: variables stay from command to command, servers run until it is closed."""

    bin: Path
    servers: list[subprocess.Popen[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bin.mkdir(exist_ok=True)
        program = self.bin / "pathfolio"
        program.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{_PROGRAM}' \"$@\"\n", encoding="utf-8")
        program.chmod(0o755)
        # `python` is the one that runs the tests, wherever it lies.
        (self.bin / "python").unlink(missing_ok=True)
        (self.bin / "python").symlink_to(sys.executable)
        os.environ["PATH"] = f"{self.bin}{os.pathsep}{os.environ['PATH']}"

    def run(self, command: str) -> Done:
        """Run one command as a reader types it; one that ends with & is a server, awaited until it says a line."""
        assigned = _ASSIGNMENT.fullmatch(command)
        if assigned:
            done = _bash(f"printf %s {assigned[2]}")
            os.environ[assigned[1]] = done.out
            return Done(done.code, "", done.err)
        if command.rstrip().endswith("&"):
            return self._serve(command.rstrip().removesuffix("&"))
        words = _plain_words(os.path.expandvars(command))
        if words and words[0] == "pathfolio" and _NOT_HERE not in words[1:2]:
            return _called(words[1:])
        return _bash(command)

    def _serve(self, command: str) -> Done:
        log = self.bin / f"server-{len(self.servers)}.log"
        with log.open("w", encoding="utf-8") as out:
            self.servers.append(
                subprocess.Popen(
                    ["bash", "-c", f"exec {command}"], stdout=out, stderr=out, text=True, start_new_session=True
                )
            )
        end = time.monotonic() + _STARTS_WITHIN
        while time.monotonic() < end and self.servers[-1].poll() is None:
            said = log.read_text(encoding="utf-8")
            if "Ctrl-C" in said:
                return Done(0, said, "")
            time.sleep(0.1)
        return Done(self.servers[-1].poll() or 1, "", log.read_text(encoding="utf-8"))

    def close(self) -> None:
        """End the servers, as Ctrl-C does."""
        for server in self.servers:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGINT)
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()


def _plain_words(command: str) -> list[str] | None:
    """The words of a command that needs no shell; None where it has a pipe, a redirection or another command in it."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = list(lexer)
    return None if any(set(word) <= set("();<>|&") for word in words) or "$(" in command else words


def _called(words: list[str]) -> Done:
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(words)
        except SystemExit as end:
            code = int(end.code or 0) if not isinstance(end.code, str) else 1
    buffer = out.buffer
    assert isinstance(buffer, io.BytesIO)
    return Done(code, buffer.getvalue().decode("utf-8"), err.getvalue())


def _bash(command: str) -> Done:
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    return Done(done.returncode, done.stdout, done.stderr)
