"""Fixtures that several test files share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("DGLBACKEND", "pytorch")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with far-trans, us-2025 and tw-2026; tests that need it are skipped where it is absent."""
    beside = Path(__file__).resolve().parents[1].parent / "shared" / "data"
    folder = Path(os.environ.get("PATHFOLIO_DATA", beside))
    if not folder.is_dir():
        pytest.skip("no real data: set PATHFOLIO_DATA to the folder that holds far-trans, us-2025 and tw-2026")
    return folder
