"""`pathfolio explain`: why an asset is recommended to an investor, or the evidence of all lists as a table."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pathfolio.kg.languages import DEFAULT, languages
from pathfolio.web.advice import account_name, add_rules, add_today, hand_out, open_desk, what_happened
from pathfolio.web.arguments import add_build

if TYPE_CHECKING:
    from pathfolio.explain.records.adviser import Advice
    from pathfolio.explain.records.desk import Desk
    from pathfolio.recommender.build import Build

FORMATS: Final = ("text", "json", "html", "svg", "cypher")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_build(parser)
    parser.add_argument("--user", metavar="U", help="the investor's id")
    parser.add_argument("--asset", metavar="A", help="the id of a stock, fund or bond")
    parser.add_argument("--kind", choices=("stock", "fund", "bond"), help="rank among the assets of this kind only")
    parser.add_argument("--lang", default=DEFAULT, choices=languages(), help="language (default: %(default)s)")
    parser.add_argument("--format", default="text", choices=FORMATS, help="output format (default: text)")
    parser.add_argument("--instead-of", metavar="B", help="why asset A and not asset B: the parts that differ")
    parser.add_argument("--what-if", action="store_true", help="what would take A off the list, or bring it on")
    parser.add_argument("--all", action="store_true", help="explain the whole list of every investor into --out")
    parser.add_argument("-k", type=int, default=10, metavar="N", help="length of the list (default: 10)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write there instead of printing")
    add_rules(parser)
    add_today(parser)


def run(args: argparse.Namespace) -> None:
    """Explain one pair, or all lists.

    Raises:
        UsageError: options that do not go together, an unknown investor or asset.
        DataError: no build there.
    """
    from pathfolio.kg.errors import UsageError
    from pathfolio.kg.outfile import check_out
    from pathfolio.recommender.build import load_build

    if args.all == bool(args.user or args.asset) or (not args.all and not (args.user and args.asset)):
        raise UsageError("name one pair with --user U --asset A, or every list with --all --out FILE.parquet")
    if args.all and args.out is None:
        raise UsageError("--all writes a table: name it with --out FILE.parquet")
    if args.format not in ("text", "json") and (args.instead_of or args.what_if):
        raise UsageError(f"--instead-of and --what-if are text or json, not {args.format}")
    if args.instead_of and args.instead_of == args.asset:
        raise UsageError("--instead-of names the same asset as --asset: name another")
    if args.out is not None:
        check_out(args.out, (".parquet",) if args.all else ())
    build = load_build(args.build)
    if args.all:
        _explain_all(build, args)
    else:
        hand_out(_answer(build, args), args.out)


def _explain_all(build: Build, args: argparse.Namespace) -> None:
    from pathfolio.explain.batch import explain_all
    from pathfolio.explain.records.everybody import Everybody, choosers_of, record_everybody
    from pathfolio.kg.progress import Progress

    progress = Progress()
    desk = open_desk(build, args.rules, today=args.today)
    with progress.stage("load the scorer"):
        scorer = build.scorer
    asked = Everybody(account_name(), "command line", args.k, args.kind, today=desk.today())
    with progress.stage("rank and record every list"):
        lists = record_everybody(desk.adviser, desk.ledger, asked, progress)
    with progress.stage(f"explain every list into {args.out}") as details:
        choosers = choosers_of(desk.adviser, lists.told)
        rows = explain_all(scorer, args.out, progress, k=args.k, kind=args.kind, lists=lists.assets, choosers=choosers)
        details.append(f"{rows:,} paths")
    progress.note(what_happened(desk, lists.first))


def _answer(build: Build, args: argparse.Namespace) -> str:
    """The answer; what it shows of an investor's list is recorded first."""
    desk = open_desk(build, args.rules, today=args.today)
    if args.instead_of:
        one, other = (_recorded(desk, args, asset) for asset in (args.asset, args.instead_of))
        return _contrast(one, other, args, is_sample=build.is_sample)
    shown = _recorded(desk, args, args.asset, counterfactual=args.what_if)
    return _what_if(desk, shown, args) if args.what_if else _formatted(build, shown, args)


def _recorded(desk: Desk, args: argparse.Namespace, asset_id: str, *, counterfactual: bool = False) -> Advice:
    from pathfolio.explain.records.adviser import Question
    from pathfolio.explain.records.serve import serve
    from pathfolio.kg.progress import Progress

    question = Question(account_name(), "command line", args.user, args.k, args.kind, lang=args.lang, asset_id=asset_id)
    served = serve(desk.adviser, desk.ledger, replace(question, counterfactual=counterfactual, today=desk.today()))
    Progress().note(what_happened(desk, served.receipt.id))
    return served.advice


def _contrast(one: Advice, other: Advice, args: argparse.Namespace, *, is_sample: bool) -> str:
    from pathfolio.explain.contrast import contrast, contrast_as_text

    found = contrast(one.explanations[0], other.explanations[0])
    if args.format == "json":
        return _json(found.to_json(args.lang))
    return contrast_as_text(found, args.lang, is_sample=is_sample)


def _what_if(desk: Desk, shown: Advice, args: argparse.Namespace) -> str:
    """What would move the asset under the rules; and what these say against it, if anything."""
    from pathfolio.explain.what_if_text import tell, to_json

    if shown.change is None:
        raise AssertionError("what would move the asset was asked for")
    asked = desk.adviser.what_if_model(shown.question)
    if args.format == "json":
        return _json(to_json(shown.change, asked, args.lang))
    return f"{tell(shown.change, asked, args.lang)}\n{_verdict(shown, args.lang)}"


def _formatted(build: Build, shown: Advice, args: argparse.Namespace) -> str:
    explanation = shown.explanations[0]
    if args.format == "json":
        return _json(explanation.to_json(args.lang))
    if args.format == "html":
        from pathfolio.explain.formats.html import as_html

        return str(as_html(explanation, args.lang, is_sample=build.is_sample, k=args.k)) + "\n"
    if args.format == "svg":
        from pathfolio.explain.formats.svg import as_svg

        return str(as_svg(explanation, args.lang)) + "\n"
    if args.format == "cypher":
        from pathfolio.explain.formats.cypher import as_cypher

        return as_cypher(explanation, build.graph)
    from pathfolio.explain.formats.text import as_text

    return as_text(explanation, args.lang, is_sample=build.is_sample, k=args.k) + _verdict(shown, args.lang)


def _verdict(shown: Advice, lang: str) -> str:
    """What the suitability rules make of the asset, and say against it."""
    from pathfolio.explain.records.verdict_text import outcome_text, verdict_text

    verdict = shown.verdicts[0]
    sentences = "".join(f"  ! {text}\n" for text in verdict_text(verdict.results, lang, to_investor=True))
    return f"\n{outcome_text(verdict.state, lang)}\n{sentences}"


def _json(data: dict[str, object]) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"
