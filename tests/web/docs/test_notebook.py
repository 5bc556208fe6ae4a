"""The README's lines in a real notebook: they run, and the explanation shows itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import ROOT
from tests.web.docs.blocks import page_of
from tests.web.docs.test_blocks import sample

nbclient = pytest.importorskip("nbclient", reason="no nbclient: pip install 'pathfolio[test]'")
nbformat = pytest.importorskip("nbformat", reason="no nbformat: pip install 'pathfolio[test]'")

__all__ = ["sample"]


def cells() -> list[str]:
    """The README's block in Python, cut where an explanation is to be shown."""
    [block] = [str(each.parsed) for each in page_of(ROOT / "README.md") if "import pathfolio" in str(each.parsed)]
    before, line, after = block.partition("recommender.explain(")
    shown, _, after = after.partition("\n")
    return [before, f"{line}{shown}", after]


def test_the_explanation_shows_itself_in_a_notebook(
    sample: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATHFOLIO_LEDGER", str(tmp_path / "ledger"))
    (tmp_path / "my-market").symlink_to(sample / "my-market")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells()])
    client = nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    [result] = [output for output in notebook.cells[1].outputs if output["output_type"] == "execute_result"]
    page = result["data"]["text/html"]
    assert page.startswith('<div class="pf-notebook">') and "<svg" in page and 'class="pf-bar-fill"' in page
    assert "Ho Hsin Taiwan Technology Fund" in page and "<script" not in page
    nbformat.write(notebook, tmp_path / "notebook.ipynb")
