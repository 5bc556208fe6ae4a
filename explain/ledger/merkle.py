"""Merkle trees as in RFC 6962 section 2.1: roots, proofs and their verification, over SHA-256.

Nothing here knows of storage: proofs are made from a function that gives the hash of a complete subtree.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""

SubtreeHash = Callable[[int, int], bytes]
"""(level, index) to the hash of the complete subtree over leaves index * 2**level to (index + 1) * 2**level - 1."""


def leaf_hash(data: bytes) -> bytes:
    """MTH({d}) = SHA-256(0x00 || d).

    >>> leaf_hash(b"").hex()[:16]
    '6e340b9cffb37a98'
    """
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True)
class Frontier:
    """What is needed to go on appending: the complete subtrees of a tree, largest first.

    Attributes:
        size: number of leaves.
        peaks: one hash per 1 in the binary form of `size`, from the highest.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def extended(self, leaves: Iterable[bytes]) -> Frontier:
        """With more leaf hashes at its end."""
        peaks, size = list(self.peaks), self.size
        for leaf in leaves:
            node, rest = leaf, size
            while rest & 1:
                node, rest = node_hash(peaks.pop(), node), rest >> 1
            peaks.append(node)
            size += 1
        return Frontier(size, tuple(peaks))

    @property
    def root(self) -> bytes:
        """The root hash of the tree."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def frontier_of(size: int, subtree: SubtreeHash) -> Frontier:
    """The frontier of the first `size` leaves of a stored tree."""
    return Frontier(size, tuple(subtree(level, index) for level, index in _cover(0, size)))


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes.

    >>> root_of([]) == EMPTY_ROOT
    True
    """
    return Frontier().extended(leaves).root


def inclusion_proof(index: int, size: int, subtree: SubtreeHash) -> list[bytes]:
    """PATH(index, D[size]) of section 2.1.1: the hashes beside the way from leaf `index` to the root.

    Raises:
        ValueError: there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    return _path(index, 0, size, subtree)


def consistency_proof(first: int, second: int, subtree: SubtreeHash) -> list[bytes]:
    """PROOF(first, D[second]) of section 2.1.2: that a tree of `second` leaves begins with one of `first`.

    Raises:
        ValueError: not 0 < first <= second.
    """
    if not 0 < first <= second:
        raise ValueError(f"no consistency proof from {first} to {second} leaves")
    return _subproof(first, 0, second, True, subtree)


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows that the leaf hash `leaf` stands at `index` of the tree with this size and root.

    The algorithm of RFC 9162 section 2.1.3.2.
    """
    if not 0 <= index < size:
        return False
    node, at, last = leaf, index, size - 1
    for sibling in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            node = node_hash(sibling, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and node == root


def verify_consistency(first: int, second: int, proof: Sequence[bytes], roots: tuple[bytes, bytes]) -> bool:
    """Whether `proof` shows that the tree (second, roots[1]) begins with the tree (first, roots[0]).

    The algorithm of RFC 9162 section 2.1.4.2.
    """
    if not 0 < first <= second:
        return False
    if first == second:
        return not proof and roots[0] == roots[1]
    path = list(proof)
    if first & (first - 1) == 0:
        path.insert(0, roots[0])
    if not path:
        return False
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and (old, new) == roots


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _path(index: int, low: int, high: int, subtree: SubtreeHash) -> list[bytes]:
    if high - low == 1:
        return []
    middle = low + _split(high - low)
    if index < middle:
        return [*_path(index, low, middle, subtree), _range_hash(middle, high, subtree)]
    return [*_path(index, middle, high, subtree), _range_hash(low, middle, subtree)]


def _subproof(first: int, low: int, high: int, whole: bool, subtree: SubtreeHash) -> list[bytes]:
    if first == high - low:
        return [] if whole else [_range_hash(low, high, subtree)]
    step = _split(high - low)
    middle = low + step
    if first <= step:
        return [*_subproof(first, low, middle, whole, subtree), _range_hash(middle, high, subtree)]
    return [*_subproof(first - step, middle, high, False, subtree), _range_hash(low, middle, subtree)]


def _cover(low: int, high: int) -> Iterable[tuple[int, int]]:
    """The complete subtrees (level, index) that leaves low to high - 1 consist of, `low` being aligned."""
    while low < high:
        level = (high - low).bit_length() - 1
        yield level, low >> level
        low += 1 << level


def _range_hash(low: int, high: int, subtree: SubtreeHash) -> bytes:
    return Frontier(high - low, tuple(subtree(level, index) for level, index in _cover(low, high))).root
