"""Merkle trees, proofs and signed notes, against published vectors and an independent implementation."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from pathfolio.explain.ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    SubtreeHash,
    consistency_proof,
    frontier_of,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from pathfolio.explain.ledger.note import Checkpoint, Note, Verifier, open_checkpoint
from pathfolio.kg.errors import LedgerError

# Leaf inputs and roots as published with the Certificate Transparency reference implementations of RFC 6962.
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
VECTORS = json.loads(Path(__file__).with_name("merkle_vectors.json").read_text(encoding="utf-8"))
"""Made with golang.org/x/mod/sumdb (`about` says how)."""


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(f"leaf {number}".encode()) for number in range(count)]


def subtrees(hashes: list[bytes]) -> SubtreeHash:
    """By recursion, as the RFC's definition goes."""

    @cache
    def subtree(level: int, index: int) -> bytes:
        if level == 0:
            return hashes[index]
        return node_hash(subtree(level - 1, 2 * index), subtree(level - 1, 2 * index + 1))

    return subtree


def short(proof: list[bytes]) -> str:
    return f"{len(proof)}:{hashlib.sha256(b''.join(proof)).hexdigest()[:16]}"


def test_published_roots() -> None:
    hashes = [leaf_hash(bytes.fromhex(text)) for text in INPUTS]
    assert [root_of(hashes[:size]).hex() for size in range(1, 9)] == ROOTS
    assert root_of([]) == EMPTY_ROOT == hashlib.sha256(b"").digest()


def test_published_proofs() -> None:
    """RFC 6962 section 2.1.3 names these nodes for a tree of seven leaves."""
    d = [leaf_hash(bytes.fromhex(text)) for text in INPUTS[:7]]
    a, b, c, e, f = d[0], d[1], d[2], d[3], d[4]
    g, h, i = node_hash(a, b), node_hash(c, e), node_hash(f, d[5])
    k, m = node_hash(g, h), node_hash(i, d[6])
    tree = subtrees(d)
    assert inclusion_proof(0, 7, tree) == [b, h, m]
    assert inclusion_proof(3, 7, tree) == [c, g, m]
    assert inclusion_proof(4, 7, tree) == [d[5], d[6], k]
    assert inclusion_proof(6, 7, tree) == [i, k]
    assert consistency_proof(3, 7, tree) == [c, e, g, m]
    assert consistency_proof(4, 7, tree) == [m]
    assert consistency_proof(6, 7, tree) == [i, d[6], k]


def test_the_other_implementation_agrees() -> None:
    tree = subtrees(leaves(1000))
    assert len(VECTORS["inclusion"]) > 150
    for size, root in VECTORS["roots"].items():
        assert frontier_of(int(size), tree).root.hex() == root
    for key, expected in VECTORS["inclusion"].items():
        index, size = map(int, key.split("/"))
        assert short(inclusion_proof(index, size, tree)) == expected
    for key, expected in VECTORS["consistency"].items():
        first, second = map(int, key.split("/"))
        assert short(consistency_proof(first, second, tree)) == expected


@given(st.integers(1, 70), st.data())
def test_proofs_hold_and_a_flipped_bit_breaks_them(size: int, data: st.DataObject) -> None:
    hashes = leaves(size)
    tree, root = subtrees(hashes), root_of(hashes)
    index = data.draw(st.integers(0, size - 1))
    first = data.draw(st.integers(1, size))
    path, link = inclusion_proof(index, size, tree), consistency_proof(first, size, tree)
    old = root_of(hashes[:first])
    assert verify_inclusion(hashes[index], index, size, path, root)
    assert verify_consistency(first, size, link, (old, root))
    for proof, holds in (
        (path, lambda p: verify_inclusion(hashes[index], index, size, p, root)),
        (link, lambda p: verify_consistency(first, size, p, (old, root))),
    ):
        assert not holds([*proof, root])
        if proof:
            at = data.draw(st.integers(0, len(proof) - 1))
            bit = data.draw(st.integers(0, 255))
            broken = list(proof)
            changed = int.from_bytes(broken[at], "big") ^ (1 << bit)
            broken[at] = changed.to_bytes(32, "big")
            assert not holds(broken)
            assert not holds(proof[:-1])
    other = data.draw(st.integers(0, size - 1).filter(lambda x: x != index)) if size > 1 else None
    assert other is None or not verify_inclusion(hashes[index], other, size, path, root)


@given(st.integers(0, 40), st.integers(0, 40))
def test_appending_in_pieces(one: int, two: int) -> None:
    hashes = leaves(one + two)
    assert Frontier().extended(hashes[:one]).extended(hashes[one:]) == Frontier().extended(hashes)
    assert frontier_of(one, subtrees(hashes)) == Frontier().extended(hashes[:one])


def test_proofs_of_nothing() -> None:
    tree = subtrees(leaves(3))
    with pytest.raises(ValueError, match="no leaf 3"):
        inclusion_proof(3, 3, tree)
    with pytest.raises(ValueError, match="no consistency proof"):
        consistency_proof(0, 3, tree)
    assert not verify_inclusion(b"", 5, 3, [], b"")
    assert not verify_consistency(4, 3, [], (b"", b""))


# -- notes ---------------------------------------------------------------------------------------------------


def test_a_note_signed_elsewhere() -> None:
    verifier = Verifier.parse(VECTORS["vkey"])
    assert verifier.text == VECTORS["vkey"]
    checkpoint = open_checkpoint(VECTORS["note"], [verifier], "example.com/ledger")
    assert (checkpoint.size, checkpoint.root.hex()) == (1000, VECTORS["roots"]["1000"])
    seed = b"pathfolio test seed 0123456789.."
    again = Note.sign(checkpoint.body, verifier, Ed25519PrivateKey.from_private_bytes(seed))
    assert again.text == VECTORS["note"]  # Ed25519 is deterministic: the same bytes


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("1000", "1001", "not signed by a key"),
        ("example.com/ledger\n1000", "example.com/other\n1000", "a checkpoint of 'example.com/other'"),
        ("— ", "- ", "not a signed note"),
        ("\n1000\n", "\nmany\n", "not a checkpoint"),
    ],
)
def test_an_altered_note(old: str, new: str, message: str) -> None:
    with pytest.raises(LedgerError, match=message):
        open_checkpoint(VECTORS["note"].replace(old, new), [Verifier.parse(VECTORS["vkey"])], "example.com/ledger")


def test_notes_and_keys_are_read_strictly() -> None:
    with pytest.raises(LedgerError, match="not a verifier key"):
        Verifier.parse("example.com+00000000+AAAA")
    with pytest.raises(LedgerError, match="not a checkpoint"):
        Checkpoint.parse("origin\n01\n" + base64.b64encode(bytes(32)).decode() + "\n")
    note = Note.parse(VECTORS["note"])
    assert Note.parse(note.text) == note
