"""Make a recorded build again, from its data and its configuration."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.records.keep import BuildEntry, registered, registered_at
from pathfolio.explain.records.layout import Record
from pathfolio.kg.errors import LedgerError
from pathfolio.kg.progress import Progress
from pathfolio.recommender.build import Build, BuildOptions, write_build
from pathfolio.recommender.score_inputs import ScoreOptions
from pathfolio.recommender.training import TrainingOptions, train_parts
from pathfolio.web.sources import from_folder
from pathfolio.web.told import with_told


@contextmanager
def rebuilt(ledger: Ledger, record: Record, data: Path) -> Iterator[Build]:
    """The build that `record` names, made again from `data` into a folder that goes when this ends.

    A build that was refreshed is trained on the day its weights are of, and then brought to its own day.

    Raises:
        LedgerError: the ledger does not know how the build was made.
        DataError: the data folder is refused.
    """
    manifest = json.loads(registered(ledger, BuildEntry, record.build.hash).manifest)
    if manifest.get("own"):
        raise LedgerError(f"the build has channels of its own ({', '.join(manifest['own'])}): name it with --build")
    training = TrainingOptions.of(manifest)
    options = BuildOptions(training, ScoreOptions.from_json(manifest["score"]))
    progress = Progress()
    trained, today = (date.fromisoformat(manifest[name]) for name in ("trained_as_of", "as_of"))
    place = registered_at(ledger, BuildEntry, record.build.hash)
    further = (lambda tables: with_told(tables, ledger, today, place)) if trained != today else None
    source = from_folder(data, today, progress, further)
    then = from_folder(data, trained, progress)
    learned = train_parts(then.graph, training, progress, then.prices).with_prices(source.prices)
    with tempfile.TemporaryDirectory(prefix="pathfolio-") as folder:
        out = Path(folder) / "build"
        yield write_build(source.graph, learned, out, options, progress, source.beside())
