"""numpy computes alike on every processor that the tests run on, or a record would not come out again elsewhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pathfolio.kg.arithmetic import hold_arithmetic

SIMD = "SIMD Extensions"


def held(tmp_path: Path, flags: str, **environ: str) -> dict[str, str]:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {flags}\n", encoding="utf-8")
    hold_arithmetic(environ, str(tmp_path / "cpuinfo"))
    return environ


@pytest.mark.skipif(sys.platform != "linux", reason="arithmetic is held on Linux alone")
def test_it_is_held_where_the_processor_can_and_nobody_said_otherwise(tmp_path: Path) -> None:
    assert held(tmp_path, "fpu sse2 avx") == held(tmp_path, "avx2") == {}
    found = held(tmp_path, "fpu fma avx avx2 avx512f", OPENBLAS_CORETYPE="Zen")
    assert found == {"OPENBLAS_CORETYPE": "Zen", "NPY_DISABLE_CPU_FEATURES": "X86_V4,AVX512_ICL,AVX512_SPR"}
    environ: dict[str, str] = {}
    hold_arithmetic(environ, str(tmp_path / "no such file"))
    assert environ == {}


def test_numpy_runs_without_what_rounds_otherwise() -> None:
    """Here, where the environment is as conftest.py left it, and in a new process that imports numpy itself."""
    assert "X86_V4" not in np.show_config(mode="dicts")[SIMD]["found"]
    code = f"import pathfolio, numpy; print(numpy.show_config(mode='dicts')['{SIMD}']['found'])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "X86_V4" not in found.stdout
    assert not found.stderr
