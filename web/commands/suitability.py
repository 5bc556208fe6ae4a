"""`pathfolio suitability check`: test a rule file, and count what each of its rules would reject."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pathfolio.kg.languages import DEFAULT
from pathfolio.web.advice import add_today
from pathfolio.web.arguments import add_described

if TYPE_CHECKING:
    from pathfolio.recommender.suitability.rules import RuleSet


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pathfolio suitability`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = add_described(actions, "check", "read a rule file, and try it on a build")
    check.add_argument("rules", metavar="FILE", help="a TOML file, or eu, us or tw for the rules that come along")
    check.add_argument("build", nargs="?", type=Path, metavar="BUILD", help="count what each rule would reject here")
    check.add_argument("--build", dest="build_option", type=Path, metavar="BUILD", help=argparse.SUPPRESS)
    check.add_argument("--users", type=int, default=1000, metavar="N", help="at most so many investors (default: 1000)")
    add_today(check)
    check.add_argument("--format", choices=("table", "json"), default="table", help="default: table")


def run(args: argparse.Namespace) -> None:
    """Read the rules; with a build, screen all its assets for its investors."""
    from pathfolio.recommender.suitability.rulefile import load_rules

    rules = load_rules(args.rules)
    folder = args.build or args.build_option
    found = _counts(rules, folder, args.users, args.today) if folder else {}
    (_print_json if args.format == "json" else _print_table)(rules, found)


def _counts(rules: RuleSet, folder: Path, most: int, today: date | None) -> dict[str, Any]:
    """Means over investors: how many assets each rule rejects, warns of and cannot judge."""
    from pathfolio.explain.records.asking import day_of_asking
    from pathfolio.recommender.build import load_build
    from pathfolio.recommender.suitability.coverage import idle_restrictions, unlisted
    from pathfolio.recommender.suitability.gate import Gate
    from pathfolio.recommender.suitability.verdict import STATES, Outcome

    build = load_build(folder)
    day = day_of_asking(build, today)()
    graph = build.graph
    gate = Gate.over(graph, rules, build.prices).on(day)
    users = graph.users[:: max(1, -(-len(graph.users) // max(most, 1)))]
    rejects: Counter[str] = Counter()
    warns: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    states: Counter[str] = Counter()
    lengths = []
    for user in users.tolist():
        screening = gate.screen(user, graph.assets)
        rejects.update(screening.rejected_by())
        warns.update(screening.counted(Outcome.WARN))
        unknown.update(screening.unknown())
        states.update(screening.states())
        lengths.append(int(screening.allowed.sum()))
    return {
        "today": day.isoformat(),
        "investors": len(users),
        "assets": len(graph.assets),
        "rejects": {name: count / len(users) for name, count in rejects.items()},
        "warns": {name: count / len(users) for name, count in warns.items()},
        "unknown": {name: count / len(users) for name, count in unknown.items()},
        "states": {state: states[state] / len(users) for state in STATES},
        "allowed": {"fewest": min(lengths), "mean": sum(lengths) / len(users), "most": max(lengths)},
        "without_any": sum(length == 0 for length in lengths),
        "unlisted": [asdict(each) for each in unlisted(gate.assets)],
        "idle_restrictions": [f"{each.kind} {each.value}" for each in idle_restrictions(gate.assets)],
    }


def _print_json(rules: RuleSet, found: dict[str, object]) -> None:
    about = {"market": rules.market, "version": rules.version, "sha256": rules.sha256}
    names = [
        {"id": rule.name, "kind": rule.kind, "unknown": rule.unknown.word, "line": rule.line} for rule in rules.rules
    ]
    json.dump({**about, "rules": names, **found}, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def _print_table(rules: RuleSet, found: dict[str, Any]) -> None:
    from pathfolio.explain.records.verdict_text import outcome_text

    sys.stdout.write(f"{rules.market} {rules.version}: {len(rules.rules)} rules, sha256 {rules.sha256[:12]}\n")
    width = max((len(rule.name) for rule in rules.rules), default=len("any rule"))
    if not found:
        for rule in rules.rules:
            sys.stdout.write(f"  {rule.name:{width}}  {rule.kind:13}  unknown: {rule.unknown.word}\n")
        return
    sys.stdout.write(f"  means over {found['investors']:,} investors, of {found['assets']:,} assets, ")
    sys.stdout.write(f"on {found['today']}\n")
    sys.stdout.write(f"  {'rule':{width}}  {'rejects':>9}  {'warns':>9}  {'not known':>9}\n")
    for rule in rules.rules:
        counts = (found[effect][rule.name] for effect in ("rejects", "warns", "unknown"))
        sys.stdout.write(f"  {rule.name:{width}}  " + "  ".join(f"{count:9.1f}" for count in counts) + "\n")
    allowed = found["allowed"]
    sys.stdout.write(f"  {'any rule':{width}}  {found['rejects']['any']:9.1f}\n")
    told = ", ".join(f"{outcome_text(state, DEFAULT)} {mean:.1f}" for state, mean in found["states"].items())
    sys.stdout.write(f"  verdicts: {told}\n")
    sys.stdout.write(f"  left to show: {allowed['fewest']} to {allowed['most']}, {allowed['mean']:.1f} on average; ")
    sys.stdout.write(f"{found['without_any']} investors have none\n")
    for each in found["unlisted"]:
        who = "assets" if each["table"] == "ratings" else "investors"
        sys.stdout.write(f"  not in [{each['table']}]: {each['name']} ({each['count']:,} {who})\n")
    for restriction in found["idle_restrictions"]:
        sys.stdout.write(f"  restricted, but no asset here: {restriction}\n")
