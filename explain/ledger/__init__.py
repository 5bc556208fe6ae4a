"""The ledger: an append-only Merkle tree of encrypted entries with signed checkpoints."""
