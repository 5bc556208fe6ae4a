"""Recommends stocks and funds from a knowledge graph, and explains each by the paths that carry its score.

What is named here is the way in from Python; a name is imported when it is first used.

- `read_market` (from a folder, or from tables in memory with their `MarketTerms`) and `sample_market` give `Tables`.
- `build` trains on them and gives a `Build`, on own vectors and with an `OwnChannel` where these are given;
  `load_build` opens one.
- `Recommender` lists assets for investors and explains them (`Explained`): gated by rules and recorded in a ledger.
- `rank_without_rules` gives what the score alone says, for research.
- `evaluate` measures models on each `Fold`: shipped ones, and own ones given as a `ModelSpec` that fits a `Model` on a
  `KnowledgeGraph`.
- Errors that a person can act on are a `PathfolioError`: `UsageError`, `DataError`, `LedgerError`.
"""

from importlib.machinery import PathFinder

# In a checkout the subpackages are links to the folders at the top level; installed, they are folders.
if PathFinder.find_spec("pathfolio.kg", __path__) is None:
    raise ImportError(
        "pathfolio comes from a checkout whose symbolic links became text files: allow links there "
        "(git config core.symlinks true; on Windows also the developer mode), git checkout -- .src, and install again"
    )

from pathfolio.kg.arithmetic import hold_arithmetic

hold_arithmetic()  # before anything loads numpy

TYPE_CHECKING = False  # typing's constant, which checkers know by its name, without the time to import typing
if TYPE_CHECKING:
    from pathfolio.kg.errors import DataError, LedgerError, PathfolioError, UsageError
    from pathfolio.kg.graph import KnowledgeGraph
    from pathfolio.kg.sample import SampleSize
    from pathfolio.kg.tables import Tables
    from pathfolio.kg.terms import MarketTerms
    from pathfolio.recommender.build import Build, load_build
    from pathfolio.recommender.channels.own import OwnChannel
    from pathfolio.recommender.evaluation.registry import ModelSpec
    from pathfolio.recommender.evaluation.split import Fold
    from pathfolio.recommender.model import Model
    from pathfolio.web.library.build import build, rank_without_rules
    from pathfolio.web.library.evaluate import evaluate
    from pathfolio.web.library.market import read_market, sample_market
    from pathfolio.web.library.recommender import Explained, Recommender

__all__ = [
    "Build",
    "DataError",
    "Explained",
    "Fold",
    "KnowledgeGraph",
    "LedgerError",
    "MarketTerms",
    "Model",
    "ModelSpec",
    "OwnChannel",
    "PathfolioError",
    "Recommender",
    "SampleSize",
    "Tables",
    "UsageError",
    "build",
    "evaluate",
    "load_build",
    "rank_without_rules",
    "read_market",
    "sample_market",
]

_HOMES = {
    "read_market": "web.library.market",
    "sample_market": "web.library.market",
    "SampleSize": "kg.sample",
    "Tables": "kg.tables",
    "MarketTerms": "kg.terms",
    "build": "web.library.build",
    "Build": "recommender.build",
    "load_build": "recommender.build",
    "OwnChannel": "recommender.channels.own",
    "rank_without_rules": "web.library.build",
    "Recommender": "web.library.recommender",
    "Explained": "web.library.recommender",
    "evaluate": "web.library.evaluate",
    "Fold": "recommender.evaluation.split",
    "ModelSpec": "recommender.evaluation.registry",
    "Model": "recommender.model",
    "KnowledgeGraph": "kg.graph",
    "PathfolioError": "kg.errors",
    "UsageError": "kg.errors",
    "DataError": "kg.errors",
    "LedgerError": "kg.errors",
}

if not TYPE_CHECKING:  # else every name would seem to be there

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(f"pathfolio.{_HOMES[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
