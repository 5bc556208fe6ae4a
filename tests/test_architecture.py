"""The house: which packages there are, who may import whom, and which file alone may import an engine."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import ROOT

ORDER = ("kg", "embeddings", "recommender", "explain", "web")
ENGINES = {
    "empyrical": "kg/figures.py",
    "skfolio": "recommender/portfolio/allocate.py",
    "pykeen": "embeddings/models.py",
    "dgl": "recommender/gat/dgl_layers.py",
    "authlib": "web/site/access/provider.py",
}
SINGLE = ("neo4j", "arcadedb_embedded")


def _sources() -> list[Path]:
    return [path for package in ORDER for path in sorted((ROOT / package).rglob("*.py"))]


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _room(name: str) -> str | None:
    """Which of the five a module belongs to: `kg` for `pathfolio.kg.graph`."""
    package, _, rest = name.partition(".")
    return rest.partition(".")[0] if package == "pathfolio" else None


def test_imports_go_one_way() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in _sources()
        for name in _imports(path)
        if (room := _room(name)) in ORDER and ORDER.index(room) > ORDER.index(path.relative_to(ROOT).parts[0])
    ]
    assert not wrong


def test_each_import_says_pathfolio() -> None:
    """From a checkout `kg.graph` can be imported as well: as a second module, whose classes are others."""
    tests = sorted((ROOT / "tests").rglob("*.py"))
    assert not [(path, n) for path in [*_sources(), *tests] for n in _imports(path) if n.split(".")[0] in ORDER]


@pytest.mark.parametrize(("engine", "room"), ENGINES.items())
def test_one_engine_one_room(engine: str, room: str) -> None:
    importers = {str(p.relative_to(ROOT)) for p in _sources() if engine in {n.split(".")[0] for n in _imports(p)}}
    assert importers == {room}


@pytest.mark.parametrize("engine", SINGLE)
def test_one_file_imports_each_store(engine: str) -> None:
    importers = [p for p in _sources() if engine in {n.split(".")[0] for n in _imports(p)}]
    assert len(importers) == 1
    assert importers[0].relative_to(ROOT).parts[:2] == ("kg", "store")


def test_every_folder_with_sources_is_a_package() -> None:
    """What is no package is not installed."""
    assert not {path.parent for path in _sources() if not path.with_name("__init__.py").exists()}


def test_relative_imports_are_not_used() -> None:
    """A reader sees at once which package a name comes from."""
    for path in _sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.ImportFrom) and node.level), path


def test_no_two_classes_have_one_name() -> None:
    """Who reads a name in a signature or a traceback knows which class it is."""
    homes: dict[str, list[str]] = {}
    for path in _sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                homes.setdefault(node.name, []).append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not {name: where for name, where in homes.items() if len(where) > 1}


def test_rows_and_positions_are_converted_by_the_span_alone() -> None:
    """`graph.assets[position]` and `row - graph.assets[0]` are `Span.row` and `Span.position` by hand."""
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in _sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice)
        if ast.unparse(node.value).endswith(("graph.users", "graph.assets"))
    ]
    assert not wrong


def test_help_loads_nothing_heavy() -> None:
    """`pathfolio --help` must be instant, so not even NumPy is imported for it."""
    code = (
        "import sys, pathfolio.web.cli; sys.stdout = open('/dev/null', 'w');\n"
        "try: pathfolio.web.cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'pandas', 'torch', 'flask', 'dgl', 'pykeen', 'neo4j'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
