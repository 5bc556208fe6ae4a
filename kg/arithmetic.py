"""The same last bits on every x86-64 processor since 2013, so that a record is computed again on another machine.

numpy and OpenBLAS choose their code by the processor, and with AVX-512 a logarithm or a product rounds otherwise than
without. So both are held to AVX2, by what they read from the environment when they are loaded. Training in torch is
not concerned: its results are stored in the build.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # this module is loaded with `pathfolio` itself, and imports nothing that takes time
if TYPE_CHECKING:
    from collections.abc import MutableMapping

_HELD = {"OPENBLAS_CORETYPE": "Haswell", "NPY_DISABLE_CPU_FEATURES": "X86_V4,AVX512_ICL,AVX512_SPR"}
_NEEDED = frozenset({"avx2", "fma"})


def hold_arithmetic(environ: MutableMapping[str, str] = os.environ, cpuinfo: str = "/proc/cpuinfo") -> None:
    """Say so to numpy and OpenBLAS, if they are not loaded yet; what the environment says already stays.

    Does nothing on a processor without AVX2, and on other systems than Linux on x86-64: there a record is computed
    again, to the last bit, by machines of the same kind.
    """
    if sys.platform == "linux" and os.uname().machine == "x86_64" and _features(cpuinfo) >= _NEEDED:
        for name, value in _HELD.items():
            environ.setdefault(name, value)


def _features(cpuinfo: str) -> frozenset[str]:
    try:
        with open(cpuinfo, encoding="utf-8") as lines:  # noqa: PTH123  pathlib takes time to load
            flags = next((line for line in lines if line.startswith("flags")), "")
    except OSError:
        return frozenset()
    return frozenset(flags.partition(":")[2].split())
