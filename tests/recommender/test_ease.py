"""EASE of many assets is computed in another way, and is the same."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from pathfolio.recommender import ease as module
from pathfolio.recommender.ease import ease, ease_of_gram


def test_weights_of_many_assets_are_those_of_few(monkeypatch: pytest.MonkeyPatch) -> None:
    held = sp.csr_array((np.random.default_rng(0).random((400, 60)) < 0.2).astype(float))
    few = ease(held, 20.0, 0.3)
    monkeypatch.setattr(module, "LARGE", 10)
    np.testing.assert_allclose(ease(held, 20.0, 0.3), few, rtol=0, atol=1e-12)


def test_what_cholesky_cannot_take_apart_is_inverted_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts of which some are not told need not be those of any investors."""
    odd = np.array([[1.0, 9.0], [9.0, 1.0]])
    few = ease_of_gram(odd, np.ones(2))
    monkeypatch.setattr(module, "LARGE", 1)
    np.testing.assert_array_equal(ease_of_gram(odd, np.ones(2)), few)
