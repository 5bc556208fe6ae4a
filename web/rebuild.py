"""Make a recorded build again, from its data and its configuration."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from explain.ledger.ledger import Ledger
from explain.records.keep import BUILD, registered
from kg.progress import Progress
from recommender.build import Build, BuildOptions, make_build
from recommender.scorer import ScoreOptions
from recommender.training import TrainingOptions
from web.sources import from_folder


@contextmanager
def rebuilt(ledger: Ledger, record: dict[str, Any], data: Path) -> Iterator[Build]:
    """The build that `record` names, made again from `data` into a folder that goes when this ends.

    Raises:
        LedgerError: the ledger does not know how the build was made.
        DataError: the data folder is refused.
    """
    manifest = json.loads(registered(ledger, BUILD, record["build"]["hash"])["manifest"])
    training = TrainingOptions(int(manifest["seed"]), str(manifest.get("embedding", "auto")))
    options, progress = BuildOptions(training, ScoreOptions.from_json(manifest["score"])), Progress()
    source = from_folder(data, date.fromisoformat(manifest["as_of"]), progress)
    with tempfile.TemporaryDirectory(prefix="pathfolio-") as folder:
        out = Path(folder) / "build"
        yield make_build(source.graph, out, options, progress, prices=source.prices, report=source.report)
