"""One investor's list as text for a terminal, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from pathfolio.kg.languages import DEFAULT
from pathfolio.kg.spreadsheet import safe_cell

if TYPE_CHECKING:
    from pathfolio.explain.explanation import Explanation
    from pathfolio.explain.records.adviser import Advice
    from pathfolio.recommender.build import Build

_REJECTED_SHOWN: Final = 5


def sample_label(build: Build) -> str:
    """A line that says so where the data are generated; empty for real ones."""
    return f"{build.manifest['name']}: generated data, no real investors or assets\n" if build.is_sample else ""


def as_table(advice: Advice, build: Build) -> str:
    """A line for each asset, under it the first reason and what speaks against it alone; then what is said of all."""
    from pathfolio.explain.records.verdict_text import outcome_text, warnings_of

    if not advice.lines:
        rows = ["no asset is left to recommend", *_against_all(advice)]
    else:
        width = max(len("asset"), *(len(line.asset_id) for line in advice.lines))
        rows = [f"{'':3}  {'score':>9}  {'kind':5}  {'asset':{width}}  name"]
    of_all, of_each = warnings_of(advice.verdicts, DEFAULT)
    for line, explanation, verdict, texts in zip(
        advice.lines, advice.explanations, advice.verdicts, of_each, strict=True
    ):
        state = outcome_text(verdict.state, DEFAULT)
        rows.append(f"{line.rank:3}  {line.score:9.4f}  {line.kind:5}  {line.asset_id:{width}}  {line.name} ({state})")
        rows += [f"{'':5}{text}" for text in _reasons(explanation)]
        rows += [f"{'':5}! {text}" for text in texts]
    rows += [f"! {text} (all of them)" for text in of_all]
    if advice.rejected:
        rows.append(f"not suitable, though the score ranks them higher: {_rejected(advice)}")
    return sample_label(build) + "".join(f"{row}\n" for row in rows)


def _against_all(advice: Advice) -> list[str]:
    """What the rules say against every asset that they did not let through."""
    from pathfolio.explain.records.verdict_text import verdict_text

    said = [verdict_text(each.verdict.results, DEFAULT, to_investor=True) for each in advice.rejected]
    return [f"! {text}" for text in dict.fromkeys(said[0]) if all(text in texts for texts in said)] if said else []


def _reasons(explanation: Explanation) -> Iterator[str]:
    """The first reason, what another order than by score is by, and the reasons that speak against the asset."""
    reasons = explanation.reasons_in(DEFAULT)
    yield from [reason.text for reason in reasons if not reason.is_caution][:1]
    yield from [reason.text for reason in reasons if reason.trigger == "reordered"]
    yield from [f"! {reason.text}" for reason in reasons if reason.is_caution]


def _rejected(advice: Advice) -> str:
    """The first of the rejected assets, each with the rules that rejected it."""
    found = [
        f"{each.asset_id} ({', '.join(r.rule for r in each.verdict.against if r.effect is each.verdict.outcome)})"
        for each in advice.rejected[:_REJECTED_SHOWN]
    ]
    more = len(advice.rejected) - len(found)
    return ", ".join([*found, f"{more} more"] if more else found)


def as_json(advice: Advice, _build: Build) -> str:
    """An array of the lines, each with its reasons and what the suitability rules make of it."""
    from pathfolio.explain.records.verdict_text import verdict_text

    rows = [
        {
            **asdict(line),
            "reasons": [reason.text for reason in explanation.reasons_in(DEFAULT)],
            "suitability": verdict.state,
            "warnings": verdict_text(verdict.results, DEFAULT, to_investor=True),
        }
        for line, explanation, verdict in zip(advice.lines, advice.explanations, advice.verdicts, strict=True)
    ]
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def as_csv(advice: Advice, _build: Build) -> str:
    """A header and the lines, scores with all their digits, texts as `safe_cell`."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("user_id", "rank", "asset_id", "kind", "name", "score"))
    rows = ((li.user_id, li.rank, li.asset_id, li.kind, li.name, repr(li.score)) for li in advice.lines)
    writer.writerows(map(safe_cell, row) for row in rows)
    return out.getvalue()


FORMATS: Final[Mapping[str, Callable[[Advice, Build], str]]] = MappingProxyType(
    {"table": as_table, "json": as_json, "csv": as_csv}
)
