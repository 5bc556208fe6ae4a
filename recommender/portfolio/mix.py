"""What a portfolio consists of, by currency, industry, issuer and class of asset, with a look into what funds hold."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from pathfolio.kg.graph import FloatArray
from pathfolio.kg.schema import KIND_CODE, NodeKind
from pathfolio.kg.span import Positions
from pathfolio.recommender.suitability.assets import AssetFacts
from pathfolio.recommender.suitability.kinds.concentration import kept_exposures

ASSET_CLASSES: Final = MappingProxyType({"stock": NodeKind.STOCK, "bond": NodeKind.BOND, "fund": NodeKind.FUND})
"""What is held in the end; a fund is one whose holdings are not known."""

UNKNOWN: Final = ""
"""Names the part of which the group is not known."""


@dataclass(frozen=True)
class MixPart:
    """One group of a mix, with its part before and after a purchase, as fractions of the portfolio."""

    name: str
    before: float
    after: float


@dataclass(frozen=True)
class Mix:
    """The groups of one kind, those that are the largest afterwards first; what is not known is called `UNKNOWN`."""

    group: str
    parts: tuple[MixPart, ...]


def mixes(assets: AssetFacts, held: Positions, before: FloatArray, after: FloatArray) -> tuple[Mix, ...]:
    """The four mixes of a portfolio that holds fractions `before` (h,) of the assets `held`, and `after` a purchase."""
    found = [_mix_of_class(assets, held, before, after)]
    exposures = kept_exposures(assets)
    for group in ("currency", "industry", "issuer"):
        exposure = exposures[group]
        parts = zip(
            exposure.names.tolist(),
            exposure.of_holdings(held, before).tolist(),
            exposure.of_holdings(held, after).tolist(),
            strict=True,
        )
        found.append(Mix(group, _sorted([MixPart(str(name), *pair) for name, *pair in parts], before, after)))
    return tuple(found)


def _mix_of_class(assets: AssetFacts, held: Positions, before: FloatArray, after: FloatArray) -> Mix:
    through = kept_exposures(assets)["asset"]
    in_the_end = [through.of_holdings(held, weight) for weight in (before, after)]
    kind = assets.graph.nodes.kind[assets.graph.assets]
    parts = [
        MixPart(word, *(float(end[kind == KIND_CODE[of]].sum()) for end in in_the_end))
        for word, of in ASSET_CLASSES.items()
    ]
    return Mix("class", _sorted(parts, before, after))


def _sorted(parts: list[MixPart], before: FloatArray, after: FloatArray) -> tuple[MixPart, ...]:
    """What there is of the groups, and what of the portfolio belongs to none of them."""
    there = [part for part in parts if part.before > _NOTHING or part.after > _NOTHING]
    there.sort(key=lambda part: (-part.after, -part.before, part.name))
    rest = MixPart(
        UNKNOWN,
        max(0.0, float(np.sign(before.sum())) - sum(part.before for part in there)),
        max(0.0, float(np.sign(after.sum())) - sum(part.after for part in there)),
    )
    return (*there, rest) if max(rest.before, rest.after) > _LEAST_REST else tuple(there)


_NOTHING: Final = 1e-9
_LEAST_REST: Final = 5e-4
