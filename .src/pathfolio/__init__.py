"""Recommends stocks and funds from a knowledge graph, and explains each by the paths that carry its score."""

from importlib.machinery import PathFinder

# In a checkout the subpackages are links to the folders at the top level; installed, they are folders.
if PathFinder.find_spec("pathfolio.kg", __path__) is None:
    raise ImportError(
        "pathfolio comes from a checkout whose symbolic links became text files: allow links there "
        "(git config core.symlinks true; on Windows also the developer mode), git checkout -- .src, and install again"
    )
