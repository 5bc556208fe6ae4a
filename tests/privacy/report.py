"""The tables of attacks on a build: python -m tests.privacy.report BUILD [TARGETS]."""

from __future__ import annotations

import sys
from pathlib import Path

from pathfolio.recommender.build import load_build
from tests.privacy import differencing
from tests.privacy.attacks import ATTACKS, PUBLIC, Market, run, with_popularity

DAYS = 14
"""So many days before the build's are asked, each beside the next."""


def table(market: Market, most: int) -> list[str]:
    """One line per attack: precision alone, with popularity, and by popularity."""
    targets = list(market.targets(most))
    alone = run(market, targets)
    both = run(market, targets, {name: with_popularity(attack) for name, attack in ATTACKS.items()})
    public = run(market, targets, {name: with_popularity(guess) for name, guess in PUBLIC.items()})
    best = max(found.precision for found in public.values())
    lines = [f"{len(targets)} targets; popularity with public attributes, without an attack: {best:.3f}"]
    lines += ["| attack | alone | with popularity | popularity |", "|---|---|---|---|"]
    for name, found in alone.items():
        lines.append(f"| {name} | {found.precision:.3f} | {both[name].precision:.3f} | {found.floor:.3f} |")
    return lines


def two_days_table(market: Market, most: int) -> list[str]:
    """One line per attack by two days side by side: precision, and by popularity."""
    found = differencing.run(differencing.days_of(market.scorer, market.build.graph, most))
    guessed = max(outcome.guessed for outcome in found.values())
    lines = [f"the last {most} days, each beside the one before; {guessed:,} holdings of single new holders"]
    lines += ["| attack | precision | popularity |", "|---|---|---|"]
    return lines + [f"| {name} | {of.precision:.3f} | {of.floor:.3f} |" for name, of in found.items()]


def main(words: list[str]) -> None:
    """Print the tables."""
    most = int(words[1]) if len(words) > 1 else 40
    market = Market.of(load_build(Path(words[0])))
    sys.stdout.write("\n".join([*table(market, most), "", *two_days_table(market, DAYS)]) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
