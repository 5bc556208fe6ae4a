"""Every code block of the documentation and of README.md runs, and prints what the page shows."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import ROOT
from tests.web.docs.blocks import is_run, page_of
from tests.web.docs.shell import Shell

DOCS = ROOT / "web" / "docs"
SAMPLE = DOCS / "tutorials" / "sample.md"
PAGES = [ROOT / "README.md", *sorted(path for path in DOCS.rglob("*.md") if path != SAMPLE)]
WITH_BLOCKS = [path for path in PAGES if list(page_of(path))]
MOST_NOT_RUN = 14


def run_page(page: Path, folder: Path) -> None:
    """Try all blocks of a page, as one reader who is in `folder`."""
    before = Path.cwd()
    os.chdir(folder)
    shell = Shell(folder / ".bin")
    try:
        for example in page_of(page, shell):
            example.evaluate()
    finally:
        shell.close()
        os.chdir(before)


@pytest.fixture
def environment() -> Iterator[None]:
    """Variables that a page sets are gone after it."""
    before = os.environ.copy()
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which a reader has followed the first page: it holds `my-market` and `my-build`."""
    folder = tmp_path_factory.mktemp("docs")
    before = os.environ.copy()
    run_page(SAMPLE, folder)
    os.environ.clear()
    os.environ.update(before)
    return folder


def test_the_first_page_makes_what_the_others_use(sample: Path) -> None:
    assert (sample / "my-market" / "assets.csv").is_file() and (sample / "my-build" / "manifest.json").is_file()


@pytest.mark.parametrize("page", WITH_BLOCKS, ids=lambda path: str(path.relative_to(ROOT)))
@pytest.mark.usefixtures("environment")
def test_a_page(page: Path, sample: Path, tmp_path: Path) -> None:
    for name in ("my-market", "my-build"):
        (tmp_path / name).symlink_to(sample / name)
    os.environ["PATHFOLIO_LEDGER"] = str(tmp_path / "ledger")
    run_page(page, tmp_path)


def test_few_blocks_are_not_run_and_each_says_why() -> None:
    blocks = [example for page in [SAMPLE, *PAGES] for example in page_of(page)]
    assert len([block for block in blocks if not is_run(block)]) <= MOST_NOT_RUN < len(blocks) / 4


def test_the_readme_has_the_command_that_runs_the_tests() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if re.fullmatch(r"pip install .*\[test\].* && pytest", line)]) == 1
    assert "pip install . && pathfolio demo" in lines and len(lines) < 120
