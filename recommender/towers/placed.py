"""`PlacedTowers`: trained towers over one snapshot, as arrays. Investors are read anew without torch, so that changed
ones can be asked about; every investor is computed alone, so that a list does not depend on who else is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from pathfolio.kg.errors import DataError
from pathfolio.kg.graph import IntArray
from pathfolio.recommender.towers.batches import Readers
from pathfolio.recommender.towers.inputs import Single

INVESTOR_LAYERS = ("codes", "history.recurrent", "investor", "heads", "straight")
"""Parts of the network (`pathfolio.recommender.towers.network.Towers`) that an investor's vectors are made of."""


@dataclass(frozen=True)
class PlacedTowers:
    """What scores a snapshot's assets for any investor.

    Attributes:
        assets: (m, d + 1) float32; the last column is the asset's bias.
        past: (m + 1, d) float32: assets as positions that are read, the last row zero.
        kind_of: (m,) int64, positions in `pathfolio.kg.schema.ASSET_KINDS`, ascending.
        profile: (l, 3) int64: node row of a level, position in `PROFILE_INPUTS`, and its code.
        memory, horizon_days: as in `TowerOptions`.
        weights: arrays of the network's `INVESTOR_LAYERS`, by name.
    """

    assets: Single
    past: Single
    kind_of: IntArray
    profile: IntArray
    memory: int
    horizon_days: int
    weights: Mapping[str, Any]

    def scores(self, readers: Readers) -> Single:
        """(n, m) float32: the product of each investor's vector for an asset's kind with the asset's."""
        vectors = self.investors(readers)
        kinds = [_each(vectors[:, kind], self.assets[self.kind_of == kind]) for kind in range(vectors.shape[1])]
        return np.concatenate(kinds, axis=1)

    def investors(self, readers: Readers) -> Single:
        """(n, kinds, d + 1) float32, as `Towers.investors` gives them after training with a GRU."""
        w = self.weights
        positions = self.past[readers.history]
        there = (readers.history >= 0).sum(axis=1, keepdims=True)
        mean = positions.sum(axis=1) / np.sqrt(np.maximum(there, 1)).astype(np.float32)
        codes = w["codes.weight"][readers.profile].reshape(len(mean), -1)
        known = np.concatenate([codes, readers.numbers, mean, self._read(positions)], axis=1)
        inner = np.maximum(self._layer("investor.0", known), 0)
        inner = self._layer("investor.3", inner)
        kinds = range(sum(name.startswith("straight.") for name in w))
        heads = [self._layer(f"heads.{k}", inner) + _each(mean, w[f"straight.{k}.weight"]) for k in kinds]
        vectors = np.stack(heads, axis=1)
        return np.concatenate([vectors, np.ones((*vectors.shape[:2], 1), np.float32)], axis=2)

    def _read(self, positions: Single) -> Single:
        """(n, memory, d) to (n, d): the GRU (Cho et al. 2014) over the positions, oldest first."""
        into, out = (self.weights[f"history.recurrent.weight_{side}_l0"] for side in ("ih", "hh"))
        bias_in, bias_out = (self.weights[f"history.recurrent.bias_{side}_l0"] for side in ("ih", "hh"))
        state: Single = np.zeros((len(positions), positions.shape[2]), np.float32)
        for step in range(positions.shape[1]):
            given = np.split(_each(positions[:, step], into) + bias_in, 3, axis=1)
            kept = np.split(_each(state, out) + bias_out, 3, axis=1)
            reset, update = (1 / (1 + np.exp(-(given[gate] + kept[gate]))) for gate in (0, 1))
            state = (1 - update) * np.tanh(given[2] + reset * kept[2]) + update * state
        return state

    def _layer(self, name: str, values: Single) -> Single:
        out: Single = _each(values, self.weights[f"{name}.weight"]) + self.weights[f"{name}.bias"]
        return out

    def save(self, path: Path) -> None:
        """Write one .npz file; equal towers give equal bytes."""
        arrays: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "weights"}
        np.savez(path, **arrays, **{f"weights {name}": values for name, values in self.weights.items()})

    @staticmethod
    def load(path: Path) -> PlacedTowers:
        """Read what `save` wrote; raises DataError where there is nothing."""
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
        except FileNotFoundError:
            raise DataError(f"{path}: no two towers here: build again with --towers") from None
        weights = {name.removeprefix("weights "): v for name, v in arrays.items() if name.startswith("weights ")}
        parts = {field.name: arrays[field.name] for field in fields(PlacedTowers) if field.name != "weights"}
        parts |= {name: int(parts[name]) for name in ("memory", "horizon_days")}
        return PlacedTowers(**parts, weights=weights)


def _each(rows: Single, matrix: Single) -> Single:
    """rows @ matrix.T, each row by itself: in one product a row's last bits depend on how many rows there are."""
    return np.asarray(np.matmul(rows[:, None, :], matrix.T))[:, 0]
