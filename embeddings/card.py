"""The card that goes with exported vectors: Markdown under a YAML head, as hubs of models read it."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Final

from pathfolio.embeddings.scoring import FORMULAS, score
from pathfolio.embeddings.vectors import EntityVectors
from pathfolio.kg.schema import KIND_CODE, NodeKind

_PEOPLE: Final = """This file holds vectors of people. Who has them can tell most of what each of them holds, and whom
they resemble: treat them as the positions themselves, and hand them on to nobody who may not see those."""

_NO_PEOPLE: Final = """This file holds no vectors of people. Those of assets were learned from positions as well, but
only from such as groups of at least ten people share, so that what fewer hold together cannot have entered them."""


def card(vectors: EntityVectors, file: str, form: str, about: Mapping[str, object]) -> str:
    """The card's text.

    Args:
        file: the name of the vectors' file; `form` its format.
        about: what the manifest says besides (data set, licence, build).
    """
    manifest = vectors.manifest
    title = f"{manifest.model} vectors of {about.get('data_set', 'a market')}"
    has_people = bool((vectors.kind == KIND_CODE[NodeKind.USER]).any())
    return f"""{_head(vectors, title, about)}
# {title}

{len(vectors):,} vectors of {manifest.dimension} numbers in `{file}` ({form}), learned by pathfolio from the knowledge
graph of {manifest.as_of}; build `{about.get("build", "unknown")}`. Licence of what they were learned
from: {_licence(about)}.

## How to combine them

Two entities of one kind are near by the cosine of their vectors. How likely a triple of head h, relation r and tail t
is, an investor HOLDS an asset, say, the scoring function tells, and not the cosine: {FORMULAS.get(manifest.model, "")}.
{_where_relations(vectors, file)}

```python
import numpy as np


{inspect.getsource(score).replace(": Any", "").replace(" -> Any", "")}```

## Measures

{_measures(vectors)}

How they compare with factorisations and with PyKEEN's own training, on documented data and not on this build, stands
in the documentation under "What is measured"; `pathfolio evaluate DATA --vectors --fold CUT:END` does it for yours.

## What they tell about people

{_PEOPLE if has_people else _NO_PEOPLE}
"""


def _head(vectors: EntityVectors, title: str, about: Mapping[str, object]) -> str:
    """YAML, of which JSON texts are a part: names need no other quoting."""
    manifest = vectors.manifest
    results = [
        {"type": name, "name": f"{name}, held-out relations of this build", "value": round(value, 4)}
        for name, value in manifest.metrics.items()
    ]
    entry = {"task": {"type": "graph-ml", "name": "link prediction"}, "dataset": {"name": about.get("data_set", "")}}
    fields = {
        "license": "other",
        "license_name": _licence(about),
        "library_name": "pathfolio",
        "tags": ["knowledge-graph-embedding", "graph-ml", "finance", manifest.model],
        "model-index": [{"name": title, "results": [{**entry, "metrics": results}]}],
    }
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items()]
    return "\n".join(["---", *lines, "---", ""])


def _licence(about: Mapping[str, object]) -> str:
    return str(about.get("licence", "unknown"))


def _where_relations(vectors: EntityVectors, file: str) -> str:
    if not vectors.relations.names:
        return "There are no relations in it."
    return f"The vectors of relations stand in `{file}.relations.tsv`: {', '.join(vectors.relations.names)}."


def _measures(vectors: EntityVectors) -> str:
    """A table of the manifest's metrics."""
    manifest = vectors.manifest
    rows = [f"| {name} | {value:.3f} |" for name, value in manifest.metrics.items()]
    told = (
        "Of this build, on relations held out of its training; candidates of the right kind, a sample of 1,000 at most:"
    )
    return "\n".join([told, "", "| measure | value |", "|---|---|", *rows])
