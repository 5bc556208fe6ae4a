"""The graph attention network: two engines and the served pass agree; what it learns; later days."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields, replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from pathfolio.kg.assemble import assemble_graph
from pathfolio.kg.errors import DataError, UsageError
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import NodeKind
from pathfolio.recommender.gat.attention import (
    AttentionOptions,
    AttentionWeights,
    GraphAttention,
    attention,
    node_vectors,
    train_attention,
)
from pathfolio.recommender.gat.codes import WIDEST, code_columns, node_codes
from pathfolio.recommender.gat.inputs import EDGE_TYPES, HOLDERS_FEATURE, LOG_SCALE, AttentionInputs, attention_inputs
from pathfolio.recommender.gat.split import inner_split
from pathfolio.recommender.groups import Groups
from pathfolio.recommender.interactions import Interactions
from tests import ROOT
from tests.recommender.eval_world import assets, make_tables, positions, two_tastes

DAY = date(2020, 12, 31)
USERS = 200
FAST = AttentionOptions(seed=4, dimension=8, hidden=8, max_epochs=12, patience=12, batch=64)


@pytest.fixture(scope="module")
def world() -> KnowledgeGraph:
    return assemble_graph(two_tastes(users=USERS), DAY)


@pytest.fixture(scope="module")
def trained(world: KnowledgeGraph) -> GraphAttention:
    return train_attention(world, replace(FAST, engine="torch"))


ENGINES = ("torch", "dgl")


def skip_without(engine: str) -> None:
    if engine == "dgl":
        pytest.importorskip("dgl", reason="DGL is not published for this Python or system")


# -- the two engines and the served pass ---------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("day", [DAY, date(2020, 6, 1)])
def test_engines_and_served_pass_agree(engine: str, day: date, world: KnowledgeGraph, trained: GraphAttention) -> None:
    """The same weights give the same vectors of all assets, within 1e-5, by DGL, by torch and by NumPy."""
    import torch

    from pathfolio.recommender.gat.network import Network, View, choose_engine

    skip_without(engine)
    graph = world.at(day)
    rows = np.flatnonzero(trained.rows_in(graph) >= 0)
    weights = replace(trained.weights, vectors=trained.weights.vectors[trained.rows_in(graph)[rows]])
    options = replace(FAST, engine=engine)
    network = Network(len(rows), len(weights.groups), options, choose_engine(engine))
    for f in fields(AttentionWeights):
        getattr(network, f.name).data = torch.as_tensor(getattr(weights, f.name))
    inputs = attention_inputs(graph, trained.rows_in(graph) >= 0, Groups(Interactions(graph)).holders)
    view = View.of(inputs, rows, node_codes(graph, trained.kind, trained.id), code_columns(trained.kind))
    with torch.no_grad():
        out = torch.cat(network(view), dim=1).numpy()
    served = trained.propagation(graph).factors() / trained.scale
    assert np.abs(served).max() > 0.1
    np.testing.assert_allclose(out, served, atol=1e-5)


@pytest.mark.parametrize("engine", ENGINES)
def test_attention_by_hand(engine: str) -> None:
    """Target 0 has edges of logits 0 and log 3, so attention 1/4 and 3/4; target 1 has none; target 2 has one."""
    import torch

    from pathfolio.recommender.gat.network import choose_engine

    skip_without(engine)
    layer = choose_engine(engine)
    source, target = torch.tensor([0, 1, 1]), torch.tensor([0, 0, 2])
    logits = torch.tensor([0.0, float(np.log(3.0)), 7.0], dtype=torch.float32, requires_grad=True)
    vectors = torch.tensor([[4.0, 0.0], [0.0, 8.0]], requires_grad=True)
    weights = layer.softmax(logits, target, 3)
    np.testing.assert_allclose(weights.detach().numpy(), [0.25, 0.75, 1.0], rtol=1e-6)
    out = layer.gather(weights, source, target, vectors, 3)
    np.testing.assert_allclose(out.detach().numpy(), [[1, 6], [0, 0], [0, 8]], rtol=1e-6)
    out[0].sum().backward()
    np.testing.assert_allclose(vectors.grad.numpy(), [[0.25, 0.25], [0.75, 0.75]], rtol=1e-6)
    # d/dlogit of (4 w0 + 8 w1) = w0 w1 (8 - 4)
    np.testing.assert_allclose(logits.grad.numpy(), [-0.75, 0.75, 0.0], atol=1e-6)


def test_both_engines_train_alike(world: KnowledgeGraph) -> None:
    skip_without("dgl")
    by_dgl, by_torch = (train_attention(world, replace(FAST, engine=e, max_epochs=2)) for e in ("dgl", "torch"))
    assert (by_dgl.about["engine"], by_torch.about["engine"]) == ("dgl", "torch")
    for f in fields(AttentionWeights):
        np.testing.assert_allclose(getattr(by_dgl.weights, f.name), getattr(by_torch.weights, f.name), atol=1e-4)


def test_torch_where_dgl_is_missing(world: KnowledgeGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    from pathfolio.recommender.gat import network as gat_network

    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "dgl" else found(name))
    assert gat_network.choose_engine("auto").name == "torch"


# -- walks and codes -----------------------------------------------------------------------------------------


def test_attention_adds_up_to_one(world: KnowledgeGraph, trained: GraphAttention) -> None:
    walks = trained.propagation(world).walks / trained.scale
    np.testing.assert_allclose(walks.sum(axis=1), 1.0, rtol=1e-6)
    assert walks.data.min() >= 0


def test_walks_are_edges_of_the_graph(world: KnowledgeGraph, trained: GraphAttention) -> None:
    triples = {(int(h), int(t)) for h, _, t in world.triples()}
    for asset, node in zip(*trained.propagation(world).walks.nonzero(), strict=True):
        row = int(world.assets[asset])
        forward, back = (row, int(node)), (int(node), row)
        assert node == row or forward in triples or back in triples


def test_codes_tell_nodes_apart(world: KnowledgeGraph, trained: GraphAttention) -> None:
    codes = node_codes(world, trained.kind, trained.id)
    length = np.linalg.norm(codes, axis=1)
    has_code = np.ones(len(world), bool)
    has_code[world.rows(NodeKind.USER, NodeKind.RISK_LEVEL, NodeKind.SEGMENT)] = False
    np.testing.assert_allclose(length, has_code, atol=1e-6)
    np.testing.assert_allclose(codes @ codes.T, np.diag(has_code), atol=1e-6)


def test_many_nodes_have_nearly_orthogonal_codes() -> None:
    names = [f"S{number:03d}" for number in range(3 * WIDEST)]
    graph = assemble_graph(make_tables(assets=assets(*(f"A{n} stock {n} 2019-01-01" for n in names))), DAY)
    codes = node_codes(graph, graph.nodes.kind, graph.nodes.id)[graph.rows(NodeKind.SECTOR)]
    overlap = codes @ codes.T - np.eye(len(names))
    assert codes.any(axis=0).sum() == WIDEST
    assert np.sqrt((overlap**2).mean()) == pytest.approx(WIDEST**-0.5, rel=0.1)


def test_an_unseen_asset_has_neither_holders_nor_a_vector_of_its_own(world: KnowledgeGraph) -> None:
    known = np.ones(len(world), bool)
    inputs = attention_inputs(world, known, Groups(Interactions(world)).holders)
    unseen = np.zeros(len(world.assets), bool)
    unseen[3] = True
    dropped = inputs.without(unseen)

    def kinds(part: AttentionInputs, asset: int) -> set[str]:
        return {EDGE_TYPES[kind] for kind in part.kind[part.target == asset]}

    assert kinds(inputs, 3) == {"SELF", "IN_CLASS", "IN_SECTOR"}
    assert kinds(dropped, 3) == {"IN_CLASS", "IN_SECTOR"}
    assert kinds(dropped, 4) == kinds(inputs, 4)
    assert dropped.asset_features[3, -2:].tolist() == [0, 0]
    assert inputs.asset_features[3, -1] == 1


# -- what it learns --------------------------------------------------------------------------------------------


def scores(network: GraphAttention, graph: KnowledgeGraph) -> np.ndarray:
    factors = network.propagation(graph).factors()
    return np.asarray(Interactions(graph).ever @ factors @ factors.T)


def test_new_issues_go_to_those_who_like_their_kind(world: KnowledgeGraph) -> None:
    """Trained in June, when neither A90 nor B90 is listed; on 1 July, without a holder, each suits its taste."""
    network = train_attention(world.at(date(2020, 6, 30)), replace(FAST, engine="torch", horizon_days=90))
    graph = world.at(date(2020, 7, 1))
    assert "A90" not in network.id.tolist()
    taste = np.array([int(user[1:]) % 2 for user in graph.nodes.id[graph.users]])
    table = scores(network, graph)
    position = {key: i for i, key in enumerate(graph.nodes.id[graph.assets].tolist())}
    assert Interactions(graph).holders[position["A90"]] == 0
    for asset, liked in (("A90", 0), ("B90", 1)):
        column = table[:, position[asset]]
        auc = np.mean(column[taste == liked][:, None] > column[taste != liked][None, :])
        assert auc > 0.9


def test_the_inner_metric_is_measured(trained: GraphAttention) -> None:
    assert 0.2 < trained.ndcg <= 1
    assert set(trained.about) == {"engine", "epochs", "seed"}


def share_on_closed_walks(network: GraphAttention, graph: KnowledgeGraph) -> float:
    propagation = network.propagation(graph)
    closed = np.abs(propagation.closed().toarray()).sum()
    rest = np.abs(propagation.factors() @ propagation.factors().T - propagation.closed().toarray()).sum()
    return float(closed / (closed + rest))


def test_spread_keeps_the_closeness_on_closed_walks(world: KnowledgeGraph) -> None:
    free, dear = (
        share_on_closed_walks(train_attention(world, replace(FAST, engine="torch", spread=spread)), world)
        for spread in (0.0, 5.0)
    )
    assert dear > 0.95
    assert 1 - dear < 0.85 * (1 - free)


# -- identity, days ----------------------------------------------------------------------------------


def test_same_seed_same_bytes(world: KnowledgeGraph, trained: GraphAttention, tmp_path: Path) -> None:
    np.random.seed(11)
    train_attention(world, replace(FAST, engine="torch")).save(tmp_path / "a.npz")
    trained.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_saved_and_loaded(world: KnowledgeGraph, trained: GraphAttention, tmp_path: Path) -> None:
    trained.save(tmp_path / "attention.npz")
    loaded = GraphAttention.load(tmp_path / "attention.npz")
    assert (loaded.about, loaded.scale, loaded.ndcg) == (trained.about, trained.scale, trained.ndcg)
    np.testing.assert_array_equal(loaded.propagation(world).factors(), trained.propagation(world).factors())
    with pytest.raises(DataError, match="no graph attention network here: build again"):
        GraphAttention.load(tmp_path / "absent.npz")


SERVE = """
import json, sys
from pathlib import Path
from pathfolio.kg.storage import load_graph
from pathfolio.recommender.gat.attention import GraphAttention
propagation = GraphAttention.load(Path(sys.argv[2])).propagation(load_graph(Path(sys.argv[1])))
json.dump([propagation.factors().tolist(), sorted({"torch", "dgl", "pykeen"} & set(sys.modules))], sys.stdout)
"""


def test_serving_loads_neither_torch_nor_dgl(world: KnowledgeGraph, trained: GraphAttention, tmp_path: Path) -> None:
    from pathfolio.kg.storage import save_graph

    save_graph(world, tmp_path / "graph")
    trained.save(tmp_path / "attention.npz")
    call = [sys.executable, "-c", SERVE, str(tmp_path / "graph"), str(tmp_path / "attention.npz")]
    done = subprocess.run(call, capture_output=True, text=True, check=True, cwd=ROOT)
    factors, loaded = json.loads(done.stdout)
    assert loaded == []
    np.testing.assert_allclose(factors, trained.propagation(world).factors(), rtol=1e-12)


# -- the inner split -------------------------------------------------------------------------------------------


def test_split_by_day(world: KnowledgeGraph) -> None:
    split = inner_split(world, 182, np.random.default_rng(0))
    before, now = Interactions(split.past), Interactions(world)
    np.testing.assert_array_equal(split.past.nodes.id, world.nodes.id)
    assert (before.ever[split.user, split.asset] == 0).all()
    assert (now.ever[split.user, split.asset] == 1).all()
    expected = Interactions(world.at(date(2020, 7, 2))).ever
    assert before.ever.nnz == expected.nnz
    newcomer = np.flatnonzero(world.nodes.id[world.users] == "newcomer")
    assert newcomer not in split.user


def test_without_recent_purchases_positions_are_hidden() -> None:
    tables = two_tastes(users=USERS)
    graph = assemble_graph(replace(tables, transactions=tables.transactions[:0]), DAY)
    split = inner_split(graph, 182, np.random.default_rng(0))
    total = Interactions(graph).ever.nnz
    assert len(split.user) == total - Interactions(split.past).ever.nnz
    assert 0.15 < len(split.user) / total < 0.25


def test_nothing_later_than_the_snapshot_is_seen(world: KnowledgeGraph) -> None:
    """Trained on the snapshot of June, whatever July brings."""
    june = world.at(date(2020, 6, 30))
    tables = two_tastes(users=USERS)
    kept = tables.transactions[tables.transactions["date"] <= "2020-06-30"]
    alone = assemble_graph(replace(tables, transactions=kept), date(2020, 6, 30))
    a, b = (train_attention(graph, replace(FAST, engine="torch", max_epochs=2)) for graph in (june, alone))
    np.testing.assert_array_equal(a.weights.vectors, b.weights.vectors)


def test_worlds_without_investors_or_purchases_train() -> None:
    stocks = assets("A stock S 2019-01-01", "B stock S 2019-01-01", "C fund T 2019-01-01")
    for held in ([], positions("2020-01-01", "ann:A")):
        graph = assemble_graph(make_tables(assets=stocks, positions=held), DAY)
        network = train_attention(graph, replace(FAST, max_epochs=2))
        assert np.isnan(network.ndcg)
        propagation = network.propagation(graph)
        assert np.isfinite(propagation.factors()).all()
        near = propagation.factors() @ propagation.factors().T
        assert near[0, 1] > near[0, 2]


def test_unknown_engine() -> None:
    with pytest.raises(UsageError, match="unknown engine 'jax'"):
        AttentionOptions(engine="jax")


def test_nodes_without_a_learned_vector_have_none(world: KnowledgeGraph) -> None:
    learned = np.full(len(world), -1)
    learned[world.assets[:2]] = [1, 0]
    base = node_vectors(np.array([[3.0, 0.0], [0.0, 4.0]], np.float32), learned)
    np.testing.assert_array_equal(base[world.assets[:2]], [[0.0, 4.0], [3.0, 0.0]])
    assert not np.delete(base, world.assets[:2], axis=0).any()


def test_no_walk_leads_to_an_investor(world: KnowledgeGraph, trained: GraphAttention) -> None:
    """A walk through the few who hold an asset would tell what else they hold."""
    assert not set(trained.propagation(world).walks.indices.tolist()) & set(world.users.tolist())


@pytest.mark.parametrize(("holders", "known"), [(10, False), (11, True)])
def test_an_asset_of_too_few_holders_looks_like_a_new_issue(holders: int, known: bool) -> None:
    """Neither how many of them there are nor a vector that was learned of them is seen; of eleven it is."""
    held = positions("2020-01-01", *(f"u{number}:A" for number in range(holders)))
    graph = assemble_graph(make_tables(assets=assets("A stock S 2019-01-01"), positions=held), DAY)
    inputs = attention_inputs(graph, np.ones(len(graph), bool), Groups(Interactions(graph)).holders)
    assert ("SELF" in {EDGE_TYPES[kind] for kind in inputs.kind}) == known
    expected = [np.log1p(holders) / LOG_SCALE, 1.0] if known else [0.0, 0.0]
    np.testing.assert_allclose(inputs.asset_features[0, HOLDERS_FEATURE:], expected, rtol=1e-6)


def test_attention_formula(world: KnowledgeGraph, trained: GraphAttention) -> None:
    """One asset's attention, restated: softmax over its edges of readout . leaky(...) - log(edges of the type)."""
    inputs = attention_inputs(world, trained.rows_in(world) >= 0, Groups(Interactions(world)).holders)
    base = node_vectors(trained.weights.vectors, trained.rows_in(world))
    w, asset = trained.weights, 5
    edges = np.flatnonzero(inputs.target == asset)
    logits = []
    for edge in edges:
        kind, node = inputs.kind[edge], inputs.source[edge]
        x = inputs.asset_features[asset] @ w.assets + base[world.assets[asset]] @ w.targets
        x = x + inputs.node_features[node] @ w.nodes + base[node] @ w.sources + w.types[kind]
        logits.append(w.readout[kind] @ np.where(x > 0, x, 0.2 * x) - np.log((inputs.kind[edges] == kind).sum()))
    expected = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(attention(w, inputs, base)[edges], expected, rtol=1e-4)
    assert {EDGE_TYPES[kind] for kind in inputs.kind[edges]} == {"SELF", "IN_CLASS", "IN_SECTOR"}
