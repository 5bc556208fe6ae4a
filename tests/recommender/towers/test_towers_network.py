"""The towers' network: every input is joined to the scores, and scores are products."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pathfolio.kg.schema import ASSET_KINDS, NodeKind, Relation
from pathfolio.recommender.towers.batches import whole
from pathfolio.recommender.towers.inputs import PROFILE_INPUTS, TowerInputs, Vocabulary
from pathfolio.recommender.towers.model import score
from tests.recommender.towers.world import FAST

if TYPE_CHECKING:
    from pathfolio.recommender.towers.network import Towers

pytest.importorskip("talib", reason="TA-Lib is not installed: pip install 'pathfolio[baselines]'")


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

    from pathfolio.recommender.towers.network import AssetView, Towers, products
    from pathfolio.recommender.towers.train import vectors_of

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

    from pathfolio.recommender.towers.network import AssetView, Towers

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


def _scores(network: Towers, inputs: TowerInputs) -> np.ndarray:
    from pathfolio.recommender.towers.train import vectors_of

    return score(*vectors_of(network, inputs, np.arange(40)), inputs.kind_of)


@pytest.fixture(scope="module")
def network(read: tuple[Vocabulary, TowerInputs]) -> Towers:
    import torch

    from pathfolio.recommender.towers.network import Towers

    torch.manual_seed(0)
    return Towers(*read, FAST).eval()


def _shuffled(values: np.ndarray) -> np.ndarray:
    return np.random.default_rng(1).permutation(values)


@pytest.mark.parametrize("level", PROFILE_INPUTS)
def test_every_level_of_an_investor_is_read(
    read: tuple[Vocabulary, TowerInputs], network: Towers, level: Relation
) -> None:
    _, inputs = read
    profile = inputs.profile.copy()
    column = PROFILE_INPUTS.index(level)
    assert (profile[:, column] > 0).any(), "nobody in the sample has told it"
    profile[:, column] = _shuffled(profile[:, column])
    assert np.abs(_scores(network, replace(inputs, profile=profile)) - _scores(network, inputs)).max() > 1e-4


@pytest.mark.parametrize("name", ["age", "asset", "since"])
def test_ages_positions_and_their_times_are_read(
    read: tuple[Vocabulary, TowerInputs], network: Towers, name: str
) -> None:
    """Ages and times shuffled, positions turned round within each investor: other scores."""
    _, inputs = read
    other = replace(inputs, **{name: getattr(inputs, name)[::-1].copy()})
    assert np.abs(_scores(network, other) - _scores(network, inputs)).max() > 1e-4


@pytest.mark.parametrize("kind", [NodeKind.STOCK, NodeKind.FUND])
@pytest.mark.parametrize("name", ["own", "categories", "figures", "vectors", "returns"])
def test_every_input_of_an_asset_is_read(
    read: tuple[Vocabulary, TowerInputs], network: Towers, kind: NodeKind, name: str
) -> None:
    """Shuffled among the assets of the kind, each moves the scores of that kind."""
    vocabulary, inputs = read
    place = ASSET_KINDS.index(kind)
    part, known = inputs.kinds[place], 2 * len(vocabulary.columns[place])
    if name == "figures":
        numbers = np.concatenate([_shuffled(part.numbers[:, :known]), part.numbers[:, known:]], axis=1)
        changed = replace(part, numbers=numbers)
    elif name == "vectors":
        numbers = np.concatenate([part.numbers[:, :known], _shuffled(part.numbers[:, known:])], axis=1)
        changed = replace(part, numbers=numbers)
    else:
        changed = replace(part, **{name: _shuffled(getattr(part, name))})
    kinds = tuple(changed if at == place else one for at, one in enumerate(inputs.kinds))
    moved = np.abs(_scores(network, replace(inputs, kinds=kinds)) - _scores(network, inputs))
    assert moved[:, inputs.kind_of == place].max() > 1e-4


def test_each_kind_has_a_head_and_a_sub_network_of_its_own(
    read: tuple[Vocabulary, TowerInputs], network: Towers
) -> None:
    """Without the head of funds, or their sub-network, no score of a stock changes, given the same positions."""
    import torch

    _, inputs = read
    empty = replace(inputs, start=np.zeros_like(inputs.start))  # nobody has anything: positions say nothing
    before = _scores(network, empty)
    fund = ASSET_KINDS.index(NodeKind.FUND)
    for part in (network.heads[fund], network.towers[fund].layers):
        kept = copy.deepcopy(part.state_dict())
        with torch.no_grad():
            for weights in part.parameters():
                weights.zero_()
        moved = np.abs(_scores(network, empty) - before) > 1e-6
        part.load_state_dict(kept)
        assert moved[:, inputs.kind_of == fund].any() and not moved[:, inputs.kind_of != fund].any()
