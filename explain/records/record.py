"""The record of one answer: everything that it takes to say, years later, what was shown to whom and why.

Its nodes, edges and facts stand once, in `tables`; `pathfolio.explain.records.tables.expanded` writes them out.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pathfolio.explain.assumed import AssumedList
from pathfolio.explain.counterfactual import Counterfactual
from pathfolio.explain.ledger.canonical import canonical
from pathfolio.explain.records.adviser import Advice, Adviser, Question, Rejected
from pathfolio.explain.records.columns import ENCODING, packed
from pathfolio.explain.records.tables import Tables
from pathfolio.explain.what_if import ScorerWhatIf
from pathfolio.explain.what_if_text import tell, to_json
from pathfolio.kg.graph import KnowledgeGraph
from pathfolio.kg.schema import ASSET_KIND_OF, Relation
from pathfolio.recommender.model import Recommendation
from pathfolio.recommender.suitability.gate import Screening
from pathfolio.recommender.suitability.investor import level_fact, share_fact
from pathfolio.recommender.suitability.rules import RuleSet
from pathfolio.recommender.suitability.used_facts import edge_fact
from pathfolio.recommender.suitability.verdict import Outcome

FORMAT: Final = 2
"""Format 1, which is still written for questions of records of that time, knew no day of asking, and called a pass
what left rules open as well."""

_LIBRARIES: Final = ("pathfolio", "numpy", "scipy", "pandas", "pyarrow")


def record_of(adviser: Adviser, advice: Advice) -> dict[str, Any]:
    """The record of `advice`, ready for canonical JSON; the same advice gives the same record.

    Where the question asked for no explanation, the scores and verdicts of all candidates stand in it as their
    SHA-256 only, and replay gives them again. So does all that lies behind a list where the question is thrifty.
    """
    whole = _whole(adviser, advice)
    return _thrifty(adviser, advice, whole) if advice.question.thrifty else whole


def digest_of(record: Mapping[str, Any]) -> str:
    """SHA-256 of a whole record's canonical bytes, without what asked and what software it was."""
    answer = {name: value for name, value in record.items() if name not in ("question", "software")}
    return hashlib.sha256(canonical(answer)).hexdigest()


def _thrifty(adviser: Adviser, advice: Advice, whole: dict[str, Any]) -> dict[str, Any]:
    """What was shown: the list, its reasons in the reader's language, what speaks against; and the whole's digest."""
    lang, tables = advice.question.lang, _tables(advice.question)

    def against(asset_id: str) -> dict[str, Any]:
        position = adviser.build.graph.asset_row(asset_id) - int(adviser.build.graph.assets[0])
        brief = advice.screening.brief(int(np.searchsorted(advice.screening.at, position)))
        return {"verdict": tables.verdict(brief, adviser.rules)}

    reasons = [[reason.to_json() for reason in found.reasons_in(lang)] for found in advice.explanations]
    lines = [
        {**_asset(adviser.build.graph, line), **against(line.asset_id), "reasons": said}
        for line, said in zip(advice.lines, reasons, strict=True)
    ]
    rejected = [{**item, **against(item["asset_id"])} for item in whole["rejected"]]
    return whole | {
        "candidates": _candidates(advice, whole=False),
        "list": lines,
        "rejected": rejected,
        "tables": tables.to_json(),
        "whole": digest_of(whole),
    }


def _tables(question: Question) -> Tables:
    """Records of format 1, of questions without a day, do not know the fourth state of a verdict."""
    return Tables(states=question.today is not None, told_in=question.told_in)


def _whole(adviser: Adviser, advice: Advice) -> dict[str, Any]:
    build, question, tables = adviser.build, advice.question, _tables(advice.question)
    explanations: list[dict[str, Any]] = [{"explanation": tables.explanation(each)} for each in advice.explanations]
    explanations = explanations or [{} for _ in advice.lines]
    record: dict[str, Any] = {
        "format": FORMAT if question.today else 1,
        "question": question.to_json(),
        "data": {
            "name": str(build.manifest["name"]),
            "is_sample": build.is_sample,
            "as_of": build.as_of.isoformat(),
            "graph_hash": str(build.manifest["graph_hash"]),
        },
        "build": {"hash": build.build_hash, "versions": dict(build.manifest["versions"])},
        "rules": _rules(adviser.rules),
        "software": software(),
        "investor": _investor(adviser, advice.screening),
        "candidates": _candidates(advice, whole=question.explained),
        "list": [
            {**_asset(build.graph, line), "verdict": tables.verdict(verdict, adviser.rules), **explanation}
            for line, verdict, explanation in zip(advice.lines, advice.verdicts, explanations, strict=True)
        ],
        "rejected": [_rejected(adviser, rejected, tables) for rejected in advice.rejected],
    }
    if advice.moves is not None:
        record["moves"] = _moves(build.graph, advice.moves)
    if advice.change is not None:
        record["counterfactual"] = _counterfactual(adviser, question, advice.change)
    return record | {"tables": tables.to_json()}


def _moves(graph: KnowledgeGraph, found: AssumedList) -> dict[str, Any]:
    """[asset id, place, place before] of the list under the assumptions, of what climbed below it and what left it."""
    parts = {"listed": [line.move for line in found.lines], "risers": found.risers, "left": found.left}
    ids, rows = graph.nodes.id, graph.assets
    return {name: [[str(ids[rows[m.asset]]), m.rank, m.was] for m in moves] for name, moves in parts.items()}


def _counterfactual(adviser: Adviser, question: Question, found: Counterfactual) -> dict[str, Any]:
    """What was told of what would change the asset's place, with the sentence in each language."""
    model = ScorerWhatIf(adviser.build.scorer, adviser.gate_on(question.today))
    return to_json(found, model) | {"text": {lang: tell(found, model, lang) for lang in question.told_in}}


def _rules(rules: RuleSet) -> dict[str, Any]:
    names = [[rule.name, rule.full_kind] for rule in rules.rules]
    return {"market": rules.market, "version": rules.version, "sha256": rules.sha256, "rules": names}


@cache
def software() -> dict[str, str]:
    """Versions of what computes an answer here."""
    return {"python": platform.python_version()} | {name: _version(name) for name in _LIBRARIES}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _names(graph: KnowledgeGraph, row: int) -> dict[str, str]:
    return {"name": str(graph.nodes.name[row]), "name_local": str(graph.nodes.name_local[row])}


def _asset(graph: KnowledgeGraph, line: Recommendation) -> dict[str, Any]:
    names = _names(graph, graph.asset_row(line.asset_id))
    return {"rank": line.rank, "asset_id": line.asset_id, "kind": line.kind, "score": line.score, **names}


def _rejected(adviser: Adviser, rejected: Rejected, tables: Tables) -> dict[str, Any]:
    graph = adviser.build.graph
    row = graph.asset_row(rejected.asset_id)
    kind = next(word for word, node_kind in ASSET_KIND_OF.items() if node_kind is graph.kind_of(row))
    about = {"place": rejected.place, "asset_id": rejected.asset_id, "kind": kind, "score": rejected.score}
    return about | _names(graph, row) | {"verdict": tables.verdict(rejected.verdict, adviser.rules)}


def _investor(adviser: Adviser, screening: Screening) -> dict[str, Any]:
    """The investor as the score and the rules saw them: levels, positions and what was held before."""
    graph, assets, investor = adviser.build.graph, screening.assets, screening.investor
    levels = {name: level_fact(assets, investor, name).to_json() for name in investor.levels}
    if investor.segment is not None:
        levels["segment"] = edge_fact(graph, investor.segment[1]).to_json()
    positions = [
        share_fact(assets, investor, number).to_json() | _names(graph, int(graph.assets[held]))
        for number, held in enumerate(investor.held)
    ]
    known = investor.row >= 0
    before = graph.outgoing(Relation.HELD).edges_of(investor.row).tolist() if known else []
    return {
        "user_id": str(graph.nodes.id[investor.row]) if known else "",
        "name": str(graph.nodes.name[investor.row]) if known else "",
        "levels": levels,
        "weighting": investor.weighting,
        "positions": positions,
        "held_before": [edge_fact(graph, edge).to_json() for edge in before],
    }


def _candidates(advice: Advice, *, whole: bool) -> dict[str, Any]:
    """All that were considered, in the order of the build's assets."""
    screening = advice.screening
    arrays: dict[str, npt.NDArray[Any]] = {
        "asset": screening.at.astype(np.int32),
        "score": advice.scores.astype(np.float64),
        "outcome": screening.outcome,
        "rule": _decisive(screening),
    }
    about = {
        "count": len(screening.at),
        "allowed": int(screening.allowed.sum()),
        "rejected_by": screening.rejected_by(),
        "warned_by": screening.counted(Outcome.WARN),
    }
    if whole:
        return about | {"encoding": ENCODING, "columns": {name: packed(values) for name, values in arrays.items()}}
    digest = hashlib.sha256()
    for values in arrays.values():
        digest.update(values.astype(values.dtype.newbyteorder("<")).tobytes())
    return about | {"sha256": digest.hexdigest()}


def _decisive(screening: Screening) -> npt.NDArray[np.int8]:
    """(candidates,) the place in the rule file of the first rule with the gravest effect; -1 where all passed."""
    if not len(screening.effects):
        return np.full(len(screening.at), -1, np.int8)
    gravest = screening.effects.argmax(axis=0)
    return np.where(screening.outcome > Outcome.PASS, gravest, -1).astype(np.int8)
