"""A record's proof as text: https://c2sp.org/tlog-proof."""

from __future__ import annotations

import base64

from pathfolio.explain.ledger.ledger import Proof


def proof_text(proof: Proof) -> str:
    """The proof with its checkpoint, which anyone with the ledger's public key can verify offline."""
    hashes = "".join(base64.b64encode(value).decode() + "\n" for value in proof.hashes)
    return f"c2sp.org/tlog-proof@v1\nindex {proof.seq}\n{hashes}\n{proof.checkpoint}"
