"""What staff do with records: list, report, hand out as a case. Every look is recorded with who and why."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Final, Protocol, TypeVar

from pathfolio.explain.ledger.entry import Header
from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.merkle import leaf_hash
from pathfolio.explain.ledger.note import Note, Verifier
from pathfolio.explain.ledger.payloads import RECOMMENDATION
from pathfolio.explain.ledger.proof_text import proof_text
from pathfolio.explain.ledger.verify import verify_record
from pathfolio.explain.records.assumption import WHAT_IF
from pathfolio.explain.records.changes import what_would_have_changed
from pathfolio.explain.records.keep import BuildEntry, RulesEntry, registered
from pathfolio.explain.records.layout import Record, parse_record
from pathfolio.explain.records.printed import printed
from pathfolio.explain.records.report import Integrity, Report, make_report, report_html
from pathfolio.explain.records.whole import adviser_in, recorded_rules, sealed_folder, whole
from pathfolio.explain.wording import LANGUAGES
from pathfolio.kg.errors import LedgerError, UsageError
from pathfolio.kg.languages.names import Names
from pathfolio.kg.outfile import write_private
from pathfolio.recommender.suitability.rules import RuleSet

_README: Final = """A case: one record of what was recommended, with the proof that it is unchanged.

verify.py             python verify.py --key KEY   (needs Python and `pip install cryptography`, nothing else)
public_key.txt        the key that signed; compare it with the one that the firm has published
record.leaf           the ledger's entry, as it was hashed
record.key            opens this entry, and no other
record.json           its content, JSON
record-expanded.json  the same, with tables written out
record.tlog-proof     proof and signed checkpoint (c2sp.org/tlog-proof)
rules.toml            the suitability rules that were applied
manifest.json         of the build that was used
report-*.html         the report in each language
case.leaf             the ledger's entry of this case: who took it, why, and the hashes of all files
case.tlog-proof       its proof and signed checkpoint
"""


Done = TypeVar("Done")

LISTS: Final = (RECOMMENDATION, WHAT_IF)
"""The kinds of entries that hold a list that was shown to somebody."""


@dataclass(frozen=True)
class Look:
    """Who looks at records, and why."""

    who: str
    purpose: str


@dataclass(frozen=True)
class ListedRecord:
    """A record in a list; what is personal is empty where it cannot be read.

    `state` is readable, erased or altered.
    """

    id: str
    seq: int
    time: str
    kind: str
    user_id: str
    who: str
    through: str
    build: str
    as_of: str
    assets: tuple[str, ...]
    rejected: int
    state: str


def list_records(ledger: Ledger, look: Look, headers: Sequence[Header]) -> list[ListedRecord]:
    """What the records are about."""
    return [_listed(header, found) for header, found in ledger.read_many(headers, who=look.who, purpose=look.purpose)]


def _listed(header: Header, found: bytes | LedgerError | None) -> ListedRecord:
    if not isinstance(found, bytes):
        return _of_header(header, "erased" if found is None else "altered")
    if header.kind not in LISTS:
        said = json.loads(found)
        asked = said.get("question", {})
        return replace(
            _of_header(header, "readable"),
            user_id=str(asked.get("user_id", "")),
            who=str(asked.get("who") or said.get("who", "")),
            through=str(asked.get("through", "")),
            assets=(str(asked["asset_id"]),) if asked.get("asset_id") else (),
        )
    record = parse_record(found, header.id)
    return replace(
        _of_header(header, "readable"),
        user_id=record.question.user_id,
        who=record.question.who,
        through=record.question.through,
        assets=tuple(line.asset_id for line in record.list),
        rejected=len(record.rejected),
    )


def _of_header(header: Header, state: str) -> ListedRecord:
    build, as_of = (header.tags.get(name, "") for name in ("build", "as_of"))
    return ListedRecord(header.id, header.seq, header.time, header.kind, "", "", "", build, as_of, (), 0, state)


def read_record(ledger: Ledger, record_id: str, look: Look) -> tuple[Header, Record]:
    """The header and the compact record of a list that was shown: a recommendation, or a what-if list.

    Raises:
        UsageError: no such record, or it is of no list.
        LedgerError: the person was erased, or the look could not be recorded.
    """
    header = ledger.header(record_id)
    if header.kind not in LISTS:
        raise UsageError(f"{header.id} is an entry of kind {header.kind}, not of a list: `audit show` prints it")
    return header, parse_record(ledger.read_text(header.id, who=look.who, purpose=look.purpose), header.id)


def integrity_of(ledger: Ledger, header: Header) -> Integrity:
    """The record's proof, verified now."""
    problem, proof = verify_record(ledger, header.id), ledger.prove(header.seq)
    return Integrity(
        origin=ledger.origin,
        size=proof.size,
        key=ledger.verifiers[-1].text,
        leaf=leaf_hash(ledger.leaf(header.id)).hex(),
        proof=proof_text(proof),
        problem="" if problem is None else problem.problem,
        made=ledger.clock(),
    )


class Works(Protocol):
    """Does some work, wherever."""

    def __call__(self, work: Callable[..., Done], *args: object) -> Done:
        """What `work` makes of `args`."""
        ...


def done_here(work: Callable[..., Done], *args: object) -> Done:
    """Does it at once, in this process."""
    return work(*args)


def report_on(ledger: Ledger, record_id: str, look: Look, lang: str, work: Works = done_here) -> Report:
    """The report on one record, with what would have changed the result where the build is still there."""
    return report_of(ledger, *read_record(ledger, record_id, look), lang, work)


def report_of(ledger: Ledger, header: Header, record: Record, lang: str, work: Works = done_here) -> Report:
    """As `report_on`, for a record that was read; what takes the sealed build long, `work` does."""
    changes = _changes(ledger, record, (lang,), work)[lang]
    return make_report(whole(ledger, record), header, integrity_of(ledger, header), lang, changes=changes)


def _changes(ledger: Ledger, record: Record, langs: Sequence[str], work: Works = done_here) -> dict[str, list[str]]:
    """For each language, what was told of what would change the result, or what the sealed build says of it now."""
    told = record.counterfactual
    if told is not None:
        return {lang: [Names(told.text)[lang]] if told.text else [] for lang in langs}
    folder = sealed_folder(ledger, record)
    if folder is None:
        return {lang: [] for lang in langs}
    return work(_changes_in, folder, recorded_rules(ledger, record), record, tuple(langs))


def _changes_in(folder: Path, rules: RuleSet, record: Record, langs: Sequence[str]) -> dict[str, list[str]]:
    adviser = adviser_in(folder, rules, record)
    gate = adviser.gate_on(record.question.today)
    return {lang: what_would_have_changed(record, adviser.build, gate, lang) for lang in langs}


def export_case(ledger: Ledger, record_id: str, look: Look, out: Path) -> None:
    """Write case.zip: the record with all that it takes to verify and understand it without this software.

    Raises:
        OSError: `out` cannot be written.
    """
    write_private(out, case_of(ledger, record_id, look))


def case_of(ledger: Ledger, record_id: str, look: Look) -> bytes:
    """The bytes of case.zip; see `export_case`."""
    header, record = read_record(ledger, record_id, look)
    readable, integrity = whole(ledger, record), integrity_of(ledger, header)
    changes = _changes(ledger, record, LANGUAGES)
    reports = {
        f"report-{lang}.html": report_html(
            make_report(readable, header, integrity, lang, changes=changes[lang])
        ).encode()
        for lang in LANGUAGES
    }
    files = {
        "README.txt": _README.encode(),
        "verify.py": resources.files("pathfolio.explain.ledger").joinpath("case_verify.py").read_bytes(),
        "public_key.txt": f"{integrity.key}\n".encode(),
        "record.leaf": ledger.leaf(header.id),
        "record.key": base64.b64encode(ledger.key_of_record(header.id)),
        "record.json": ledger.opened(ledger.leaf(header.id)),
        "record-expanded.json": json.dumps(printed(readable), indent=1, ensure_ascii=False).encode(),
        "record.tlog-proof": integrity.proof.encode(),
        "rules.toml": registered(ledger, RulesEntry, record.rules.sha256).text.encode(),
        "manifest.json": registered(ledger, BuildEntry, record.build.hash).manifest.encode(),
    }
    files |= reports
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    receipt = ledger.note_look([header.id], who=look.who, purpose=look.purpose, files=hashes)
    proof = proof_text(ledger.prove(receipt.seq))
    if not all(_is_signed_by(integrity.key, text) for text in (integrity.proof, proof)):
        return case_of(ledger, record_id, look)  # the key was changed meanwhile: a case has one key
    files["case.leaf"] = ledger.leaf(receipt.id)
    files["case.tlog-proof"] = proof.encode()
    return _zipped(files, header)


def _is_signed_by(key: str, proof: str) -> bool:
    """Whether the checkpoint in a proof's text is signed by this key."""
    return Verifier.parse(key).holds_for(Note.parse(proof.partition("\n\n")[2]))


def _zipped(files: dict[str, bytes], header: Header) -> bytes:
    """A zip with the record's own date on every file."""
    moment = header.moment.timetuple()[:6]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as case:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, moment)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            case.writestr(entry, content)
    return buffer.getvalue()
