"""The table of attacks on a build: python -m tests.privacy.report BUILD [TARGETS]."""

from __future__ import annotations

import sys
from pathlib import Path

from pathfolio.recommender.build import load_build
from tests.privacy.attacks import ATTACKS, PUBLIC, Market, run, with_popularity


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


def main(words: list[str]) -> None:
    """Print the table."""
    most = int(words[1]) if len(words) > 1 else 40
    sys.stdout.write("\n".join(table(Market.of(load_build(Path(words[0]))), most)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
