"""The towers' network: every input is joined to the scores, and scores are products."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recommender.towers.batches import whole
from recommender.towers.inputs import TowerInputs, Vocabulary
from recommender.towers.model import score
from tests.towers_world import FAST, towers_world

pytest.importorskip("talib", reason="TA-Lib is not installed: pip install 'pathfolio[baselines]'")


@pytest.fixture(scope="module")
def read(sample_folder: Path) -> tuple[Vocabulary, TowerInputs]:
    return towers_world(sample_folder).read


def test_scores_are_products_by_kind() -> None:
    users = np.array([[[1, 0, 1], [0, 2, 1]]], np.float32)
    assets = np.array([[3, 4, 0.5], [5, 6, 0.25]], np.float32)
    assert score(users, assets, np.array([0, 1])).tolist() == [[3.5, 12.25]]


@pytest.mark.parametrize("sequence", ["gru", "transformer"])
@pytest.mark.parametrize("price_encoder", ["cnn", "transformer"])
def test_the_network_scores_as_it_is_served(
    read: tuple[Vocabulary, TowerInputs], sequence: str, price_encoder: str
) -> None:
    import torch

    from recommender.towers.network import AssetView, Towers, products
    from recommender.towers.train import vectors_of

    vocabulary, inputs = read
    torch.manual_seed(0)
    network = Towers(vocabulary, inputs, replace(FAST, sequence=sequence, price_encoder=price_encoder)).eval()
    users = np.arange(12)
    with torch.no_grad():
        assets, past = network.assets([AssetView.of(part) for part in inputs.kinds])
        investors = network.investors(whole(inputs, users, network.options), past)
        expected = products(investors, assets, torch.as_tensor(inputs.kind_of)).numpy()
    served = vectors_of(network, inputs, users)
    np.testing.assert_allclose(score(*served, inputs.kind_of), expected, rtol=1e-4, atol=1e-5)
    assert expected.std() > 0


@pytest.mark.parametrize("sequence", ["gru", "transformer"])
def test_the_order_of_purchases_matters(read: tuple[Vocabulary, TowerInputs], sequence: str) -> None:
    import torch

    from recommender.towers.network import AssetView, Towers

    vocabulary, inputs = read
    torch.manual_seed(0)
    network = Towers(vocabulary, inputs, replace(FAST, sequence=sequence)).eval()
    user = np.array([int(np.argmax(np.diff(inputs.start)))])
    readers = whole(inputs, user, network.options)
    turned = replace(readers, history=readers.history[:, ::-1].copy())
    with torch.no_grad():
        _, past = network.assets([AssetView.of(part) for part in inputs.kinds])
        one, two = (network.investors(each, past) for each in (readers, turned))
    assert float((one - two).abs().max()) > 1e-4
