"""Making the record of one answer: all that it takes to say, years later, what was shown to whom and why.

Its nodes, edges and facts stand once, in tables; `pathfolio.explain.records.told` finds them.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import numpy as np
import numpy.typing as npt
import rfc8785
from msgspec import convert
from msgspec.structs import replace

from pathfolio.explain.counterfactual import Counterfactual
from pathfolio.explain.ledger.canonical import canonical
from pathfolio.explain.records.adviser import Advice, Adviser, Question, Rejected
from pathfolio.explain.records.columns import ENCODING, packed
from pathfolio.explain.records.layout import FORMAT, Record, plain
from pathfolio.explain.records.layout.asked import (
    CandidateColumns,
    RecordedBuild,
    RecordedCandidates,
    RecordedData,
    RecordedInvestor,
    RecordedPosition,
    RecordedRules,
    RuleRow,
)
from pathfolio.explain.records.layout.shown import (
    MoveRow,
    RecordedCounterfactual,
    RecordedExplanation,
    RecordedLine,
    RecordedMoves,
    RecordedReason,
    RecordedRejection,
    RecordedVerdict,
)
from pathfolio.explain.records.tables import TableWriter, recorded_fact, recorded_reasons
from pathfolio.explain.what_if_list import AssumedList, Move
from pathfolio.explain.what_if_text import tell, to_json
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import ASSET_KIND_OF, Relation
from pathfolio.kg.span import Row
from pathfolio.recommender.model import Recommendation
from pathfolio.recommender.retrieve import asset_position
from pathfolio.recommender.suitability.gate import Screening
from pathfolio.recommender.suitability.investor import level_fact, share_fact
from pathfolio.recommender.suitability.rules import RuleSet
from pathfolio.recommender.suitability.used_facts import edge_fact
from pathfolio.recommender.suitability.verdict import Outcome

_LIBRARIES: Final = ("pathfolio", "numpy", "scipy", "pandas", "pyarrow")


def record_of(adviser: Adviser, advice: Advice, version: int = FORMAT) -> Record:
    """The record of `advice`; the same advice gives the same record.

    Where the question asked for no explanation, the scores and verdicts of all candidates stand in it as their
    SHA-256 only, and replay gives them again. So does all that lies behind a list where the question is thrifty.

    Args:
        version: the format; an earlier one to compare with what was recorded in it.
    """
    whole = _whole(adviser, advice, version)
    return _thrifty(adviser, advice, whole) if advice.question.thrifty else whole


def digest_of(record: Record) -> str:
    """SHA-256 of a whole record's canonical bytes, without what asked and what software it was."""
    answer = {name: value for name, value in plain(record).items() if name not in ("question", "software")}
    text = canonical(answer) if record.format == FORMAT else bytes(rfc8785.dumps(answer))
    return hashlib.sha256(text).hexdigest()


def _thrifty(adviser: Adviser, advice: Advice, whole: Record) -> Record:
    """What was shown: the list, its reasons in the reader's language, what speaks against; and the whole's digest."""
    graph, screening = adviser.build.graph, advice.screening
    writer = TableWriter(adviser.rules, whole.format)

    def against(asset_id: str) -> RecordedVerdict:
        return writer.verdict(screening.brief(screening.number_of(asset_position(graph, asset_id))))

    reasons = [recorded_reasons(found.reasons_in(advice.question.lang)) for found in advice.explanations]
    return replace(
        whole,
        candidates=_candidates(advice, whole=False),
        list=tuple(
            _line(graph, line, against(line.asset_id), reasons=said)
            for line, said in zip(advice.lines, reasons, strict=True)
        ),
        rejected=tuple(replace(item, verdict=against(item.asset_id)) for item in whole.rejected),
        tables=writer.tables,
        whole=digest_of(whole),
    )


def _whole(adviser: Adviser, advice: Advice, version: int) -> Record:
    build, question = adviser.build, advice.question
    writer = TableWriter(adviser.rules, version)
    explanations: list[RecordedExplanation | None] = [writer.explanation(each) for each in advice.explanations]
    explanations = explanations or [None for _ in advice.lines]
    return Record(
        format=version,
        question=question.recorded(),
        data=RecordedData(
            name=str(build.manifest["name"]),
            is_sample=build.is_sample,
            as_of=build.as_of,
            graph_hash=str(build.manifest["graph_hash"]),
        ),
        build=RecordedBuild(build.build_hash, dict(build.manifest["versions"])),
        rules=_rules(adviser.rules),
        software=software(),
        languages=tuple(adviser.languages) if version == FORMAT else None,
        investor=_investor(adviser, advice.screening),
        candidates=_candidates(advice, whole=question.explained),
        list=tuple(
            _line(build.graph, line, writer.verdict(verdict), explanation=explanation)
            for line, verdict, explanation in zip(advice.lines, advice.verdicts, explanations, strict=True)
        ),
        rejected=tuple(_rejected(adviser, rejected, writer) for rejected in advice.rejected),
        moves=None if advice.moves is None else _moves(build.graph, advice.moves),
        counterfactual=None if advice.change is None else _counterfactual(adviser, question, advice.change),
        tables=writer.tables,
    )


def _moves(graph: KnowledgeGraph, found: AssumedList) -> RecordedMoves:

    def placed(moves: Iterable[Move]) -> tuple[MoveRow, ...]:
        return tuple(MoveRow(str(graph.asset_ids[move.asset]), move.rank, move.was) for move in moves)

    return RecordedMoves(placed(line.move for line in found.lines), placed(found.risers), placed(found.left))


def _counterfactual(adviser: Adviser, question: Question, found: Counterfactual) -> RecordedCounterfactual:
    """What was told of what would change the asset's place, with the sentence in each language."""
    model = adviser.what_if_model(question)
    told = to_json(found, model) | {"text": {lang: tell(found, model, lang) for lang in adviser.languages}}
    return convert(told, RecordedCounterfactual)


def _rules(rules: RuleSet) -> RecordedRules:
    rows = (RuleRow(rule.name, rule.full_kind) for rule in rules.rules)
    return RecordedRules(rules.market, rules.version, rules.sha256, tuple(rows))


@cache
def software() -> dict[str, str]:
    """Versions of what computes an answer here."""
    return {"python": platform.python_version()} | {name: _version(name) for name in _LIBRARIES}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _names(graph: KnowledgeGraph, row: Row) -> tuple[str, str]:
    return str(graph.nodes.name[row]), str(graph.nodes.name_local[row])


def _line(
    graph: KnowledgeGraph,
    line: Recommendation,
    verdict: RecordedVerdict,
    *,
    explanation: RecordedExplanation | None = None,
    reasons: tuple[RecordedReason, ...] | None = None,
) -> RecordedLine:
    names = _names(graph, graph.asset_row(line.asset_id))
    return RecordedLine(line.rank, line.asset_id, line.kind, line.score, *names, verdict, explanation, reasons)


def _rejected(adviser: Adviser, rejected: Rejected, writer: TableWriter) -> RecordedRejection:
    graph = adviser.build.graph
    row = graph.asset_row(rejected.asset_id)
    kind = next(word for word, node_kind in ASSET_KIND_OF.items() if node_kind is graph.kind_of(row))
    verdict, names = writer.verdict(rejected.verdict), _names(graph, row)
    return RecordedRejection(rejected.place, rejected.asset_id, kind, rejected.score, *names, verdict)


def _investor(adviser: Adviser, screening: Screening) -> RecordedInvestor:
    """The investor as the score and the rules saw them: levels, positions and what was held before."""
    graph, assets, investor = adviser.build.graph, screening.assets, screening.investor
    levels = {name: recorded_fact(level_fact(assets, investor, name)) for name in investor.levels}
    if investor.segment is not None:
        levels["segment"] = recorded_fact(edge_fact(graph, investor.segment[1]))
    positions = []
    for number, row in enumerate(graph.asset_span.row(investor.held).tolist()):
        name, name_local = _names(graph, row)
        fact = share_fact(assets, investor, number)
        positions.append(RecordedPosition(**vars(fact), name=name, name_local=name_local))
    known = investor.row >= 0
    before = graph.outgoing(Relation.HELD).edges_of(investor.row).tolist() if known else []
    return RecordedInvestor(
        user_id=str(graph.nodes.id[investor.row]) if known else "",
        name=str(graph.nodes.name[investor.row]) if known else "",
        levels=levels,
        weighting=investor.weighting,
        positions=tuple(positions),
        held_before=tuple(recorded_fact(edge_fact(graph, edge)) for edge in before),
    )


def _candidates(advice: Advice, *, whole: bool) -> RecordedCandidates:
    """All that were considered, in the order of the build's assets."""
    screening = advice.screening
    arrays: tuple[npt.NDArray[np.generic], ...] = (
        screening.at.astype(np.int32),
        advice.scores.astype(np.float64),
        screening.outcome,
        _decisive(screening),
    )
    columns, sha256 = None, None
    if whole:
        columns = CandidateColumns(*(packed(values) for values in arrays))
    else:
        digest = hashlib.sha256()
        for values in arrays:
            digest.update(values.astype(values.dtype.newbyteorder("<")).tobytes())
        sha256 = digest.hexdigest()
    return RecordedCandidates(
        count=len(screening.at),
        allowed=int(screening.allowed.sum()),
        rejected_by=screening.rejected_by(),
        warned_by=screening.counted(Outcome.WARN),
        encoding=ENCODING if whole else None,
        columns=columns,
        sha256=sha256,
    )


def _decisive(screening: Screening) -> npt.NDArray[np.int8]:
    """(candidates,) the place in the rule file of the first rule with the gravest effect; -1 where all passed."""
    if not len(screening.effects):
        return np.full(len(screening.at), -1, np.int8)
    gravest = screening.effects.argmax(axis=0)
    return np.where(screening.outcome > Outcome.PASS, gravest, -1).astype(np.int8)
