"""The tests, as a package: what one test file imports of another is the module that pytest collects."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
"""The folder of the checkout."""
