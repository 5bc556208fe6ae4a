#!/usr/bin/env python3
"""Verify an exported case: that a record stands, unchanged, in a ledger whose signed checkpoint is in the case.

    python verify.py [CASE.zip or folder] [--key PUBLIC_KEY]

It needs Python 3.9 or later and `pip install cryptography`, and nothing of the program that made the record.
Without --key the key in the case is used, and printed: compare it with the one that the firm has published.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class RefusedError(Exception):
    """Something in the case does not hold."""


UNREADABLE = (
    OSError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    RecursionError,
    zlib.error,
    zipfile.BadZipFile,
)
"""What reading a file raises that is not as it was handed out."""


def say(*words: object) -> None:
    """A line for the reader."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")


def read_case(place: Path) -> dict[str, bytes]:
    """File name to bytes."""
    if place.is_dir():
        return {path.name: path.read_bytes() for path in place.iterdir() if path.is_file() and path.name[0] != "."}
    with zipfile.ZipFile(place) as case:
        return {name: case.read(name) for name in case.namelist()}


def check_signature(note: str, key_text: str) -> tuple[str, int, bytes]:
    """The checkpoint's (origin, size, root), once the key has signed it: c2sp.org/signed-note, tlog-checkpoint."""
    try:
        name, key_id, coded = key_text.strip().split("+", 2)
        public = base64.b64decode(coded, validate=True)
    except ValueError:
        raise RefusedError("--key: not a public key: it has the form name+8 hex digits+base64") from None
    if public[:1] != b"\x01" or hashlib.sha256(name.encode() + b"\n" + public).hexdigest()[:8] != key_id:
        raise RefusedError("the public key is damaged")
    body, signatures = note.rsplit("\n\n", 1)
    body += "\n"
    for line in signatures.rstrip("\n").split("\n"):
        dash, signer, signed = line.split(" ")
        blob = base64.b64decode(signed, validate=True)
        if (dash, signer, blob[:4].hex()) == ("\u2014", name, key_id):
            try:
                Ed25519PublicKey.from_public_bytes(public[1:]).verify(blob[4:], body.encode())
            except InvalidSignature:
                break
            origin, size, root = body.split("\n")[:3]
            return origin, int(size), base64.b64decode(root, validate=True)
    raise RefusedError("the checkpoint is not signed by this key")


def check_inclusion(leaf: bytes, index: int, size: int, hashes: list[bytes], root: bytes) -> None:
    """RFC 9162 section 2.1.3.2, over SHA-256 as in RFC 6962."""
    node, at, last = hashlib.sha256(b"\x00" + leaf).digest(), index, size - 1
    for sibling in hashes:
        if at & 1 or at == last:
            node = hashlib.sha256(b"\x01" + sibling + node).digest()
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\x01" + node + sibling).digest()
        at, last = at >> 1, last >> 1
    if not 0 <= index < size or last != 0 or node != root:
        raise RefusedError("the record does not stand in the signed tree: it was altered, or is another one")


def open_record(leaf: bytes, key: bytes) -> tuple[dict[str, Any], bytes]:
    """The record's header and its content, opened with the record's own key."""
    line, body = leaf.split(b"\n", 1)
    header = json.loads(line)
    if header["body"] == "json":
        return header, body
    try:
        associated = (header["id"] + " " + header["key"]).encode()
        return header, zlib.decompress(AESGCM(key).decrypt(body[:12], body[12:], associated))
    except InvalidTag:
        raise RefusedError("record.key does not open the record") from None


def check_files(files: dict[str, bytes], record: dict[str, Any], handed: dict[str, Any]) -> None:
    """The rules and the build are those that the record names; all files are those that were handed out with it."""
    missing = sorted(set(handed) - set(files))
    if missing:
        raise RefusedError(f"{missing[0]} is missing: it was handed out with this case")
    if hashlib.sha256(files["rules.toml"]).hexdigest() != record["rules"]["sha256"]:
        raise RefusedError("rules.toml is not the file that the record names")
    manifest = json.loads(files["manifest.json"])
    said = manifest.pop("build_hash")
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if said != record["build"]["hash"] or hashlib.sha256(text.encode()).hexdigest() != said:
        raise RefusedError("manifest.json is not of the build that the record names")
    for name in sorted(set(files) - {"case.leaf", "case.tlog-proof"}):
        if hashlib.sha256(files[name]).hexdigest() != handed.get(name):
            raise RefusedError(f"{name} is not the file that was handed out with this case")


def check_proof(files: dict[str, bytes], name: str, key_text: str) -> tuple[int, int]:
    """The place at which NAME.leaf stands in the signed tree of NAME.tlog-proof, and the tree's size."""
    proof, note = files[f"{name}.tlog-proof"].decode().split("\n\n", 1)
    lines = proof.split("\n")
    if lines[0] != "c2sp.org/tlog-proof@v1" or not lines[1].startswith("index "):
        raise RefusedError(f"{name}.tlog-proof is not a proof")
    index, hashes = int(lines[1][6:]), [base64.b64decode(line, validate=True) for line in lines[2:]]
    _, size, root = check_signature(note, key_text)
    check_inclusion(files[f"{name}.leaf"], index, size, hashes, root)
    if json.loads(files[f"{name}.leaf"].split(b"\n", 1)[0])["seq"] != index:
        raise RefusedError("the record was written at another place")
    return index, size


def verify(files: dict[str, bytes], key_text: str) -> dict[str, Any]:
    """Check everything; returns the record."""
    index, size = check_proof(files, "record", key_text)
    say("signature   the checkpoint over", size, "entries is signed by", key_text.strip())
    say("inclusion   the record stands at place", index, "of that tree")
    header, content = open_record(files["record.leaf"], base64.b64decode(files.get("record.key", b"")))
    if content != files["record.json"]:
        raise RefusedError("record.json is not what was recorded")
    say("content     record.json is what was recorded on", header["time"], "under the id", header["id"])
    record: dict[str, Any] = json.loads(content)
    index, _ = check_proof(files, "case", key_text)
    handed = json.loads(files["case.leaf"].split(b"\n", 1)[1])
    if handed["records"] != [header["id"]]:
        raise RefusedError("case.leaf is of another record's case")
    check_files(files, record, handed["files"])
    say("files       the rules and the build are those that the record names; all files are those that were handed")
    say("            out, as entry", index, "tells, by", handed["who"], "for the purpose:", handed["purpose"])
    return record


def main() -> int:
    """Read the arguments, verify, say so."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("case", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--key", help="the public key to trust, or a file with it; default: the case's own")
    args = parser.parse_args()
    try:
        files = read_case(args.case)
        key = args.key or files["public_key.txt"].decode()
        if Path(key).is_file():
            key = Path(key).read_text(encoding="utf-8")
        verify(files, key)
    except (RefusedError, *UNREADABLE) as error:
        say("NOT VERIFIED:", error if isinstance(error, RefusedError) else repr(error))
        return 1
    own = " against the key in this case; compare it with the published one"
    say("VERIFIED" + ("" if args.key else own))
    return 0


if __name__ == "__main__":
    sys.exit(main())
