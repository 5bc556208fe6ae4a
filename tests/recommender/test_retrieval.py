"""Retrieval by vectors: exact against NumPy and by hand, FAISS against exact, and who is chosen when."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pathfolio.kg.errors import UsageError
from pathfolio.recommender import retrieve_index
from pathfolio.recommender.retrieve_index import ExactIndex, FaissIndex, Index, choose_index, recall
from pathfolio.web.benchmarks.retrieval import generated
from tests import ROOT


def test_by_hand() -> None:
    index = ExactIndex(np.array([[1, 0], [0, 1], [3, 0], [1, 1]], np.float32))
    position, product = index.search(np.array([[1, 0], [1, 2]], np.float32), 2)
    # products: 1, 0, 3, 1 and 1, 2, 3, 3; of equal ones the first asset wins
    assert position.tolist() == [[2, 0], [2, 3]]
    assert product.tolist() == [[3, 1], [3, 3]]


def test_fewer_assets_than_asked_for() -> None:
    position, product = ExactIndex(np.ones((2, 3), np.float32)).search(np.ones((1, 3), np.float32), 4)
    assert position.tolist() == [[0, 1, -1, -1]]
    assert product[0, 2:].tolist() == [-np.inf, -np.inf]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 5), st.integers(1, 12), st.integers(1, 13), st.integers(0, 9))
def test_blocks_change_nothing(assets: int, queries: int, k: int, block: int, seed: int) -> None:
    """The same as sorting all products by (largest, first), however the assets are cut into blocks."""
    rng = np.random.default_rng(seed)
    vectors = rng.integers(-2, 3, (assets, 3)).astype(np.float32)  # small whole numbers: many ties
    asked = rng.integers(-2, 3, (queries, 3)).astype(np.float32)
    before, retrieve_index._BLOCK = retrieve_index._BLOCK, block  # type: ignore[misc]  # to see several blocks
    try:
        position, product = ExactIndex(vectors).search(asked, k)
    finally:
        retrieve_index._BLOCK = before  # type: ignore[misc]
    all_products = asked @ vectors.T
    expected = np.argsort(-all_products, axis=1, kind="stable")[:, :k]
    assert position[:, : expected.shape[1]].tolist() == expected.tolist()
    assert product[:, : expected.shape[1]].tolist() == np.take_along_axis(all_products, expected, 1).tolist()
    assert (position[:, expected.shape[1] :] == -1).all()


@pytest.fixture(scope="module")
def market() -> tuple[np.ndarray, np.ndarray]:
    return generated(30_000, 50, seed=3)


def test_faiss_finds_what_the_exact_product_finds(market: tuple[np.ndarray, np.ndarray]) -> None:
    """All cells give the exact lists; the default's cells nearly all of them; one cell clearly fewer."""
    pytest.importorskip("faiss")
    vectors, queries = market
    exact, exact_products = ExactIndex(vectors).search(queries, 10)
    index = FaissIndex.build(vectors)
    found, _ = index.search(queries, 10)
    index.index.nprobe = index.index.nlist
    everything, products = index.search(queries, 10)
    assert recall(everything, exact) > 0.999
    np.testing.assert_allclose(products, exact_products, rtol=1e-4)
    index.index.nprobe = 1
    one, _ = index.search(queries, 10)
    assert recall(found, exact) > 0.8
    assert recall(one, exact) < recall(found, exact)


def test_the_same_seed_gives_the_same_index(market: tuple[np.ndarray, np.ndarray]) -> None:
    pytest.importorskip("faiss")
    vectors, queries = market
    one, two = (FaissIndex.build(vectors[:5000], seed=4).search(queries, 10)[0] for _ in range(2))
    assert (one == two).all()


def test_who_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exact up to the limit, FAISS beyond; without FAISS a remedy, not a wrong list."""
    vectors = np.eye(6, dtype=np.float32)
    kinds: list[type[Index]] = [type(choose_index(vectors, limit)) for limit in (6, 100)]
    assert kinds == [ExactIndex, ExactIndex]
    if importlib.util.find_spec("faiss") is not None:
        assert isinstance(choose_index(vectors, 5), FaissIndex)
    monkeypatch.setattr(retrieve_index, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="pathfolio\\[faiss\\]"):
        choose_index(vectors, 5)


def test_faiss_loads_only_where_it_is_used() -> None:
    code = "import sys, pathfolio.recommender.retrieve_index; print('faiss' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
