"""Work in other processes and in many threads, for trying faults."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from typing import Final

from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.ledger.payloads import RECOMMENDATION

FORK: Final = multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn")


def in_threads(work: Callable[[int], None], count: int) -> None:
    """Run `work` with each number below `count` in a thread of its own, until all are done."""
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def ids_in(ledger: Ledger) -> set[str]:
    """Ids of the recommendations that stand in a ledger."""
    return {header.id for header in ledger.headers(kinds=[RECOMMENDATION])}
